"""The events of a streamed response, put together to what the plain answer would have been."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fake_provider import read_reply
from fake_provider.response_stream import response_events_of
from sentrial._providers.openai.events import ResponseAccumulator
from sentrial._providers.openai.items import read_output
from sentrial._providers.openai.responses import read_response
from sentrial.types import Usage

REPLIES = ["response_text", "response_tools", "response_server_tools", "response_incomplete", "response_refusal"]


def events(name: str) -> list[dict[str, Any]]:
    return [json.loads(data.split(b"data: ")[1]) for data in response_events_of(read_reply(name))]


def parts(result: Any) -> list[dict[str, Any]]:
    (message,) = read_output(result["output"])
    return [part.to_json() for part in message.parts]


@pytest.mark.parametrize("name", [*REPLIES, "response_failed"])
def test_the_last_event_brings_the_answer(name: str) -> None:
    accumulator = ResponseAccumulator()
    for event in events(name):
        assert not accumulator.complete
        accumulator.add(event)
    assert accumulator.complete
    assert accumulator.result() == read_reply(name)


@pytest.mark.parametrize("name", REPLIES)
def test_without_the_last_event_the_items_are_those_of_the_answer(name: str) -> None:
    accumulator = ResponseAccumulator()
    for event in events(name)[:-1]:
        accumulator.add(event)
    result = accumulator.result()
    assert parts(result) == parts(read_reply(name))
    assert read_response(result).finish_reasons == ["error"]
    assert read_response(result).usage is None


@pytest.mark.parametrize("name", REPLIES)
def test_a_last_event_without_the_items_leaves_those_that_came(name: str) -> None:
    accumulator = ResponseAccumulator()
    for event in events(name):
        if event["type"] in ("response.completed", "response.incomplete"):
            event["response"]["output"] = []
        accumulator.add(event)
    assert accumulator.complete
    assert parts(accumulator.result()) == parts(read_reply(name))
    found, whole = read_response(accumulator.result()), read_response(read_reply(name))
    assert found._replace(output=None) == whole._replace(output=None)


def test_pieces_of_items_that_are_not_done_are_put_together() -> None:
    accumulator = ResponseAccumulator()
    for event in events("response_text"):
        if event["type"] == "response.output_text.delta" and event["delta"] == "on ":
            break
        accumulator.add(event)
    assert not accumulator.complete
    assert parts(accumulator.result()) == [
        {"type": "reasoning", "content": "The user wants the parcel's place."},
        {"type": "reasoning", "content": "It is known."},
        {"type": "text", "content": "The parcel left Rotterdam "},
    ]
    assert read_response(accumulator.result()).id == "resp_text_1"


def test_a_summary_and_arguments_that_are_not_done_are_kept() -> None:
    accumulator = ResponseAccumulator()
    for event in events("response_text")[:6]:
        accumulator.add(event)
    assert parts(accumulator.result()) == [{"type": "reasoning", "content": "The user "}]
    accumulator = ResponseAccumulator()
    for event in events("response_tools"):
        if event["type"].endswith(".done") and event["output_index"] == 1:
            break
        accumulator.add(event)
    assert parts(accumulator.result()) == [
        {"type": "tool_call", "name": "find_order", "arguments": {"number": 4711}, "id": "call_order"}
    ]


def test_the_clients_own_objects_stay_as_they_are() -> None:
    accumulator = ResponseAccumulator()
    item = {"id": "m", "type": "message", "role": "assistant", "content": []}
    accumulator.add({"type": "response.output_item.added", "output_index": 0, "item": item})
    accumulator.add({"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "hi"})
    assert parts(accumulator.result()) == [{"type": "text", "content": "hi"}]
    assert item["content"] == []


def test_a_stream_that_is_taken_up_in_the_middle_is_read_from_there() -> None:
    accumulator = ResponseAccumulator()
    accumulator.add({"type": "response.output_text.delta", "output_index": 1, "content_index": 0, "delta": "left"})
    assert parts(accumulator.result()) == [{"type": "text", "content": "left"}]


def test_an_error_in_the_stream_is_the_answers() -> None:
    accumulator = ResponseAccumulator()
    for event in events("response_text")[:3]:
        accumulator.add(event)
    accumulator.add({"type": "error", "code": "server_error", "message": "The server had an error.", "param": None})
    read = read_response(accumulator.result())
    assert read.error == {"type": "server_error", "message": "The server had an error."}
    assert (read.id, read.finish_reasons) == ("resp_text_1", ["error"])


def test_an_error_after_the_answer_leaves_its_tokens() -> None:
    accumulator = ResponseAccumulator()
    for event in events("response_text"):
        accumulator.add(event)
    accumulator.add({"type": "error", "error": {"type": "too_late", "message": "Gone."}})
    read = read_response(accumulator.result())
    assert read.error == {"type": "too_late", "message": "Gone."}
    assert read.usage == Usage(1500, 96, 1024, 128, 64)
    assert parts(accumulator.result()) == parts(read_reply("response_text"))


@pytest.mark.parametrize("event", [None, 3, "text", {}, {"type": "response.unheard_of", "output_index": 0}])
def test_an_event_that_is_none_changes_nothing(event: Any) -> None:
    accumulator = ResponseAccumulator()
    accumulator.add(event)
    assert accumulator.result() == {"cut": True, "output": []}


@pytest.mark.parametrize("index", ["0", None, [0]])
@pytest.mark.parametrize("piece", [["x"], {"x": 1}, 5])
def test_an_odd_piece_costs_nothing_but_itself(index: Any, piece: Any) -> None:
    accumulator = ResponseAccumulator()
    accumulator.add({"type": "response.created", "response": {"id": "r", "model": "m", "output": []}})
    for delta in ("a", piece, "b"):
        event = {"type": "response.output_text.delta", "output_index": index, "content_index": index, "delta": delta}
        accumulator.add(event)
    accumulator.add({"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "c"})
    result = accumulator.result()
    assert (result["id"], result["model"]) == ("r", "m")
    assert result["output"][0]["content"] == [{"type": "output_text", "text": f"a{json.dumps(piece)}bc"}]
