"""What Anthropic's text completions ask and answer."""

from __future__ import annotations

from typing import Any

import pytest
from anthropic import Anthropic

from fake_provider import read_reply
from sentrial._patch.spec import Outgoing
from sentrial._providers.anthropic.complete import OPERATION, CompletionAccumulator, read_request, read_response
from sentrial._snapshot import Tally, snapshot
from sentrial.types import LlmResponse


@pytest.fixture(scope="module")
def client() -> Any:
    with Anthropic(api_key="sk-test", base_url="http://127.0.0.1:9") as client:
        yield client


def words_of(response: LlmResponse) -> Any:
    assert response.output is not None
    (message,) = response.output.read(snapshot(response.output.value, Tally()))
    return [part.fields["content"] for part in message.parts]


def test_a_request_says_what_was_asked_for(client: Any) -> None:
    body = {"model": "claude-2.1", "prompt": "\n\nHuman: Hi\n\nAssistant:", "max_tokens_to_sample": 9, "top_k": 3}
    request = read_request(Outgoing(OPERATION, client, body))

    assert (request.operation, request.model, request.max_tokens) == ("text_completion", "claude-2.1", 9)
    assert request.top_k == 3
    assert request.input is not None
    assert request.input.value == [{"role": "user", "content": body["prompt"]}]


def test_an_answer_says_who_gave_it_and_tells_of_no_tokens() -> None:
    response = read_response(read_reply("anthropic_completion"))

    assert (response.id, response.model, response.finish_reasons) == ("compl_01", "claude-2.1", ["stop"])
    assert response.usage is None
    assert words_of(response) == [" Your parcel arrives tomorrow."]


def test_chunks_add_up_to_the_answer() -> None:
    reply = read_reply("anthropic_completion")
    accumulator = CompletionAccumulator()

    for piece in (" Your parcel", " arrives"):
        accumulator.add({**reply, "completion": piece, "stop_reason": None})
    assert not accumulator.complete
    assert read_response(accumulator.result()).finish_reasons == ["error"]

    accumulator.add({**reply, "completion": " tomorrow."})
    assert accumulator.complete
    response = read_response(accumulator.result())
    assert (response.id, response.finish_reasons) == ("compl_01", ["stop"])
    assert words_of(response) == [" Your parcel arrives tomorrow."]


def test_an_odd_piece_costs_nothing_but_itself() -> None:
    accumulator = CompletionAccumulator()
    for piece, reason in (("a", None), (["x"], None), (5, None), ("b", "stop_sequence")):
        accumulator.add({"id": "c", "model": "m", "completion": piece, "stop_reason": reason})
    assert accumulator.result() == {
        "id": "c",
        "model": "m",
        "stop_reason": "stop_sequence",
        "completion": 'a["x"]5b',
    }
