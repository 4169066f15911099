"""A function as an agent: each call is a session."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sentrial import _guard, _session, _setup, semconv
from sentrial._decorated.arguments import Arguments
from sentrial._decorated.run import How
from sentrial._session import Session
from sentrial.client import SentrialClient
from sentrial.interaction import Interaction
from sentrial.process import default_client

INPUTS = ("query", "prompt", "text")
"""Parameters that hold what the user said, where none of those does that ``@session`` was given."""

Metadata = Mapping[str, Any] | Callable[[Mapping[str, Any]], Mapping[str, Any] | None]


@dataclass(frozen=True)
class Agent:
    """What ``@session`` knows of a function, and was given."""

    name: str
    arguments: Arguments
    user_id_param: str
    input_params: tuple[str, ...]
    convo_id_param: str
    metadata: Metadata | None
    client: SentrialClient | None

    def wanted(self) -> bool:
        """Wherever it is called: it is a session itself."""
        return _setup.ensure().enabled

    def open(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> AroundAgent:
        """The session of one call."""
        outer = around()
        found = self.arguments.by_name(args, kwargs)
        user_id = self.arguments.find(self.user_id_param, found)
        if user_id is None and outer is not None:
            user_id = outer.user_id
        said = (self.arguments.find(name, found) for name in self.input_params)
        return AroundAgent(
            client_for(self.client).begin(
                user_id,
                self.name,
                next((value for value in said if value is not None), None),
                convo_id=self.arguments.find(self.convo_id_param, found),
                metadata=self._metadata(found),
            )
        )

    def _metadata(self, found: Mapping[str, Any]) -> Mapping[str, Any] | None:
        if not callable(self.metadata):
            return self.metadata
        try:
            return self.metadata(dict(found))
        except Exception as error:  # noqa: BLE001 - the application's own code, which must not keep its agent from running
            _guard.say_once(
                f"metadata of {self.name}",
                "sentrial: metadata= of @session(%r) raised %s: %s. Such calls are recorded without it.",
                self.name,
                type(error).__name__,
                _guard.shown(error, str),
            )
            return None


def around() -> Session | None:
    """The session around, where its block is open (``with``, a decorator): what begins here is its sub-agent."""
    session = _session.current()
    return session if session is not None and session.lexical else None


def client_for(given: SentrialClient | None) -> SentrialClient:
    """Whose account a session goes to: the one that is given, else the one around, else the process's."""
    if given is not None:
        return given
    outer = around()
    client: SentrialClient | None = outer.client if outer is not None else None
    return client if client is not None else default_client()


class AroundAgent:
    """``interaction`` around the call of a function: it is current already."""

    __slots__ = ("_interaction",)

    def __init__(self, interaction: Interaction) -> None:
        self._interaction = interaction
        try:
            interaction.__enter__()
        except Exception as error:  # noqa: BLE001 - it is open, and has to be ended
            _guard.failed("entering a session", error)

    def leave(self) -> None:
        """Make current again what was."""
        self._interaction._leave()

    def end(self, how: How) -> None:
        """End the session, unless the function has done so. What the function said itself counts."""
        interaction = self._interaction
        span = interaction._session.span
        try:
            if span.is_recording():
                if how.stream_end is not None:
                    span.set_attribute(semconv.SENTRIAL_STREAM_END, how.stream_end)
                if how.cut is not None:
                    span.set_attribute(semconv.SENTRIAL_TRUNCATED, how.cut)
                if how.said and interaction._output is None:
                    interaction.set_output(read_output(how.output))
        finally:
            error = how.error
            interaction.__exit__(None if error is None else type(error), error, None)


def read_output(result: Any) -> Any:
    """What an agent answered: of a dict its ``response``, or its ``output``; anything else as it is."""
    if isinstance(result, dict):
        for name in ("response", "output"):
            # A subclass's own methods may do anything.
            value = dict.get(result, name)
            if value is not None:
                return value
    return result
