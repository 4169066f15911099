"""Pain F4: what a model thinks between its tool calls is recorded, in its order and with what makes it valid."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest
from anthropic import Anthropic, AsyncAnthropic

import sentrial
from fake_provider import Answer, FakeProvider, anthropic
from receivers import OtlpHttpReceiver

OPENING: list[dict[str, Any]] = [{"role": "user", "content": "Where are parcels PT-77 and PT-78?"}]
ASK: dict[str, Any] = {"model": "claude-opus-4-5", "max_tokens": 4000, "messages": OPENING}
RESULTS = {"toolu_01": "in Lisbon", "toolu_02": "in Porto"}
KINDS = {"text": "text", "reasoning": "thinking", "redacted_thinking": "redacted_thinking", "tool_call": "tool_use"}


def sign(thought: str) -> str:
    """A signature that only the server can make, as long as those of the API."""
    digests = [hmac.digest(bytes([number]), thought.encode(), "sha512") for number in range(6)]
    return base64.b64encode(b"".join(digests)).decode()


def thinking(thought: str) -> dict[str, Any]:
    return {"type": "thinking", "thinking": thought, "signature": sign(thought)}


REDACTED = {"type": "redacted_thinking", "data": base64.b64encode(hashlib.sha512(b"unsafe").digest() * 4).decode()}
TURN = [
    thinking("Two parcels: the first one first."),
    REDACTED,
    {"type": "text", "text": "I will look both of them up."},
    {"type": "tool_use", "id": "toolu_01", "name": "track", "input": {"number": "PT-77"}},
    thinking("And now the other one."),
    {"type": "tool_use", "id": "toolu_02", "name": "track", "input": {"number": "PT-78"}},
]
REPLY: dict[str, Any] = {
    "id": "msg_01",
    "type": "message",
    "role": "assistant",
    "model": "claude-opus-4-5",
    "content": TURN,
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "usage": {"input_tokens": 40, "output_tokens": 220},
}


def refusal_of(messages: list[dict[str, Any]]) -> str | None:
    """Why the API would not go on with ``messages``; ``None`` if it would."""
    opening, turn, results = messages
    if (opening["role"], turn["role"], results["role"]) != ("user", "assistant", "user"):
        return "roles must alternate"
    for block in turn["content"]:
        if block["type"] == "thinking" and block["signature"] != sign(block["thinking"]):
            return "invalid signature in thinking block"
        if block["type"] == "redacted_thinking" and block != REDACTED:
            return "invalid data in redacted_thinking block"
    if turn["content"] != TURN:
        return "blocks of the last assistant turn cannot be modified"
    asked = [block["id"] for block in turn["content"] if block["type"] == "tool_use"]
    given = [block["tool_use_id"] for block in results["content"] if block["type"] == "tool_result"]
    return None if asked == given else "tool_use ids without tool_result blocks"


def block_of(part: dict[str, Any]) -> dict[str, Any]:
    """The API's block that a recorded part tells of, made of nothing but the part."""
    kind = KINDS[part["type"]]
    if kind == "text":
        return {"type": kind, "text": part["content"]}
    if kind == "thinking":
        return {"type": kind, "thinking": part["content"], "signature": part["signature"]}
    if kind == "redacted_thinking":
        return {"type": kind, "data": part["data"]}
    return {"type": kind, "id": part["id"], "name": part["name"], "input": part["arguments"]}


def rebuilt(span: dict[str, Any]) -> list[dict[str, Any]]:
    """The next request's messages, of what the span says and of what the tools gave."""
    (asked,) = json.loads(span["attributes"]["gen_ai.input.messages"])
    (answered,) = json.loads(span["attributes"]["gen_ai.output.messages"])
    results = [{"type": "tool_result", "tool_use_id": name, "content": text} for name, text in RESULTS.items()]
    return [
        {"role": asked["role"], "content": asked["parts"][0]["content"]},
        {"role": answered["role"], "content": list(map(block_of, answered["parts"]))},
        {"role": "user", "content": results},
    ]


