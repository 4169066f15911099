"""The session's own span: opened, filled and ended here, and nowhere else."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, Link, Span, SpanContext, SpanKind

from sentrial import _config, _guard, _registry, _runtime, _session, _setting_values, semconv
from sentrial._payload import Payload, end_span
from sentrial._session import Account, Session
from sentrial._spans import amounts, cost, event, failure, source
from sentrial._spans.messages import defer_input, defer_output
from sentrial._spans.metadata import write_metadata, write_metrics
from sentrial._spans.name import quietly, read_id, read_name
from sentrial._totals import Totals
from sentrial.types import Deferred


@dataclass(frozen=True, slots=True)
class Opening:
    """What is known of a session when it begins. ``input``: the caller's, or a ``Deferred`` of messages."""

    agent_name: str
    user_id: str | None
    name: str | None = None
    conversation_id: str | None = None
    event_id: str | None = None
    parent_session_id: str | None = None
    metadata: Mapping[str, Any] | None = None
    input: object = None
    account: Account | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """What is known of a session when it ends. Cost in dollars; ``None`` leaves a total to the sum over the events.

    ``success``: what the caller says of it, which decides between completed and failed; ``None`` leaves it to
    ``outcome``. ``input``, ``output``: as in ``Opening``. ``end_time``: nanoseconds since the epoch; now, if not given.
    """

    outcome: str = semconv.OUTCOME_COMPLETED
    success: object = None
    failure_reason: object = None
    error: BaseException | None = None
    error_type: str | None = None
    input: object = None
    output: object = None
    estimated_cost: object = None
    prompt_tokens: object = None
    completion_tokens: object = None
    total_tokens: object = None
    duration_ms: object = None
    custom_metrics: object = None
    end_time: int | None = None


def open_session(opening: Opening, *, nested: bool) -> Session:
    """Start the root span of a session. ``nested``: whether it may be a sub-agent of the session around it.

    A sub-agent is a child span in the same trace; anything else is a trace of its own, linked with the span that was
    current. Only a session whose block is open (``with``, a decorator) adopts another, and only for the same user.
    """
    opening = _with_names(opening)
    if not _config.active.enabled:
        # Not even a link: nothing of the caller's may change.
        return session_without_span(opening)
    outer = _session.current()
    if nested and outer is not None and outer.lexical and outer.outcome is None and _same_owner(outer, opening):
        return start(opening, _session.live(), parent=outer)
    caller = trace.get_current_span(None if _runtime.is_apart() else _session.live())
    inherit = _config.active.session_parent == _setting_values.PARENT_INHERIT and outer is None
    if inherit and caller.get_span_context().is_valid:
        return start(opening, trace.set_span_in_context(caller, _session.live()))
    links = []
    if caller.get_span_context().is_valid:
        links.append(Link(caller.get_span_context(), {semconv.SENTRIAL_LINK: semconv.LINK_CALLER}))
    if (parent := _session.parse_id(opening.parent_session_id)) is not None:
        links.append(Link(parent, {semconv.SENTRIAL_LINK: semconv.LINK_PARENT_SESSION}))
    session = start(opening, Context(), links=links)
    if caller.is_recording() and getattr(type(caller), "add_link", None) is not Span.add_link:
        # What does not implement it (Datadog's) has it from the API, which warns.
        caller.add_link(session.context, {semconv.SENTRIAL_LINK: semconv.LINK_SESSION})
    return session


def _with_names(opening: Opening) -> Opening:
    return replace(
        opening,
        agent_name=read_name("agent_name (event of begin)", opening.agent_name),
        user_id=read_id("user_id", opening.user_id),
        name=read_id("name", opening.name),
        conversation_id=read_id("convo_id", opening.conversation_id),
        event_id=read_id("event_id", opening.event_id),
        parent_session_id=read_id("parent_session_id", opening.parent_session_id),
    )


def _same_owner(outer: Session, opening: Opening) -> bool:
    return outer.user_id == opening.user_id and outer.account == opening.account


def start(
    opening: Opening,
    parent_context: Context,
    *,
    parent: Session | None = None,
    links: list[Link] | None = None,
    start_time: int | None = None,
) -> Session:
    """Start the root span of a session where ``parent_context`` says. Names are sound by then."""
    span = source.tracer().start_span(
        f"{semconv.OPERATION_INVOKE_AGENT} {opening.agent_name}",
        parent_context,
        SpanKind.INTERNAL,
        _opening_attributes(opening),
        links=links,
        start_time=start_time,
    )
    if not span.get_span_context().is_valid:
        return session_without_span(opening)
    session = Session(
        span,
        span.get_span_context(),
        agent_name=opening.agent_name,
        user_id=opening.user_id,
        conversation_id=opening.conversation_id or (parent.conversation_id if parent else None),
        account=opening.account,
        parent=parent,
    )
    span.set_attributes({**session.stamps, **event.conversation(session, semconv.OPERATION_INVOKE_AGENT)})
    if parent is None and _config.active.session_parent == _setting_values.PARENT_INHERIT:
        # Sentrial makes one session of one trace: there, the trace that is shared with others cannot be its id.
        session.trace_id_for_sentrial = _session.trace_id_apart(session.context)
    session.payload = Payload(session.texts, session)
    if span.is_recording():
        _write_content(session.payload, _INPUT, opening.input, foreign=False)
    _registry.register(session)
    _make_room()
    return session


