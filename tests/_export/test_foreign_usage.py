"""Model calls that other instrumentations tell of: in the session's totals, each call once."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

import sentrial
from receivers import SentrialStandIn
from sentrial import _registry
from sentrial._spans import llm
from sentrial.types import LlmRequest, LlmResponse, Usage

KEY = "sentrial_test_key"

CHAT = {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 10}
NOTHING = {"calls": 0}
ONCE = {"calls": 1, "input": 100, "output": 10, "total": 110}
TWICE = {"calls": 2, "input": 200, "output": 20, "total": 220}


@pytest.fixture
def everybody() -> Iterator[InMemorySpanExporter]:
    """What every exporter of the application's own provider sees."""
    exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    sentrial.configure(store=False)
    yield exporter
    provider.shutdown()


def foreign(attributes: Mapping[str, Any], name: str = "foreign", scope: str = "of.another") -> Any:
    """A span of another instrumentation around a block; it says everything at its end, as most of them do."""

    class Around:
        def __enter__(self) -> Any:
            self.current = trace.get_tracer(scope).start_as_current_span(name, kind=SpanKind.CLIENT)
            self.span = self.current.__enter__()
            return self.span

        def __exit__(self, *error: Any) -> None:
            self.span.set_attributes(attributes)
            self.current.__exit__(*error)

    return Around()


def call_of_ours(usage: Usage | None = Usage(100, 10)) -> None:  # noqa: B008 - frozen
    llm.begin(LlmRequest("chat", "openai", "gpt-4o")).succeed(LlmResponse(usage=usage))


def totals(exporter: InMemorySpanExporter, name: str = "invoke_agent agent") -> dict[str, Any]:
    """What the session's root says as it ends, to everybody."""
    (root,) = (span for span in exporter.get_finished_spans() if span.name == name)
    keys = {
        "calls": "sentrial.session.llm_calls",
        "input": "gen_ai.usage.input_tokens",
        "output": "gen_ai.usage.output_tokens",
        "total": "sentrial.usage.total_tokens",
    }
    attributes = root.attributes or {}
    return {word: attributes[key] for word, key in keys.items() if key in attributes}


# --- dialects --------------------------------------------------------------------------------------------------------

IN_ALL_WORDS = {
    "GenAI": CHAT,
    "GenAI without an operation": {"gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 10},
    "GenAI, before 1.27": {
        "gen_ai.system": "openai", "gen_ai.usage.prompt_tokens": 100, "gen_ai.usage.completion_tokens": 10,
    },
    "OpenInference": {
        "openinference.span.kind": "LLM", "llm.token_count.prompt": 100, "llm.token_count.completion": 10,
        "llm.token_count.total": 110,
    },
    "OpenLLMetry, older": {
        "llm.request.type": "chat", "llm.usage.total_tokens": 110, "gen_ai.usage.prompt_tokens": 100,
        "gen_ai.usage.completion_tokens": 10,
    },
    "in two dialects at once": {
        **CHAT, "openinference.span.kind": "LLM", "llm.token_count.prompt": 100, "llm.token_count.completion": 10,
        "llm.usage.total_tokens": 110,
    },
    "input and total": {
        "llm.request.type": "completion", "llm.usage.prompt_tokens": 100, "llm.usage.total_tokens": 110,
    },
    "output and total": {
        "gen_ai.operation.name": "text_completion", "gen_ai.usage.completion_tokens": 10, "llm.usage.total_tokens": 110,
    },
}  # fmt: skip


@pytest.mark.parametrize("words", IN_ALL_WORDS.values(), ids=IN_ALL_WORDS.keys())
def test_pain_c3_a_call_counts_the_same_in_all_conventions(
    everybody: InMemorySpanExporter, words: Mapping[str, Any]
) -> None:
    with sentrial.begin("u", "agent"), foreign(words):
        pass
    assert totals(everybody) == ONCE


def test_a_call_of_which_only_the_sum_is_told_counts_in_the_sum(everybody: InMemorySpanExporter) -> None:
    with sentrial.begin("u", "agent"):
        with foreign({"llm.request.type": "chat", "llm.usage.total_tokens": 110}):
            pass
        with foreign(CHAT):
            pass
    assert totals(everybody) == {"calls": 2, "input": 100, "output": 10, "total": 220}


def test_a_call_without_tokens_counts_as_a_call(everybody: InMemorySpanExporter) -> None:
    with sentrial.begin("u", "agent"), foreign({"openinference.span.kind": "LLM"}):
        pass
    assert totals(everybody) == {"calls": 1}


@pytest.mark.parametrize("operation", ["embeddings", "generate_content", "text_completion"])
def test_all_operations_of_models_are_calls(everybody: InMemorySpanExporter, operation: str) -> None:
    with sentrial.begin("u", "agent"), foreign({"gen_ai.operation.name": operation, "gen_ai.usage.input_tokens": 7}):
        pass
    assert totals(everybody) == {"calls": 1, "input": 7, "total": 7}


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"http.request.method": "POST", "url.full": "http://model.test/v1"},
        {"gen_ai.operation.name": "execute_tool", "gen_ai.usage.input_tokens": 5},
        {"openinference.span.kind": "TOOL", "llm.token_count.total": 5},
        {"openinference.span.kind": "CHAIN"},
        {"gen_ai.operation.name": "invoke_agent"},
        {"gen_ai.usage.input_tokens": "many"},
        {"gen_ai.usage.input_tokens": -1},
        {"gen_ai.usage.input_tokens": True},
        {"gen_ai.usage.input_tokens": float("nan")},
        {"gen_ai.usage.input_tokens": float("inf")},
        {"gen_ai.usage.input_tokens": (1, 2)},
    ],
)
def test_what_is_no_call_and_what_is_no_number_does_not_count(
    everybody: InMemorySpanExporter, attributes: Mapping[str, Any]
) -> None:
    with sentrial.begin("u", "agent"), foreign(attributes):
        pass
    assert totals(everybody) == NOTHING


