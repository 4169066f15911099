"""Where the old SDK sends: a server that takes everything, and what it was told of model calls, as if in spans."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class OldServer:
    """A context manager; ``wanted``: whether there is somebody who sends."""

    def __init__(self, wanted: bool) -> None:
        self._wanted = wanted
        self._events: list[dict[str, Any]] = []

    def __enter__(self) -> OldServer:
        if self._wanted:
            events = self._events

            class Handler(BaseHTTPRequestHandler):
                """Says yes."""

                protocol_version = "HTTP/1.1"

                def do_POST(self) -> None:
                    events.append(json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}"))
                    self._yes()

                def do_PATCH(self) -> None:
                    self.do_POST()

                def do_GET(self) -> None:
                    self._yes()

                def _yes(self) -> None:
                    body = json.dumps({"id": "sess_1", "config": {"enabled": False}}).encode()
                    self.send_response(200)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

                def log_message(self, *_: Any) -> None:
                    """Say nothing."""

            self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
            self._server.daemon_threads = True
            threading.Thread(target=self._server.serve_forever, daemon=True).start()
            import sentrial

            sentrial.configure(
                api_key="sentrial_test_key", api_url=f"http://127.0.0.1:{self._server.server_address[1]}"
            )
        return self

    def __exit__(self, *_: object) -> None:
        if self._wanted:
            self._server.shutdown()

    @contextmanager
    def session(self) -> Iterator[None]:
        """A session around a program: the old SDK records nothing outside of one."""
        if not self._wanted:
            yield
            return
        import sentrial

        with sentrial.begin(user_id="u", event="compared", input="Where is it?"):
            yield

    def spans(self) -> list[dict[str, Any]]:
        """What it was told since the last time."""
        told, self._events[:] = list(self._events), []
        calls = [event for event in told if str(event.get("toolName")).startswith("llm:")]
        return [_span(event, number) for number, event in enumerate(calls)]


def _span(event: dict[str, Any], number: int) -> dict[str, Any]:
    tokens = (event.get("toolOutput") or {}).get("tokens") or {}
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.usage.input_tokens": tokens.get("prompt"),
        "gen_ai.usage.output_tokens": tokens.get("completion"),
    }
    return {
        "name": event.get("toolName"),
        "scope": "sentrial 0.6.0",
        "start": number,
        "status": "UNSET" if event.get("eventType") == "tool_call" else "ERROR",
        "attributes": {key: value for key, value in attributes.items() if value is not None},
    }
