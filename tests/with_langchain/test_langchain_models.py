"""Models by themselves, in chains, tried again and replaced: each span held against a checked-in list."""

from __future__ import annotations

import json
from typing import Any

import pytest
from langchain_core.language_models import FakeListLLM
from langchain_core.prompts import ChatPromptTemplate
from langchain_openai import OpenAI
from openai import InternalServerError
from pydantic import BaseModel

import sentrial
from fake_provider import Answer, FakeProvider, read_reply
from langchain_scenarios import QUESTION, Exported, Models
from langchain_scenarios.asking import Asking, Streaming
from receivers import OtlpHttpReceiver
from scenario import Recording
from sentrial.langchain import SentrialCallbackHandler


class Delivery(BaseModel):
    """Where and when."""

    city: str
    day: str


# What the failures of OpenAI's models are called, and what they say, by version.
WORDS = {
    "langchain_openai.chat_models.base.OpenAIAPIError": "openai.InternalServerError",
    "OpenAIAPIError": "InternalServerError",
    "Error code: 500 - out of order": "(its words)",
    "Error code: 500 - {'error': {'message': 'out of order', 'type': 'invalid_request_error', "
    "'param': None, 'code': None}}": "(its words)",
}


def no_answer() -> Answer:
    return Answer.error(500, "out of order")


def named(span: dict[str, Any]) -> str:
    name: str = span["attributes"]["error.type"]
    return WORDS.get(name, name)


def test_a_model_that_stands_in_for_one_that_failed(recording: Recording, server: FakeProvider, models: Models) -> None:
    server.queue(no_answer())
    recording.words.update(WORDS)
    model = models.openai().with_fallbacks([models.anthropic(max_tokens=300)])
    with recording("langchain_fallback"):
        assert model.invoke(QUESTION).text.startswith("Your parcel")


def test_a_model_that_is_tried_again(recording: Recording, server: FakeProvider, models: Models) -> None:
    server.queue(no_answer(), Answer.reply())
    recording.words.update(WORDS)
    model = models.openai().with_retry(wait_exponential_jitter=False, stop_after_attempt=2)
    with recording("langchain_retry"):
        model.invoke(QUESTION)


def test_a_model_whose_client_tries_again(recording: Recording, server: FakeProvider, models: Models) -> None:
    server.queue(Answer.error(500, "out of order", retry_after_ms="1"), Answer.reply())
    with recording("langchain_retry_of_the_client"):
        models.openai(max_retries=1).invoke(QUESTION)


def test_a_model_that_failed_for_good(server: FakeProvider, models: Models, exported: Exported) -> None:
    server.queue(no_answer(), no_answer())
    model = models.openai().with_retry(wait_exponential_jitter=False, stop_after_attempt=2)
    handler = SentrialCallbackHandler()
    with pytest.raises(InternalServerError), sentrial.begin("user_1", "support-agent"):
        model.invoke(QUESTION, {"callbacks": [handler]})
    assert exported.tree == ["invoke_agent support-agent", "  chat gpt-4.1-mini", "  chat gpt-4.1-mini"]
    calls = exported.named("chat gpt-4.1-mini")
    assert [(call["status_code"], named(call)) for call in calls] == [(2, "openai.InternalServerError")] * 2
    assert (handler.llm_calls, handler.total_tokens, handler.total_cost) == (0, 0, 0.0)
    assert exported.violations == []


BROKEN = {"code": 502, "message": "The model is gone."}


def test_a_failure_with_the_status_of_a_success(server: FakeProvider, models: Models, exported: Exported) -> None:
    server.queue(Answer(body={"error": BROKEN, "user_id": "u"}))
    handler = SentrialCallbackHandler()
    with pytest.raises(ValueError, match="gone"), sentrial.begin("user_1", "support-agent"):
        models.openai().invoke(QUESTION, {"callbacks": [handler]})
    call = exported.one("chat gpt-4.1-mini")
    assert (call["status_code"], call["attributes"]["error.type"]) == (2, "ValueError")
    assert (handler.llm_calls, handler.total_tokens) == (0, 0)
    assert exported.violations == []


