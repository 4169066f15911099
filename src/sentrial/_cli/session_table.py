"""The list of sessions: one line each, newest first."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from sentrial import semconv
from sentrial._cli import figures
from sentrial._cli.console import Signs
from sentrial._cli.safe_text import safe_line
from sentrial._cli.wrapping import shorten
from sentrial._store.owner import is_alive
from sentrial._store.summary import RUNNING, SessionSummary

STATUS_STYLES = {
    semconv.OUTCOME_COMPLETED: "green",
    semconv.OUTCOME_FAILED: "bold red",
    RUNNING: "cyan",
    semconv.OUTCOME_CANCELLED: "yellow",
    semconv.OUTCOME_PAUSED: "yellow",
    semconv.OUTCOME_ABANDONED: "yellow",
}
# How dates are written, the head of the last column, and the gap between columns.
_LAYOUTS = (
    ("%Y-%m-%d %H:%M:%S", "EVENTS", 2),
    ("%m-%d %H:%M", "EVENTS", 2),
    ("%m-%d %H:%M", "EVENTS", 1),
    ("%m-%d %H:%M", "EV", 1),
)
# A name is cut so far before the whole table becomes tighter, and so far in the tightest one.
_WIDEST = 40
_COMFORTABLE = 20
_NARROWEST = 6


@dataclass(frozen=True, slots=True)
class _Column:
    head: str
    cells: list[str]
    right: bool = False
    style: str = ""
    # May be cut when the line is too narrow; the others are useless when cut.
    gives_way: bool = False

    @property
    def width(self) -> int:
        return max(cell_len(each) for each in (self.head, *self.cells))


def status_mark(status: str, signs: Signs) -> str:
    """The sign that stands before ``status``."""
    return {semconv.OUTCOME_COMPLETED: signs.done, semconv.OUTCOME_FAILED: signs.failed}.get(status, signs.open)


def took_ns(session: SessionSummary) -> int:
    """How long a session took; one that runs, and whose process says so: until now."""
    if session.status == RUNNING and is_alive(session.owner):
        return max(time.time_ns() - session.start_ns, 0)
    return session.end_ns - session.start_ns


def build_table(sessions: Sequence[SessionSummary], short_ids: Sequence[str], width: int, signs: Signs) -> list[Text]:
    """The lines of the table, at most ``width`` cells wide where that is possible at all."""
    columns, gap = _fitting(sessions, short_ids, width, signs)
    lines = [_line([column.head for column in columns], columns, gap, ["dim"] * len(columns))]
    for place, session in enumerate(sessions):
        styles = [column.style for column in columns]
        styles[4] = STATUS_STYLES.get(session.status, "")
        lines.append(_line([column.cells[place] for column in columns], columns, gap, styles))
    return lines


def _fitting(
    sessions: Sequence[SessionSummary], short_ids: Sequence[str], width: int, signs: Signs
) -> tuple[list[_Column], int]:
    """The roomiest form of the table that fits: first dates lose their year, then gaps get small, then names."""
    for layout, events, gap in _LAYOUTS:
        least = _NARROWEST if (layout, events, gap) == _LAYOUTS[-1] else _COMFORTABLE
        columns = _columns(sessions, short_ids, layout, events, signs)
        surplus = sum(column.width for column in columns) + gap * (len(columns) - 1) - width
        while surplus > 0:
            widest = max((each for each in columns if each.gives_way), key=lambda each: each.width)
            if widest.width <= least:
                break
            cells = [shorten(each, widest.width - 1, signs.ellipsis) for each in widest.cells]
            columns[columns.index(widest)] = replace(widest, cells=cells)
            surplus -= 1
        if surplus <= 0:
            break
    return columns, gap


def _columns(
    sessions: Sequence[SessionSummary], short_ids: Sequence[str], layout: str, events: str, signs: Signs
) -> list[_Column]:
    def words(values: Iterable[str | None]) -> list[str]:
        return [shorten(safe_line(each or "-"), _WIDEST, signs.ellipsis) for each in values]

    return [
        _Column("ID", words(short_ids), style="bold"),
        _Column("STARTED", [figures.moment(each.start_ns, layout) for each in sessions]),
        _Column("AGENT", words(each.agent for each in sessions), gives_way=True),
        _Column("USER", words(each.user for each in sessions), gives_way=True),
        _Column("STATUS", words(each.status for each in sessions)),
        _Column("TIME", [figures.duration(took_ns(each)) for each in sessions], right=True),
        _Column(
            "TOKENS",
            ["-" if each.total_tokens is None else figures.tokens(each.total_tokens) for each in sessions],
            right=True,
        ),
        _Column("COST", ["-" if each.cost is None else figures.dollars(each.cost) for each in sessions], right=True),
        _Column(events, [figures.whole(each.events) for each in sessions], right=True),
    ]


def _line(cells: Sequence[str], columns: Sequence[_Column], gap: int, styles: Sequence[str]) -> Text:
    line = Text()
    for place, (cell, column, style) in enumerate(zip(cells, columns, styles, strict=True)):
        if place:
            line.append(" " * gap)
        padding = " " * (column.width - cell_len(cell))
        line.append(padding + cell if column.right else set_cell_size(cell, column.width), style)
    return line