def _make_room() -> None:
    forgotten = _registry.one_too_many()
    if forgotten is not None:
        _guard.say_once(
            "too many sessions",
            "sentrial: more than %d sessions are open; the oldest are ended as abandoned. End each with finish() or "
            "complete_session().",
            _registry.MAX_OPEN,
        )
        end_forgotten(forgotten)


def session_without_span(opening: Opening) -> Session:
    """What the caller holds where everything is switched off: it has an id and takes all calls, and nothing leaves."""
    session = nowhere(opening)
    _registry.register(session)
    return session


def nowhere(opening: Opening) -> Session:
    """A session without a root, which takes all calls."""
    context = SpanContext(secrets.randbits(128) or 1, secrets.randbits(64) or 1, is_remote=False)
    session = Session(
        INVALID_SPAN,
        context,
        agent_name=quietly(opening.agent_name),
        user_id=None if opening.user_id is None else quietly(opening.user_id),
        account=opening.account,
    )
    session.payload = Payload(session.texts, session)
    return session


NOWHERE = nowhere(Opening("", None))
"""What the caller holds where not even a session without a root could be made."""
NOWHERE.ended = True


def _opening_attributes(opening: Opening) -> dict[str, Any]:
    attributes: dict[str, Any] = {
        semconv.GEN_AI_OPERATION_NAME: semconv.OPERATION_INVOKE_AGENT,
        semconv.GEN_AI_AGENT_NAME: opening.agent_name,
        semconv.SENTRIAL_EVENT_TYPE: semconv.EVENT_SESSION,
    }
    for key, value in (
        (semconv.SENTRIAL_SESSION_NAME, None if opening.name is None else failure.masked(opening.name)),
        (semconv.SENTRIAL_EVENT_ID, opening.event_id),
        (semconv.SENTRIAL_CONVO_ID, opening.conversation_id),
        (semconv.SENTRIAL_PARENT_SESSION_ID, opening.parent_session_id),
    ):
        if value is not None:
            attributes[key] = value
    if _config.active.openinference:
        attributes[semconv.OPENINFERENCE_SPAN_KIND] = semconv.OPENINFERENCE_AGENT
    write_metadata(opening.metadata, attributes)
    return attributes


def end_session(session: Session, ending: Ending) -> bool:
    """End ``session``; ``False`` if it had ended already.

    A session that another process opened has its root there: here its outcome becomes a span of its own.
    """
    attributes: dict[str, Any] = {}
    if ending.success is not None:
        success = amounts.read_switch("success", ending.success, attributes, default=True)
        ending = replace(ending, outcome=semconv.OUTCOME_COMPLETED if success else semconv.OUTCOME_FAILED)
    with session.lock:
        if session.ended or session.outcome is not None:
            if not session.foreign:
                _registry.retire(session)  # a failure may have kept it from being retired when it ended
            return False
        session.ended = not session.foreign
        session.outcome = ending.outcome
    span, payload = session.span, session.payload
    if session.foreign:
        span, payload = event.start_event(session, semconv.SPAN_SESSION_COMPLETED, semconv.EVENT_SESSION, {}), Payload()
    try:
        _write_ending(session, ending, span, payload, attributes)
    finally:
        end_span(span, payload, ending.end_time)
        session.payload = session.interaction = None
        with session.lock:
            session.requests = None
        if not session.foreign:
            _registry.retire(session)
    return True


def _write_ending(session: Session, ending: Ending, span: Span, payload: Payload, attributes: dict[str, Any]) -> None:
    attributes[semconv.SENTRIAL_SESSION_OUTCOME] = ending.outcome
    if ending.outcome in (semconv.OUTCOME_COMPLETED, semconv.OUTCOME_FAILED):
        attributes[semconv.SENTRIAL_SESSION_SUCCESS] = ending.outcome == semconv.OUTCOME_COMPLETED
    _write_totals(session, ending, attributes, payload)
    write_metrics(ending.custom_metrics, attributes)
    reason = failure.read_reason(ending.failure_reason)
    if reason is None and ending.error is not None:
        reason = failure.describe(ending.error)
    if reason is not None:
        attributes[semconv.SENTRIAL_SESSION_FAILURE_REASON] = failure.masked(reason)
    span.set_attributes(attributes)
    if ending.outcome == semconv.OUTCOME_FAILED:
        if ending.error is not None:
            failure.write_exception(span, ending.error)
        else:
            failure.write_failure(span, reason, ending.error_type)
    if span.is_recording():
        _write_content(payload, _INPUT, ending.input, foreign=session.foreign)
        _write_content(payload, _OUTPUT, ending.output, foreign=session.foreign)
        if session.state:
            payload.json(semconv.SENTRIAL_STATE, session.state)