@pytest.mark.parametrize(
    ("recorded", "error_type", "words"),
    # LangChain keeps nothing but the reason.
    [("all", "502", "The model is gone."), ("langchain", "failed", "")],
)
def test_a_choice_that_failed_though_langchain_takes_it(
    server: FakeProvider,
    models: Models,
    exported: Exported,
    collector: OtlpHttpReceiver,
    recorded: str,
    error_type: str,
    words: str,
) -> None:
    sentrial.configure(otlp_endpoint=collector.url, instrument=[recorded])
    answer = read_reply("chat_text")
    answer["choices"][0] |= {"error": BROKEN, "finish_reason": "error"}
    server.queue(Answer(body=answer))
    with sentrial.begin("user_1", "support-agent"):
        models.openai().invoke(QUESTION, {"callbacks": [SentrialCallbackHandler()]})
    call = exported.one("chat gpt-4.1-mini")
    assert (call["status_code"], call["status_message"]) == (2, words)
    assert call["attributes"]["error.type"] == error_type
    assert call["attributes"]["gen_ai.response.finish_reasons"] == ["error"]
    assert exported.violations == []


@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
def test_a_model_that_fills_in_a_form(recording: Recording, server: FakeProvider, models: Models, method: str) -> None:
    answer = read_reply("chat_json")
    if method == "function_calling":
        message = answer["choices"][0]["message"]
        message["tool_calls"] = [
            {
                "id": "call_form",
                "type": "function",
                "function": {"name": "Delivery", "arguments": message["content"]},
            }
        ]
        message["content"] = None
        answer["choices"][0]["finish_reason"] = "tool_calls"
    server.queue(Answer(body=answer))
    model = models.openai(model="gpt-4o").with_structured_output(Delivery, method=method)
    with recording(f"langchain_form_{method}"):
        assert model.invoke(QUESTION) == Delivery(city="Rotterdam", day="Tuesday")


def completion_model(server: FakeProvider, **changes: Any) -> OpenAI:
    return OpenAI(base_url=server.base_url, api_key="sk-test", model="gpt-3.5-turbo-instruct", max_retries=0, **changes)


def test_a_model_that_completes_a_text(recording: Recording, server: FakeProvider) -> None:
    with recording("langchain_completion"):
        assert completion_model(server).invoke("Rotterdam lies") == " in a land of dikes"


def test_several_texts_at_once_are_charged_once(exported: Exported, server: FakeProvider) -> None:
    completion = read_reply("completion_text")
    completion["choices"] = [{**completion["choices"][0], "index": number} for number in range(3)]
    completion["usage"] = {"prompt_tokens": 12, "completion_tokens": 18, "total_tokens": 30}
    server.queue(Answer(body=completion))
    handler = SentrialCallbackHandler()
    with sentrial.begin("user_1", "support-agent"):
        completion_model(server).generate(["Rotterdam lies", "Lisbon lies", "Delft lies"], callbacks=[handler])
    assert len(server.requests) == 1
    name = "text_completion gpt-3.5-turbo-instruct"
    assert exported.tree == ["invoke_agent support-agent", *[f"  {name}"] * 3]
    usage = [span["attributes"].get("gen_ai.usage.input_tokens") for span in exported.named(name)]
    assert [tokens for tokens in usage if tokens] == [12]
    root = exported.one("invoke_agent support-agent")["attributes"]
    assert (root["gen_ai.usage.input_tokens"], root["gen_ai.usage.output_tokens"]) == (12, 18)
    # gpt-3.5-turbo-instruct: 1.50 dollars for a million tokens of input, 2.00 of output.
    assert handler.total_tokens == 30
    assert handler.total_cost == pytest.approx((12 * 1.50 + 18 * 2.00) / 1_000_000, abs=1e-12)
    assert exported.violations == []


def test_a_chain_with_a_name_is_a_workflow(recording: Recording, server: FakeProvider, models: Models) -> None:
    prompt = ChatPromptTemplate.from_messages([("system", "You track parcels."), ("user", "{question}")])
    chain = (prompt | models.openai(temperature=0.0)).with_config(run_name="tracking")
    with recording("langchain_chain"):
        chain.invoke({"question": QUESTION}, {"metadata": {"thread_id": "parcel-77"}})


