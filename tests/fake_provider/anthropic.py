"""Anthropic's API, as far as it is spoken here, and the roads to it through Bedrock and Vertex."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator
from struct import pack
from typing import Any

from fake_provider.answer import Answer, Request, Routes
from fake_provider.replies import read_reply

EVENT_STREAM = "application/vnd.amazon.eventstream"


def event(data: dict[str, Any]) -> bytes:
    """One server-sent event."""
    return f"event: {data['type']}\ndata: {json.dumps(data)}\n\n".encode()


def message_stream(name: str = "message_text", *, chunks: int = 4, **changes: Any) -> Answer:
    """A canned message as a stream; ``chunks``: pieces of each text."""
    return Answer(events=[event(data) for data in events_of(read_reply(name), chunks)], **changes)


def bedrock_stream(name: str = "message_text", *, chunks: int = 4, **changes: Any) -> Answer:
    """A canned message as Bedrock streams it: in frames of AWS's own."""
    events = [_frame(data) for data in events_of(read_reply(name), chunks)]
    return Answer(events=events, kind=EVENT_STREAM, **changes)


def error(status: int, kind: str, message: str = "no", **headers: str) -> Answer:
    """A refusal, as the API words it."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status=status, body=_error(kind, message), headers=named)


def error_in_stream(kind: str, *, after: int, name: str = "message_text", message: str = "no") -> Answer:
    """A stream that ends in an error after ``after`` events."""
    begun = [event(data) for data in events_of(read_reply(name), 4)][:after]
    return Answer(events=[*begun, event(_error(kind, message))])


def _error(kind: str, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}


def events_of(message: dict[str, Any], chunks: int = 4) -> Iterator[dict[str, Any]]:
    """The events that the API makes of ``message``, a ping among them."""
    usage = message["usage"]
    begun = {**usage, "output_tokens": 1}
    for late in ("output_tokens_details", "iterations", "server_tool_use"):
        begun.pop(late, None)
    head = {**message, "content": [], "stop_reason": None, "stop_sequence": None, "stop_details": None, "usage": begun}
    yield {"type": "message_start", "message": head}
    yield {"type": "ping"}
    for index, block in enumerate(message["content"]):
        empty, deltas = _block(block, chunks)
        yield {"type": "content_block_start", "index": index, "content_block": empty}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    delta = {key: message.get(key) for key in ("stop_reason", "stop_sequence", "stop_details", "container")}
    counted = {key: value for key, value in usage.items() if key not in ("cache_creation", "service_tier")}
    yield {"type": "message_delta", "delta": delta, "usage": counted}
    yield {"type": "message_stop"}


def _block(block: dict[str, Any], chunks: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A block as it begins, and what is added to it."""
    kind = block["type"]
    if kind == "text":
        return {**block, "text": ""}, [{"type": "text_delta", "text": each} for each in _pieces(block["text"], chunks)]
    if kind == "thinking":
        thoughts = [{"type": "thinking_delta", "thinking": each} for each in _pieces(block["thinking"], chunks)]
        empty = {**block, "thinking": "", "signature": ""}
        return empty, [*thoughts, {"type": "signature_delta", "signature": block["signature"]}]
    if kind == "compaction":
        return {"type": kind, "content": None}, [{"type": "compaction_delta", "content": block["content"]}]
    if "input" in block:
        pieces = _pieces(json.dumps(block["input"]), chunks)
        return {**block, "input": {}}, [{"type": "input_json_delta", "partial_json": each} for each in ["", *pieces]]
    return block, []


def _pieces(text: str, count: int) -> list[str]:
    step = max(1, -(-len(text) // count))
    return [text[start : start + step] for start in range(0, len(text), step)]


def _frame(data: dict[str, Any]) -> bytes:
    """One message of AWS's event stream: lengths and their checksum, headers, content, checksum of all."""
    content = json.dumps({"bytes": base64.b64encode(json.dumps(data).encode()).decode()}).encode()
    named = {":message-type": "event", ":event-type": "chunk", ":content-type": "application/json"}
    headers = b"".join(
        pack("!B", len(name)) + name.encode() + pack("!BH", 7, len(value)) + value.encode()
        for name, value in named.items()
    )
    prelude = pack("!II", 16 + len(headers) + len(content), len(headers))
    framed = prelude + pack("!I", zlib.crc32(prelude)) + headers + content
    return framed + pack("!I", zlib.crc32(framed))


def _message(request: Request) -> Answer:
    return message_stream() if request.body.get("stream") else Answer.reply("message_text")


def _completion(request: Request) -> Answer:
    reply = read_reply("anthropic_completion")
    if not request.body.get("stream"):
        return Answer(body=reply)
    pieces = [{**reply, "completion": each, "stop_reason": None} for each in _pieces(reply["completion"], 3)]
    return Answer(events=[event(piece) for piece in [*pieces, {**reply, "completion": ""}]])


ROUTES: Routes = {
    ("POST", ".*/v1/messages"): _message,
    ("POST", ".*/v1/messages/count_tokens"): lambda _: Answer(body={"input_tokens": 14}),
    ("POST", ".*/v1/complete"): _completion,
    ("POST", "/model/[^/]+/invoke"): lambda _: Answer.reply("message_text"),
    ("POST", "/model/[^/]+/invoke-with-response-stream"): lambda _: bedrock_stream(),
    ("POST", ".*/publishers/anthropic/models/[^/]+:rawPredict"): lambda _: Answer.reply("message_text"),
    ("POST", ".*/publishers/anthropic/models/[^/]+:streamRawPredict"): lambda _: message_stream(),
}
