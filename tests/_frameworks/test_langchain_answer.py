from __future__ import annotations

from typing import Any

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, LLMResult
from langchain_core.tools import tool
from langchain_openai import OpenAI

from fake_provider import Answer, FakeProvider
from fake_provider import google as google_api
from fake_provider.anthropic import message_stream
from langchain_scenarios import GOOGLE_STREAMS, Models
from langchain_scenarios.overheard import Overheard, read
from sentrial._frameworks.langchain.answer import read_response
from sentrial._providers.anthropic.messages import read_finish_reason
from sentrial.types import LlmResponse, Usage

CALLS = [
    {"type": "tool_call", "name": "find_order", "id": "call_order", "arguments": {"number": 4711}},
    {
        "type": "tool_call",
        "name": "weather",
        "id": "call_weather",
        "arguments": {"city": "Rotterdam", "days": [1, 2]},
    },
]


@pytest.fixture
def overheard() -> Overheard:
    return Overheard()


@tool
def weather(city: str) -> str:
    """What the weather will be."""
    return city


def answered(info: dict[str, Any] | None = None, **fields: Any) -> LlmResponse:
    message = AIMessage(**{"content": "words", **fields})
    return read_response(LLMResult(generations=[[ChatGeneration(message=message, generation_info=info)]]))


# --- OpenAI --------------------------------------------------------------------------------------------------------


def test_openai_s_answer_is_read_whole(models: Models, overheard: Overheard) -> None:
    models.openai().invoke("Where?", overheard.asking)

    response = overheard.response
    assert response._replace(usage=None, output=None) == LlmResponse(
        id="chatcmpl-text-1",
        model="gpt-4.1-mini-2025-04-14",
        finish_reasons=["stop"],
        service_tier="default",
        system_fingerprint="fp_44709d6fcb",
        tool_call_ids=[],
    )
    assert response.usage == Usage(
        input_tokens=1200,
        output_tokens=48,
        cache_read_tokens=1024,
        reasoning_tokens=16,
        audio_input_tokens=0,
        audio_output_tokens=0,
    )
    assert read(response.output) == [
        {"role": "assistant", "parts": [{"type": "text", "content": "The parcel left Rotterdam on Tuesday."}]}
    ]


def test_openai_s_stream_is_what_its_chunks_say_together(models: Models, overheard: Overheard) -> None:
    list(models.openai().stream("Where?", overheard.asking))

    response = overheard.response
    assert (response.model, response.finish_reasons) == ("gpt-4.1-mini-2025-04-14", ["stop"])
    assert response.usage is not None
    assert (response.usage.input_tokens, response.usage.output_tokens) == (1200, 48)
    assert (response.usage.cache_read_tokens, response.usage.reasoning_tokens) == (1024, 16)
    # LangChain gives a stream's message an id of its own, and forgets the API's.
    assert response.id is None


@pytest.mark.parametrize("stream", [False, True])
def test_calls_of_tools_end_an_answer_and_have_their_ids(
    models: Models, server: FakeProvider, overheard: Overheard, stream: bool
) -> None:
    server.queue(Answer.stream("chat_tools") if stream else Answer.reply("chat_tools"))

    model = models.openai()
    list(model.stream("Where?", overheard.asking)) if stream else model.invoke("Where?", overheard.asking)

    response = overheard.response
    assert response.finish_reasons == ["tool_call"]
    assert response.tool_call_ids == ["call_order", "call_weather"]
    assert read(response.output) == [{"role": "assistant", "parts": CALLS}]


def test_several_choices_are_several_messages_and_charged_once(
    models: Models, server: FakeProvider, overheard: Overheard
) -> None:
    server.queue(Answer.reply("chat_choices"))

    models.openai(n=2).generate([[HumanMessage("Where?")]], callbacks=[overheard])

    response = overheard.response
    assert (response.id, response.finish_reasons) == ("chatcmpl-choices-1", ["stop", "length"])
    assert [message["parts"][0]["content"] for message in read(response.output)] == ["Yes.", "It is on its"]
    assert response.usage == Usage(input_tokens=20, output_tokens=8)


def test_openai_s_responses_tell_by_their_status_how_they_ended(
    models: Models, server: FakeProvider, overheard: Overheard
) -> None:
    model = models.openai(model="gpt-5-mini", use_responses_api=True)

    model.invoke("Where?", overheard.asking)
    response = overheard.response
    assert (response.id, response.finish_reasons) == ("resp_text_1", ["stop"])
    assert response.usage is not None
    assert (response.usage.input_tokens, response.usage.cache_read_tokens) == (1500, 1024)
    assert (response.usage.output_tokens, response.usage.reasoning_tokens) == (96, 64)
    assert [part["type"] for part in read(response.output)[0]["parts"]] == ["reasoning", "reasoning", "text"]

    for name, reason in (("response_tools", "tool_call"), ("response_incomplete", "length")):
        server.queue(Answer.reply(name))
        model.invoke("Where?", overheard.asking)
        assert overheard.response.finish_reasons == [reason]


