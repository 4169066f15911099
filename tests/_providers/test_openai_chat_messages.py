"""The messages of OpenAI's chat completions, as programs write them and services answer them."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from openai.types.chat import ChatCompletionMessage

from sentrial._providers.openai.chat_messages import read_messages
from sentrial._snapshot import Tally, snapshot

PICTURE = b"\x89PNG" + bytes(20)
ENCODED = base64.b64encode(PICTURE).decode()


def read(message: Any) -> dict[str, Any]:
    """One message through snapshot and reader, as our thread sees it."""
    (found,) = read_messages(snapshot([message], Tally()))
    return found.to_json()


def parts(content: Any, role: str = "user") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = read({"role": role, "content": content})["parts"]
    return found


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
        (
            {"type": "thinking", "thinking": [{"type": "text", "text": "Let me "}, {"type": "text", "text": "see."}]},
            {"type": "reasoning", "content": "Let me see."},
        ),
        (
            {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Let me see.", "signature": "c2ln"}]},
            {"type": "reasoning", "content": "Let me see."},
        ),
        ({"type": "reasoning"}, {"type": "reasoning", "content": ""}),
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
            {"id": "1", "type": "function", "function": {"name": "f", "arguments": "[" * 200_000}},
            {"name": "f", "arguments": "[" * 200_000, "id": "1"},
        ),
        (
            {"id": "1", "type": "custom", "custom": {"name": "c", "input": "12"}},
            {"name": "c", "arguments": "12", "id": "1"},
        ),
    ],
    ids=["JSON", "broken off", "too deep", "no JSON"],
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


def test_images_that_stand_beside_the_content_are_told() -> None:
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{ENCODED}"}, "index": 0}
    assert read({"role": "assistant", "content": "Here.", "images": [image, "odd", None]})["parts"] == [
        {"type": "text", "content": "Here."},
        {"type": "blob", "modality": "image", "mime_type": "image/png", "content": PICTURE},
    ]


def test_what_groqs_systems_have_run_by_themselves_are_calls_of_the_servers_tools() -> None:
    found = {"results": [{"url": "https://example.org"}]}
    gave = {"output": "Rotterdam", "search_results": found}
    run = {"type": "search", "index": 0, "arguments": '{"query": "parcel"}', **gave}
    asked = {"type": "python", "index": 1, "arguments": "{}", "output": None}
    message = {"role": "assistant", "content": "In Rotterdam.", "executed_tools": [run, asked]}
    answer = {"type": "search", **gave}
    assert read(message)["parts"] == [
        {
            "type": "server_tool_call",
            "name": "search",
            "server_tool_call": {"type": "search", "arguments": {"query": "parcel"}},
        },
        {"type": "server_tool_call_response", "name": "search", "server_tool_call_response": answer},
        {"type": "server_tool_call", "name": "python", "server_tool_call": {"type": "python", "arguments": {}}},
        {"type": "text", "content": "In Rotterdam."},
    ]


def test_a_refusal_is_said() -> None:
    message = {"role": "assistant", "content": None, "refusal": "I must not."}
    assert read(message)["parts"] == [{"type": "refusal", "content": "I must not."}]


@pytest.mark.parametrize("message", [None, 7, "text", {}, {"role": 3, "content": {"a": 1}, "tool_calls": "x"}, []])
def test_what_is_no_message_is_read_without_an_exception(message: Any) -> None:
    assert read(message)["role"] == "user"
