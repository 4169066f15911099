"""What the objects of OpenAI's chat completions mean, from the client's own types."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from openai import AsyncAzureOpenAI, AzureOpenAI, OpenAI
from openai.types.chat import ChatCompletion, ChatCompletionMessage

from fake_provider import read_reply
from sentrial._patch.spec import Outgoing
from sentrial._providers.openai import chat as openai_chat
from sentrial._providers.openai.chat import OPERATION, read_messages, read_response
from sentrial._snapshot import Tally, snapshot
from sentrial.types import LlmRequest, LlmResponse

PICTURE = b"\x89PNG" + bytes(20)
ENCODED = base64.b64encode(PICTURE).decode()


@pytest.fixture(scope="module")
def client() -> Any:
    with OpenAI(api_key="sk-test", base_url="http://127.0.0.1:9/v1") as client:
        yield client


def request_of(client: Any, *, stream: bool = False, **body: Any) -> LlmRequest:
    return OPERATION.read_request(
        Outgoing(OPERATION, client, {"model": "gpt-4.1-mini", "messages": [], **body}, stream)
    )


def read(message: Any) -> dict[str, Any]:
    """One message through snapshot and reader, as our thread sees it."""
    (found,) = read_messages(snapshot([message], Tally()))
    return found.to_json()


def parts(content: Any, role: str = "user") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = read({"role": role, "content": content})["parts"]
    return found


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


# --- messages ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "said"),
    [("system", "system"), ("developer", "system"), ("user", "user"), ("assistant", "assistant"), ("critic", "critic")],
)
def test_roles_are_those_of_the_conventions(role: str, said: str) -> None:
    assert read({"role": role, "content": "hi", "name": "Ada"}) == {
        "role": said,
        "parts": [{"type": "text", "content": "hi"}],
        "name": "Ada",
    }


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ({"type": "text", "text": "hi"}, {"type": "text", "content": "hi"}),
        (
            {"type": "image_url", "image_url": {"url": "https://example.org/a.png", "detail": "low"}},
            {"type": "uri", "modality": "image", "uri": "https://example.org/a.png"},
        ),
        (
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{ENCODED}"}},
            {"type": "blob", "modality": "image", "mime_type": "image/png", "content": PICTURE},
        ),
        (
            {"type": "image_url", "image_url": {"url": "data:image/svg+xml,<svg/>"}},
            {"type": "uri", "modality": "image", "uri": "data:image/svg+xml,<svg/>"},
        ),
        (
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,!!!"}},
            {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "!!!"},
        ),
        (
            {"type": "input_audio", "input_audio": {"data": ENCODED, "format": "wav"}},
            {"type": "blob", "modality": "audio", "mime_type": "audio/wav", "content": PICTURE},
        ),
        (
            {"type": "file", "file": {"file_id": "file-1"}},
            {"type": "file", "modality": "document", "file_id": "file-1"},
        ),
        (
            {"type": "file", "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{ENCODED}"}},
            {"type": "blob", "modality": "document", "mime_type": "application/pdf", "content": PICTURE},
        ),
        ({"type": "refusal", "refusal": "no"}, {"type": "refusal", "content": "no"}),
        ({"type": "hologram", "depth": 3}, {"type": "hologram", "depth": 3}),
        ("bare", {"type": "text", "content": "bare"}),
    ],
)
def test_each_part_has_its_form(part: Any, said: dict[str, Any]) -> None:
    assert parts([part]) == [said]


def test_a_tools_answer_is_a_response_to_its_call() -> None:
    assert read({"role": "tool", "tool_call_id": "call_1", "content": '{"found": true}'}) == {
        "role": "tool",
        "parts": [{"type": "tool_call_response", "response": '{"found": true}', "id": "call_1"}],
    }
    assert read({"role": "function", "name": "old", "content": "42"}) == {
        "role": "tool",
        "parts": [{"type": "tool_call_response", "response": "42"}],
        "name": "old",
    }


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a": [1]}'}},
            {"name": "f", "arguments": {"a": [1]}, "id": "1"},
        ),
        (
            {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a": [1'}},
            {"name": "f", "arguments": '{"a": [1', "id": "1"},
        ),
        (
            {"id": "1", "type": "custom", "custom": {"name": "c", "input": "12"}},
            {"name": "c", "arguments": "12", "id": "1"},
        ),
    ],
)
def test_tool_calls_are_decoded_where_they_are_json(call: dict[str, Any], said: dict[str, Any]) -> None:
    assert read({"role": "assistant", "content": None, "tool_calls": [call]})["parts"] == [
        {"type": "tool_call", **said}
    ]


def test_an_older_function_call_is_a_tool_call() -> None:
    message = {"role": "assistant", "content": "", "function_call": {"name": "f", "arguments": "{}"}}
    assert read(message)["parts"] == [{"type": "tool_call", "name": "f", "arguments": {}}]


def test_a_message_object_of_the_client_is_read_like_a_dict() -> None:
    message = ChatCompletionMessage.construct(role="assistant", content="hi", reasoning_content="they said hello")
    assert read(message)["parts"] == [
        {"type": "reasoning", "content": "they said hello"},
        {"type": "text", "content": "hi"},
    ]


def test_audio_is_its_transcript_and_its_bytes() -> None:
    audio = {"id": "audio_1", "data": ENCODED, "transcript": "hello", "expires_at": 1}
    assert read({"role": "assistant", "content": None, "audio": audio})["parts"] == [
        {"type": "text", "content": "hello"},
        {"type": "blob", "modality": "audio", "mime_type": "audio/*", "content": PICTURE},
    ]
    assert read({"role": "assistant", "audio": {"id": "audio_1"}})["parts"] == [
        {"type": "file", "modality": "audio", "file_id": "audio_1"}
    ]


def test_a_refusal_is_said() -> None:
    message = {"role": "assistant", "content": None, "refusal": "I must not."}
    assert read(message)["parts"] == [{"type": "refusal", "content": "I must not."}]


@pytest.mark.parametrize("message", [None, 7, "text", {}, {"role": 3, "content": {"a": 1}, "tool_calls": "x"}, []])
def test_what_is_no_message_is_read_without_an_exception(message: Any) -> None:
    assert read(message)["role"] == "user"


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


def test_the_description_needs_no_client() -> None:
    assert not [name for name in vars(openai_chat) if name in ("openai", "wrapt", "opentelemetry")]