def test_a_completion_is_a_text_and_names_no_model_that_answered(server: FakeProvider, overheard: Overheard) -> None:
    model = OpenAI(model="gpt-3.5-turbo-instruct", base_url=server.base_url, api_key="sk-test", max_retries=0)

    model.invoke("Once upon a time", overheard.asking)
    model.client._client.close()

    response = overheard.response
    assert (response.model, response.finish_reasons, response.system_fingerprint) == (None, ["length"], "fp_1")
    assert response.usage == Usage(input_tokens=4, output_tokens=6)
    assert read(response.output) == [
        {"role": "assistant", "parts": [{"type": "text", "content": " in a land of dikes"}]}
    ]


# --- Anthropic and Google ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True])
def test_anthropic_s_input_holds_what_was_read_from_the_cache_and_written(
    models: Models, server: FakeProvider, overheard: Overheard, stream: bool
) -> None:
    server.queue(message_stream("message_thinking") if stream else Answer.reply("message_thinking"))

    model = models.anthropic(model="claude-opus-4-8", thinking={"type": "enabled", "budget_tokens": 1024})
    list(model.stream("Where?", overheard.asking)) if stream else model.invoke("Where?", overheard.asking)

    response = overheard.response
    assert (response.model, response.finish_reasons) == ("claude-opus-4-8", ["stop"])
    assert response.service_tier is None  # the name is OpenAI's
    assert response.usage is not None
    assert (response.usage.input_tokens, response.usage.output_tokens) == (40 + 3500 + 1200, 220)
    assert (response.usage.cache_read_tokens, response.usage.cache_write_tokens) == (3500, 1200)
    reasoning, hidden, text = read(response.output)[0]["parts"]
    assert (reasoning["type"], reasoning["content"]) == ("reasoning", "The parcel was scanned in Lisbon at six.")
    assert (hidden["type"], text["content"]) == ("redacted_thinking", "It arrives tomorrow.")


@pytest.mark.parametrize("stream", [False, True])
def test_anthropic_s_call_of_a_tool_is_told_once(
    models: Models, server: FakeProvider, overheard: Overheard, stream: bool
) -> None:
    server.queue(message_stream("message_tools") if stream else Answer.reply("message_tools"))

    model = models.anthropic().bind_tools([weather])
    list(model.stream("Where?", overheard.asking)) if stream else model.invoke("Where?", overheard.asking)

    response = overheard.response
    assert response.finish_reasons == ["tool_call"]
    (call_id,) = response.tool_call_ids
    calls = [part for part in read(response.output)[0]["parts"] if part["type"] == "tool_call"]
    assert calls == [
        {
            "type": "tool_call",
            "name": "track_parcel",
            "id": call_id,
            "arguments": {"number": "PT-77", "detailed": True},
        }
    ]


@pytest.mark.parametrize("stream", [False, True] if GOOGLE_STREAMS else [False])
def test_google_s_answer_is_charged_once(models: Models, overheard: Overheard, stream: bool) -> None:
    model = models.google()
    list(model.stream("Where?", overheard.asking)) if stream else model.invoke("Where?", overheard.asking)

    assert overheard.response.usage == Usage(input_tokens=12, output_tokens=7, cache_read_tokens=0)


def test_google_s_answers_end_as_the_conventions_say(
    models: Models, server: FakeProvider, overheard: Overheard
) -> None:
    model = models.google()

    model.invoke("Where?", overheard.asking)
    assert overheard.response.finish_reasons == ["stop"]
    assert overheard.response.model == "gemini-2.5-flash"

    server.queue(google_api.reply("gemini_thoughts"))
    model.invoke("Where?", overheard.asking)
    assert overheard.response.usage is not None
    assert overheard.response.usage.output_tokens == 47
    assert overheard.response.usage.reasoning_tokens == 40

    server.queue(google_api.reply("gemini_tools"))
    model.invoke("Where?", overheard.asking)
    assert overheard.response.finish_reasons == ["tool_call"]
    assert [part["name"] for part in read(overheard.response.output)[0]["parts"]] == ["find_order", "weather"]


