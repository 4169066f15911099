"""How often a client sends the request of one call, as what runs inside the call sees it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from opentelemetry import context as otel_context
from opentelemetry.context import Context, create_key, set_value

from sentrial._spans.llm import AnyCall

_ATTEMPTS = create_key("sentrial-model-call")


class Attempts:
    """``over``: whether the call has ended; its context may live on in tasks that the client has left behind.

    ``read_sent``: what takes the content from what is sent the first time, where it could not be looked at before.
    """

    __slots__ = ("_call", "_client", "_refused_at", "_sent", "_status", "over", "read_sent")

    def __init__(self, client: object, call: AnyCall) -> None:
        self.over = False
        # Not the client itself: what a call leaves behind keeps its context, and would keep the client alive.
        self._client = id(client)
        self._call = call
        self._sent = False
        self._status: int | None = None
        self._refused_at: float | None = None
        self.read_sent: Callable[[Sequence[Any], Mapping[str, Any]], None] | None = None

    def inside(self, context: Context) -> Context:
        """``context``, as those see it who work for the call."""
        return set_value(_ATTEMPTS, self, context)

    def are_of(self, client: object) -> bool:
        """Whether ``client`` is the one that was called, and none that works for it."""
        return id(client) == self._client

    def sends(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        """The request is sent, for the first time or again, by a method that got these."""
        if self._sent:
            wait = None if self._refused_at is None else time.perf_counter() - self._refused_at
            self._call.retry(self._status, wait)
        self._sent = True
        self._status = self._refused_at = None
        read, self.read_sent = self.read_sent, None
        if read is not None:
            read(args, kwargs)

    def refused(self, status: object) -> None:
        """The provider has answered ``status``, which is no success."""
        self._status = status if isinstance(status, int) else None
        self._refused_at = time.perf_counter()


def current(context: Context | None = None) -> Attempts | None:
    """Those of the call that a client is making in ``context``, the current one if none is given."""
    found: Any = (otel_context.get_current() if context is None else context).get(_ATTEMPTS)
    return found if type(found) is Attempts and not found.over else None
