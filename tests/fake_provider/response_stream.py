"""A response cut into the events of a stream, as OpenAI sends them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

Event = dict[str, Any]


def response_event(data: Event) -> bytes:
    """One server-sent event, named after its type."""
    return f"event: {data['type']}\ndata: {json.dumps(data)}\n\n".encode()


def response_events_of(response: dict[str, Any]) -> list[bytes]:
    """The events of ``response``; the last one depends on its status."""
    return [response_event({**event, "sequence_number": number}) for number, event in enumerate(_events(response))]


def _events(response: dict[str, Any]) -> Iterator[Event]:
    begun = {**response, "status": "in_progress", "output": [], "usage": None, "error": None}
    begun |= {"incomplete_details": None}
    yield {"type": "response.created", "response": begun}
    yield {"type": "response.in_progress", "response": begun}
    for index, item in enumerate(response["output"]):
        place = {"output_index": index, "item_id": item["id"]}
        yield {"type": "response.output_item.added", "output_index": index, "item": _begun(item)}
        for event in _pieces(item):
            yield {**place, **event}
        yield {"type": "response.output_item.done", "output_index": index, "item": item}
    status = response["status"] if response["status"] in ("failed", "incomplete") else "completed"
    yield {"type": f"response.{status}", "response": {**response, "status": status}}


def _begun(item: dict[str, Any]) -> dict[str, Any]:
    empty = {"content": [], "summary": [], "arguments": "", "input": ""}
    begun = {**item, **{key: value for key, value in empty.items() if key in item}}
    return {**begun, "status": "in_progress"} if "status" in item else begun


def _pieces(item: dict[str, Any]) -> Iterator[Event]:
    for number, part in enumerate(item.get("summary") or ()):
        place = {"summary_index": number}
        yield {"type": "response.reasoning_summary_part.added", **place, "part": {**part, "text": ""}}
        for piece in _words(part["text"]):
            yield {"type": "response.reasoning_summary_text.delta", **place, "delta": piece}
        yield {"type": "response.reasoning_summary_text.done", **place, "text": part["text"]}
        yield {"type": "response.reasoning_summary_part.done", **place, "part": part}
    for number, part in enumerate(item.get("content") or ()):
        kind, field = ("refusal", "refusal") if part["type"] == "refusal" else ("output_text", "text")
        place = {"content_index": number}
        yield {"type": "response.content_part.added", **place, "part": {**part, field: ""}}
        for piece in _words(part[field]):
            more = {"logprobs": []} if kind == "output_text" else {}
            yield {"type": f"response.{kind}.delta", **place, "delta": piece, **more}
        yield {"type": f"response.{kind}.done", **place, field: part[field]}
        yield {"type": "response.content_part.done", **place, "part": part}
    for field, kind in (("arguments", f"{item['type']}_arguments"), ("input", f"{item['type']}_input")):
        if item.get(field):
            for piece in _words(item[field]):
                yield {"type": f"response.{kind}.delta", "delta": piece}
            more = {"name": item["name"]} if item["type"] == "function_call" else {}
            yield {"type": f"response.{kind}.done", field: item[field], **more}


def _words(text: str) -> list[str]:
    words = text.split(" ")
    return [word if number == len(words) - 1 else f"{word} " for number, word in enumerate(words)]
