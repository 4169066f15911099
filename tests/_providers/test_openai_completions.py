"""What OpenAI's older completions are asked for, and what they say."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openai import OpenAI
from openai.types import Completion

from fake_provider import read_reply
from fake_provider.completion_stream import completion_events_of
from sentrial._patch.spec import Outgoing
from sentrial._providers.openai.completions import OPERATION, CompletionAccumulator, read_prompts, read_response
from sentrial.types import LlmRequest, Usage


def request_of(**body: Any) -> LlmRequest:
    with OpenAI(api_key="k", base_url="http://127.0.0.1:9/v1") as client:
        return OPERATION.read_request(Outgoing(OPERATION, client, {"model": "m", "prompt": "Once", **body}))


def test_a_request_says_what_is_asked() -> None:
    asked = {"max_tokens": 6, "temperature": 0.5, "top_p": 1, "stop": "\n", "n": 2, "seed": 7, "top_k": 3}
    found = request_of(**asked, frequency_penalty=0.1, presence_penalty=0.2)
    assert found.input is not None
    assert found == LlmRequest(
        operation="text_completion",
        provider="openai",
        model="m",
        server_address="127.0.0.1",
        server_port=9,
        max_tokens=6,
        temperature=0.5,
        top_p=1.0,
        top_k=3,
        stop_sequences=["\n"],
        frequency_penalty=0.1,
        presence_penalty=0.2,
        seed=7,
        choice_count=2,
        input=found.input,
    )


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("Once", [{"type": "text", "content": "Once"}]),
        (["Once", "Twice"], [{"type": "text", "content": "Once"}, {"type": "text", "content": "Twice"}]),
        ([12, 13], [{"type": "tokens", "content": [12, 13]}]),
        ([[12], [13]], [{"type": "tokens", "content": [12]}, {"type": "tokens", "content": [13]}]),
    ],
)
def test_each_prompt_is_a_message(prompt: Any, said: list[dict[str, Any]]) -> None:
    assert [message.to_json() for message in read_prompts(prompt)] == [
        {"role": "user", "parts": [part]} for part in said
    ]


def test_an_iterator_is_the_programs() -> None:
    assert request_of(prompt=iter(["Once"])).input is None


@pytest.mark.parametrize("form", [dict, Completion.model_validate])
def test_an_answer_says_who_what_and_how_much(form: Any) -> None:
    found = read_response(form(read_reply("completion_text")))
    assert (found.id, found.model) == ("cmpl-1", "gpt-3.5-turbo-instruct:20230824-v2")
    assert (found.finish_reasons, found.usage, found.system_fingerprint) == (["length"], Usage(4, 6), "fp_1")
    assert found.output is not None
    assert [message.to_json() for message in found.output.read(found.output.value)] == [
        {"role": "assistant", "parts": [{"type": "text", "content": " in a land of dikes"}]}
    ]


@pytest.mark.parametrize("form", [dict, lambda chunk: Completion.construct(**chunk)])
def test_chunks_make_the_plain_answer(form: Any) -> None:
    reply = read_reply("completion_text")
    reply["choices"].append({"text": " there was", "index": 1, "logprobs": None, "finish_reason": "stop"})
    accumulator = CompletionAccumulator()
    for event in completion_events_of(reply)[:-1]:
        accumulator.add(form(json.loads(event.removeprefix(b"data: "))))
    assert read_response(accumulator.result())._replace(output=None) == read_response(reply)._replace(output=None)
    assert [choice["text"] for choice in accumulator.result()["choices"]] == [" in a land of dikes", " there was"]


def test_a_choice_whose_end_never_came_ended_in_error() -> None:
    accumulator = CompletionAccumulator()
    accumulator.add({"id": "c", "model": "m", "choices": [{"index": 0, "text": "On", "finish_reason": None}]})
    assert read_response(accumulator.result()).finish_reasons == ["error"]


@pytest.mark.parametrize(
    ("reason", "said"), [("stop", "stop"), ("eos", "stop"), ("model_length", "length"), ("", "error")]
)
def test_finish_reasons_are_those_of_the_conventions(reason: str, said: str) -> None:
    reply = read_reply("completion_text")
    reply["choices"][0]["finish_reason"] = reason
    assert read_response(reply).finish_reasons == [said]


@pytest.mark.parametrize("answer", [None, "text", {}, {"choices": []}])
def test_what_is_no_completion_says_nothing(answer: Any) -> None:
    found = read_response(answer)
    assert (found.id, found.usage, found.output, list(found.finish_reasons)) == (None, None, None, [])


def test_an_odd_piece_costs_nothing_but_itself() -> None:
    accumulator = CompletionAccumulator()
    for index, text in enumerate(["a", ["x"], 5, "b"]):
        choice = {"index": [0, "0", None, [0]][index], "text": text, "finish_reason": "stop"}
        accumulator.add({"id": "c", "model": "m", "choices": [choice]})
    accumulator.add({"choices": 5, "usage": {"prompt_tokens": 1, "completion_tokens": 2}})
    response = read_response(accumulator.result())
    assert (response.id, response.model, response.usage) == ("c", "m", Usage(1, 2))
    assert response.output is not None
    assert response.output.value == ['a["x"]5b']


@pytest.mark.parametrize("streamed", [True, False])
def test_a_failure_that_comes_as_an_answer_is_one(streamed: bool) -> None:
    answer: Any = {"error": {"code": 502, "message": "The model is gone."}}
    if streamed:
        accumulator = CompletionAccumulator()
        accumulator.add({"id": "c", "choices": [{"index": 0, "text": "On", "finish_reason": None}]})
        accumulator.add(answer)
        answer = accumulator.result()
    assert read_response(answer).error == {"type": "502", "message": "The model is gone."}
