"""Which sessions are meant: the conditions of a list, as SQL that reads an index."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SessionFilter:
    """Sessions that match every condition given. Times: of a session's start, nanoseconds of Unix time, inclusive."""

    agent: str | None = None
    user: str | None = None
    status: str | None = None
    since_ns: int | None = None
    until_ns: int | None = None

    @property
    def is_empty(self) -> bool:
        """Whether it lets every session pass."""
        return self == SessionFilter()

    def where(self) -> tuple[str, list[str | int]]:
        """The conditions as SQL, ``1`` where there are none, and the values for its question marks."""
        # The most telling condition finds the rows in its index; a plus keeps SQLite from choosing another one.
        named = [("user", self.user), ("agent", self.agent), ("status", self.status)]
        given = [(column, value) for column, value in named if value is not None]
        conditions = [f"{'+' if place else ''}{column} = ?" for place, (column, _) in enumerate(given)]
        values: list[str | int] = [value for _, value in given]
        for comparison, bound in ((">=", self.since_ns), ("<=", self.until_ns)):
            if bound is not None:
                conditions.append(f"start_ns {comparison} ?")
                values.append(bound)
        return " AND ".join(conditions) or "1", values


EVERY = SessionFilter()
