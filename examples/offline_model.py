"""A stand-in for a model provider, so that the examples run without a network and without a key.

It listens on the loopback interface only, and speaks as much of the chat completions API as the examples need. To see
an example with a real model, give the OpenAI client your own key and leave ``base_url`` out.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


def asks_for(call_id: str, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """An answer in which the model asks for a tool."""
    function = {"name": tool, "arguments": json.dumps(arguments)}
    return {
        "message": {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": call_id, "type": "function", "function": function}],
        },
        "finish_reason": "tool_calls",
    }


def says(text: str) -> dict[str, Any]:
    """An answer in words."""
    return {"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}


@contextmanager
def offline_model(*answers: dict[str, Any], pause: float = 0.12) -> Iterator[str]:
    """Serve ``answers`` one after the other; gives the ``base_url`` for a client. ``pause``: seconds per answer."""
    waiting = iter(answers)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            time.sleep(pause)
            answer = next(waiting)
            prompt_tokens = 60 + len(json.dumps(request["messages"])) // 4
            completion_tokens = 12 + len(json.dumps(answer["message"])) // 4
            body = json.dumps(
                {
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
            ).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name in the standard library
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        server.server_close()
