"""An event in one line: its mark, its kind, what it is about, and its figures."""

from __future__ import annotations

from rich.cells import cell_len
from rich.text import Text

from sentrial import semconv
from sentrial._cli import figures
from sentrial._cli.console import Signs
from sentrial._cli.event_texts import choice_in_brief
from sentrial._cli.safe_text import safe_line
from sentrial._cli.wrapping import shorten
from sentrial._store.read import Event

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
# Steps of a framework: they are of no type of ours, and say what they are in the conventions' words.
_STEPS = {
    semconv.OPERATION_INVOKE_WORKFLOW: "workflow",
    semconv.OPERATION_PLAN: "plan",
    semconv.OPERATION_RETRIEVAL: "search",
}
_NODE = "node"
_END = "end"


def event_title(event: Event, room: int, signs: Signs) -> Text:
    """Mark, kind and subject of ``event``, ``room`` cells wide."""
    kind = event.event_type or ""
    word = _END if _is_completion(event) else _WORDS.get(kind) or _step(event) or "span"
    label = f"{_mark(event, signs)} {word} "
    says_so_itself = kind == semconv.EVENT_ERROR or _is_completion(event)
    failed = f" {signs.failed} failed" if event.status == "ERROR" and not says_so_itself else ""
    left = _left(event, signs)
    space = max(room - cell_len(label + failed + left), _NARROWEST)
    subject = shorten(_subject(event), space, signs.ellipsis)
    title = Text.assemble((label, _STYLES.get(kind, "")), (subject, "bold"), (failed, "bold red"), (left, "yellow"))
    title.append(" " * (room - title.cell_len))
    return title


def _step(event: Event) -> str | None:
    """What step of a framework it is; ``None`` for any other event."""
    operation = event.attributes.get(semconv.GEN_AI_OPERATION_NAME)
    return _STEPS.get(str(operation)) or (_NODE if semconv.SENTRIAL_NODE in event.attributes else None)


def _left(event: Event, signs: Signs) -> str:
    """How a step was left before its end without having failed: paused or cancelled."""
    outcome = event.attributes.get(semconv.SENTRIAL_OUTCOME)
    return f" {signs.open} {safe_line(str(outcome))}" if outcome is not None else ""


def _is_completion(event: Event) -> bool:
    """Whether it is no sub-agent, but the end of the session itself, told where it went on."""
    return event.name == semconv.SPAN_SESSION_COMPLETED


def _subject(event: Event) -> str:
    """What the event is about; the span's name less the part that its kind says already."""
    name = event.name
    if _is_completion(event):
        name = str(event.attributes.get(semconv.SENTRIAL_SESSION_OUTCOME) or name)
    elif event.event_type == semconv.EVENT_TOOL_CALL:
        name = str(event.attributes.get(semconv.GEN_AI_TOOL_NAME) or name)
    elif event.event_type == semconv.EVENT_SESSION and name.startswith(f"{semconv.OPERATION_INVOKE_AGENT} "):
        name = name.partition(" ")[2]
    elif event.event_type == semconv.EVENT_DECISION:
        name = choice_in_brief(event) or name.removeprefix(semconv.SPAN_DECISION).strip()
    elif event.event_type == semconv.EVENT_ERROR:
        name = str(event.attributes.get(semconv.ERROR_TYPE) or name)
    elif not event.event_type and _step(event) is not None:
        own = event.attributes.get(semconv.SENTRIAL_NODE) or name.partition(" ")[2]
        name = str(own or event.attributes.get(semconv.GEN_AI_PROVIDER_NAME) or "")
    return safe_line(name)


def _mark(event: Event, signs: Signs) -> str:
    if _is_completion(event):
        return signs.failed if event.status == "ERROR" else signs.done
    return {
        semconv.EVENT_SESSION: signs.agent,
        semconv.EVENT_LLM_CALL: signs.llm,
        semconv.EVENT_TOOL_CALL: signs.tool,
        semconv.EVENT_DECISION: signs.decision,
        semconv.EVENT_ERROR: signs.error,
    }.get(event.event_type or "", signs.other)


def event_figures(event: Event, origin_ns: int) -> tuple[str, str, str, str]:
    """Offset, duration, tokens in and out, and cost, each empty where it is unknown."""
    # An error is a moment, and so is the end of a session that is told elsewhere.
    is_moment = event.event_type == semconv.EVENT_ERROR or _is_completion(event)
    took = 0 if is_moment else event.end_ns - event.start_ns
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
