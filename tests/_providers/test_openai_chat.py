"""What the objects of OpenAI's chat completions mean, from the client's own types."""

from __future__ import annotations

from enum import Enum
from typing import Any

import pytest
from openai import AsyncAzureOpenAI, AzureOpenAI, OpenAI
from openai.types.chat import ChatCompletion

from fake_provider import read_reply
from sentrial._patch.spec import Outgoing
from sentrial._providers.openai import chat as openai_chat
from sentrial._providers.openai.chat import OPERATION, read_response
from sentrial._snapshot import Tally, snapshot
from sentrial.types import LlmRequest, LlmResponse


@pytest.fixture(scope="module")
def client() -> Any:
    with OpenAI(api_key="sk-test", base_url="http://127.0.0.1:9/v1") as client:
        yield client


def request_of(client: Any, *, stream: bool = False, **body: Any) -> LlmRequest:
    return OPERATION.read_request(
        Outgoing(OPERATION, client, {"model": "gpt-4.1-mini", "messages": [], **body}, stream)
    )


# --- requests ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kwargs", "field", "value"),
    [
        ({"max_tokens": 10}, "max_tokens", 10),
        ({"max_completion_tokens": 20}, "max_tokens", 20),
        ({"max_tokens": 10, "max_completion_tokens": 20}, "max_tokens", 20),
        ({"temperature": 0}, "temperature", 0.0),
        ({"top_p": 0.5}, "top_p", 0.5),
        ({"stop": "END"}, "stop_sequences", ["END"]),
        ({"stop": ["END", "STOP"]}, "stop_sequences", ["END", "STOP"]),
        ({"stop": None}, "stop_sequences", None),
        ({"frequency_penalty": 1}, "frequency_penalty", 1.0),
        ({"presence_penalty": -0.5}, "presence_penalty", -0.5),
        ({"seed": 7}, "seed", 7),
        ({"n": 1}, "choice_count", None),
        ({"n": 3}, "choice_count", 3),
        ({"reasoning_effort": "low"}, "reasoning_level", "low"),
        ({"response_format": {"type": "text"}}, "output_type", "text"),
        ({"response_format": {"type": "json_object"}}, "output_type", "json"),
        ({"response_format": {"type": "json_schema", "json_schema": {}}}, "output_type", "json"),
        ({"modalities": ["text", "audio"], "audio": {}}, "output_type", "speech"),
        ({"service_tier": "auto"}, "service_tier", None),
        ({"service_tier": "flex"}, "service_tier", "flex"),
        ({"stream": True}, "stream", True),
        ({"stream": False}, "stream", False),
        ({"temperature": None}, "temperature", None),
        ({"temperature": "hot"}, "temperature", None),
        ({"max_tokens": True}, "max_tokens", None),
        ({"tools": []}, "tools", None),
        ({"reasoning": {"effort": "high"}}, "reasoning_level", "high"),
        ({"top_k": 40}, "top_k", 40),
        ({"messages": iter([])}, "input", None),
    ],
)
def test_each_argument_has_its_place(client: Any, kwargs: dict[str, Any], field: str, value: Any) -> None:
    found = getattr(request_of(client, **kwargs), field)
    assert found == value
    assert type(found) is type(value)


def test_what_is_not_given_is_absent(client: Any) -> None:
    found = request_of(client)
    assert found.input is not None
    assert found == LlmRequest(
        operation="chat",
        provider="openai",
        model="gpt-4.1-mini",
        server_address="127.0.0.1",
        server_port=9,
        api_type="chat_completions",
        input=found.input,
    )


@pytest.mark.parametrize("client_type", [AzureOpenAI, AsyncAzureOpenAI])
def test_azure_is_known_by_its_client_too(client_type: Any) -> None:
    client = client_type(api_key="k", api_version="2024-10-21", base_url="http://gateway.internal/openai")
    assert request_of(client).provider == "azure.ai.openai"


def test_messages_in_a_tuple_or_another_sequence_are_taken(client: Any) -> None:
    class Sequence(tuple):
        """A sequence of the program's own."""

    question = {"role": "user", "content": "hi"}
    for messages in ((question,), Sequence([question])):
        deferred = request_of(client, messages=messages).input
        assert deferred is not None
        assert [message.role for message in deferred.read(snapshot(deferred.value, Tally()))] == ["user"]


# --- responses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["chat_text", "chat_tools", "chat_choices"])
def test_an_object_and_the_dict_it_was_made_from_mean_the_same(name: str) -> None:
    reply = read_reply(name)
    from_object, from_dict = read_response(ChatCompletion.model_validate(reply)), read_response(reply)
    for field in ("id", "model", "finish_reasons", "usage", "service_tier", "system_fingerprint", "tool_call_ids"):
        assert getattr(from_object, field) == getattr(from_dict, field)


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("content_filter", "content_filter"),
        ("tool_calls", "tool_call"),
        ("function_call", "tool_call"),
        (None, "error"),
    ],
)
def test_finish_reasons_are_those_of_the_conventions(reason: str | None, said: str) -> None:
    reply = read_reply("chat_text")
    reply["choices"][0]["finish_reason"] = reason
    assert read_response(reply).finish_reasons == [said]


def test_ids_of_tool_calls_are_known_without_content() -> None:
    assert read_response(read_reply("chat_tools")).tool_call_ids == ["call_order", "call_weather"]


@pytest.mark.parametrize("answer", ["text", None, 3, {}, {"choices": []}])
def test_what_is_no_completion_says_nothing(answer: Any) -> None:
    assert read_response(answer) == LlmResponse(finish_reasons=[], tool_call_ids=[])


BROKEN = {"code": 502, "message": "The model is gone."}


@pytest.mark.parametrize("as_object", [True, False])
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"error": BROKEN, "user_id": "u"}, {"type": "502", "message": "The model is gone."}),
        ({"choices": [{"index": 0, "error": BROKEN}]}, {"type": "502", "message": "The model is gone."}),
        ({"error": {"type": "overloaded"}}, {"type": "overloaded", "message": ""}),
        ({"error": "no route"}, {"type": "failed", "message": "no route"}),
        ({"choices": [{"index": 0, "finish_reason": "error"}]}, {"type": "failed", "message": ""}),
        ({"choices": [{"index": 0, "finish_reason": None}]}, None),
        ({"error": ["odd"]}, {"type": "failed", "message": ""}),
        ({"error": None, "choices": [{"index": 0, "error": None}]}, None),
    ],
)
def test_a_failure_that_comes_as_an_answer_is_one(answer: Any, error: Any, as_object: bool) -> None:
    given = ChatCompletion.construct(**answer) if as_object else answer
    assert read_response(given).error == error


def test_the_description_needs_no_client() -> None:
    assert not [name for name in vars(openai_chat) if name in ("openai", "wrapt", "opentelemetry")]


class Models(str, Enum):
    SMALL = "gpt-4.1-mini"


def test_a_model_from_an_enumeration_is_named_by_its_text(client: OpenAI) -> None:
    request = request_of(client, model=Models.SMALL, stop=[Models.SMALL])
    assert (type(request.model), request.model) == (str, "gpt-4.1-mini")
    assert [type(each) for each in request.stop_sequences or ()] == [str]


@pytest.mark.parametrize(
    ("asked", "field"),
    [({"seed": 2**64 - 1}, "seed"), ({"max_tokens": 10**30}, "max_tokens"), ({"temperature": 10**400}, "temperature")],
)
def test_what_no_exporter_has_room_for_is_left_out(client: OpenAI, asked: dict[str, Any], field: str) -> None:
    assert getattr(request_of(client, **asked), field) is None
