"""What a handler adds up is what the server charged, to the last token that was cached or thought."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.callbacks import CallbackManager
from langchain_core.language_models import LangSmithParams
from langchain_core.outputs import ChatResult
from opentelemetry import trace

import sentrial
from fake_provider import Answer, FakeProvider, read_reply
from fake_provider.chat_stream import events_of
from langchain_scenarios import ANTHROPIC, OPENAI, QUESTION, TOOLS, Conversation, Exported, Models
from langchain_scenarios.asking import INPUT, OUTPUT, Asking
from langchain_scenarios.inside import counted_calls, unpriced_calls
from receivers import OtlpHttpReceiver
from sentrial._frameworks.langchain.counters import MAX_UNPRICED
from sentrial._frameworks.langchain.handler import RunHandler
from sentrial._patch import install
from sentrial.langchain import SentrialCallbackHandler

ASKED = {"messages": [("user", QUESTION)]}

# By hand, in dollars for a million tokens. OpenAI's gpt-4.1-mini: input 0.40, cached 0.10, output 1.60; of 1290 tokens
# of input 1024 were cached, and of 79 of output 16 were thoughts, which cost as output does.
OF_OPENAI = ((1290 - 1024) * 0.40 + 1024 * 0.10 + 79 * 1.60) / 1_000_000
# Anthropic's claude-opus-4-5: input 5, output 25.
OF_ANTHROPIC = (401 * 5 + 67 * 25) / 1_000_000


@dataclass(frozen=True)
class Charged:
    """A model with a conversation that the server is to have with it, and what that costs."""

    model: Any
    conversation: Conversation
    dollars: float


@pytest.fixture(params=[False, True], ids=["client patched", "LangChain alone"])
def alone(request: pytest.FixtureRequest, collector: OtlpHttpReceiver) -> bool:
    """Whether the providers' clients are left as they are."""
    if request.param:
        sentrial.configure(otlp_endpoint=collector.url, instrument=["langchain"])
    assert install.is_installed("openai") is install.is_installed("anthropic") is not request.param
    return bool(request.param)


@pytest.fixture(params=[False, True], ids=["plain", "streamed"])
def stream(request: pytest.FixtureRequest) -> bool:
    """Whether the model streams."""
    return bool(request.param)


@pytest.fixture(
    params=[("openai", OPENAI, OF_OPENAI), ("anthropic", ANTHROPIC, OF_ANTHROPIC)], ids=["openai", "anthropic"]
)
def charged(request: pytest.FixtureRequest, server: FakeProvider, models: Models, alone: bool, stream: bool) -> Charged:
    """Of each provider, with its client patched and without, plain and streamed."""
    provider, conversation, dollars = request.param
    conversation.queue(server, stream=stream)
    return Charged(getattr(models, provider)(streaming=stream), conversation, dollars)


def check(handler: SentrialCallbackHandler, charged: Charged) -> None:
    read, written = charged.conversation.usage["input_tokens"], charged.conversation.usage["output_tokens"]
    assert handler.get_usage_summary() == {
        "llm_calls": 2,
        "total_prompt_tokens": read,
        "total_completion_tokens": written,
        "total_tokens": read + written,
        "total_cost": pytest.approx(charged.dollars, abs=1e-12),
        "model": handler.model_name,
        "duration_ms": handler.duration_ms,
    }


def check_spans(exported: Exported, charged: Charged) -> None:
    """Each call is told of once, in the spans and in the session's totals."""
    calls = [span["attributes"] for span in exported.spans if span["name"].startswith("chat ")]
    assert len(calls) == 2
    assert sum(call["gen_ai.usage.input_tokens"] for call in calls) == charged.conversation.usage["input_tokens"]
    assert sum(call["gen_ai.usage.output_tokens"] for call in calls) == charged.conversation.usage["output_tokens"]
    for key, kind in (("cache_read", "cache_read.input_tokens"), ("reasoning", "reasoning.output_tokens")):
        assert sum(call.get(f"gen_ai.usage.{kind}", 0) for call in calls) == charged.conversation.usage[key]
    assert sum(call["sentrial.estimated_cost"] for call in calls) == pytest.approx(charged.dollars, abs=1e-12)
    (root,) = (span["attributes"] for span in exported.spans if span["parent_span_id"] is None)
    assert root["sentrial.session.llm_calls"] == 2
    assert root["sentrial.estimated_cost"] == pytest.approx(charged.dollars, abs=1e-12)
    assert exported.violations == []


def test_totals_are_what_was_charged(charged: Charged, exported: Exported) -> None:
    handler = SentrialCallbackHandler()
    agent = create_agent(charged.model, list(TOOLS))
    agent.invoke(ASKED, {"callbacks": [handler]})
    check(handler, charged)
    check_spans(exported, charged)


async def test_asynchronous_totals_are_what_was_charged(charged: Charged, exported: Exported) -> None:
    handler = SentrialCallbackHandler()
    agent = create_agent(charged.model, list(TOOLS))
    await agent.ainvoke(ASKED, {"callbacks": [handler]})
    check(handler, charged)
    check_spans(exported, charged)


