"""Model calls that other instrumentations tell of inside a session: counted in its totals, each call once.

Where several of them (or they and we) wrap one call, their spans lie in one another. One of ours counts by itself; of
the others the innermost one does. What a tool does is another call.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind

from sentrial import _runtime, _session, semconv
from sentrial._foreign import SCOPE, read_kinds
from sentrial._session import OUTER_CALL, Session
from sentrial._totals import PricedCall
from sentrial.types import Usage

UNKNOWN_PROVIDER = "unknown"

_MOST_TOKENS = 2**53
"""More is a mistake of whoever wrote it."""

_TOKENS = (*semconv.FOREIGN_INPUT_TOKENS, *semconv.FOREIGN_OUTPUT_TOKENS, *semconv.FOREIGN_TOTAL_TOKENS)
_TELLING = frozenset((*_TOKENS, *semconv.FOREIGN_KIND))


class ModelCalls:
    """Which spans of a session run, and which of them have a model call that is counted.

    ``inside``: running spans with a counted call in them, and whether its tokens were told. ``offered``: running calls
    of ours, and what the span of another instrumentation inside says of the same call. ``counted``: counted calls that
    have ended; the end of a stream can reach us before it reaches whom we wrap. ``doubled``: running spans of calls
    that the instrumentation of a framework tells of, beside these.
    """

    __slots__ = ("counted", "doubled", "inside", "offered", "running")

    def __init__(self) -> None:
        self.running: dict[int, tuple[ReadableSpan, Session]] = {}
        self.inside: dict[int, bool] = {}
        self.offered: dict[int, tuple[PricedCall | None, Usage]] = {}
        self.counted: set[int] = set()
        self.doubled: set[int] = set()


def span_started(span: ReadableSpan, session: Session) -> None:
    """A span has started in ``session``, a sub-agent's maybe."""
    outermost = session.outermost
    calls: ModelCalls | None = outermost.model_calls
    if calls is None:
        if outermost.ended or outermost.foreign:
            return
        calls = outermost.model_calls = ModelCalls()
    context = span.context
    if context is not None and len(calls.running) < _session.MAX_MEMBERS:
        calls.running[context.span_id] = (span, session)
        if _is_told_beside(span):
            calls.doubled.add(context.span_id)


def span_ended(span: ReadableSpan, session: Session) -> None:
    """A span of ``session``, an outermost one, has ended."""
    calls: ModelCalls | None = session.model_calls
    context = span.context
    if calls is None or context is None:
        return
    span_id = context.span_id
    _, innermost = calls.running.pop(span_id, (None, session))
    inside = calls.inside.pop(span_id, None)
    if span_id in calls.doubled:
        calls.doubled.discard(span_id)
        return
    scope = span.instrumentation_scope
    if scope is not None and scope.name == SCOPE:
        if span.kind is SpanKind.CLIENT:
            _our_call_ended(span, span_id, innermost, calls)
        elif span_id == session.context.span_id:
            session.model_calls = None
        return
    attributes = span.attributes
    if attributes and not _TELLING.isdisjoint(attributes):
        _foreign_call_ended(span, span_id, attributes, innermost, calls, inside)


def _our_call_ended(span: ReadableSpan, span_id: int, session: Session, calls: ModelCalls) -> None:
    attributes = span.attributes or {}
    told = semconv.GEN_AI_USAGE_INPUT_TOKENS in attributes or semconv.GEN_AI_USAGE_OUTPUT_TOKENS in attributes
    offered = calls.offered.pop(span_id, None)
    if offered is not None and not told:
        session.add_call(*offered, count=0)
        told = True
    _mark(span, span_id, calls, told=told)


def _foreign_call_ended(
    span: ReadableSpan,
    span_id: int,
    attributes: Mapping[str, Any],
    session: Session,
    calls: ModelCalls,
    inside: bool | None,
) -> None:
    kinds = read_kinds(attributes)
    usage = _read_usage(attributes)
    is_call = not kinds.isdisjoint(semconv.FOREIGN_MODEL_CALLS) or (usage is not None and not kinds)
    if not kinds.isdisjoint(semconv.FOREIGN_TOOL_CALLS) or not (is_call or usage is not None):
        return
    priced = _read_call(span, attributes, usage)
    around, counted = _around(span, calls)
    for above in around:
        if _is_call_of_ours(above):
            if usage is not None:
                calls.offered[_id_of(above)] = priced, usage
            return
    if counted:
        return
    if inside is None:
        session.add_call(priced, usage, count=1 if is_call else 0)
    elif usage is not None and not inside:
        session.add_call(priced, usage, count=0)
    else:
        usage = None
    if is_call:
        _mark(span, span_id, calls, told=usage is not None)
    elif usage is not None:
        _mark(span, None, calls, told=True)


