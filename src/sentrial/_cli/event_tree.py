"""The events of a session as a tree: one line each with its figures, what was said below it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.text import Text

from sentrial._cli.console import Signs
from sentrial._cli.event_texts import EventTexts
from sentrial._cli.event_words import event_figures, event_title
from sentrial._cli.paragraph import Paragraphs
from sentrial._store.read import Event, Session

_GAP = "  "
# A tree deeper than this would leave no room for its texts.
_DEEPEST = 12
_NARROWEST = 12


@dataclass(frozen=True, slots=True)
class _Row:
    event: Event
    # What stands before the event's own branch, and whether its branch is the last one.
    guide: str
    is_last: bool
    figures: tuple[str, ...]


def build_tree(session: Session, texts: EventTexts, paragraphs: Paragraphs, signs: Signs) -> Iterator[Text]:
    """The lines of the tree, under a line that names the figures."""
    rows = [
        _Row(event, guide, is_last, event_figures(event, session.summary.start_ns))
        for event, guide, is_last in _walk(session.events, signs)
    ]
    if not rows:
        yield Text("  no events", "dim")
        return
    heads = ("AT", "TIME", "IN/OUT", "COST")
    widths = [
        max(len(head), *(len(row.figures[place]) for row in rows)) if any(row.figures[place] for row in rows) else 0
        for place, head in enumerate(heads)
    ]
    left = 2 + widths[0] + 2
    right = sum(width + len(_GAP) for width in widths[1:] if width)
    room = max(paragraphs.width - left - right, _NARROWEST)
    yield _line(heads, widths, Text("EVENT".ljust(room)), "dim")
    for row in rows:
        yield _line(row.figures, widths, _name(row, room, signs), "")
        yield from paragraphs.lay_out(texts.of(row.event), _body_indent(row, left, signs))


def _walk(events: Sequence[Event], signs: Signs) -> Iterator[tuple[Event, str, bool]]:
    """Each event with its guide, a parent before its children. Not recursive: a recorded tree may be any depth."""
    waiting = [(event, "", place == 0) for place, event in enumerate(reversed(events))]
    while waiting:
        event, guide, is_last = waiting.pop()
        yield event, guide, is_last
        deep = len(guide) >= _DEEPEST * len(signs.line)
        below = guide if deep else guide + _below(is_last, signs)
        waiting.extend((child, below, place == 0) for place, child in enumerate(reversed(event.children)))


def _below(is_last: bool, signs: Signs) -> str:
    return " " * len(signs.line) if is_last else signs.line


def _body_indent(row: _Row, left: int, signs: Signs) -> Text:
    guide = row.guide + _below(row.is_last, signs) + (signs.line[:1] if row.event.children else " ") + " "
    return Text(" " * left).append(guide, "dim")


def _name(row: _Row, room: int, signs: Signs) -> Text:
    branch = row.guide + (signs.last if row.is_last else signs.branch)
    return Text.assemble((branch, "dim"), event_title(row.event, max(room - cell_len(branch), _NARROWEST), signs))


def _line(cells: Sequence[str], widths: Sequence[int], name: Text, style: str) -> Text:
    line = Text.assemble("  ", (cells[0].rjust(widths[0]), "dim"), _GAP)
    line.append_text(name)
    for cell, width in zip(cells[1:], widths[1:], strict=True):
        if width:
            line.append(_GAP + cell.rjust(width), style)
    if style:
        line.stylize(style)
    return line