def test_calls_that_are_not_tracked_count_once_and_have_no_span(charged: Charged, exported: Exported) -> None:
    handler = SentrialCallbackHandler(track_llm_calls=False)
    agent = create_agent(charged.model, list(TOOLS), name="tracker")
    agent.invoke(ASKED, {"callbacks": [handler]})
    check(handler, charged)
    (root,) = (span["attributes"] for span in exported.spans if span["parent_span_id"] is None)
    assert root["sentrial.session.llm_calls"] == 2
    assert root["gen_ai.usage.input_tokens"] == charged.conversation.usage["input_tokens"]
    assert root["gen_ai.usage.output_tokens"] == charged.conversation.usage["output_tokens"]
    assert root["sentrial.estimated_cost"] == pytest.approx(charged.dollars, abs=1e-12)
    ours = [span for span in exported.spans if span["scope_name"] == "sentrial"]
    tools = sorted(f"execute_tool {name}" for name, _ in charged.conversation.calls)
    assert sorted(span["name"] for span in ours) == [*tools, "invoke_agent tracker"]
    assert not any(span["links"] for span in ours)
    assert exported.violations == []


# As xAI counts: thoughts beside the answer.
XAI = {
    "prompt_tokens": 32,
    "completion_tokens": 9,
    "total_tokens": 135,
    "completion_tokens_details": {"reasoning_tokens": 94},
}


def test_thoughts_count_where_the_service_counts_them_beside_the_answer(
    server: FakeProvider, models: Models, alone: bool, stream: bool
) -> None:
    reply = {**read_reply("chat_text"), "usage": XAI}
    server.queue(Answer(events=events_of(reply)) if stream else Answer(body=reply))
    handler = SentrialCallbackHandler()
    models.openai(streaming=stream).invoke(QUESTION, {"callbacks": [handler]})
    assert (handler.total_prompt_tokens, handler.total_completion_tokens, handler.total_tokens) == (32, 103, 135)
    assert handler.total_cost == pytest.approx((32 * 0.40 + 103 * 1.60) / 1_000_000, abs=1e-12)


def test_what_the_service_says_of_its_charge_is_the_cost(
    server: FakeProvider, models: Models, alone: bool, exported: Exported
) -> None:
    usage = {"prompt_tokens": 194, "completion_tokens": 2, "total_tokens": 196, "cost": 0.95, "is_byok": False}
    server.queue(Answer(body={**read_reply("chat_text"), "model": "a-vendor/a-model", "usage": usage}))
    handler = SentrialCallbackHandler()
    models.openai(model="a-vendor/a-model").invoke(QUESTION, {"callbacks": [handler]})
    assert handler.total_cost == 0.95
    (call,) = (span["attributes"] for span in exported.spans if span["name"].startswith("chat "))
    assert call["sentrial.estimated_cost"] == 0.95


class Traced(Asking):
    """Its client makes spans of its own."""

    def _generate(self, *given: Any, **settings: Any) -> ChatResult:
        attributes = {
            "gen_ai.operation.name": "chat",
            "gen_ai.usage.input_tokens": INPUT,
            "gen_ai.usage.output_tokens": OUTPUT,
        }
        with trace.get_tracer("a.client").start_as_current_span("theirs", attributes=attributes):
            return super()._generate(*given, **settings)


@pytest.mark.parametrize("tracked", [True, False])
def test_spans_of_a_clients_own_are_not_counted_beside_ours(exported: Exported, tracked: bool) -> None:
    with sentrial.begin("ann", "support"):
        Traced().invoke(QUESTION, {"callbacks": [SentrialCallbackHandler(track_llm_calls=tracked)]})
    found = exported.one("invoke_agent support")["attributes"]
    assert found["sentrial.session.llm_calls"] == 1
    assert (found["gen_ai.usage.input_tokens"], found["gen_ai.usage.output_tokens"]) == (INPUT, OUTPUT)
    assert exported.tree == ["invoke_agent support", *(["  chat", "    theirs"] if tracked else ["  theirs"])]


# --- what is kept of them --------------------------------------------------------------------------------------------


class Priced(Asking):
    """Says whose model it is."""

    def _get_ls_params(self, stop: Any = None, **_: Any) -> LangSmithParams:
        return LangSmithParams(ls_provider="openai")

    def _generate(self, messages: Any, *_: Any, **__: Any) -> ChatResult:
        result = super()._generate(messages)
        result.generations[0].message.response_metadata = {"model_name": "gpt-4.1-mini"}
        return result


@pytest.mark.usefixtures("collector")
def test_a_handler_that_lives_on_remembers_no_calls() -> None:
    handler, model, times = SentrialCallbackHandler(), Priced(), 3 * MAX_UNPRICED + 7
    with sentrial.begin("user_1", "agent"):
        for _ in range(times):
            model.invoke(QUESTION, {"callbacks": [handler]})
    assert sentrial.flush(10)
    assert unpriced_calls(handler) < MAX_UNPRICED
    charged = (INPUT * 0.40 + OUTPUT * 1.60) / 1_000_000
    assert handler.total_cost == pytest.approx(charged * times, abs=1e-12)
    assert handler.total_cost == pytest.approx(charged * times, abs=1e-12)
    assert (handler.llm_calls, unpriced_calls(handler)) == (times, 0)


@pytest.mark.usefixtures("collector")
def test_the_handler_that_nobody_holds_remembers_none() -> None:
    (handler,) = (each for each in CallbackManager.configure().handlers if isinstance(each, RunHandler))
    with sentrial.begin("user_1", "agent"):
        for _ in range(10):
            Priced().invoke(QUESTION)
    assert counted_calls(handler) >= 10
    assert unpriced_calls(handler) == 0
