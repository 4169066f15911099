"""A door to our road for what happens outside sessions: a span processor that somebody adds to a provider of theirs."""

from __future__ import annotations

from opentelemetry import context as otel_context
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor

from sentrial import _config, _guard, _payload, _registry, _session, semconv
from sentrial._export.ai_rules import AiRules
from sentrial._export.ancestry import Ancestry, Kept, key_of
from sentrial._export.filter import named, without_session, words_for_sentrial
from sentrial._export.pipeline import Pipeline
from sentrial._export.stamp import stamp
from sentrial._payload import Payload


class Outside:
    """The spans outside sessions, as one door sees them: each trace of them becomes a session at Sentrial.

    ``taking``: whether spans are taken now.
    """

    def __init__(self, pipeline: Pipeline, rules: AiRules) -> None:
        self._pipeline = pipeline
        self._rules = rules
        self._open = True
        self._ancestry = self._fresh_ancestry()
        # One copy for all spans: what leaves is grouped by it.
        self._resource: tuple[Resource, str | None, Resource] | None = None
        pipeline.add_holder(self)

    @property
    def taking(self) -> bool:
        return self._open and self._pipeline.running and _config.active.enabled

    def open_again(self, rules: AiRules) -> None:
        """Take spans by ``rules`` from now on."""
        self._rules = rules
        self._open = True

    def close(self) -> None:
        """Take no more spans."""
        self._open = False
        self._ancestry = self._fresh_ancestry()

    def flush(self, timeout: float) -> bool:
        """Wait until what has ended is dealt with, ``timeout`` seconds at most; whether it is."""
        return self._pipeline.flush(timeout)

    def started(self, span: Span, parent_context: Context | None) -> None:
        """Stamp a span that starts inside a session, and get to know any other."""
        context = _with_session(span, parent_context)
        if context is not None:
            if semconv.SENTRIAL_SESSION_ID not in (span.attributes or {}):
                stamp(span, context)
            return
        self._queue(self._ancestry.started(key_of(span.get_span_context()), span))

    def ended(self, span: ReadableSpan) -> None:
        """Let a span in, if it is wanted."""
        context = span.context
        if context is None:
            return
        key = key_of(context)
        payload = _payload.of(*key)
        if _is_in_session(span, payload):
            self._queue(self._ancestry.ended(key, span, None))
            self._pipeline.take(span, ours=False)
            return
        fate = self._ancestry.fate(key) if context.trace_flags.sampled else False
        wanted = self._rules.wants(span) if fate is None else fate
        kept = Kept(key, span, payload, self._ready) if wanted else None
        self._queue(self._ancestry.ended(key, span, kept))

    def release(self) -> None:
        """Queue the spans that still wait for a parent to end."""
        self._queue(self._ancestry.release())

    def after_fork(self) -> None:
        """In a forked child: what the parent began, the parent sends."""
        self._ancestry.after_fork()

    def _fresh_ancestry(self) -> Ancestry:
        return Ancestry(lambda span: self._rules.will_want(span), lambda span: words_for_sentrial(span, self._rules))

    def _queue(self, kept: list[Kept]) -> None:
        for each in kept:
            self._pipeline.take_outside(each, self._rules.account)

    def _ready(self, kept: Kept) -> ReadableSpan:
        rules, given = self._rules, kept.span.resource
        last = self._resource
        if last is None or last[0] is not given or last[1] != rules.project:
            self._resource = last = given, rules.project, named(given, rules.project)
        return self._pipeline.ready(kept, without_session(kept, rules, last[2]))


class Door(SpanProcessor):
    """The processor. What it lets in goes the way of all spans; nothing is encoded or sent, and nobody waits, here."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Called by the provider when a span starts."""
        if self._outside.taking:
            try:
                self._outside.started(span, parent_context)
            except Exception as error:  # noqa: BLE001 - the provider would hand it to the user
                _guard.failed("seeing a span start", error)

    def on_end(self, span: ReadableSpan) -> None:
        """Called by the provider when a span ends."""
        if self._outside.taking:
            try:
                self._outside.ended(span)
            except Exception as error:  # noqa: BLE001 - the provider would hand it to the user
                _guard.failed("letting a span in", error)

    def shutdown(self) -> None:
        """Deliver what there is, and take no more spans."""
        if self._outside.taking:
            self._outside.flush(_config.active.flush_timeout)
        self._outside.close()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Wait until everything that has ended is delivered or refused for good, ``timeout_millis`` at most.

        Returns:
            Whether it is.
        """
        return self._outside.flush(timeout_millis / 1000)


def _with_session(span: Span, parent_context: Context | None) -> Context | None:
    """The context of the session that ``span`` starts in, if any; also where the span's parent alone leads to it."""
    if _session.current(parent_context) is not None:
        return otel_context.get_current() if parent_context is None else parent_context
    parent = span.parent
    if parent is None or parent.is_remote:
        return None
    session = _registry.find_member(parent.trace_id, parent.span_id)
    return None if session is None else _session.parent_in(session)


def _is_in_session(span: ReadableSpan, payload: Payload | None) -> bool:
    context = span.context
    return (
        (payload is not None and payload.session is not None)
        or semconv.SENTRIAL_SESSION_ID in (span.attributes or {})
        or (context is not None and _registry.find_member(context.trace_id, context.span_id) is not None)
    )
