"""Pain C1: providers of other kinds than the SDK's, and what goes by in one that we have joined."""

from __future__ import annotations

import importlib
import threading
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import wrapt
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, TraceFlags

import sentrial
from receivers import OtlpGrpcReceiver, OtlpHttpReceiver, SentrialStandIn
from running import arrived, links_of
from sentrial import _runtime
from sentrial._spans import llm
from sentrial.types import LlmRequest, LlmResponse

KEY = "sentrial_test_key"


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        sentrial.configure(api_key=KEY, api_url=stand_in.url)
        yield stand_in
        sentrial.shutdown()


class Replacing(TracerProvider):
    """As Phoenix's: whoever adds a processor takes its own out."""

    def __init__(self, exporter: InMemorySpanExporter) -> None:
        super().__init__(shutdown_on_exit=False)
        super().add_span_processor(SimpleSpanProcessor(exporter))

    def add_span_processor(self, span_processor: SpanProcessor) -> None:
        self._active_span_processor._span_processors = ()
        super().add_span_processor(span_processor)


class Wrapping(trace.TracerProvider):
    """As Logfire's: no provider of the SDK, but one in it; and it cannot be hashed."""

    __hash__ = None

    def __init__(self, provider: TracerProvider) -> None:
        self.provider = provider

    def __eq__(self, other: object) -> bool:
        return self is other

    def get_tracer(self, *args: Any, **kwargs: Any) -> trace.Tracer:
        return self.provider.get_tracer(*args, **kwargs)


class ForeignSpan(NonRecordingSpan):
    """As Datadog's: it records, and leaves it to the API to take links, which warns."""

    def is_recording(self) -> bool:
        return True


class Foreign(trace.TracerProvider, trace.Tracer):
    """As Datadog's: it takes no processors. What it makes is in ``made``, each with its parent."""

    def __init__(self) -> None:
        self.made: list[tuple[str, SpanContext]] = []

    def get_tracer(self, *_: Any, **__: Any) -> trace.Tracer:
        return self

    def start_span(self, name: str, context: Any = None, *_: Any, **__: Any) -> trace.Span:
        self.made.append((name, trace.get_current_span(context).get_span_context()))
        return ForeignSpan(SpanContext(7, len(self.made), is_remote=False, trace_flags=TraceFlags(1)))

    def start_as_current_span(self, name: str, *_: Any, **__: Any) -> Any:
        return trace.use_span(self.start_span(name))


class ForgetfulContext:
    """As Datadog's runtime context: it keeps the current span, and nothing else that is put into it."""

    def __init__(self) -> None:
        self._local = threading.local()

    def attach(self, context: otel_context.Context) -> object:
        span = trace.get_current_span(context)
        if span is not trace.INVALID_SPAN:
            self._local.span = span
        return object()

    def get_current(self) -> otel_context.Context:
        span = getattr(self._local, "span", None)
        return otel_context.Context() if span is None else trace.set_span_in_context(span, otel_context.Context())

    def detach(self, token: object) -> None:
        pass


