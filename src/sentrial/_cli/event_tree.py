"""The events of a session as a tree: one line each with its figures, what was said below it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.text import Text

from sentrial import semconv
from sentrial._cli import figures
from sentrial._cli.console import Signs
from sentrial._cli.event_texts import EventTexts, choice_in_brief
from sentrial._cli.paragraph import Paragraphs
from sentrial._cli.safe_text import safe_line
from sentrial._cli.wrapping import shorten
from sentrial._store.read import Event, Session

_GAP = "  "
# A tree deeper than this would leave no room for its texts.
_DEEPEST = 12
_NARROWEST = 12

_STYLES = {
    semconv.EVENT_SESSION: "bold",
    semconv.EVENT_LLM_CALL: "cyan",
    semconv.EVENT_TOOL_CALL: "blue",
    semconv.EVENT_DECISION: "magenta",
    semconv.EVENT_ERROR: "red",
}
_WORDS = {
    semconv.EVENT_SESSION: "agent",
    semconv.EVENT_LLM_CALL: "llm",
    semconv.EVENT_TOOL_CALL: "tool",
    semconv.EVENT_DECISION: "decision",
    semconv.EVENT_ERROR: "error",
}


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
        _Row(event, guide, is_last, _figures(event, session.summary.start_ns))
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
    event = row.event
    kind = event.event_type or ""
    word, style = _WORDS.get(kind, "span"), _STYLES.get(kind, "")
    branch = row.guide + (signs.last if row.is_last else signs.branch)
    label = f"{_mark(kind, signs)} {word} "
    failed = f" {signs.failed} failed" if event.status == "ERROR" and kind != semconv.EVENT_ERROR else ""
    space = max(room - cell_len(branch + label + failed), _NARROWEST)
    subject = shorten(_subject(event), space, signs.ellipsis)
    name = Text.assemble((branch, "dim"), (label, style), (subject, "bold"), (failed, "bold red"))
    name.append(" " * (room - name.cell_len))
    return name


def _subject(event: Event) -> str:
    """What the event is about; the span's name less the part that its kind says already."""
    name = event.name
    if event.event_type == semconv.EVENT_TOOL_CALL:
        name = str(event.attributes.get(semconv.GEN_AI_TOOL_NAME) or name)
    elif event.event_type == semconv.EVENT_SESSION and name.startswith(f"{semconv.OPERATION_INVOKE_AGENT} "):
        name = name.partition(" ")[2]
    elif event.event_type == semconv.EVENT_DECISION:
        name = choice_in_brief(event) or name.removeprefix(semconv.SPAN_DECISION).strip()
    elif event.event_type == semconv.EVENT_ERROR:
        name = str(event.attributes.get(semconv.ERROR_TYPE) or name)
    return safe_line(name)


def _mark(kind: str, signs: Signs) -> str:
    return {
        semconv.EVENT_SESSION: signs.agent,
        semconv.EVENT_LLM_CALL: signs.llm,
        semconv.EVENT_TOOL_CALL: signs.tool,
        semconv.EVENT_DECISION: signs.decision,
        semconv.EVENT_ERROR: signs.error,
    }.get(kind, signs.other)


def _figures(event: Event, origin_ns: int) -> tuple[str, str, str, str]:
    """Offset, duration, tokens in and out, and cost, each empty where it is unknown."""
    took = event.end_ns - event.start_ns
    said = event.attributes
    read, written = (said.get(key) for key in (semconv.GEN_AI_USAGE_INPUT_TOKENS, semconv.GEN_AI_USAGE_OUTPUT_TOKENS))
    total, cost = said.get(semconv.SENTRIAL_USAGE_TOTAL_TOKENS), said.get(semconv.SENTRIAL_ESTIMATED_COST)
    tokens = ""
    if read is not None or written is not None:
        tokens = f"{_number(read)}/{_number(written)}"
    elif total is not None:
        tokens = _number(total)
    return (
        figures.offset(event.start_ns - origin_ns),
        # An event told after the fact has no duration, and none is made up for it.
        figures.duration(took) if took else "",
        tokens,
        figures.dollars(cost) if isinstance(cost, (int, float)) else "",
    )


def _number(value: object) -> str:
    return figures.tokens(int(value)) if isinstance(value, (int, float)) else "-"


def _line(cells: Sequence[str], widths: Sequence[int], name: Text, style: str) -> Text:
    line = Text.assemble("  ", (cells[0].rjust(widths[0]), "dim"), _GAP)
    line.append_text(name)
    for cell, width in zip(cells[1:], widths[1:], strict=True):
        if width:
            line.append(_GAP + cell.rjust(width), style)
    if style:
        line.stylize(style)
    return line
