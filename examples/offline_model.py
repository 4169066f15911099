"""A stand-in for a model provider, so that the examples run without a network and without a key.

It listens on the loopback interface only, and speaks as much of the chat completions API as the examples need. To see
an example with a real model, give the OpenAI client your own key and leave ``base_url`` out.
"""

from __future__ import annotations

import json
import os
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = dict[str, Any]
Messages = list[dict[str, Any]]


def asks_for(call_id: str, tool: str, arguments: dict[str, Any]) -> Answer:
    """An answer in which the model asks for a tool."""
    return asks_for_several((call_id, tool, arguments))


def asks_for_several(*calls: tuple[str, str, dict[str, Any]]) -> Answer:
    """An answer in which the model asks for several tools at once: for each its id, its name and its arguments."""
    tool_calls = [
        {"id": call_id, "type": "function", "function": {"name": tool, "arguments": json.dumps(arguments)}}
        for call_id, tool, arguments in calls
    ]
    return {
        "message": {"role": "assistant", "content": None, "tool_calls": tool_calls},
        "finish_reason": "tool_calls",
    }


def says(text: str) -> Answer:
    """An answer in words."""
    return {"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}


@contextmanager
def offline_model(*answers: Answer | Callable[[Messages], Answer], pause: float = 0.12) -> Iterator[str]:
    """Serve ``answers`` one after the other, the last one for ever; gives the ``base_url`` for a client.

    A function among them is given the messages and makes the answer. ``pause``: seconds before an answer; half of it
    passes between the words of a stream. ``OFFLINE_MODEL_PAUSE`` in the environment takes its place, for who wants
    to see the words come, or to go away between them.
    """
    pause = float(os.environ.get("OFFLINE_MODEL_PAUSE", pause))
    waiting = list(answers)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle(self) -> None:
            # A client may hang up in the middle of an answer, or while the next request is awaited.
            with suppress(ConnectionError):
                super().handle()

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            time.sleep(pause)
            answer = waiting.pop(0) if len(waiting) > 1 else waiting[0]
            completion = _completion(request["messages"], answer(request["messages"]) if callable(answer) else answer)
            if request.get("stream"):
                wants_usage = (request.get("stream_options") or {}).get("include_usage", False)
                self.reply("text/event-stream", _chunks(completion, wants_usage), pause / 2)
            else:
                self.reply("application/json", [json.dumps(completion)], 0)

        def reply(self, content_type: str, pieces: Iterable[str], pause: float) -> None:
            self.send_response(200)
            self.send_header("Content-Type", content_type)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for piece in pieces:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece.encode()), piece.encode()))
                time.sleep(pause)
            self.wfile.write(b"0\r\n\r\n")

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name in the standard library
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        server.server_close()


def _completion(messages: Messages, answer: Answer) -> dict[str, Any]:
    prompt_tokens = 60 + len(json.dumps(messages)) // 4
    completion_tokens = 12 + len(json.dumps(answer["message"])) // 4
    return {
        "id": f"chatcmpl-offline-{prompt_tokens}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": "gpt-4o-2024-08-06",
        "choices": [{"index": 0, **answer}],
        "usage": {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": prompt_tokens + completion_tokens,
        },
    }


def _chunks(completion: dict[str, Any], wants_usage: bool) -> Iterator[str]:
    """The same answer as the events of a stream, word by word."""
    for chunk in _deltas(completion, wants_usage):
        yield f"data: {json.dumps(chunk)}\n\n"
    yield "data: [DONE]\n\n"


def _deltas(completion: dict[str, Any], wants_usage: bool) -> Iterator[dict[str, Any]]:
    (choice,) = completion["choices"]
    head = {**completion, "object": "chat.completion.chunk", "usage": None}
    said: list[dict[str, Any]] = [
        {"content": word} for word in re.findall(r"\S+\s*", choice["message"]["content"] or "")
    ]
    for index, call in enumerate(choice["message"].get("tool_calls", ())):
        said.append({"tool_calls": [{"index": index, **call}]})
    for piece in said:
        yield {**head, "choices": [{"index": 0, "delta": {"role": "assistant", **piece}, "finish_reason": None}]}
    yield {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}]}
    if wants_usage:
        yield {**head, "choices": [], "usage": completion["usage"]}