@pytest.fixture(params=["OpenTelemetry's context", "a context that forgets"])
def context(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param != "OpenTelemetry's context":
        monkeypatch.setattr(otel_context, "_RUNTIME_CONTEXT", ForgetfulContext())
    return str(request.param)


def test_pain_c1_a_provider_that_takes_its_own_exporter_out_keeps_it(server: SentrialStandIn) -> None:
    exporter = InMemorySpanExporter()
    provider = Replacing(exporter)
    trace.set_tracer_provider(provider)
    with sentrial.begin("u", "agent"), trace.get_tracer("db").start_as_current_span("SELECT"):
        pass
    assert set(arrived(server)) == {"invoke_agent agent", "SELECT"}
    assert [span.name for span in exporter.get_finished_spans()] == ["SELECT", "invoke_agent agent"]
    provider.shutdown()


def test_pain_c1_a_provider_in_a_wrapper_is_joined_once(
    server: SentrialStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    exporter, inner = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    inner.add_span_processor(SimpleSpanProcessor(exporter))
    wrapper = Wrapping(inner)
    trace.set_tracer_provider(wrapper)
    for agent in ("first", "second"):
        sentrial.configure(api_key=KEY, api_url=server.url)
        with sentrial.begin("u", agent), trace.get_tracer("db").start_as_current_span(f"SELECT {agent}"):
            pass
    names = {"invoke_agent first", "SELECT first", "invoke_agent second", "SELECT second"}
    assert set(arrived(server)) == names
    assert {span.name for span in exporter.get_finished_spans()} == names
    assert len(exporter.get_finished_spans()) == 4
    assert trace.get_tracer_provider() is wrapper
    assert caplog.text == ""
    inner.shutdown()


def test_pain_c1_a_foreign_provider_sees_nothing_of_our_sessions(server: SentrialStandIn, context: str) -> None:
    foreign = Foreign()
    trace.set_tracer_provider(foreign)
    tracer = trace.get_tracer("app")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with (
            tracer.start_as_current_span("request"),
            sentrial.begin("u", "agent") as session,
            session.tool("lookup", {}),
        ):
            with tracer.start_as_current_span("SELECT"):
                pass
            llm.begin(LlmRequest("chat", "openai", "gpt-4o")).succeed(LlmResponse())
            with ThreadPoolExecutor(1) as pool:
                pool.submit(lambda: session.track_decision("in a thread")).result()
    assert [(name, parent.span_id) for name, parent in foreign.made] == [("request", 0), ("SELECT", 1)]
    spans = arrived(server)
    root, tool = spans["invoke_agent agent"], spans["execute_tool lookup"]
    assert set(spans) == {"invoke_agent agent", "execute_tool lookup", "chat gpt-4o", "decision agent"}
    assert links_of(root) == [("caller", f"{7:032x}-{1:016x}")]
    assert (root["parent_span_id"], tool["parent_span_id"]) == (None, root["span_id"])
    assert spans["chat gpt-4o"]["parent_span_id"] == tool["span_id"]
    assert spans["decision agent"]["parent_span_id"] == tool["span_id"]
    assert trace.get_tracer_provider() is foreign


def test_pain_c1_what_is_current_is_what_was_after_a_session_beside_a_foreign_provider(
    server: SentrialStandIn, context: str
) -> None:
    trace.set_tracer_provider(Foreign())
    with trace.get_tracer("app").start_as_current_span("request"):
        here = trace.get_current_span()
        with sentrial.begin("u", "agent"):
            assert trace.get_current_span().get_span_context() == here.get_span_context()
            assert sentrial.get_current_session_id() is not None
        assert trace.get_current_span().get_span_context() == here.get_span_context()
        assert sentrial.get_current_session_id() is None


def test_pain_c1_sub_agents_and_calls_without_a_session_work_beside_a_foreign_provider(
    server: SentrialStandIn, context: str
) -> None:
    trace.set_tracer_provider(Foreign())
    with sentrial.begin("u", "outer"), sentrial.begin("u", "inner") as inner:
        inner.track_tool_call("t", {}, {})
    llm.begin(LlmRequest("chat", "openai", "alone")).succeed(LlmResponse())
    spans = arrived(server)
    assert spans["invoke_agent inner"]["parent_span_id"] == spans["invoke_agent outer"]["span_id"]
    assert spans["execute_tool t"]["parent_span_id"] == spans["invoke_agent inner"]["span_id"]


@pytest.mark.parametrize(("module", "name"), [("requests.sessions", "Session.send"), ("grpc", "insecure_channel")])
def test_pain_c1_what_we_send_is_seen_by_no_tracer_that_wraps_the_transport(
    monkeypatch: pytest.MonkeyPatch, module: str, name: str
) -> None:
    seen = []

    def note(wrapped: Any, _instance: Any, args: Any, kwargs: Any) -> Any:
        seen.append(args)
        return wrapped(*args, **kwargs)

    owner, _, attribute = name.rpartition(".")
    place: Any = importlib.import_module(module)
    place = getattr(place, owner) if owner else place
    monkeypatch.setattr(place, attribute, wrapt.FunctionWrapper(getattr(place, attribute), note))
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc" if module == "grpc" else "http/protobuf")
    with OtlpGrpcReceiver() if module == "grpc" else OtlpHttpReceiver() as receiver:
        sentrial.configure(otlp_endpoint=receiver.url)
        with sentrial.begin("u", "agent"):
            pass
        assert sentrial.flush(20)
        assert [span["name"] for span in receiver.spans] == ["invoke_agent agent"]
        sentrial.shutdown()
    assert seen == []


def test_shutting_down_ends_the_place_apart(server: SentrialStandIn) -> None:
    trace.set_tracer_provider(Foreign())
    with sentrial.begin("u", "agent"):
        assert _runtime.is_apart()
    sentrial.shutdown()
    assert not _runtime.is_apart()


def test_pain_c1_of_a_thousand_http_and_database_spans_none_reaches_sentrial(server: SentrialStandIn) -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    http, database = (trace.get_tracer(f"opentelemetry.instrumentation.{name}") for name in ("asgi", "psycopg"))
    opened, done = threading.Event(), threading.Event()

    def hold_a_conversation() -> None:
        with sentrial.begin("u", "agent") as session:
            opened.set()
            assert done.wait(60)
            session.track_tool_call("lookup", {}, {})

    elsewhere = threading.Thread(target=hold_a_conversation)
    elsewhere.start()
    assert opened.wait(60)
    for number in range(250):
        with http.start_as_current_span(f"GET /{number}", kind=SpanKind.SERVER):
            for _ in range(3):
                with database.start_as_current_span("SELECT", kind=SpanKind.CLIENT):
                    pass
    done.set()
    elsewhere.join()
    assert set(arrived(server)) == {"invoke_agent agent", "execute_tool lookup"}
    assert sentrial.stats() == {f"Sentrial {server.url}": {"stored": 2}}
    assert len(exporter.get_finished_spans()) == 1_002
    stamped = [span.name for span in exporter.get_finished_spans() if "sentrial.session.id" in (span.attributes or {})]
    assert sorted(stamped) == ["execute_tool lookup", "invoke_agent agent"]
    provider.shutdown()
