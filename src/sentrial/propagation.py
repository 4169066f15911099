"""A session across processes, in whatever carries headers: HTTP requests, messages, environment variables.

Both functions go through the propagators that are configured (``OTEL_PROPAGATORS``). The trace crosses with any of
them; the session's identity with baggage, which is among the default ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from opentelemetry.context import Context
from opentelemetry.propagators.textmap import Getter, Setter, default_setter
from opentelemetry.trace import get_current_span

from sentrial import _baggage, _config, _guard, _session, _setup
from sentrial._patch import propagator
from sentrial._session import Activation, Session
from sentrial._spans import root, source
from sentrial._spans.root import Opening
from sentrial.attachment import Attachment
from sentrial.process import default_client


class Arrival(Attachment):
    """What :func:`extract` gives: ``with`` and ``async with`` make what came along current in their block.

    Events can be added to it as to any session. Where none came along they belong to the session around, if there is
    one; begin one where :attr:`found` is ``False``.

    Attributes:
        found: whether a session came along, and is believed.
    """

    def __init__(self, session: Session, context: Context, *, found: bool, loud: bool) -> None:
        super().__init__(session, loud=loud)
        self.found = found
        self._context = context

    def __enter__(self) -> Arrival:
        try:
            source.tracer()  # other instrumentations' spans need the provider that ours go through
            self._activations.append(Activation(self._context))
        except Exception as error:  # noqa: BLE001 - nothing of ours may keep the user's block from running
            _guard.failed("entering what was extracted", error)
        return self

    async def __aenter__(self) -> Arrival:
        return self.__enter__()


def inject(carrier: Any, setter: Setter[Any] | None = None) -> None:
    """Write the current trace into ``carrier``, and the session that is current, if any.

    To call it is to ask for the session to go along, whatever ``propagate_session`` says. It goes as baggage, and names
    the user.

    Args:
        carrier: a dict, or whatever ``setter`` can write to.
        setter: writes one header; into a dict, if not given. :data:`environment_setter` is for variables.

    Raises:
        ValueError: with ``fail_silently=False``, for a carrier that cannot be written to.
    """
    with _guard.raising(_is_loud()):
        try:
            propagator.inject_by_hand(carrier, _session.live(), default_setter if setter is None else setter)
        except Exception as error:  # noqa: BLE001 - the carrier and the setter are anybody's
            _guard.refuse(
                "inject carrier",
                "sentrial: nothing can be injected into %s (%s): give a dict, or a setter that can write to it.",
                _guard.shown(carrier),
                _guard.shown(error),
            )


def extract(carrier: Any, getter: Getter[Any] | None = None, *, trust: bool | None = None) -> Arrival:
    """Go on with what :func:`inject`, or any instrumentation, wrote: ``with sentrial.extract(headers) as session:``

    In the block the session that came along is current, under the span that sent it; without one, the trace alone. A
    carrier that holds nothing changes nothing.

    Args:
        carrier: a mapping, or a list of pairs, of names and values, each text or bytes; or whatever ``getter`` can read
            from. How names are spelled does not count, so that ``os.environ`` is one too.
        getter: reads one header.
        trust: whether a session is believed; as ``trust_incoming`` says, if not given. Whoever is believed can add
            events to any session whose id it knows.

    Raises:
        ValueError: with ``fail_silently=False``, for a carrier that cannot be read.
    """
    client = default_client()
    before = _session.live()
    context, found = before, None
    with _guard.raising(not client.fail_silently):
        trusted = _read_trust(trust)
        try:
            context = propagator.extract_by_hand(carrier, before, _headers if getter is None else getter)
        except Exception as error:  # noqa: BLE001 - the carrier and the getter are anybody's
            _guard.refuse(
                "extract carrier",
                "sentrial: nothing can be extracted from %s (%s): give a mapping, or a getter that can read it.",
                _guard.shown(carrier),
                _guard.shown(error),
            )
        context, found = _receive(context, before, trusted=trusted)
    session = found or _session.current(context) or root.nowhere(Opening("", None, account=_baggage.default_account()))
    return Arrival(session, context, found=found is not None, loud=not client.fail_silently)


def _receive(context: Context, before: Context, *, trusted: bool) -> tuple[Context, Session | None]:
    try:
        came_along = get_current_span(context) is not get_current_span(before)
        context, session = _baggage.take_session(context, trusted=trusted)
    except Exception as error:  # noqa: BLE001 - the user's message has to be dealt with
        _guard.failed("receiving a session", error)
        return before, None
    if session is None and came_along:
        # A trace of its own: not work of the session around.
        context = _session.within(None, context)
    return context, session


def _read_trust(trust: object) -> bool:
    if trust is not None and not isinstance(trust, bool):
        _guard.refuse(
            "trust",
            "sentrial: extract(trust=%s) is not usable: it must be True or False. Nothing is believed.",
            _guard.shown(trust),
        )
        return False
    return _config.active.enabled and (_config.active.trust_incoming if trust is None else trust)


def _is_loud() -> bool:
    # To find nothing to inject, nobody needs to set up.
    return _setup.is_set_up() and not default_client().fail_silently


class _Headers(Getter[Any]):
    """Reads mappings and pairs, of text or bytes. Spelling does not count: ``TRACEPARENT`` is ``traceparent``."""

    def get(self, carrier: Any, key: str) -> list[str] | None:
        wanted = _plain(key)
        found = [text for name, value in _pairs(carrier) if _plain(name) == wanted for text in _texts(value)]
        return found or None

    def keys(self, carrier: Any) -> list[str]:
        return [name for name, _ in _pairs(carrier)]


class _Variables(Setter[Any]):
    """Writes names as environment variables have them."""

    def set(self, carrier: Any, key: str, value: str) -> None:
        carrier[re.sub(r"\W", "_", key, flags=re.ASCII).upper()] = value


environment_setter: Setter[Any] = _Variables()
"""For :func:`inject` into the environment of a new process: ``traceparent`` becomes ``TRACEPARENT``."""

_headers: Getter[Any] = _Headers()


def _pairs(carrier: Any) -> Iterator[tuple[str, Any]]:
    if carrier is None:
        return  # the headers of a message without any
    pairs = carrier.items() if hasattr(carrier, "items") else carrier
    if pairs is carrier and not isinstance(carrier, list | tuple):
        raise TypeError(f"a {type(carrier).__name__} is no mapping, and no list of pairs")
    for name, value in pairs:
        for text in _texts(name):
            yield text, value


def _texts(value: Any) -> Iterator[str]:
    for each in value if isinstance(value, list | tuple) else (value,):
        if isinstance(each, bytes):
            yield each.decode("latin-1")
        elif isinstance(each, str):
            yield each


def _plain(name: str) -> str:
    return name.lower().replace("_", "-")
