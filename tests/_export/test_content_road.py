"""Where content goes: to our own destinations, and to nobody else's exporter unless the application asks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import sentrial
from receivers import OtlpHttpReceiver, SentrialStandIn

KEY = "sentrial_test_key"
STANDARD = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
SECRET = "sk-proj-abcdefghijklmnop1234"

# Each is said in one place only, so that one that is seen tells which place leaks.
CONTENT = {
    "session input": "CONTENT-session-in",
    "session output": "CONTENT-session-out",
    "prompt": "CONTENT-prompt",
    "answer": "CONTENT-answer",
    "live prompt": "CONTENT-live-prompt",
    "live answer": "CONTENT-live-answer",
    "arguments": "CONTENT-arguments",
    "result": "CONTENT-result",
    "live arguments": "CONTENT-live-arguments",
    "live result": "CONTENT-live-result",
    "reasoning": "CONTENT-reasoning",
    "decision": "CONTENT-decision",
    "alternative": "CONTENT-alternative",
    "choice": "CONTENT-choice",
}
KEPT = {
    "gen_ai.tool.name": "search",
    "gen_ai.tool.call.id": "call_1",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.usage.input_tokens": 11,
    "sentrial.decision.confidence": 0.5,
    "sentrial.metadata.channel": "web",
}


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


def say_everything(server: SentrialStandIn, **settings: Any) -> None:
    sentrial.configure(api_key=KEY, api_url=server.url, **settings)
    say = CONTENT.__getitem__
    with sentrial.begin("u", "agent", input=f"{say('session input')} {SECRET}", metadata={"channel": "web"}) as session:
        session.track_llm_call("gpt-4o", provider="openai", input=say("prompt"), output=say("answer"), prompt_tokens=11)
        with session.llm("gpt-4o", provider="openai", input=[{"role": "user", "content": say("live prompt")}]) as call:
            call.set_output(say("live answer"))
        session.track_tool_call(
            "search", {"q": say("arguments")}, {"found": say("result")}, reasoning=say("reasoning"), call_id="call_1"
        )
        with session.tool("fetch", {"q": say("live arguments")}) as tool:
            tool.set_output([say("live result")])
        session.track_decision(say("decision"), [say("alternative")], 0.5, chosen=say("choice"))
        session.finish(say("session output"))
    assert sentrial.flush(10)


def content_in(text: str) -> set[str]:
    return {place for place, words in CONTENT.items() if words in text}


def seen_by(exporter: InMemorySpanExporter) -> str:
    return "\n".join(span.to_json() for span in exporter.get_finished_spans())


def values_in(spans: list[dict[str, Any]]) -> set[tuple[str, Any]]:
    return {(key, value) for span in spans for key, value in span["attributes"].items() if key in KEPT}


def test_by_default_content_is_on_our_road_only(theirs: InMemorySpanExporter, server: SentrialStandIn) -> None:
    say_everything(server)
    assert content_in(server.otlp_json()) == set(CONTENT)
    assert content_in(seen_by(theirs)) == set()
    # Names, ids and numbers are for everybody.
    seen = {(key, value) for span in theirs.get_finished_spans() for key, value in (span.attributes or {}).items()}
    assert set(KEPT.items()) <= seen
    assert set(KEPT.items()) <= values_in(server.spans)


def test_a_second_receiver_of_the_applications_gets_no_content_either(server: SentrialStandIn) -> None:
    with OtlpHttpReceiver() as apm:
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(apm.traces_url)))
        trace.set_tracer_provider(provider)
        say_everything(server)
        assert len(apm.spans) == len(server.spans) == 6
        assert content_in(apm.otlp_json()) == set()
        assert content_in(server.otlp_json()) == set(CONTENT)
        provider.shutdown()


def test_a_collector_of_our_own_pipeline_gets_the_content(server: SentrialStandIn) -> None:
    with OtlpHttpReceiver() as collector:
        say_everything(server, otlp_endpoint=collector.url)
        assert content_in(collector.otlp_json()) == content_in(server.otlp_json()) == set(CONTENT)
        sentrial.shutdown()


@pytest.mark.parametrize("value", ["SPAN_ONLY", "span_only", "SPAN_AND_EVENT", "true"])
def test_the_standard_variable_puts_content_on_spans_for_everybody(
    theirs: InMemorySpanExporter, server: SentrialStandIn, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv(STANDARD, value)
    say_everything(server)
    assert content_in(server.otlp_json()) == content_in(seen_by(theirs)) == set(CONTENT)
    for text in (server.otlp_json(), seen_by(theirs)):
        assert SECRET not in text
        assert "[masked]" in text
    tool = next(span for span in theirs.get_finished_spans() if span.name == "execute_tool search")
    arguments = (tool.attributes or {})["gen_ai.tool.call.arguments"]
    assert json.loads(str(arguments)) == {"q": CONTENT["arguments"]}


@pytest.mark.parametrize("value", ["NO_CONTENT", "false"])
def test_no_content_is_no_content_for_anybody(
    theirs: InMemorySpanExporter, server: SentrialStandIn, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv(STANDARD, value)
    say_everything(server)
    assert content_in(server.otlp_json()) == content_in(seen_by(theirs)) == set()
    assert set(KEPT.items()) <= values_in(server.spans)


def test_a_secret_leaves_nowhere(theirs: InMemorySpanExporter, server: SentrialStandIn) -> None:
    say_everything(server)
    assert SECRET not in server.otlp_json()
    assert SECRET not in seen_by(theirs)
    root = next(span for span in server.spans if span["name"] == "invoke_agent agent")
    assert root["attributes"]["input.value"].endswith("[masked]")
    assert root["attributes"]["sentrial.masked"] >= 1


@pytest.mark.parametrize(
    ("argument", "ours", "everybody"), [("span", True, True), ("ours", True, False), (False, False, False)]
)
def test_the_argument_beats_the_variable(
    theirs: InMemorySpanExporter,
    server: SentrialStandIn,
    monkeypatch: pytest.MonkeyPatch,
    argument: Any,
    ours: bool,
    everybody: bool,
) -> None:
    monkeypatch.setenv(STANDARD, "NO_CONTENT" if ours else "SPAN_ONLY")
    say_everything(server, capture_content=argument)
    assert content_in(server.otlp_json()) == (set(CONTENT) if ours else set())
    assert content_in(seen_by(theirs)) == (set(CONTENT) if everybody else set())


def test_what_happens_to_the_users_objects_after_the_call_shows_nowhere(
    theirs: InMemorySpanExporter, server: SentrialStandIn
) -> None:
    sentrial.configure(api_key=KEY, api_url=server.url, flush_interval=60)
    messages = [{"role": "user", "content": "then"}]
    arguments: dict[str, Any] = {"q": {"deep": ["then"]}}
    found = ["then"]
    with sentrial.begin("u", "agent", input=messages) as session:
        with session.tool("search", arguments) as tool:
            tool.set_output(found)
            arguments["q"]["deep"].append("NOW")
            found.append("NOW")
        session.set_output(found)
        messages[0]["content"] = "NOW"
        messages.append({"role": "user", "content": "NOW"})
    found.clear()
    assert sentrial.flush(10)
    spans = {span["name"]: span["attributes"] for span in server.spans}
    tool_span, root = spans["execute_tool search"], spans["invoke_agent agent"]
    assert json.loads(tool_span["gen_ai.tool.call.arguments"]) == {"q": {"deep": ["then"]}}
    assert json.loads(tool_span["gen_ai.tool.call.result"]) == {"result": ["then"]}
    assert json.loads(root["gen_ai.input.messages"]) == [
        {"role": "user", "parts": [{"type": "text", "content": "then"}]}
    ]
