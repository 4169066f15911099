"""The TracerProvider: the application's where there is one, else ours."""

from __future__ import annotations

from collections.abc import Sequence

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import (
    ParentBased,
    Sampler,
    SamplingResult,
    TraceIdRatioBased,
    _get_from_env_or_default,  # private, but the one place that knows OTEL_TRACES_SAMPLER and its entry points
)
from opentelemetry.trace import Link, ProxyTracerProvider, SpanKind
from opentelemetry.trace.span import TraceState
from opentelemetry.util.types import Attributes

from sentrial import _config
from sentrial._export.pipeline import Pipeline, Tap


def find_provider() -> trace.TracerProvider | None:
    """The global provider, if the application (or the environment) has set one."""
    provider = trace.get_tracer_provider()
    return None if isinstance(provider, ProxyTracerProvider) else provider


class SessionSampler(Sampler):
    """Keeps or drops whole sessions, at the rate in force; without a rate, as ``OTEL_TRACES_SAMPLER`` says.

    A session is a trace, so that the ratio of traces is the ratio of sessions, in every process the same.
    """

    def __init__(self) -> None:
        self._standard = _get_from_env_or_default()
        self._rate: float | None = None
        self._by_rate: Sampler = self._standard

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """The decision of the sampler in force."""
        rate = _config.active.sample_rate
        if rate != self._rate:
            self._by_rate = self._standard if rate is None else ParentBased(TraceIdRatioBased(rate))
            self._rate = rate
        return self._by_rate.should_sample(parent_context, trace_id, name, kind, attributes, links)

    def get_description(self) -> str:
        """What decides."""
        return f"SessionSampler({self._by_rate.get_description()})"


def build_provider(pipeline: Pipeline) -> TracerProvider:
    """A provider of ours; its resource and limits are the standard variables'."""
    provider = TracerProvider(sampler=SessionSampler(), shutdown_on_exit=False)
    provider.add_span_processor(Tap(pipeline, ours=True))
    return provider


def join(provider: trace.TracerProvider, pipeline: Pipeline) -> bool:
    """Tap ``pipeline`` into the application's provider; ``False`` where it is of a kind that cannot be joined."""
    add = getattr(provider, "add_span_processor", None)
    if not isinstance(provider, TracerProvider) or not callable(add):
        return False
    add(Tap(pipeline, ours=False))
    return True


def make_global(provider: trace.TracerProvider) -> bool:
    """Put ``provider`` in the global place; ``False`` if somebody was faster."""
    trace.set_tracer_provider(provider)
    return trace.get_tracer_provider() is provider