def test_calls_outside_the_session_do_not_count(everybody: InMemorySpanExporter) -> None:
    with foreign(CHAT):
        pass
    with sentrial.begin("u", "agent"):
        pass
    with foreign(CHAT):
        pass
    assert totals(everybody) == NOTHING


# --- one in the other ------------------------------------------------------------------------------------------------


def test_calls_beside_one_another_count_each(everybody: InMemorySpanExporter) -> None:
    with sentrial.begin("u", "agent"):
        with foreign(CHAT):
            pass
        call_of_ours()
    assert totals(everybody) == TWICE


def test_one_call_that_two_others_tell_of_counts_once(everybody: InMemorySpanExporter) -> None:
    with sentrial.begin("u", "agent"), foreign(CHAT), foreign({"http.request.method": "POST"}), foreign(CHAT):
        pass
    assert totals(everybody) == ONCE


def test_a_call_of_ours_inside_the_span_of_another_counts_once(everybody: InMemorySpanExporter) -> None:
    with sentrial.begin("u", "agent"), foreign(CHAT):
        call_of_ours()
    assert totals(everybody) == ONCE


def test_a_call_of_ours_around_the_spans_of_two_others_counts_once(everybody: InMemorySpanExporter) -> None:
    with sentrial.begin("u", "agent"):
        call = llm.begin(LlmRequest("chat", "openai", "gpt-4o"))
        with trace.use_span(call.span), foreign(CHAT), foreign(CHAT):
            pass
        call.succeed(LlmResponse(usage=Usage(100, 10)))
    assert totals(everybody) == ONCE


def test_a_stream_of_ours_that_ends_before_the_spans_inside_it_counts_once(everybody: InMemorySpanExporter) -> None:
    with sentrial.begin("u", "agent"):
        call = llm.begin(LlmRequest("chat", "openai", "gpt-4o", stream=True))
        with trace.use_span(call.span), foreign(CHAT), foreign(CHAT):
            call.succeed(LlmResponse(usage=Usage(100, 10)))
    assert totals(everybody) == ONCE


def test_what_ours_could_not_learn_the_span_inside_it_says(everybody: InMemorySpanExporter) -> None:
    with sentrial.begin("u", "agent"):
        call = llm.begin(LlmRequest("chat", "openai", "gpt-4o"))
        with trace.use_span(call.span), foreign(CHAT):
            pass
        call.succeed(LlmResponse())
    assert totals(everybody) == ONCE


def test_what_ours_could_not_learn_the_span_around_it_says(everybody: InMemorySpanExporter) -> None:
    with sentrial.begin("u", "agent"), foreign(CHAT):
        call_of_ours(usage=None)
    assert totals(everybody) == ONCE


def test_the_sum_on_the_span_of_an_agent_of_others_adds_nothing_to_its_calls(everybody: InMemorySpanExporter) -> None:
    agent = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.usage.input_tokens": 200,
        "gen_ai.usage.output_tokens": 20,
    }
    with sentrial.begin("u", "agent"), foreign(agent), foreign({"openinference.span.kind": "CHAIN"}):
        with foreign(CHAT):
            pass
        with foreign(CHAT):
            pass
    assert totals(everybody) == TWICE


def test_an_agent_of_others_that_alone_tells_tokens_adds_them_and_is_no_call(everybody: InMemorySpanExporter) -> None:
    agent = {"openinference.span.kind": "AGENT", "llm.token_count.prompt": 100, "llm.token_count.completion": 10}
    with sentrial.begin("u", "agent"), foreign(agent):
        pass
    assert totals(everybody) == {**ONCE, "calls": 0}


