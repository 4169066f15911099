"""What a stream of Anthropic's adds up to, from its events as the client's objects and as the API's JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest
from anthropic._models import construct_type
from anthropic.types import RawMessageStreamEvent

from fake_provider import read_reply
from fake_provider.anthropic import events_of
from sentrial._providers.anthropic.messages import read_response
from sentrial._providers.anthropic.stream import MessageAccumulator
from sentrial._snapshot import Tally, snapshot
from sentrial.types import LlmResponse, Usage

NAMES = ("message_text", "message_tools", "message_thinking", "message_refusal", "message_json")


def gathered(events: Any) -> MessageAccumulator:
    accumulator = MessageAccumulator()
    for event in events:
        accumulator.add(event)
    return accumulator


def output_of(response: LlmResponse) -> list[dict[str, Any]]:
    assert response.output is not None
    return [message.to_json() for message in response.output.read(snapshot(response.output.value, Tally()))]


@pytest.mark.parametrize("name", [*NAMES, "message_server_tools"])
def test_a_stream_says_what_the_plain_answer_would_have_said(name: str) -> None:
    reply = read_reply(name)
    accumulator = gathered(events_of(reply))

    plain, streamed = read_response(reply), read_response(accumulator.result())
    assert accumulator.complete
    assert streamed._replace(output=None) == plain._replace(output=None)
    assert output_of(streamed) == output_of(plain)


@pytest.mark.parametrize("name", NAMES)
def test_events_of_the_clients_own_types_are_read_like_dicts(name: str) -> None:
    told = [event for event in events_of(read_reply(name)) if event["type"] != "ping"]
    events = [construct_type(value=event, type_=RawMessageStreamEvent) for event in told]

    streamed = read_response(gathered(events).result())
    plain = read_response(read_reply(name))
    assert streamed._replace(output=None) == plain._replace(output=None)
    assert output_of(streamed) == output_of(plain)


def test_a_stream_that_broke_off_has_what_came() -> None:
    events = list(events_of(read_reply("message_thinking")))
    cut = next(at for at, event in enumerate(events) if event["type"] == "content_block_stop")
    accumulator = gathered(events[:3] + events[3 : cut - 2])

    response = read_response(accumulator.result())
    assert not accumulator.complete
    assert (response.id, response.finish_reasons) == ("msg_01Thinking", ["error"])
    # What has been counted of the output so far is only where the counting begins.
    assert response.usage == Usage(input_tokens=4740, cache_read_tokens=3500, cache_write_tokens=1200)
    (message,) = output_of(response)
    (part,) = message["parts"]
    assert part["type"] == "reasoning"
    assert "The parcel was scanned in Lisbon at six.".startswith(part["content"])


def test_arguments_that_broke_off_stay_as_they_came() -> None:
    events = [event for event in events_of(read_reply("message_tools")) if event["type"] != "content_block_stop"]
    cut = next(at for at, event in enumerate(events) if event.get("delta", {}).get("partial_json"))

    (message,) = output_of(read_response(gathered(events[: cut + 1]).result()))
    assert message["parts"][1]["arguments"] == '{"number":'


def test_an_event_without_a_beginning_is_no_trouble() -> None:
    accumulator = gathered([{"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}}])

    assert accumulator.result() == {"content": [{"text": "Hi"}], "usage": {}}
    assert gathered([]).result() is None


def test_a_block_of_the_programs_is_not_changed() -> None:
    block = {"type": "text", "text": ""}
    started = {"type": "content_block_start", "index": 0, "content_block": block}
    delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}}

    assert gathered([started, delta]).result()["content"] == [{"type": "text", "text": "Hi"}]
    assert block == {"type": "text", "text": ""}


@pytest.mark.parametrize("index", ["0", None, [0]])
@pytest.mark.parametrize("piece", [["x"], {"x": 1}, 5])
def test_an_odd_piece_costs_nothing_but_itself(index: Any, piece: Any) -> None:
    reply = read_reply("message_text")
    events = list(events_of(reply))
    events.insert(3, {"type": "content_block_delta", "index": index, "delta": {"type": "text_delta", "text": piece}})

    plain, streamed = read_response(reply), read_response(gathered(events).result())
    assert streamed._replace(output=None) == plain._replace(output=None)
    ((message,), (said,)) = output_of(streamed), output_of(plain)
    assert len(message["parts"]) == len(said["parts"])
    assert json.dumps(piece) in message["parts"][0]["content"]


@pytest.mark.parametrize("count", [-5, 2**63, 2**63 - 1])
def test_tokens_that_nobody_can_have_counted_are_not_said(count: int) -> None:
    usage = {"input_tokens": 3, "output_tokens": count, "cache_read_input_tokens": count}
    read = read_response({"id": "m", "content": [], "usage": usage}).usage
    assert read is not None
    assert read.input_tokens in (3, None)
    assert (read.output_tokens, read.cache_read_tokens) == ((None, None) if count != 2**63 - 1 else (count, count))