def _mark(span: ReadableSpan, span_id: int | None, calls: ModelCalls, *, told: bool) -> None:
    """Note that a call is counted, by its own span's id and for all spans around."""
    if span_id is not None and len(calls.counted) < _session.MAX_MEMBERS:
        calls.counted.add(span_id)
    for above in _around(span, calls)[0]:
        above_id = _id_of(above)
        calls.inside[above_id] = told or calls.inside.get(above_id, False)


def _around(span: ReadableSpan, calls: ModelCalls) -> tuple[list[ReadableSpan], bool]:
    """The running spans around ``span`` that may be of the same call, and whether that is counted further out."""
    found: list[ReadableSpan] = []
    parent = span.parent
    while parent is not None:
        above = calls.running.get(parent.span_id)
        if above is None:
            return found, parent.span_id in calls.counted
        if _is_border(above[0]):
            break
        found.append(above[0])
        parent = above[0].parent
    return found, False


def _id_of(span: ReadableSpan) -> int:
    return span.context.span_id if span.context is not None else 0


def _is_call_of_ours(span: ReadableSpan) -> bool:
    scope = span.instrumentation_scope
    return scope is not None and scope.name == SCOPE and span.kind is SpanKind.CLIENT


def _is_told_beside(span: ReadableSpan) -> bool:
    """Whether ``span`` starts inside a call that the instrumentation of a framework tells of in a span of its own, or
    inside one of ours that counts without a span."""
    context = _runtime.get_current()
    outer: Any = context.get(OUTER_CALL)
    if outer is None or _session.current(context) is not outer.session:
        return False
    if outer.by_another is None and not outer.has_no_span:
        return False
    scope = span.instrumentation_scope
    return scope is None or scope.name not in (outer.by_another, SCOPE)


def _is_border(span: ReadableSpan) -> bool:
    """Whether what happens in ``span`` is of no call around it: in a tool, a decision, a sub-agent of ours."""
    scope = span.instrumentation_scope
    if scope is not None and scope.name == SCOPE:
        return span.kind is not SpanKind.CLIENT
    return not read_kinds(span.attributes or {}).isdisjoint(semconv.FOREIGN_TOOL_CALLS)


def _read_call(span: ReadableSpan, attributes: Mapping[str, Any], usage: Usage | None) -> PricedCall | None:
    model = _first(attributes, semconv.FOREIGN_MODEL)
    if model is None or usage is None or usage.undivided_tokens is not None:
        return None
    provider = _first(attributes, semconv.FOREIGN_PROVIDER)
    return PricedCall(UNKNOWN_PROVIDER if provider is None else provider.lower(), model, usage, span.end_time or 0)


def _read_usage(attributes: Mapping[str, Any]) -> Usage | None:
    given, made = _count(attributes, semconv.FOREIGN_INPUT_TOKENS), _count(attributes, semconv.FOREIGN_OUTPUT_TOKENS)
    if given is None or made is None:
        total = _count(attributes, semconv.FOREIGN_TOTAL_TOKENS)
        if given is None and made is None:
            return None if total is None else Usage(undivided_tokens=total)
        if total is not None and total >= (given or made or 0):
            given, made = (total - (made or 0), made) if given is None else (given, total - given)
    return Usage(
        given,
        made,
        cache_read_tokens=_count(attributes, semconv.FOREIGN_CACHE_READ_TOKENS),
        cache_write_tokens=_count(attributes, semconv.FOREIGN_CACHE_WRITE_TOKENS),
    )


def _count(attributes: Mapping[str, Any], keys: tuple[str, ...]) -> int | None:
    for key in keys:
        value = attributes.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < _MOST_TOKENS:
            return int(value)
    return None


def _first(attributes: Mapping[str, Any], keys: tuple[str, ...]) -> str | None:
    return next((value for key in keys if isinstance(value := attributes.get(key), str) and value), None)
