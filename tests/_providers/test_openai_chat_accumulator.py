"""Chunks of a streamed chat completion, put together to what the plain answer would have been."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from openai.types.chat import ChatCompletionChunk

from sentrial._providers.openai.chat import ChatAccumulator, read_response
from sentrial._providers.openai.chat_messages import read_messages
from sentrial._snapshot import Tally, snapshot
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


def asked(call_id: str | None, name: str | None, arguments: str, **more: Any) -> dict[str, Any]:
    """A piece of a call, of the only one as far as its index says."""
    function = {"arguments": arguments} | ({"name": name} if name else {})
    return delta({"tool_calls": [{"index": 0, "id": call_id, "function": function, **more}]})


@pytest.mark.parametrize("as_objects", [True, False])
@pytest.mark.parametrize(
    ("pieces", "calls"),
    [
        # Gemini says 0 of each of several calls.
        (
            [asked("a", "f", '{"n":1}'), asked("b", "f", '{"n":2}'), asked(None, None, " ")],
            [("a", "f", '{"n":1}'), ("b", "f", '{"n":2} ')],
        ),
        ([asked("a", "f", "{"), asked("a", "f", "}")], [("a", "f", "{}")]),
        ([asked("a", "f", "{"), asked("", "", "}")], [("a", "f", "{}")]),
        # Older versions of vLLM make an id for each piece.
        ([asked("a", "f", "{"), asked("b", None, "}")], [("b", "f", "{}")]),
        ([asked(None, "f", "{"), asked("a", "f", "}")], [("a", "f", "{}")]),
        (
            [asked("a", "f", "{", index="0"), asked("b", "g", "{", index="1"), asked(None, None, "}", index="0")],
            [("a", "f", "{}"), ("b", "g", "{")],
        ),
        # Its endpoint that speaks OpenAI's API has no ids either, and says each call at once.
        (
            [asked("", "f", '{"n":1}'), asked("", "f", '{"n":2}'), asked("", "g", "{}"), asked("", "g", "{}")],
            [(None, "f", '{"n":1}'), (None, "f", '{"n":2}'), (None, "g", "{}"), (None, "g", "{}")],
        ),
        (
            [asked(None, name, said, index=None) for name, said in (("f", '{"n":1} '), ("f", ' {"n":'), (None, "2}"))],
            [(None, "f", '{"n":1} '), (None, "f", ' {"n":2}')],
        ),
        # The name may be said with each piece.
        (
            [asked("", "f", ""), asked("", "f", '{"n":{'), asked("", "f", '"m":{}}'), asked("", "f", "}")],
            [(None, "f", '{"n":{"m":{}}}')],
        ),
        (
            [asked("", "f", '{"n":1'), asked("", "f", "}"), asked("", "f", " "), asked("", "f", "")],
            [(None, "f", '{"n":1} ')],
        ),
        (
            [asked("", "f", '{"n":['), asked("", "f", '{"m":1},'), asked("", "f", '{"m":2}'), asked("", "f", "]}")],
            [(None, "f", '{"n":[{"m":1},{"m":2}]}')],
        ),
        ([asked("a", "f", "{", index=None), asked("a", "f", "}", index=None)], [("a", "f", "{}")]),
        ([asked("a", "f", "{"), asked(None, None, "}", index=None)], [("a", "f", "{}")]),
    ],
)
def test_pieces_of_calls_are_told_apart(pieces: list[Any], calls: list[Any], as_objects: bool) -> None:
    message = accumulated(*pieces, as_objects=as_objects)["choices"][0]["message"]
    found = [(call["id"], call["function"]["name"], call["function"]["arguments"]) for call in message["tool_calls"]]
    assert found == calls


@pytest.mark.parametrize("as_objects", [True, False])
def test_a_custom_tool_is_asked_for_in_its_own_words(as_objects: bool) -> None:
    begun = {"index": 0, "id": "a", "type": "custom", "custom": {"name": "sql", "input": ""}}
    result = accumulated(
        delta({"tool_calls": [begun]}),
        delta({"tool_calls": [{"index": 0, "custom": {"input": "12"}}]}),
        delta({"tool_calls": [{"index": 0, "custom": {"input": "34"}}]}),
        as_objects=as_objects,
    )
    (message,) = read_messages([result["choices"][0]["message"]])
    # No JSON, though it could be read as such.
    assert [part.to_json() for part in message.parts] == [
        {"type": "tool_call", "id": "a", "name": "sql", "arguments": "1234"}
    ]


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


@pytest.mark.parametrize("as_objects", [True, False])
def test_moonshots_own_place_for_tokens_is_known(as_objects: bool) -> None:
    usage = {"prompt_tokens": 19, "completion_tokens": 13, "total_tokens": 32, "cached_tokens": 4}
    last = {**delta({}, reason="stop"), "usage": usage}
    result = accumulated(delta({"content": "42"}), last, as_objects=as_objects)
    assert read_response(result).usage == Usage(19, 13, cache_read_tokens=4)


@pytest.mark.parametrize("as_objects", [True, False])
@pytest.mark.parametrize("of_choice", [True, False])
def test_a_failure_in_the_middle_is_the_answers(of_choice: bool, as_objects: bool) -> None:
    said = {"error": {"code": 502, "message": "The model is gone."}}
    last = {**delta({"content": ""}, reason="error"), **(said if of_choice else {})}
    result = accumulated(delta({"content": "The par"}), last, as_objects=as_objects, **({} if of_choice else said))
    response = read_response(result)
    assert response.error == {"type": "502", "message": "The model is gone."}
    assert response.finish_reasons == ["error"]


def test_a_failure_in_a_chunk_of_its_own_is_the_answers() -> None:
    accumulator = ChatAccumulator()
    accumulator.add({"id": "c", "model": "m", "choices": [delta({"content": "The par"})]})
    accumulator.add({"error": {"code": "server_error", "message": "Gone."}})
    assert read_response(accumulator.result()).error == {"type": "server_error", "message": "Gone."}


# --- odd pieces -------------------------------------------------------------------------------------------------------

USAGE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}


def read_parts(*choices: Any, as_objects: bool = True) -> list[dict[str, Any]]:
    """The parts of the one message that a stream says, which must have lost nothing else."""
    result = accumulated(*choices, delta({"content": "42"}, reason="stop"), as_objects=as_objects, usage=USAGE)
    response = read_response(result)
    assert (response.id, response.model, response.finish_reasons) == ("c", "m", ["stop"])
    assert response.usage == Usage(1, 2)
    assert response.output is not None
    (message,) = response.output.read(snapshot(response.output.value, Tally()))
    return [part.to_json() for part in message.parts]


@pytest.mark.parametrize("as_objects", [True, False])
def test_what_mistrals_models_think_comes_in_lists_of_parts(as_objects: bool) -> None:
    def thinking(text: str) -> dict[str, Any]:
        return delta({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": text}]}]})

    answer = delta({"content": [{"type": "text", "text": "It is "}]})
    assert read_parts(thinking("Let me "), thinking("see."), answer, as_objects=as_objects) == [
        {"type": "reasoning", "content": "Let me see."},
        {"type": "text", "content": "It is 42"},
    ]


@pytest.mark.parametrize("as_objects", [True, False])
def test_thoughts_that_come_as_summaries_are_one(as_objects: bool) -> None:
    def reasoning(text: str) -> dict[str, Any]:
        return delta({"content": [{"type": "reasoning", "summary": [{"type": "summary_text", "text": text}]}]})

    assert read_parts(reasoning("Let me "), reasoning("see."), as_objects=as_objects) == [
        {"type": "reasoning", "content": "Let me see."},
        {"type": "text", "content": "42"},
    ]


@pytest.mark.parametrize("as_objects", [True, False])
def test_images_are_those_of_all_pieces(as_objects: bool) -> None:
    def drawn(name: str, text: str) -> dict[str, Any]:
        image = {"type": "image_url", "image_url": {"url": f"https://x.org/{name}"}}
        return delta({"content": text, "images": [image]})

    assert read_parts(drawn("a", ""), drawn("b", "Here: "), as_objects=as_objects) == [
        {"type": "text", "content": "Here: 42"},
        {"type": "uri", "modality": "image", "uri": "https://x.org/a"},
        {"type": "uri", "modality": "image", "uri": "https://x.org/b"},
    ]


@pytest.mark.parametrize("as_objects", [True, False])
def test_a_tool_of_groqs_is_told_when_it_is_asked_and_when_it_has_run(as_objects: bool) -> None:
    def run(**fields: Any) -> dict[str, Any]:
        return delta({"executed_tools": [{"index": 0, "type": "search", **fields}]})

    pieces = [run(arguments='{"query": "parcel"}', output=None), run(arguments="", output="Rotterdam")]
    asked, gave, answer = read_parts(*pieces, as_objects=as_objects)
    assert asked["server_tool_call"] == {"type": "search", "arguments": {"query": "parcel"}}
    assert gave["server_tool_call_response"] == {"type": "search", "output": "Rotterdam"}
    assert answer == {"type": "text", "content": "42"}


@pytest.mark.parametrize("as_objects", [True, False])
@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"content": 5}, {"type": "text", "content": "542"}),
        ({"content": {"a": 1}}, {"type": "text", "content": "42"}),
        ({"content": ["a", None]}, {"type": "text", "content": "anull42"}),
        ({"content": [{"type": ["odd"]}]}, {"type": "text", "content": "42"}),
        ({"refusal": ["no"]}, {"type": "refusal", "content": '["no"]'}),
        ({"reasoning": 7}, {"type": "reasoning", "content": "7"}),
        ({"images": 5, "executed_tools": 7}, {"type": "text", "content": "42"}),
        ({"images": [None, 5]}, {"type": "text", "content": "42"}),
        ({"tool_calls": 5}, {"type": "text", "content": "42"}),
        ({"tool_calls": [None, 5]}, {"type": "text", "content": "42"}),
    ],
)
def test_an_odd_piece_costs_nothing_but_itself(fields: dict[str, Any], said: dict[str, Any], as_objects: bool) -> None:
    assert said in read_parts(delta(fields), as_objects=as_objects)


@pytest.mark.parametrize("as_objects", [True, False])
@pytest.mark.parametrize("index", [0, "0", None, [0]])
def test_arguments_that_are_no_text_are_arguments(index: Any, as_objects: bool) -> None:
    call = {"index": index, "id": "a", "function": {"name": "f", "arguments": {"a": 1}}}
    parts = read_parts(delta({"tool_calls": [call]}), as_objects=as_objects)
    assert parts[1] == {"type": "tool_call", "id": "a", "name": "f", "arguments": {"a": 1}}


@pytest.mark.parametrize("as_objects", [True, False])
@pytest.mark.parametrize("index", ["0", None, [0]])
def test_the_number_of_a_choice_may_be_none(index: Any, as_objects: bool) -> None:
    odd = {"index": index, "delta": {"content": "4 x "}}
    assert read_parts(odd, as_objects=as_objects) == [{"type": "text", "content": "4 x 42"}]


@pytest.mark.parametrize("choices", [5, {"a": 1}, [None]])
def test_choices_that_are_none_leave_the_rest(choices: Any) -> None:
    said = {"id": "c", "model": "m", "usage": USAGE, "choices": choices}
    accumulator = ChatAccumulator()
    accumulator.add(said)
    for response in (read_response(accumulator.result()), read_response(said)):
        assert (response.id, response.model, response.usage) == ("c", "m", Usage(1, 2))
