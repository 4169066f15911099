"""What the application keeps with a session while it runs; it stands on the session when it ends."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

from sentrial import _guard, _session
from sentrial._spans.name import read_name


class SessionState:
    """The state of the session that is current."""

    fail_silently: bool

    @property
    @_guard.guarded("reading the state", dict)
    def current_state(self) -> dict[str, Any]:
        """What the current session keeps; it stands on the session when it ends."""
        session = _session.current()
        return session.state if session is not None else _state_of_none()

    @current_state.setter
    @_guard.guarded("setting the state", _guard.nothing)
    def current_state(self, state: Mapping[str, Any]) -> None:
        with _guard.raising(not self.fail_silently):
            entries = _read_state(state)
            self.current_state.clear()
            for key, value in entries.items():
                self.update_state(key, value)

    @_guard.guarded("updating the state", _guard.nothing)
    def update_state(self, key: str, value: Any) -> None:
        """Keep ``value`` under ``key`` with the current session; it stands on the session when it ends."""
        with _guard.raising(not self.fail_silently):
            self.current_state[read_name("key", key)] = value
        if _session.current() is None:
            self._complain(
                "state without session",
                "state is kept with the current session, and there is none, so that it is not sent: begin() one first, "
                "or set_session_context(session_id).",
            )

    def _complain(self, kind: str, words: str) -> None:
        """Say what is wrong: once in the log, or as an exception."""
        raise NotImplementedError


def _read_state(state: object) -> dict[str, Any]:
    if state is None:
        return {}
    if issubclass(type(state), Mapping):
        try:
            return dict(state)  # type: ignore[call-overload, no-any-return]  # a Mapping, by the line above
        except Exception as error:  # noqa: BLE001 - the user's own mapping
            _guard.refuse("state unreadable", "sentrial: current_state cannot be read (%s): give a dict.", error)
            return {}
    _guard.refuse(
        "state type",
        "sentrial: current_state is a %s, and has to be a mapping. It is kept under 'state'; give a dict.",
        type(state).__name__,
    )
    return {"state": state}


_unsent: ContextVar[dict[str, Any] | None] = ContextVar("sentrial-state-of-no-session", default=None)


def _state_of_none() -> dict[str, Any]:
    """What is kept outside of sessions, here, for the program to read back."""
    state = _unsent.get()
    if state is None:
        _unsent.set(state := {})
    return state