def end_forgotten(session: Session) -> None:
    """End a session that nobody will end here any more: the program stops, or it has been idle for too long."""
    end_session(session, Ending(outcome=semconv.OUTCOME_CONTINUED if session.exported else semconv.OUTCOME_ABANDONED))


LONGEST_BETWEEN_LOOKS = 60.0
_last_look = 0.0


@_guard.guarded("ending idle sessions", _guard.nothing)
def end_idle(timeout: float) -> None:
    """End the sessions that nobody touched for ``timeout`` seconds; they are looked at now and then."""
    global _last_look
    now = time.monotonic()
    if now - _last_look < min(timeout / 10, LONGEST_BETWEEN_LOOKS):
        return
    # Looking at all of them for each new one would cost the more, the more there are.
    _last_look = now
    for session in _registry.open_sessions():
        if session.touched < now - timeout:
            try:
                end_forgotten(session)
            except Exception as error:  # noqa: BLE001 - the caller begins another session
                _guard.failed("ending an idle session", error)


def _write_totals(session: Session, ending: Ending, attributes: dict[str, Any], payload: Payload) -> None:
    # A process that did not open the session has seen a part of it: it tells what it was told, and no sums.
    totals = Totals() if session.foreign else session.totals
    with session.lock:
        calls, named = list(totals.calls), list(totals.costs)
    if not session.foreign:
        attributes[semconv.SENTRIAL_SESSION_LLM_CALLS] = totals.llm_calls
        attributes[semconv.SENTRIAL_SESSION_TOOL_CALLS] = totals.tool_calls
        attributes[semconv.SENTRIAL_SESSION_DECISIONS] = totals.decisions
        attributes[semconv.SENTRIAL_SESSION_ERRORS] = totals.errors
    given_input = amounts.read_count("prompt_tokens", ending.prompt_tokens, attributes)
    given_output = amounts.read_count("completion_tokens", ending.completion_tokens, attributes)
    given_total = amounts.read_count("total_tokens", ending.total_tokens, attributes)
    input_tokens = totals.input_tokens if given_input is None else given_input
    output_tokens = totals.output_tokens if given_output is None else given_output
    total_tokens = totals.total_tokens(input_tokens, output_tokens) if given_total is None else given_total
    dollars = amounts.read_cost(ending.estimated_cost, attributes)
    if dollars is None and all(call.priced for call in calls):
        dollars = cost.total(calls, named)
    elif dollars is None:
        payload.later(semconv.SENTRIAL_ESTIMATED_COST, lambda: cost.total(calls, named))
    duration = amounts.read_number("duration_ms", ending.duration_ms, attributes, low=0.0, high=float("inf"))
    input_key, output_key = semconv.GEN_AI_USAGE_INPUT_TOKENS, semconv.GEN_AI_USAGE_OUTPUT_TOKENS
    if session.foreign:
        input_key, output_key = semconv.SENTRIAL_USAGE_INPUT_TOKENS, semconv.SENTRIAL_USAGE_OUTPUT_TOKENS
    for key, value in (
        (input_key, input_tokens),
        (output_key, output_tokens),
        (semconv.SENTRIAL_USAGE_TOTAL_TOKENS, total_tokens),
        (semconv.SENTRIAL_ESTIMATED_COST, dollars),
        (semconv.SENTRIAL_SESSION_DURATION_MS, duration),
    ):
        if value is not None:
            attributes[key] = value


class _Content(NamedTuple):
    """Where a session's input, or its output, stands: as messages, and as the value that it is."""

    messages: str
    defer: Callable[[object], Deferred[Any]]
    value: str
    mime_type: str


_INPUT = _Content(semconv.GEN_AI_INPUT_MESSAGES, defer_input, semconv.INPUT_VALUE, semconv.INPUT_MIME_TYPE)
_OUTPUT = _Content(semconv.GEN_AI_OUTPUT_MESSAGES, defer_output, semconv.OUTPUT_VALUE, semconv.OUTPUT_MIME_TYPE)


def _write_content(payload: Payload, content: _Content, value: object, *, foreign: bool) -> None:
    if value is None or not payload.captures:
        return
    # The conventions want no key of theirs on a span of another kind than theirs, such as a completion elsewhere.
    if not foreign:
        payload.deferred(content.messages, content.defer(value))
    if foreign or _config.active.openinference:
        write: Callable[[str, Any], None] = payload.deferred if _guard.is_a(value, Deferred) else payload.text
        write(content.value, value)
        payload.text(content.mime_type, semconv.MIME_TEXT if _guard.is_a(value, str) else semconv.MIME_JSON)
