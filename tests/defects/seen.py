"""What is seen of one run: by the program, and at the server, in one shape for both packages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Event:
    """One event: ``kind`` is tool_call, decision, error or llm_call; ``text`` all of it as JSON."""

    kind: str
    name: str | None
    input: Any
    output: Any
    text: str


@dataclass
class Session:
    """One session. ``status``: open, completed, failed, cancelled or abandoned; ``text``: all of it as JSON."""

    id: str
    user: str | None = None
    agent: str | None = None
    input: str | None = None
    output: str | None = None
    status: str = "open"
    cost: float | None = None
    key: str | None = None
    events: list[Event] = field(default_factory=list)
    own_text: str = ""

    @property
    def text(self) -> str:
        return "\n".join((self.own_text, *(event.text for event in self.events)))

    @property
    def tools(self) -> list[str | None]:
        """The names of the tools called, in the order of arrival."""
        return [event.name for event in self.events if event.kind == "tool_call"]


@dataclass
class Seen:
    """One run: what the program printed and logged, what the server got."""

    printed: dict[str, Any]
    log: str
    sessions: list[Session]
    sent: str
    bytes: int
    requests: int
    home: list[str]
    """Files that the program left in its home directory."""

    def of_user(self, user: str) -> Session:
        """The session of ``user``, an empty one where there is none. Raises ValueError where there is more than one."""
        (found,) = [session for session in self.sessions if session.user == user] or [Session("none")]
        return found


@dataclass(frozen=True)
class Verdict:
    """Whether it was right, and in a few words what was seen."""

    ok: bool
    words: str
