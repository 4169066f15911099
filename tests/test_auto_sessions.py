"""``SENTRIAL_AUTO_SESSION=request``: a request that calls a model is a session, with all that belongs to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

import sentrial
from by_themselves import CALL, KEY, WEB, call_model, configure, inside, names, own_provider, request, sessions, tree
from receivers import SentrialStandIn
from running import by_name
from sentrial._export import lingering, scope

ROOT = "invoke_agent shop"


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        yield stand_in
        sentrial.shutdown()


@pytest.fixture
def theirs() -> InMemorySpanExporter:
    """What the application's own exporter gets; its provider is there before us."""
    return own_provider()


@pytest.fixture(autouse=True)
def set_up(server: SentrialStandIn, theirs: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch) -> None:
    # What decides when a request is over: no test waits for the longer ones.
    monkeypatch.setattr(scope, "AFTER_THREAD", 0.1)
    monkeypatch.setattr(lingering, "LOOKS_EVERY", 0.01)
    configure(server, "request")


# --- what belongs to a session ---------------------------------------------------------------------------------------


def test_a_request_that_calls_a_model_is_one_session_with_all_its_spans(
    server: SentrialStandIn, theirs: InMemorySpanExporter
) -> None:
    with request():
        with inside("SELECT before"):
            pass
        with inside("plan"):
            call_model()
        with inside("SELECT after"):
            pass
    (spans,) = sessions(server, 1)
    assert tree(spans) == {ROOT: None, "SELECT before": ROOT, "plan": ROOT, CALL: "plan", "SELECT after": ROOT}
    assert {span["attributes"]["sentrial.session.id"] for span in spans} == {
        by_name(spans)[ROOT]["attributes"]["sentrial.session.id"]
    }
    root = by_name(spans)[ROOT]["attributes"]
    assert (root["gen_ai.agent.name"], root["sentrial.session.outcome"], root["sentrial.session.llm_calls"]) == (
        "shop",
        "completed",
        1,
    )
    assert "user.id" not in root


def test_for_others_the_session_is_a_part_of_the_requests_trace(
    server: SentrialStandIn, theirs: InMemorySpanExporter
) -> None:
    with request() as inbound, inside("plan"):
        call_model()
    (spans,) = sessions(server, 1)
    got = {span.name: span for span in theirs.get_finished_spans()}
    assert {span.context.trace_id for span in got.values()} == {inbound.get_span_context().trace_id}
    assert got[ROOT].parent == inbound.get_span_context()
    assert got[ROOT].start_time == got["GET /ask"].start_time
    assert got[CALL].parent == got["plan"].context
    assert "sentrial.session.id" not in got["GET /ask"].attributes
    # Sentrial makes one session of one trace, and a trace may hold several requests.
    assert by_name(spans)[ROOT]["trace_id"] != f"{inbound.get_span_context().trace_id:032x}"


def test_a_request_without_a_model_is_no_session(server: SentrialStandIn, theirs: InMemorySpanExporter) -> None:
    with request("GET /health"), inside("SELECT 1"):
        pass
    with request():
        call_model()
    (spans,) = sessions(server, 1)
    assert tree(spans) == {ROOT: None, CALL: ROOT}
    assert [span.name for span in theirs.get_finished_spans()][:2] == ["SELECT 1", "GET /health"]
    assert all("sentrial.session.id" not in span.attributes for span in theirs.get_finished_spans()[:2])


def test_work_outside_of_requests_is_no_session(server: SentrialStandIn) -> None:
    call_model()
    with inside("job"):
        call_model()
    with request():
        call_model()
    assert len(sessions(server, 1)) == 1


def test_a_message_from_a_queue_is_a_request(server: SentrialStandIn) -> None:
    with inside("run/answer", WEB, kind=SpanKind.CONSUMER):
        call_model()
        call_model()
    (spans,) = sessions(server, 1)
    assert names(spans) == [CALL, CALL, ROOT]


def test_a_request_inside_a_request_belongs_to_it(server: SentrialStandIn) -> None:
    with request(), request("GET /mounted"):
        call_model()
    (spans,) = sessions(server, 1)
    assert tree(spans) == {ROOT: None, "GET /mounted": ROOT, CALL: "GET /mounted"}


def test_the_pieces_of_a_streamed_answer_are_left_out(server: SentrialStandIn) -> None:
    with request():
        call_model()
        for _ in range(3):
            with inside("GET /ask http send", WEB):
                pass
        with inside("BackgroundTask answer", WEB):
            call_model()
    (spans,) = sessions(server, 1)
    assert names(spans) == ["BackgroundTask answer", CALL, CALL, ROOT]


def test_a_model_call_of_another_instrumentation_makes_a_request_a_session_too(server: SentrialStandIn) -> None:
    with request(), inside("plan"), inside("complete", "openinference.instrumentation.llama"):
        pass
    (spans,) = sessions(server, 1)
    assert tree(spans) == {ROOT: None, "plan": ROOT, "complete": "plan"}


def test_also_where_its_span_says_so_at_its_end_only(server: SentrialStandIn) -> None:
    with request(), inside("complete", "other") as span:
        span.set_attribute("gen_ai.operation.name", "chat")
    (spans,) = sessions(server, 1)
    assert tree(spans) == {ROOT: None, "complete": ROOT}


def test_a_decorated_tool_makes_a_request_a_session(server: SentrialStandIn) -> None:
    @sentrial.tool("search")
    def search(text: str) -> str:
        with inside("SELECT"):
            return text

    assert search("outside") == "outside"
    with request():
        assert search("inside") == "inside"
    (spans,) = sessions(server, 1)
    assert tree(spans) == {ROOT: None, "execute_tool search": ROOT, "SELECT": "execute_tool search"}


# --- agent and user --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["user.id", "enduser.id"])
def test_the_user_is_whom_the_requests_span_names_whenever_it_does(server: SentrialStandIn, key: str) -> None:
    with request(**{key: "ann"}):
        call_model()
    with request() as inbound:
        call_model()
        inbound.set_attribute(key, "bob")
        call_model()
    first, second = sessions(server, 2)
    assert [span["attributes"].get("user.id") for span in first] == ["ann"] * 2
    assert by_name([span for span in second if span["name"] == ROOT])[ROOT]["attributes"]["user.id"] == "bob"


def test_the_settings_name_agent_and_user_first(server: SentrialStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENTRIAL_AGENT_NAME", "clerk")
    monkeypatch.setenv("SENTRIAL_USER_ID", "batch")
    configure(server, "request")
    with request(**{"user.id": "ann"}):
        call_model()
    (spans,) = sessions(server, 1)
    root = by_name(spans)["invoke_agent clerk"]["attributes"]
    assert (root["gen_ai.agent.name"], root["user.id"]) == ("clerk", "batch")