@pytest.mark.parametrize("kind", [{"openinference.span.kind": "TOOL"}, {"gen_ai.operation.name": "execute_tool"}])
def test_a_call_inside_a_tool_that_a_call_runs_is_another_call(
    everybody: InMemorySpanExporter, kind: dict[str, str]
) -> None:
    tracer = trace.get_tracer("of.another")
    with sentrial.begin("u", "agent"), foreign(CHAT), tracer.start_as_current_span("t", attributes=kind), foreign(CHAT):
        pass
    assert totals(everybody) == TWICE


def test_a_call_inside_a_tool_of_ours_that_a_call_runs_is_another_call(everybody: InMemorySpanExporter) -> None:
    with sentrial.begin("u", "agent") as session, foreign(CHAT), session.tool("t", {}), foreign(CHAT):
        pass
    assert totals(everybody) == TWICE


def test_calls_in_threads_count_each(everybody: InMemorySpanExporter) -> None:
    with sentrial.begin("u", "agent"):

        def work() -> None:
            for _ in range(200):
                with foreign(CHAT):
                    call_of_ours()

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert totals(everybody) == {"calls": 800, "input": 80_000, "output": 8_000, "total": 88_000}


# --- whose they are --------------------------------------------------------------------------------------------------


def test_a_sub_agents_calls_count_for_it_and_for_those_around_it(everybody: InMemorySpanExporter) -> None:
    with sentrial.begin("u", "agent"):
        with foreign(CHAT):
            pass
        with sentrial.begin("u", "sub"), foreign(CHAT):
            pass
    assert totals(everybody, "invoke_agent sub") == ONCE
    assert totals(everybody) == TWICE


def test_what_ends_after_the_session_changes_nothing_any_more(everybody: InMemorySpanExporter) -> None:
    with sentrial.begin("u", "agent") as session:
        late = trace.get_tracer("of.another").start_span("late", attributes=CHAT)
    late.end()
    assert totals(everybody) == NOTHING
    record = _registry.find(session.session_id)
    assert record is not None
    assert record.model_calls is None
    assert record.totals.llm_calls == 0


def test_what_is_remembered_of_running_spans_goes_when_they_end(everybody: InMemorySpanExporter) -> None:
    with sentrial.begin("u", "agent") as session:
        for _ in range(20):
            with foreign(CHAT), foreign({"http.request.method": "POST"}), foreign(CHAT):
                call_of_ours()
        record = _registry.find(session.session_id)
        assert record is not None
        calls = record.model_calls
        assert (calls.running, calls.inside, calls.offered) == ({}, {}, {})
    assert totals(everybody)["calls"] == 20


# --- their cost ------------------------------------------------------------------------------------------------------


def test_their_calls_cost_what_the_price_list_says() -> None:
    with SentrialStandIn([KEY]) as server:
        sentrial.configure(api_key=KEY, api_url=server.url)
        openinference = {
            "openinference.span.kind": "LLM", "llm.system": "openai", "llm.model_name": "gpt-4o",
            "llm.token_count.prompt": 1200, "llm.token_count.completion": 340,
            "llm.token_count.prompt_details.cache_read": 200,
        }  # fmt: skip
        older = {
            "gen_ai.system": "OpenAI", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.prompt_tokens": 1200,
            "gen_ai.usage.completion_tokens": 340, "gen_ai.usage.cache_read_input_tokens": 200,
        }  # fmt: skip
        unknown = {**CHAT, "gen_ai.request.model": "nobody-knows-it", "gen_ai.provider.name": "nobody"}
        with sentrial.begin("u", "agent"):
            for attributes in (openinference, older, unknown):
                with foreign(attributes):
                    pass
        assert sentrial.flush(20)
        (root,) = (span for span in server.spans if span["name"] == "invoke_agent agent")
        assert root["attributes"]["sentrial.estimated_cost"] == pytest.approx(2 * 0.00615)
        sentrial.shutdown()


def test_their_spans_are_stamped_and_otherwise_arrive_as_they_are() -> None:
    with SentrialStandIn([KEY]) as server:
        sentrial.configure(api_key=KEY, api_url=server.url)
        with sentrial.begin("u", "agent", convo_id="c") as session, foreign(CHAT):
            pass
        assert sentrial.flush(20)
        (span,) = (span for span in server.spans if span["name"] == "foreign")
        assert span["attributes"] == {
            **CHAT, "sentrial.session.id": session.session_id, "session.id": "c", "user.id": "u",
        }  # fmt: skip
        sentrial.shutdown()