def test_a_chain_without_a_name_is_its_model_call(server: FakeProvider, models: Models, exported: Exported) -> None:
    prompt = ChatPromptTemplate.from_messages([("user", "{question}")])
    with sentrial.begin("user_1", "support-agent"):
        (prompt | models.openai()).invoke({"question": QUESTION})
    assert exported.tree == ["invoke_agent support-agent", "  chat gpt-4.1-mini"]


ANSWER = "It is in Lisbon."


@pytest.mark.parametrize(
    "ask",
    [
        lambda config: Asking().invoke(QUESTION, config),
        lambda config: list(Streaming().stream(QUESTION, config)),
        lambda config: Asking().batch([QUESTION], config),
        lambda config: FakeListLLM(responses=[ANSWER]).invoke(QUESTION, config),
    ],
    ids=["chat", "stream", "batch", "completion"],
)
def test_a_session_around_a_model_alone_says_what_it_was_given_and_what_it_gave(exported: Exported, ask: Any) -> None:
    ask({"callbacks": [SentrialCallbackHandler()], "run_name": "asked"})
    said = exported.one("invoke_agent asked")["attributes"]
    assert [part["content"] for part in json.loads(said["gen_ai.input.messages"])[0]["parts"]] == [QUESTION]
    (message,) = json.loads(said["gen_ai.output.messages"])
    assert message["role"] == "assistant"
    assert [part["content"] for part in message["parts"]] == [ANSWER]


def test_a_workflow_that_fails_says_so(server: FakeProvider, models: Models, exported: Exported) -> None:
    server.queue(no_answer())
    chain = (ChatPromptTemplate.from_messages([("user", "{question}")]) | models.openai()).with_config(run_name="ask")
    with pytest.raises(InternalServerError), sentrial.begin("user_1", "support-agent"):
        chain.invoke({"question": QUESTION})
    assert exported.tree == ["invoke_agent support-agent", "  invoke_workflow ask", "    chat gpt-4.1-mini"]
    workflow = exported.one("invoke_workflow ask")
    assert (workflow["status_code"], named(workflow)) == (2, "openai.InternalServerError")
    assert json.loads(workflow["attributes"]["gen_ai.input.messages"])[0]["role"] == "user"
    assert exported.violations == []


# --- streams that do not ask for their tokens ----------------------------------------------------------------------


def test_tokens_that_nobody_asks_for_are_not_made_up(server: FakeProvider, models: Models, exported: Exported) -> None:
    server.queue(Answer.stream(usage=False))
    handler = SentrialCallbackHandler()
    list(models.openai(stream_usage=False).stream(QUESTION, {"callbacks": [handler]}))
    assert "stream_options" not in server.requests[0].body
    assert (handler.llm_calls, handler.total_tokens, handler.total_cost) == (1, 0, 0.0)
    assert "gen_ai.usage.input_tokens" not in exported.one("chat gpt-4.1-mini")["attributes"]


async def test_tokens_that_the_setting_asks_for_are_counted(
    server: FakeProvider, models: Models, exported: Exported, collector: OtlpHttpReceiver
) -> None:
    sentrial.configure(otlp_endpoint=collector.url, stream_usage=True)
    model = models.openai(stream_usage=False)
    handler = SentrialCallbackHandler()
    server.queue(Answer.stream(), Answer.stream())
    list(model.stream(QUESTION, {"callbacks": [handler]}))
    async for _ in model.astream(QUESTION, {"callbacks": [handler]}):
        pass
    assert [request.body["stream_options"] for request in server.requests] == [{"include_usage": True}] * 2
    assert (handler.llm_calls, handler.total_tokens) == (2, 2 * 1248)
    # gpt-4.1-mini: 0.40 dollars for a million tokens of input, 0.10 cached, 1.60 of output.
    dollars = 2 * (176 * 0.40 + 1024 * 0.10 + 48 * 1.60) / 1_000_000
    assert handler.total_cost == pytest.approx(dollars, abs=1e-12)
    usage = [span["attributes"]["gen_ai.usage.input_tokens"] for span in exported.named("chat gpt-4.1-mini")]
    assert usage == [1200, 1200]
