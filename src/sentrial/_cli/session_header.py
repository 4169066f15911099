"""The head of a session's display: whose it was, how it went, what it took."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.text import Text

from sentrial import semconv
from sentrial._cli import figures
from sentrial._cli.console import Signs
from sentrial._cli.event_texts import EventTexts, Labelled, pairs
from sentrial._cli.paragraph import Paragraphs
from sentrial._cli.safe_text import safe_line
from sentrial._cli.session_table import STATUS_STYLES, status_mark, took_ns
from sentrial._cli.wrapping import shorten
from sentrial._store.read import Session
from sentrial._store.summary import SessionSummary

_INDENT = "  "
# As wide as "assistant", so that the facts and the words below them stand in one column.
_LABEL_WIDTH = 9
_GAP = 4


def build_header(session: Session, texts: EventTexts, paragraphs: Paragraphs, signs: Signs) -> Iterator[Text]:
    """The lines of the head."""
    summary = session.summary
    yield _title(summary, paragraphs.width, signs)
    yield Text()
    yield _field("session", summary.session_id)
    yield from _pairs(list(_facts(summary)), paragraphs.width)
    indent = Text(_INDENT)
    yield from paragraphs.lay_out(_counts(summary), indent, _LABEL_WIDTH)
    if session.root is not None:
        yield from paragraphs.lay_out(_extras(session, texts), indent, _LABEL_WIDTH)
    if summary.failure_reason:
        yield from paragraphs.lay_out([("failure", summary.failure_reason, "red")], indent, _LABEL_WIDTH)
    if session.root is not None:
        said = list(texts.said(session.root))
        if said:
            yield Text()
            yield from paragraphs.lay_out(said, indent, _LABEL_WIDTH)


def _title(summary: SessionSummary, width: int, signs: Signs) -> Text:
    mark = status_mark(summary.status, signs)
    title = Text.assemble((f"{mark} {safe_line(summary.status)}", STATUS_STYLES.get(summary.status, "")))
    named = [safe_line(each) for each in (summary.agent, summary.name) if each]
    for place, name in enumerate(named):
        title.append(_INDENT)
        title.append(shorten(name, max(width - title.cell_len, 10), signs.ellipsis), "bold" if place == 0 else "")
    return title


# A label with what is known; None: it is not known.
_Fact = tuple[str, str | None]


def _facts(summary: SessionSummary) -> Iterator[tuple[_Fact, _Fact]]:
    yield ("user", summary.user), ("conversation", summary.conversation)
    yield (
        ("started", figures.moment(summary.start_ns, "%Y-%m-%d %H:%M:%S %Z").rstrip()),
        ("duration", figures.duration(took_ns(summary))),
    )
    yield ("tokens", _tokens(summary)), ("cost", None if summary.cost is None else figures.dollars(summary.cost))


def _tokens(summary: SessionSummary) -> str | None:
    if summary.total_tokens is None:
        return None
    parts = [
        f"{figures.whole(number)} {word}"
        for number, word in ((summary.input_tokens, "in"), (summary.output_tokens, "out"))
        if number is not None
    ]
    return figures.whole(summary.total_tokens) + (f" ({', '.join(parts)})" if parts else "")


def _counts(summary: SessionSummary) -> Iterator[Labelled]:
    numbers = (
        (summary.llm_calls, "LLM call"),
        (summary.tool_calls, "tool call"),
        (summary.decisions, "decision"),
        (summary.errors, "error"),
    )
    told = [figures.count(number, noun) for number, noun in numbers if number]
    yield "events", ", ".join(told) or figures.count(summary.events, "span"), ""


def _extras(session: Session, texts: EventTexts) -> Iterator[Labelled]:
    if session.root is None:
        return
    parent = texts.attribute(session.root, semconv.SENTRIAL_PARENT_SESSION_ID)
    if parent is not None:
        yield "parent", str(parent), ""
    metrics = pairs(texts, session.root, semconv.SENTRIAL_METRICS, semconv.SENTRIAL_METRIC_PREFIX)
    metadata = pairs(texts, session.root, semconv.SENTRIAL_METADATA, semconv.SENTRIAL_METADATA_PREFIX)
    state = pairs(texts, session.root, semconv.SENTRIAL_STATE)
    for label, entries in (("metadata", metadata), ("state", state), ("metrics", metrics)):
        text = _INDENT.join(entries)
        if text:
            yield label, text, ""


def _pairs(facts: Sequence[tuple[_Fact, _Fact]], width: int) -> Iterator[Text]:
    """Two facts a line, in two columns; where a line has no room for both, one below the other."""
    left = [_field(label, value) for (label, value), _ in facts if value]
    start = max((line.cell_len for line in left), default=0) + _GAP
    for first, second in facts:
        known = [(label, value) for label, value in (first, second) if value]
        lines = [_field(label, value) for label, value in known]
        if len(known) == 2:
            label, value = known[1]
            beside = _field(label, value, "", len("conversation"))
            if start + beside.cell_len <= width:
                lines[0].append(" " * (start - lines[0].cell_len)).append_text(beside)
                lines.pop()
        yield from lines


def _field(label: str, value: str, indent: str = _INDENT, label_width: int = _LABEL_WIDTH) -> Text:
    padding = " " * (max(label_width - cell_len(label), 0) + 2)
    return Text.assemble(indent, (label, "dim"), padding, safe_line(value))
