"""Services that speak OpenAI's API in ways of their own, asked by the real client: what its types have no place for."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from openai import OpenAI
from opentelemetry.trace import StatusCode

from fake_provider import Answer, FakeProvider, read_reply
from fake_provider.chat_stream import DONE, event
from recorder import Recorder

ASKED: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "Where is my parcel?"}]}
PICTURE = b"\x89PNG" + bytes(20)
IMAGE = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{base64.b64encode(PICTURE).decode()}"}}
REASONING = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Let me see."}]}
SEARCH = {"type": "search", "index": 0, "arguments": '{"query": "parcel"}', "output": "Rotterdam"}
BROKEN = {"code": 502, "message": "The model is gone."}


def chunk(delta: dict[str, Any], reason: str | None = None, **beside: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": reason, **beside}
    return event({"id": "c", "model": "m", "object": "chat.completion.chunk", "choices": [choice]})


def whole(message: dict[str, Any], reason: str = "stop", **beside: Any) -> Answer:
    """An answer in one piece."""
    reply = read_reply("chat_text")
    choice = {"index": 0, "finish_reason": reason, "message": {"role": "assistant", **message}, **beside}
    return Answer(body={**reply, "choices": [choice]})


def streamed(message: dict[str, Any], reason: str = "stop", **beside: Any) -> Answer:
    """The same as a stream, each field in a chunk of its own."""
    pieces = [chunk({key: value}) for key, value in message.items()]
    return Answer(events=[*pieces, chunk({}, reason, **beside), DONE])


@pytest.fixture
def client(server: FakeProvider, patched: None) -> Any:
    with OpenAI(api_key="sk-test", base_url=server.base_url, max_retries=0) as client:
        yield client


def ask(client: OpenAI, server: FakeProvider, answer: Answer) -> None:
    server.queue(answer)
    if answer.events is None:
        client.chat.completions.create(**ASKED)
    else:
        for _ in client.chat.completions.create(**ASKED, stream=True):
            pass


@pytest.mark.parametrize("answered", [whole, streamed])
@pytest.mark.parametrize(
    ("message", "said"),
    [
        (
            {"content": "Here.", "images": [IMAGE]},
            [("text", "Here."), ("blob", base64.b64encode(PICTURE).decode())],
        ),
        (
            {"content": [REASONING, {"type": "text", "text": "Here."}]},
            [("reasoning", "Let me see."), ("text", "Here.")],
        ),
        (
            {"executed_tools": [SEARCH], "content": "Here."},
            [("server_tool_call", None), ("server_tool_call_response", None), ("text", "Here.")],
        ),
    ],
    ids=["an image", "thoughts", "a server's tool"],
)
def test_all_parts_of_an_answer_are_told(
    client: OpenAI, server: FakeProvider, recorder: Recorder, message: Any, said: Any, answered: Any
) -> None:
    ask(client, server, answered(message))
    (found,) = recorder.output
    assert [(part["type"], part.get("content")) for part in found["parts"]] == said


def test_a_failure_with_the_status_of_a_success_is_a_failure(
    client: OpenAI, server: FakeProvider, recorder: Recorder
) -> None:
    ask(client, server, Answer(body={"error": BROKEN, "user_id": "u"}))
    assert recorder.one.status.status_code is StatusCode.ERROR
    assert recorder.one.status.description == "The model is gone."
    assert recorder.attributes["error.type"] == "502"


@pytest.mark.parametrize("answered", [whole, streamed])
def test_a_choice_that_failed_is_a_failure_and_what_came_is_kept(
    client: OpenAI, server: FakeProvider, recorder: Recorder, answered: Any
) -> None:
    ask(client, server, answered({"content": "The par"}, "error", error=BROKEN))
    assert recorder.one.status.status_code is StatusCode.ERROR
    assert recorder.attributes["error.type"] == "502"
    assert recorder.attributes["gen_ai.response.finish_reasons"] == ("error",)
    (found,) = recorder.output
    assert found["parts"] == [{"type": "text", "content": "The par"}]


def test_a_body_that_the_program_reads_itself_fails_too(
    client: OpenAI, server: FakeProvider, recorder: Recorder
) -> None:
    server.queue(Answer(events=[chunk({"content": "The par"}), event({"error": BROKEN}), DONE]))
    with client.chat.completions.with_streaming_response.create(**ASKED, stream=True) as response:
        response.read()
    assert recorder.attributes["error.type"] == "502"


def test_the_tokens_of_a_choice_are_those_of_the_stream(
    client: OpenAI, server: FakeProvider, recorder: Recorder
) -> None:
    usage = {"prompt_tokens": 19, "completion_tokens": 13, "total_tokens": 32, "cached_tokens": 4}
    ask(client, server, streamed({"content": "Here."}, usage=usage))
    counted = {key: value for key, value in recorder.attributes.items() if key.startswith("gen_ai.usage.")}
    assert counted == {
        "gen_ai.usage.input_tokens": 19,
        "gen_ai.usage.output_tokens": 13,
        "gen_ai.usage.cache_read.input_tokens": 4,
    }


@pytest.mark.parametrize("index", [0, None])
@pytest.mark.parametrize("at_once", [True, False])
def test_calls_without_ids_are_several(
    client: OpenAI, server: FakeProvider, recorder: Recorder, at_once: bool, index: int | None
) -> None:
    def call(city: str) -> dict[str, Any]:
        function = {"name": "weather", "arguments": json.dumps({"city": city})}
        said = {"id": "", "type": "function", "function": function}
        return said if index is None else {"index": index, **said}

    calls = [call("Rome"), call("Oslo")]
    deltas = [calls] if at_once else [[each] for each in calls]
    pieces = [chunk({"tool_calls": delta}) for delta in deltas]
    ask(client, server, Answer(events=[*pieces, chunk({}, "tool_calls"), DONE]))
    (found,) = recorder.output
    assert [part["arguments"] for part in found["parts"]] == [{"city": "Rome"}, {"city": "Oslo"}]
