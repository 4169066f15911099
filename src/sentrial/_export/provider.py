"""The TracerProvider: the application's where there is one, else ours."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Sequence

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk import resources
from opentelemetry.sdk.resources import Resource, ResourceDetector
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
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

from sentrial import _config, _guard, _session
from sentrial._export.pipeline import Pipeline
from sentrial._export.tap import Tap


def find_provider() -> trace.TracerProvider | None:
    """The global provider, if the application (or the environment) has set one."""
    provider = trace.get_tracer_provider()
    return None if isinstance(provider, ProxyTracerProvider) else provider


class SessionSampler(Sampler):
    """Keeps or drops whole sessions, at the rate in force; without a rate, as ``OTEL_TRACES_SAMPLER`` says.

    A session is a trace, so that the ratio of traces is the ratio of sessions, in every process the same. Of a session
    of another process its handle says whether it is kept; where its id alone is known, the rate does.
    """

    def __init__(self) -> None:
        self._standard = _get_from_env_or_default()
        self._rate: float | None = None
        self._by_rate: Sampler = self._standard
        self._ratio = TraceIdRatioBased(1.0)

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
        try:
            rate = _config.active.sample_rate
            if rate != self._rate:
                self._ratio = TraceIdRatioBased(1.0 if rate is None else rate)
                self._by_rate = self._standard if rate is None else ParentBased(self._ratio)
                self._rate = rate
            if rate is not None and _is_known_by_id(parent_context):
                return self._ratio.should_sample(None, trace_id, name, kind, attributes, links)
        except Exception as error:  # noqa: BLE001 - the program's own spans are decided on here too
            _guard.failed("reading the rate", error)
        return self._by_rate.should_sample(parent_context, trace_id, name, kind, attributes, links)

    def get_description(self) -> str:
        """What decides."""
        return f"SessionSampler({self._by_rate.get_description()})"


def _is_known_by_id(context: Context | None) -> bool:
    session = _session.current(context)
    return session is not None and session.by_id


class Ids(RandomIdGenerator):
    """Ids that no ``random.seed()`` of the program repeats: workers that all begin with the same seed stay apart."""

    _random = random.Random()

    def generate_span_id(self) -> int:
        """64 bits, not all zero."""
        return self._random.getrandbits(64) or 1

    def generate_trace_id(self) -> int:
        """128 bits, not all zero."""
        return self._random.getrandbits(128) or 1

    @classmethod
    def after_fork(cls) -> None:
        """In a forked child: other ids than those that the parent goes on with."""
        cls._random.seed()


class Provider(TracerProvider):
    """The SDK's, but that it starts no thread in a forked child.

    There the SDK asks its resource detectors in a pool of threads. Under gevent the wait for such a thread is a switch
    to whatever else the program does: that would go on in the child, a second time, before the child becomes the
    program that it was forked for.
    """

    @_guard.guarded("renewing the resource in a forked child", _guard.nothing)
    def _handle_fork(self) -> None:
        # Older SDKs call nothing here, and leave the resource as it is.
        self._tracers_lock = threading.Lock()
        found = Resource.get_empty()
        for detector in resources._build_resource_detectors():
            if detector.is_process_dependent():
                found = found.merge(_detect(detector))
        self._update_resource(found)


def _detect(detector: ResourceDetector) -> Resource:
    try:
        return detector.detect()
    except Exception as error:  # noqa: BLE001 - as the SDK has it: what one detector cannot say is left out
        name = type(detector).__name__
        _guard.say_once(f"{name} in a child", "sentrial: %s failed in a forked child: %s", name, _guard.shown(error))
        return Resource.get_empty()


def build_provider(pipeline: Pipeline) -> TracerProvider:
    """A provider of ours; its resource and limits are the standard variables'."""
    provider = Provider(sampler=SessionSampler(), id_generator=Ids(), shutdown_on_exit=False)
    provider.add_span_processor(Tap(pipeline, ours=True))
    return provider


def join(provider: trace.TracerProvider, pipeline: Pipeline) -> bool:
    """Tap ``pipeline`` into the application's provider; ``False`` where it is of a kind that cannot be joined."""
    return add_processor(provider, Tap(pipeline, ours=False))


def add_processor(provider: trace.TracerProvider, processor: SpanProcessor) -> bool:
    """Add a processor to the application's provider; ``False`` where it is of a kind that takes none."""
    inner = sdk_provider(provider)
    if inner is None:
        return False
    # The SDK's own method: where it is overridden, it may do more. Phoenix's takes the exporter of its own out.
    TracerProvider.add_span_processor(inner, processor)
    return True


def sdk_provider(provider: trace.TracerProvider) -> TracerProvider | None:
    """The SDK's provider: ``provider`` itself, or the one in a wrapper such as Logfire's; ``None`` if there is none."""
    inner = provider if isinstance(provider, TracerProvider) else getattr(provider, "provider", None)
    return inner if isinstance(inner, TracerProvider) else None


def make_global(provider: trace.TracerProvider) -> bool:
    """Put ``provider`` in the global place; ``False`` if somebody was faster."""
    trace.set_tracer_provider(provider)
    return trace.get_tracer_provider() is provider


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=Ids.after_fork)