@pytest.fixture
def server() -> Iterator[FakeProvider]:
    with FakeProvider() as server:
        server.queue(Answer(events=list(map(anthropic.event, anthropic.events_of(REPLY)))))
        yield server


@pytest.fixture
def collector() -> Iterator[OtlpHttpReceiver]:
    with OtlpHttpReceiver() as collector:
        sentrial.configure(otlp_endpoint=collector.url)
        yield collector
        sentrial.shutdown(5)


def the_call(collector: OtlpHttpReceiver) -> dict[str, Any]:
    assert sentrial.flush(10)
    (span,) = (span for span in collector.spans if span["name"].startswith("chat "))
    return span


def assert_in_order(span: dict[str, Any]) -> None:
    (answered,) = json.loads(span["attributes"]["gen_ai.output.messages"])
    assert [KINDS[part["type"]] for part in answered["parts"]] == [block["type"] for block in TURN]
    assert answered["finish_reason"] == "tool_call"


def test_pain_f4_thinking_between_tool_calls_is_recorded_in_order_and_can_be_sent_again(
    server: FakeProvider, collector: OtlpHttpReceiver
) -> None:
    with Anthropic(api_key="sk-test", base_url=server.url, max_retries=0) as client:
        with sentrial.begin("user_1", "agent"):
            kinds = [event.type for event in client.messages.create(**ASK, stream=True)]
        assert kinds.count("content_block_start") == len(TURN)
        span = the_call(collector)
        assert_in_order(span)
        client.messages.create(**{**ASK, "messages": rebuilt(span)})
    assert refusal_of(server.requests[-1].body["messages"]) is None


async def test_pain_f4_the_same_by_the_helper_of_the_asynchronous_client(
    server: FakeProvider, collector: OtlpHttpReceiver
) -> None:
    async with AsyncAnthropic(api_key="sk-test", base_url=server.url, max_retries=0) as client:
        with sentrial.begin("user_1", "agent"):
            async with client.messages.stream(**ASK) as stream:
                message = await stream.get_final_message()
        assert [block.type for block in message.content] == [block["type"] for block in TURN]
        span = the_call(collector)
        assert_in_order(span)
        await client.messages.create(**{**ASK, "messages": rebuilt(span)})
    assert refusal_of(server.requests[-1].body["messages"]) is None


def test_pain_f4_the_next_request_tells_of_the_same_thoughts(server: FakeProvider, collector: OtlpHttpReceiver) -> None:
    history = [
        *OPENING,
        {"role": "assistant", "content": TURN},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_01", "content": "in Lisbon"}]},
    ]
    with (
        Anthropic(api_key="sk-test", base_url=server.url, max_retries=0) as client,
        sentrial.begin("user_1", "agent"),
    ):
        list(client.messages.create(**{**ASK, "messages": history}, stream=True))
    asked = json.loads(the_call(collector)["attributes"]["gen_ai.input.messages"])
    assert list(map(block_of, asked[1]["parts"])) == TURN


def test_pain_f4_the_check_of_what_is_sent_again_is_strict() -> None:
    turn: dict[str, Any] = {"role": "assistant", "content": TURN}
    results = [{"type": "tool_result", "tool_use_id": name, "content": text} for name, text in RESULTS.items()]
    messages: list[dict[str, Any]] = [*OPENING, turn, {"role": "user", "content": results}]
    assert refusal_of(messages) is None
    unsigned = [{**block, "signature": "c2ln"} if block["type"] == "thinking" else block for block in TURN]
    for content in (unsigned, TURN[1:], [*TURN[1:2], TURN[0], *TURN[2:]], [TURN[0], *TURN[2:]]):
        assert refusal_of([messages[0], {**turn, "content": content}, messages[2]]) is not None
    assert refusal_of([*messages[:2], {"role": "user", "content": results[:1]}]) is not None
