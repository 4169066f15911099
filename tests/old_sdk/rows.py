"""What a row about old names is, and which row speaks of a name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

SAME = "same"
BETTER = "better"
MOVED = "moved"
LATER = "comes later"
LEFT_OUT = "left out"
HERE = (SAME, BETTER)


@dataclass(frozen=True)
class Row:
    """``names``: separated by blanks; ``.*`` at the end means all below it. ``now``: one of the five above."""

    names: str
    now: str
    words: str


@dataclass(frozen=True)
class Section:
    """Part of the page. ``prefix`` comes before each name of its rows: ``sentrial``, or a class or module in there."""

    title: str
    prefix: str
    rows: tuple[Row, ...]


def rows_for(names: Iterable[str], sections: Iterable[Section]) -> tuple[dict[str, list[Row]], list[str]]:
    """For each name the rows that speak of it (one, if all is well); and what stands in a row and is no name."""
    written = [(f"{part.prefix}.{own}", row) for part in sections for row in part.rows for own in row.names.split()]
    found, spoken = {}, set()
    for name in names:
        exact = [(own, row) for own, row in written if own == name]
        wide = [(own, row) for own, row in written if own.endswith(".*") and name.startswith(own[:-1])]
        found[name] = [row for _, row in exact or wide]
        spoken.update(own for own, _ in exact or wide)
    return found, [own for own, _ in written if own not in spoken]
