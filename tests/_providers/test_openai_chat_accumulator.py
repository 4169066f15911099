"""Chunks of a streamed chat completion, put together to what the plain answer would have been."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from openai.types.chat import ChatCompletionChunk

from sentrial._providers.openai.chat import ChatAccumulator, read_messages, read_response
from sentrial.types import Usage

ENCODED = base64.b64encode(b"RIFF" + bytes(20)).decode()


def accumulated(*choices: Any, as_objects: bool = True, **last: Any) -> dict[str, Any]:
    """The result of a stream with one choice a chunk, read from the client's objects or from dicts."""
    accumulator = ChatAccumulator()
    for number, choice in enumerate(choices):
        chunk = {"id": "c", "model": "m", "created": 1, "object": "chat.completion.chunk", "choices": [choice]}
        chunk |= last if number == len(choices) - 1 else {}
        accumulator.add(ChatCompletionChunk.construct(**chunk) if as_objects else chunk)
    return accumulator.result()


def delta(fields: dict[str, Any], index: int = 0, reason: str | None = None) -> dict[str, Any]:
    return {"index": index, "delta": fields, "finish_reason": reason}


@pytest.mark.parametrize("as_objects", [True, False])
def test_reasoning_of_other_services_is_kept(as_objects: bool) -> None:
    result = accumulated(
        delta({"role": "assistant", "reasoning_content": "Let me "}),
        delta({"reasoning_content": "see."}),
        delta({"content": "42", "reasoning_content": None}),
        delta({}, reason="stop"),
        as_objects=as_objects,
    )
    assert result["choices"][0]["message"]["reasoning_content"] == "Let me see."
    assert result["choices"][0]["message"]["content"] == "42"
    (message,) = read_messages([result["choices"][0]["message"]])
    assert [part.type for part in message.parts] == ["reasoning", "text"]


@pytest.mark.parametrize("as_objects", [True, False])
def test_audio_pieces_are_put_together(as_objects: bool) -> None:
    result = accumulated(
        delta({"audio": {"id": "audio_1", "transcript": "he"}}),
        delta({"audio": {"data": ENCODED[:8], "transcript": None}}),
        delta({"audio": {"data": ENCODED[8:], "transcript": "llo"}}),
        delta({"audio": {"expires_at": 9}}, reason="stop"),
        as_objects=as_objects,
    )
    audio = result["choices"][0]["message"]["audio"]
    assert (audio["id"], audio["transcript"], audio["data"]) == ("audio_1", "hello", ENCODED)


@pytest.mark.parametrize("as_objects", [True, False])
def test_tool_calls_without_an_index_are_told_apart_by_their_ids(as_objects: bool) -> None:
    result = accumulated(
        delta({"tool_calls": [{"id": "a", "type": "function", "function": {"name": "f", "arguments": "{"}}]}),
        delta({"tool_calls": [{"function": {"arguments": "}"}}]}),
        delta({"content": "and", "tool_calls": [{"id": "b", "function": {"name": "g", "arguments": "{}"}}]}),
        as_objects=as_objects,
    )
    message = result["choices"][0]["message"]
    assert [(call["id"], call["function"]) for call in message["tool_calls"]] == [
        ("a", {"name": "f", "arguments": "{}"}),
        ("b", {"name": "g", "arguments": "{}"}),
    ]
    assert message["content"] == "and"


def test_an_older_function_call_and_a_refusal_are_put_together() -> None:
    result = accumulated(
        delta({"function_call": {"name": "f", "arguments": '{"a"'}}),
        delta({"function_call": {"arguments": ": 1}"}}),
        delta({"refusal": "no"}, index=1),
        delta({"refusal": "pe"}, index=1),
    )
    first, second = read_messages([choice["message"] for choice in result["choices"]])
    assert first.parts[0].fields == {"name": "f", "arguments": {"a": 1}}
    assert second.to_json()["parts"] == [{"type": "refusal", "content": "nope"}]


def test_what_only_the_last_chunk_says_is_kept() -> None:
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    result = accumulated(
        delta({"content": "a"}), delta({"content": "b"}, reason="stop"), usage=usage, service_tier="flex"
    )
    assert read_response(result).usage == Usage(1, 2)
    assert read_response(result).service_tier == "flex"


def test_a_choice_that_is_not_finished_is_an_error() -> None:
    result = accumulated(delta({"content": "a"}), delta({"content": "b"}, index=1, reason="stop"))
    assert read_response(result).finish_reasons == ["error", "stop"]


@pytest.mark.parametrize("as_objects", [True, False])
def test_groqs_own_place_for_tokens_is_known(as_objects: bool) -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7, "queue_time": 0.1}
    result = accumulated(
        delta({"content": "42"}), delta({}, reason="stop"), as_objects=as_objects, x_groq={"id": "r", "usage": usage}
    )
    assert read_response(result).usage == Usage(5, 2)
