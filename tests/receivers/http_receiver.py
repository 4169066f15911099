"""A loopback HTTP server that keeps what it gets and plays faults."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from receivers.certificates import Certificates
from receivers.received import Fault, Received, Request

Answer = tuple[int, dict[str, str], bytes]


class HttpReceiver(Received):
    """Subclasses say in ``answer`` what to do with a request."""

    def __init__(self, tls: Certificates | None = None, *, client_certificate: bool = False) -> None:
        """With ``client_certificate``, clients have to show one that the same authority signed."""
        super().__init__()
        self._sockets: set[socket.socket] = set()
        self.connections = 0  # accepted so far
        self._server = _Server(self)
        self._tls = tls
        if tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls.server_certificate, tls.server_key)
            if client_certificate:
                context.load_verify_locations(tls.authority)
                context.verify_mode = ssl.CERT_REQUIRED
            self._server.tls = context
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """The base URL, without a slash at the end."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Any:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stops listening and cuts every connection."""
        self._release()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
        self.close_connections()

    def close_connections(self) -> None:
        """Cuts the connections that are open now, the kept-alive ones above all; goes on listening."""
        with self._changed:
            sockets, self._sockets = self._sockets, set()
        for each in sockets:
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def respond(
        self, status: int, headers: Mapping[str, str] | None = None, body: bytes = b"", *, times: int = 1
    ) -> None:
        """The next requests get this answer; with a status of 2xx they are stored all the same."""
        self._faults.extend(Fault("respond", status, dict(headers or {}), body) for _ in range(times))

    def answer(self, request: Request) -> Answer:
        """Stores ``request`` (``_stored``) or refuses it."""
        raise NotImplementedError

    def handle(self, request: Request) -> Answer | None:
        fault = self._arrived(request)
        if fault is None:
            return self.answer(request)
        if fault.kind == "drop":
            return None
        if 200 <= fault.status < 300:
            self.answer(request)
        return fault.status, dict(fault.headers), fault.body


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, receiver: HttpReceiver) -> None:
        self.receiver = receiver
        self.tls: ssl.SSLContext | None = None
        super().__init__(("127.0.0.1", 0), _Handler)

    def get_request(self) -> tuple[Any, Any]:
        connection, address = super().get_request()
        if self.tls is not None:
            # The handshake is done by the first read, in the connection's own thread.
            connection = self.tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        with self.receiver._changed:
            self.receiver._sockets.add(connection)
            self.receiver.connections += 1
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        with self.receiver._changed:
            self.receiver._sockets.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away, or refuse our certificate, are the subject of tests and no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length", 0))
        body = self.rfile.read(length)
        if len(body) < length:
            # A client that was killed in the middle has sent nothing.
            self.close_connection = True
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.server.receiver.handle(Request(self.path, headers, body, method=self.command))
        if answer is None:
            self.close_connection = True
            return
        status, extra, reply = answer
        self.send_response(status)
        for name, value in {"Content-Length": str(len(reply)), **extra}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply)

    do_GET = do_PATCH = do_POST  # noqa: N815 - the names are the base class's

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        """Nothing on the terminal."""
