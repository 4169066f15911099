"""Personal data on its way out: planted in every place of a session, and looked for in the bytes that left."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Status, StatusCode

import sentrial
from receivers import OtlpHttpReceiver, SentrialStandIn
from sentrial._store.connection import open_for_reading
from sentrial._store.read import list_sessions, read_spans

KEY = "sentrial_test_key"
CARD = 4111111111111111

PLACES = (
    "session input", "session output", "session metadata", "metadata key", "nested metadata", "session name",
    "tool input", "tool input key", "nested tuple", "bytes", "json text", "tool output", "reasoning", "tool metadata",
    "tool error", "tool name", "live input", "live output", "live error", "thinking", "alternative", "choice",
    "error message", "error type", "error stack", "error metadata", "prompt", "answer", "model error", "custom metric",
    "confidence", "failure reason", "span name", "span attribute", "span list", "span key", "span event", "span status",
    "exception words", "exception stack",
)  # fmt: skip


class Planted:
    """An address of mail for each place; one that is seen tells which place leaks."""

    def __init__(self) -> None:
        self.used: set[str] = set()

    def __call__(self, place: str) -> str:
        assert place in PLACES
        self.used.add(place)
        return f"{place.replace(' ', '-')}@canary.example"


def live_through(say: Planted) -> None:
    """Two sessions with something personal in every place that takes a text, and cards that are numbers."""
    client = sentrial.SentrialClient()
    session_id = client.create_session(say("session name"), "agent", "ada@user.example", convo_id="ada@convo.example")
    client.complete_session(session_id, success=False, failure_reason=f"no {say('failure reason')}")
    deep = {"card": CARD, "in": [("a", (say("nested tuple"), {"cards": (CARD,)}))]}
    metadata = {
        "mail": say("session metadata"),
        say("metadata key"): 1,
        "deep": {"x": [say("nested metadata")]},
        "card": CARD,
    }
    with sentrial.begin("ada@user.example", "agent", input=say("session input"), metadata=metadata) as session:
        session.track_tool_call(
            f"ask {say('tool name')}",
            {"to": say("tool input"), say("tool input key"): 1, "deep": deep, "raw": say("bytes").encode(),
             "json": json.dumps({"card": CARD, "to": say("json text")}), "phone": 4155552671},
            [say("tool output"), {"card": CARD}],
            reasoning=say("reasoning"),
            metadata={"m": say("tool metadata"), "card": CARD},
            tool_error={"message": f"no such {say('tool error')}", "type": "Missing"},
        )  # fmt: skip
        with contextlib.suppress(LookupError), session.tool("live", {"to": say("live input")}) as tool:
            tool.set_output({"from": say("live output")})
            raise LookupError(f"nobody is {say('live error')}")
        session.track_decision(say("thinking"), [say("alternative"), "b"], say("confidence"), chosen=say("choice"))
        session.track_error(
            say("error message"), say("error type"), stack_trace=f'call("{say("error stack")}")',
            metadata={"m": say("error metadata")},
        )  # fmt: skip
        session.track_llm_call("m", input=say("prompt"), output={"to": say("answer")}, error=say("model error"))
        with trace.get_tracer("third.party").start_as_current_span(f"GET /{say('span name')}") as span:
            span.set_attributes(
                {"url": f"https://x/?q={say('span attribute').replace('@', '%40')}", "list": [say("span list"), "b"],
                 say("span key"): 1, "card": CARD, "client.address": "10.1.2.3"}
            )  # fmt: skip
            span.add_event("sent", {"to": say("span event")})
            span.set_status(Status(StatusCode.ERROR, say("span status")))
        session.finish(say("session output"), success=False, custom_metrics={"m": say("custom metric")})
    with pytest.raises(ValueError, match="exception-words"), sentrial.begin("u", "other"):
        fail(say("exception stack"), say("exception words"))


def fail(where: str, words: str) -> None:
    try:
        raise KeyError(where)
    except KeyError as error:
        raise ValueError(words) from error


def seen_in(text: str) -> set[str]:
    text = text.replace("%40", "@")
    return {place for place in PLACES if f"{place.replace(' ', '-')}@canary.example" in text}


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        yield stand_in
        sentrial.shutdown()


@pytest.mark.parametrize("pii", [False, True, "hash", "remove"])
def test_defect_08_personal_data_leaves_by_no_way_at_all(
    pii: bool | str, server: SentrialStandIn, tmp_path: Path
) -> None:
    path, say = tmp_path / "sessions.db", Planted()
    with OtlpHttpReceiver() as collector:
        sentrial.configure(api_key=KEY, api_url=server.url, otlp_endpoint=collector.url, store=str(path), pii=pii)
        live_through(say)
        assert say.used == set(PLACES)
        assert sentrial.flush(30)
        sentrial.shutdown()
        spans = server.spans
        left = [server.otlp_json(), collector.otlp_json(), stored(path)]
    for text in left:
        if not pii:
            # What is not asked for is not done: each place reached the wire.
            assert seen_in(text) == set(PLACES)
            assert text.count(str(CARD)) >= 7
            continue
        assert seen_in(text) == set()
        assert "canary.example" not in text
        assert str(CARD) not in text
        assert "4155552671" not in text
        assert "10.1.2.3" not in text
    for span in spans:
        assert_json_is_json(span["attributes"])
    if pii is True:
        assert left[0].count("[EMAIL]") >= len(PLACES)
    # Ids group: they are as they were given, on our spans and on those of others.
    users = {span["attributes"].get("user.id") for span in spans}
    assert users == {"ada@user.example", "u"}
    conversations = {span["attributes"].get("gen_ai.conversation.id") for span in spans}
    assert conversations == {"ada@convo.example", None}
    (others,) = [span for span in spans if span["name"].startswith("GET ")]
    assert others["attributes"]["user.id"] == "ada@user.example"


def stored(path: Path) -> str:
    connection = open_for_reading(path)
    sessions = [None, *(each.session_id for each in list_sessions(connection))]
    rows = "\n".join(repr(span) for session in sessions for span in read_spans(connection, session))
    connection.close()
    files = "".join(each.read_bytes().decode("utf-8", "replace") for each in sorted(path.parent.glob("sessions.db*")))
    return f"{rows}\n{files}"


def assert_json_is_json(attributes: dict[str, Any]) -> None:
    for key in (
        "gen_ai.input.messages",
        "gen_ai.output.messages",
        "gen_ai.tool.call.arguments",
        "gen_ai.tool.call.result",
    ):
        if key in attributes:
            json.loads(attributes[key])


def test_json_that_is_masked_is_json(server: SentrialStandIn) -> None:
    sentrial.configure(api_key=KEY, api_url=server.url, pii=True)
    text = json.dumps({"card": CARD, "to": "ada@example.com"})
    with sentrial.begin("u", "agent") as session:
        session.track_tool_call("pay", {"card": CARD, "n": 17, "text": text, "phone": 4155552671}, [CARD, text])
    assert sentrial.flush(10)
    (tool,) = [span["attributes"] for span in server.spans if span["name"] == "execute_tool pay"]
    arguments = json.loads(tool["gen_ai.tool.call.arguments"])
    assert {**arguments, "text": json.loads(arguments["text"])} == {
        "card": "[CREDIT_CARD]", "n": 17, "phone": "[masked]",
        "text": {"card": "[CREDIT_CARD]", "to": "[EMAIL]"},
    }  # fmt: skip
    card, masked = json.loads(tool["gen_ai.tool.call.result"])["result"]
    assert (card, json.loads(masked)["to"]) == ("[CREDIT_CARD]", "[EMAIL]")
    assert tool["sentrial.masked"] == 5


def test_the_same_value_has_one_hash_in_every_place_and_process(server: SentrialStandIn) -> None:
    sentrial.configure(api_key=KEY, api_url=server.url, pii="hash")
    with sentrial.begin("u", "agent", input="4111 1111 1111 1111", metadata={"card": CARD}) as session:
        session.finish("4111-1111-1111-1111")
    assert sentrial.flush(10)
    (root,) = [span["attributes"] for span in server.spans]
    assert root["input.value"] == root["output.value"] == root["sentrial.metadata.card"]
    assert root["input.value"].startswith("[PII:")


def test_exporters_of_the_application_see_no_personal_data_of_ours_either(server: SentrialStandIn) -> None:
    provider, theirs = TracerProvider(), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(theirs))
    trace.set_tracer_provider(provider)
    sentrial.configure(api_key=KEY, api_url=server.url, pii=True, capture_content="span")
    live_through(Planted())
    assert sentrial.flush(30)
    ours = [span for span in theirs.get_finished_spans() if span.instrumentation_scope.name == "sentrial"]
    text = "\n".join(span.to_json() for span in ours)
    assert len(ours) >= 8
    assert seen_in(text) == set()
    assert "[EMAIL]" in text
    # What others wrote on their spans is theirs.
    assert seen_in("\n".join(span.to_json() for span in theirs.get_finished_spans())) >= {"span name", "span event"}


def test_two_clients_are_masked_alike(server: SentrialStandIn) -> None:
    """Defect 8 again: in the old SDK one kind of client masked nothing."""
    sentrial.configure(api_key=KEY, api_url=server.url, pii=True)
    for client in (sentrial.SentrialClient(), sentrial.SentrialClient(api_url=server.url, api_key=KEY)):
        session_id = client.create_session("n", "agent", "u")
        client.track_tool_call(session_id, "t", {"to": "ada@example.com"}, {"tuple": ("ada@example.com",)})
        client.complete_session(session_id, failure_reason="ada@example.com", success=False)
    assert sentrial.flush(10)
    assert len(server.spans) == 4
    assert "ada@example.com" not in server.otlp_json()


def test_switching_it_on_later_holds_for_what_ends_later(server: SentrialStandIn) -> None:
    sentrial.configure(api_key=KEY, api_url=server.url)
    session = sentrial.begin("u", "agent", input="hello")
    sentrial.configure(api_key=KEY, api_url=server.url, pii=True)
    session.track_tool_call("t", {"to": "ada@example.com"}, {})
    session.finish("done")
    assert sentrial.flush(10)
    assert len(server.spans) == 2
    assert "ada@example.com" not in server.otlp_json()