def test_code_that_google_runs_is_a_tool_of_the_server_s(
    models: Models, server: FakeProvider, overheard: Overheard
) -> None:
    server.queue(google_api.reply("gemini_code"))

    with pytest.warns(UserWarning, match="may vary"):
        models.google().invoke("6 * 7?", overheard.asking)

    call, result, text = read(overheard.response.output)[0]["parts"]
    assert (call["type"], call["name"]) == ("server_tool_call", "code_execution")
    assert call["server_tool_call"]["code"] == "print(6 * 7)"
    assert result["server_tool_call_response"] == {"type": "code_execution", "content": "42\n"}
    assert text == {"type": "text", "content": "It is 42."}


# --- LangChain's own -----------------------------------------------------------------------------------------------


def test_what_came_from_the_cache_has_cost_nothing(models: Models, overheard: Overheard) -> None:
    model = models.openai(cache=InMemoryCache())

    model.invoke("Where?", overheard.asking)
    assert overheard.response.usage is not None

    model.invoke("Where?", overheard.asking)
    assert overheard.response.usage is None
    assert overheard.response.finish_reasons == ["stop"]
    assert read(overheard.response.output)[0]["parts"][0]["content"] == "The parcel left Rotterdam on Tuesday."


def test_an_error_s_answer_without_words_is_none(models: Models, server: FakeProvider, overheard: Overheard) -> None:
    server.queue(Answer.error(429, "slow down"))
    with pytest.raises(Exception, match="slow down"):
        models.openai().invoke("Where?", overheard.asking)

    response = read_response(overheard.result, broken=True)
    assert (response.output, response.finish_reasons, response.usage) == (None, [], None)


def test_of_a_stream_that_broke_off_the_part_that_came_is_kept(
    models: Models, server: FakeProvider, overheard: Overheard
) -> None:
    server.queue(Answer.stream("chat_text", cut_after=3))
    with pytest.raises(Exception, match=r".+"):
        list(models.openai().stream("Where?", overheard.asking))

    response = read_response(overheard.result, broken=True)
    (message,) = read(response.output)
    assert "The parcel left Rotterdam on Tuesday.".startswith(message["parts"][0]["content"])
    assert response.finish_reasons == ["error"]
    assert response.usage is None


def test_a_model_that_says_nothing_about_its_answer_has_only_given_it(overheard: Overheard) -> None:
    FakeListChatModel(responses=["words"]).invoke("hi", overheard.asking)

    response = overheard.response
    assert response._replace(output=None) == LlmResponse(finish_reasons=[], tool_call_ids=[])
    assert read(response.output) == [{"role": "assistant", "parts": [{"type": "text", "content": "words"}]}]


def test_no_result_at_all_says_nothing() -> None:
    assert read_response(None) == LlmResponse(finish_reasons=[], tool_call_ids=[])
    assert read_response(LLMResult(generations=[]), broken=True).output is None


# --- words of many providers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"finish_reason": "length"}, "length"),
        ({"finish_reason": "MAX_TOKENS"}, "length"),
        ({"finish_reason": "SAFETY"}, "content_filter"),
        ({"finish_reason": "MALFORMED_FUNCTION_CALL"}, "malformed_function_call"),
        ({"finish_reason": "function_call"}, "tool_call"),
        ({"stopReason": "guardrail_intervened"}, "content_filter"),
        ({"done_reason": "stop"}, "stop"),
        ({"finish_reason": "COMPLETE"}, "stop"),
        ({"finish_reason": "eos"}, "stop"),
        ({"finish_reason": "insufficient_system_resource"}, "insufficient_system_resource"),
        ({"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}, "content_filter"),
        ({"status": "failed"}, "error"),
    ],
)
def test_the_end_has_the_conventions_word(said: dict[str, Any], reason: str) -> None:
    assert answered(said).finish_reasons == [reason]
    assert answered(response_metadata=said).finish_reasons == [reason]


def test_an_id_that_langchain_or_langgraph_gave_is_none_of_the_api_s() -> None:
    for own in ("lc_run--01a1fe8d-fb20-747d-a6f0-3044e55be253-0", "run-7", "2e2e6859-1527-409c-afde-4f2250008c44"):
        assert answered(id=own).id is None
    assert answered(id="resp_1").id == "resp_1"


@pytest.mark.parametrize(
    "reason", ["end_turn", "stop_sequence", "max_tokens", "model_context_window_exceeded", "tool_use", "refusal"]
)
def test_the_end_has_the_same_word_as_without_langchain(reason: str) -> None:
    assert answered(response_metadata={"stop_reason": reason}).finish_reasons == [read_finish_reason(reason)]
