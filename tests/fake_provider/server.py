"""The server: answers are queued by the test, requests are recorded, and a stream can be held between its events."""

from __future__ import annotations

import gzip
import json
import socket
import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from fake_provider.answer import Answer, Request
from fake_provider.authority import one_authority
from fake_provider.routes import answer_to

PATIENCE = 30
"""Seconds after which a held stream goes on by itself, so that a failing test ends."""


class FakeProvider:
    """A context manager. Answers in the order of :meth:`queue`; with none queued, as the path's API would."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self._answers: deque[Answer] = deque()
        self._gates: list[threading.Event] = []
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.provider = self
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._authority = one_authority()

    @property
    def host(self) -> str:
        """Its address."""
        return "127.0.0.1"

    @property
    def port(self) -> int:
        """Its port, another one each time."""
        return int(self._server.server_address[1])

    @property
    def base_url(self) -> str:
        """What a client of OpenAI's is given as ``base_url``."""
        return f"{self.url}/v1"

    @property
    def url(self) -> str:
        """The server itself."""
        return f"http://{self.host}:{self.port}"

    def __enter__(self) -> FakeProvider:
        self._thread.start()
        self._authority.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._authority.__exit__(None, None, None)
        for gate in self._gates:
            gate.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def queue(self, *answers: Answer) -> None:
        """Answer the next requests so."""
        self._gates += [answer.gate for answer in answers if answer.gate is not None]
        self._answers.extend(answers)

    def hold(self, name: str = "chat_text", *, after: int = 2, **changes: Any) -> threading.Event:
        """Queue a stream that waits after ``after`` events until the event that this returns is set."""
        gate = threading.Event()
        self.queue(Answer.stream(name, gate=gate, hold_after=after, **changes))
        return gate

    def take(self, request: Request) -> Answer:
        """Record ``request``, and give the answer to it."""
        self.requests.append(request)
        try:
            return self._answers.popleft()
        except IndexError:
            return answer_to(request)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    # A client that has gone away must not be waited for.
    block_on_close = False
    provider: FakeProvider

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are what many of the tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        self._answer({})

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self._answer(json.loads(self.rfile.read(length) or b"{}"))

    def _answer(self, body: dict[str, Any]) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.server.provider.take(Request(self.path, headers, body, self.command))
        if answer.events is None:
            self._send_body(answer)
        else:
            self._send_events(answer)

    def _send_body(self, answer: Answer) -> None:
        content = json.dumps(answer.body).encode()
        if answer.coding == "gzip":
            content = gzip.compress(content, mtime=0)
        self._send_head(answer, answer.kind or "application/json", {"Content-Length": str(len(content))})
        self.wfile.write(content)

    def _send_events(self, answer: Answer) -> None:
        assert answer.events is not None
        kind = answer.kind or "text/event-stream; charset=utf-8"
        if answer.coding == "gzip":
            self._send_head(answer, kind, {"Transfer-Encoding": "chunked"})
            self._send_piece(gzip.compress(b"".join(answer.events), mtime=0))
            self._send_piece(b"")
            return
        self._send_head(answer, kind, {"Transfer-Encoding": "chunked"})
        for number, data in enumerate(answer.events):
            if answer.gate is not None and number == answer.hold_after:
                answer.gate.wait(PATIENCE)
            if number == answer.cut_after:
                self._cut()
                return
            self._send_piece(data)
        self._send_piece(b"")

    def _send_piece(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def _send_head(self, answer: Answer, kind: str, headers: dict[str, str]) -> None:
        self.send_response(answer.status)
        coding = {"Content-Encoding": answer.coding} if answer.coding else {}
        always = {"Content-Type": kind, "x-request-id": "req_1"}
        for name, value in {**always, **headers, **coding, **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def _cut(self) -> None:
        # What was sent must arrive before the end does: half of the connection is closed, not all of it reset.
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_WR)

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Always the same `Date`: clients hand headers to the program, and tests hold one answer against another."""
        return super().date_time_string(0)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the standard library's
        """Say nothing."""
