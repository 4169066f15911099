"""Servers whose instrumentation reads what came in: theirs are the first spans of a session from elsewhere."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import flask
import grpc
import pytest
import requests
from opentelemetry import trace
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.instrumentation.grpc import GrpcInstrumentorServer
from opentelemetry.sdk.trace import TracerProvider
from werkzeug.serving import make_server

import sentrial
from receivers import SentrialStandIn
from running import arrived, is_current, session_of
from sentrial._handle import Handle, write_handle
from sentrial._registry import remember_foreign

KEY = "sentrial_test_key"


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    trace.set_tracer_provider(TracerProvider(shutdown_on_exit=False))
    with SentrialStandIn([KEY]) as stand_in:
        yield stand_in


def configure(server: SentrialStandIn, **settings: Any) -> None:
    sentrial.configure(api_key=KEY, api_url=server.url, flush_interval=0.01, **settings)


def handler() -> str:
    """What both servers do: a query, and a model call of whatever session there is."""
    trace.get_tracer("db").start_span("SELECT").end()
    session = sentrial.get_current_interaction()
    if session is not None:
        session.track_llm_call("model", provider="test")
    return sentrial.get_current_session_id() or "none"


@contextmanager
def in_flask() -> Iterator[Callable[[dict[str, str]], str]]:
    app = flask.Flask("shop")
    app.route("/ask")(handler)
    FlaskInstrumentor().instrument_app(app)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield lambda headers: requests.get(f"http://127.0.0.1:{server.port}/ask", headers=headers, timeout=20).text
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        FlaskInstrumentor().uninstrument_app(app)


@contextmanager
def in_grpc() -> Iterator[Callable[[dict[str, str]], str]]:
    def ask(request: bytes, context: grpc.ServicerContext) -> bytes:
        return handler().encode()

    instrumentor = GrpcInstrumentorServer()
    instrumentor.instrument()
    try:
        with ThreadPoolExecutor(2) as pool:
            server = grpc.server(pool)
            method = grpc.unary_unary_rpc_method_handler(ask)
            server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("Shop", {"Ask": method})])
            port = server.add_insecure_port("127.0.0.1:0")
            server.start()
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                call = channel.unary_unary("/Shop/Ask")
                yield lambda headers: call(b"", metadata=list(headers.items()), timeout=20).decode()
            server.stop(None).wait()
    finally:
        instrumentor.uninstrument()


SERVERS = {"GET /ask": in_flask, "/Shop/Ask": in_grpc}


def from_elsewhere() -> tuple[str, dict[str, str]]:
    """A session that no process here knows, and what comes with a request of it."""
    trace_id = secrets.token_hex(16)
    session_id = f"{trace_id}-{secrets.token_hex(8)}"
    stand_in = remember_foreign(Handle(session_id, "agent", "u1", "c1"), None)
    assert stand_in is not None
    entry = write_handle(stand_in)
    return session_id, {"traceparent": f"00-{trace_id}-00f067aa0ba902b7-01", "baggage": f"sentrial.session={entry}"}


@pytest.mark.parametrize("auto", ["off", "request,call"])
@pytest.mark.parametrize("name", SERVERS)
def test_the_servers_own_span_and_all_below_belong_to_the_session_from_elsewhere(
    server: SentrialStandIn, name: str, auto: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SENTRIAL_AUTO_SESSION", auto)
    configure(server, trust_incoming=True)
    session_id, headers = from_elsewhere()
    with SERVERS[name]() as ask:
        assert ask(headers) == session_id
        assert ask({}) == "none"
        assert ask({"traceparent": headers["traceparent"]}) == "none"
    assert is_current(None)
    spans = arrived(server)
    assert set(spans) == {name, "SELECT", "chat model"}
    assert spans[name]["parent_span_id"] == "00f067aa0ba902b7"
    assert {spans[each]["parent_span_id"] for each in ("SELECT", "chat model")} == {spans[name]["span_id"]}
    for span in spans.values():
        assert (span["trace_id"], session_of(span)) == (session_id[:32], session_id)
        assert (span["attributes"]["user.id"], span["attributes"]["session.id"]) == ("u1", "c1")


@pytest.mark.parametrize("name", SERVERS)
@pytest.mark.parametrize("settings", [{}, {"propagate_session": True}, {"trust_incoming": False}])
def test_unless_it_is_told_to_no_server_believes_it(
    server: SentrialStandIn, name: str, settings: dict[str, Any]
) -> None:
    configure(server, **settings)
    _, headers = from_elsewhere()
    with SERVERS[name]() as ask:
        assert ask(headers) == "none"
    assert sentrial.flush(10)
    assert server.spans == []
