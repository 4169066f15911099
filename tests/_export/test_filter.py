"""What Sentrial gets is a whole trace of one session: one root, no dangling parents, no other session's spans."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from opentelemetry import context, trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import format_span_id, format_trace_id, set_span_in_context

import sentrial
from receivers import SentrialStandIn
from running import Span, arrived, id_of, run_program, session_of
from sentrial._spans import llm
from sentrial.types import LlmRequest, LlmResponse

KEY = "sentrial_test_key"


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        yield stand_in
        sentrial.shutdown()


@pytest.fixture
def theirs() -> InMemorySpanExporter:
    provider, exporter = TracerProvider(), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return exporter


def assert_whole(spans: list[Span]) -> None:
    """One root a trace, and every parent is there."""
    for trace_id in {span["trace_id"] for span in spans}:
        ids = {span["span_id"] for span in spans if span["trace_id"] == trace_id}
        parents = [span["parent_span_id"] for span in spans if span["trace_id"] == trace_id]
        assert parents.count(None) == 1
        assert set(parents) - {None} <= ids


def test_a_span_whose_parent_is_no_span_of_the_session_hangs_on_the_root(
    theirs: InMemorySpanExporter, server: SentrialStandIn
) -> None:
    sentrial.configure(api_key=KEY, api_url=server.url)
    tracer = trace.get_tracer("third.party")
    outside = tracer.start_span("outside")
    with sentrial.begin("u", "agent") as session:
        # An instrumentation with a parent of its own choice, such as one that it took from a message.
        stray = tracer.start_span("stray", set_span_in_context(outside))
        below = tracer.start_span("below", set_span_in_context(stray))
        below.end()
        stray.end()
    outside.end()
    spans = arrived(server)
    root = spans["invoke_agent agent"]
    assert {name: span["parent_span_id"] for name, span in spans.items()} == {
        "invoke_agent agent": None,
        "stray": root["span_id"],
        "below": spans["stray"]["span_id"],
    }
    assert {span["trace_id"] for span in spans.values()} == {root["trace_id"]}
    assert {session_of(span) for span in spans.values()} == {session.session_id}
    # What the application holds stays as it is.
    seen = {span.name: span for span in theirs.get_finished_spans()}
    assert seen["stray"].parent == outside.get_span_context()
    assert seen["stray"].context.trace_id == outside.get_span_context().trace_id


def test_a_parent_that_is_not_sampled_is_no_parent_at_sentrial(server: SentrialStandIn) -> None:
    from opentelemetry.sdk.trace.sampling import ALWAYS_ON, Decision, Sampler, SamplingResult

    class RecordsSome(Sampler):
        def should_sample(self, parent_context, trace_id, name, *rest, **more):  # type: ignore[no-untyped-def]  # as above
            if name == "recorded only":
                return SamplingResult(Decision.RECORD_ONLY)
            return ALWAYS_ON.should_sample(parent_context, trace_id, name)

        def get_description(self) -> str:
            return "records some"

    trace.set_tracer_provider(TracerProvider(sampler=RecordsSome()))
    sentrial.configure(api_key=KEY, api_url=server.url)
    tracer = trace.get_tracer("third.party")
    with (
        sentrial.begin("u", "agent"),
        tracer.start_as_current_span("recorded only"),
        tracer.start_as_current_span("kept"),
    ):
        pass
    spans = arrived(server)
    assert set(spans) == {"invoke_agent agent", "kept"}
    assert_whole(server.spans)


def test_sessions_of_one_request_share_its_trace_and_are_apart_at_sentrial(
    theirs: InMemorySpanExporter, server: SentrialStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SENTRIAL_SESSION_PARENT", "inherit")
    sentrial.configure(api_key=KEY, api_url=server.url)
    ids = []
    with trace.get_tracer("web").start_as_current_span("POST /chat") as request:
        for name in ("one", "two"):
            with sentrial.begin("u", name) as session:
                ids.append(session.session_id)
                with session.tool(f"tool of {name}"):
                    trace.get_tracer("db").start_span(f"SELECT {name}").end()
                with sentrial.begin("u", f"sub of {name}"):
                    pass
    shared_trace = format_trace_id(request.get_span_context().trace_id)

    seen = {span.name: span for span in theirs.get_finished_spans()}
    for name in ("one", "two"):
        assert seen[f"invoke_agent {name}"].parent == request.get_span_context()
    assert {format_trace_id(span.context.trace_id) for span in seen.values()} == {shared_trace}
    assert [session_id[:32] for session_id in ids] == [shared_trace] * 2

    spans = arrived(server)
    assert len(spans) == 8
    assert_whole(server.spans)
    traces = []
    for name, session_id in zip(("one", "two"), ids, strict=True):
        root = spans[f"invoke_agent {name}"]
        assert (root["parent_span_id"], root["span_id"]) == (None, session_id[33:])
        members = [span for span in spans.values() if session_of(span) == session_id]
        assert {span["name"] for span in members} == {
            f"invoke_agent {name}",
            f"execute_tool tool of {name}",
            f"SELECT {name}",
            f"invoke_agent sub of {name}",
        }
        assert {span["trace_id"] for span in members} == {root["trace_id"]}
        assert spans[f"SELECT {name}"]["parent_span_id"] == spans[f"execute_tool tool of {name}"]["span_id"]
        traces.append(root["trace_id"])
    assert len({*traces, shared_trace}) == 3


def test_links_inside_a_moved_session_lead_to_where_its_spans_are(server: SentrialStandIn) -> None:
    sentrial.configure(api_key=KEY, api_url=server.url, session_parent="inherit")
    sentrial.begin("u", "first").finish()
    with trace.get_tracer("web").start_as_current_span("POST /chat"), sentrial.begin("u", "agent") as session:
        llm.begin(LlmRequest("chat", "openai", "gpt-4o")).succeed(LlmResponse(tool_call_ids=("call_1",)))
        session.track_tool_call("t", {}, {}, call_id="call_1")
    spans = arrived(server)
    (link,) = spans["execute_tool t"]["links"]
    assert link["attributes"] == {"sentrial.link": "requested_by"}
    assert id_of(link) == id_of(spans["chat gpt-4o"])


def test_every_process_moves_a_session_to_the_same_trace(
    theirs: InMemorySpanExporter, server: SentrialStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = {"SENTRIAL_SESSION_PARENT": "inherit", "SENTRIAL_API_KEY": KEY, "SENTRIAL_API_URL": server.url}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with trace.get_tracer("web").start_as_current_span("POST /chat"):
        session = sentrial.begin("u", "agent")
    run_program(
        f"""
        import sentrial
        client = sentrial.SentrialClient()
        client.track_tool_call({session.session_id!r}, "elsewhere", {{}}, {{}})
        client.complete_session({session.session_id!r})
        """,
        variables,
    )
    session.finish()
    spans = arrived(server)
    assert set(spans) == {"invoke_agent agent", "execute_tool elsewhere", "session completed"}
    assert {id_of({**span, "span_id": span["parent_span_id"] or span["span_id"]}) for span in spans.values()} == {
        id_of(spans["invoke_agent agent"])
    }
    assert_whole(server.spans)


def test_inherit_without_a_caller_is_a_root(server: SentrialStandIn) -> None:
    sentrial.configure(api_key=KEY, api_url=server.url, session_parent="inherit")
    session = sentrial.begin("u", "agent")
    session.finish()
    root = arrived(server)["invoke_agent agent"]
    assert root["parent_span_id"] is None
    assert session_of(root) == session.session_id


def test_a_remote_parent_is_inherited_like_any_other(theirs: InMemorySpanExporter, server: SentrialStandIn) -> None:
    from opentelemetry.propagate import extract

    sentrial.configure(api_key=KEY, api_url=server.url, session_parent="inherit")
    carrier = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    token = context.attach(extract(carrier))
    sentrial.begin("u", "agent").finish()
    context.detach(token)
    (own,) = theirs.get_finished_spans()
    assert own.parent is not None
    assert format_span_id(own.parent.span_id) == "b7ad6b7169203331"
    root = arrived(server)["invoke_agent agent"]
    assert root["parent_span_id"] is None
    assert root["trace_id"] != "0af7651916cd43dd8448eb211c80319c"
