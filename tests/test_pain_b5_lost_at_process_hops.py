"""Context lost at process hops, over HTTP: a session asks a service, both with OpenTelemetry's instrumentations."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
import requests
from opentelemetry import trace
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.instrumentation.requests import RequestsInstrumentor

import sentrial
from receivers import SentrialStandIn
from running import Span, by_name, id_of, running_program, session_of

KEY = "sentrial_test_key"

SERVICE = """
import asyncio
import signal
import socket
import sys

import sentrial
import uvicorn
from fastapi import FastAPI
from opentelemetry import trace
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor

app = FastAPI()


@sentrial.tool
async def look_up(text: str) -> str:
    trace.get_tracer("db").start_span("SELECT").end()
    await asyncio.sleep(0)
    return text


@app.get("/ask/{mark}")
async def ask(mark: str) -> str | None:
    session = sentrial.get_current_interaction()
    if session is None:
        with trace.get_tracer("db").start_as_current_span("outside"):
            return None
    with session.llm("model", provider="test", input=mark) as call:
        await asyncio.sleep(0)
        call.set_output(await look_up(mark))
    return session.session_id


@app.get("/delegate/{user}")
async def delegate(user: str) -> None:
    with sentrial.begin(user, "expert"):
        await look_up("it")


FastAPIInstrumentor.instrument_app(app, exclude_spans=["receive", "send"])
sentrial.configure()
# uvicorn raises the signal that ended it once more: without a handler the process would end at once, with spans unsent.
signal.signal(signal.SIGTERM, lambda *_: sys.exit())
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
uvicorn.Server(uvicorn.Config(app, ws="none", lifespan="off", log_level="error")).run(sockets=[listener])
"""


class Service:
    """The service above, in a process of its own: ``end()`` returns when all its spans have been sent."""

    def __init__(self, server: SentrialStandIn, **variables: str) -> None:
        self._process = running_program(SERVICE, {"SENTRIAL_API_KEY": KEY, "SENTRIAL_API_URL": server.url, **variables})
        assert self._process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}"

    def end(self) -> str:
        self._process.send_signal(signal.SIGTERM)
        _, err = self._process.communicate(timeout=60)
        return err

    def __enter__(self) -> Service:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self.end()


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        yield stand_in


@pytest.fixture(autouse=True)
def instrumented() -> Iterator[None]:
    RequestsInstrumentor().instrument()
    HTTPXClientInstrumentor().instrument()
    yield
    HTTPXClientInstrumentor().uninstrument()
    RequestsInstrumentor().uninstrument()


def configure(server: SentrialStandIn, **settings: Any) -> None:
    sentrial.configure(api_key=KEY, api_url=server.url, flush_interval=0.01, propagate_session=True, **settings)


def names_up(spans: dict[str, Span], name: str) -> list[str]:
    """The way up from a span to its root."""
    by_id = {span["span_id"]: span for span in spans.values()}
    way, span = [name], spans[name]
    while span["parent_span_id"] is not None:
        span = by_id[span["parent_span_id"]]
        way.append(span["name"])
    return way


@pytest.mark.parametrize("get", [requests.get, httpx.get])
def test_pain_b5_what_a_service_does_for_a_session_lies_in_it_under_the_tool_that_asked(
    server: SentrialStandIn, get: Any
) -> None:
    configure(server)
    with Service(server, SENTRIAL_TRUST_INCOMING="true") as service:
        with sentrial.begin("u1", "agent", convo_id="c1") as session, session.tool("ask_the_service"):
            answered = get(f"{service.url}/ask/it", timeout=60).json()
        assert service.end() == ""
    assert answered == session.session_id
    assert sentrial.flush(10)
    spans = by_name(server.spans)
    assert set(spans) == {
        "invoke_agent agent", "execute_tool ask_the_service", "GET", "GET /ask/{mark}", "chat model",
        "execute_tool look_up", "SELECT",
    }  # fmt: skip
    assert names_up(spans, "SELECT") == [
        "SELECT", "execute_tool look_up", "chat model", "GET /ask/{mark}", "GET", "execute_tool ask_the_service",
        "invoke_agent agent",
    ]  # fmt: skip
    for span in spans.values():
        attributes = span["attributes"]
        assert (span["trace_id"], session_of(span)) == (session.session_id[:32], session.session_id)
        assert (attributes["user.id"], attributes["session.id"]) == ("u1", "c1")
    assert spans["chat model"]["attributes"]["gen_ai.conversation.id"] == "c1"
    assert "gen_ai.conversation.id" not in spans["GET /ask/{mark}"]["attributes"]


def test_a_session_that_the_service_begins_for_the_same_user_is_a_sub_agent_and_for_another_one_its_own(
    server: SentrialStandIn,
) -> None:
    configure(server)
    with Service(server, SENTRIAL_TRUST_INCOMING="true") as service:
        with sentrial.begin("u1", "agent") as session:
            assert requests.get(f"{service.url}/delegate/u1", timeout=60).status_code == 200
        with sentrial.begin("u2", "other agent") as other:
            assert requests.get(f"{service.url}/delegate/u1", timeout=60).status_code == 200
        service.end()
    assert sentrial.flush(10)
    experts = [span for span in server.spans if span["name"] == "invoke_agent expert"]
    ours, own = sorted(experts, key=lambda span: span["parent_span_id"] is None)
    assert (session_of(ours), ours["trace_id"]) == (session.session_id, session.session_id[:32])
    assert own["parent_span_id"] is None
    assert session_of(own) == id_of(own) != other.session_id
    assert own["attributes"]["user.id"] == "u1"


def test_fifty_sessions_over_http_keep_to_their_own(server: SentrialStandIn) -> None:
    configure(server)
    url = ""
    answers: dict[str, tuple[str, str]] = {}

    async def in_loop(client: httpx.AsyncClient, n: int) -> None:
        with sentrial.begin(f"user-{n:02d}", "agent") as session:
            first, second = await asyncio.gather(*[client.get(f"{url}/ask/{n:02d}") for _ in range(2)])
            assert first.json() == second.json()
            answers[f"user-{n:02d}"] = session.session_id, first.json()

    async def all_in_loop() -> None:
        async with httpx.AsyncClient(timeout=60) as client:
            await asyncio.gather(*[in_loop(client, n) for n in range(25)])

    def in_thread(n: int) -> None:
        with sentrial.begin(f"user-{n:02d}", "agent") as session:
            for _ in range(2):
                answers[f"user-{n:02d}"] = session.session_id, requests.get(f"{url}/ask/{n:02d}", timeout=60).json()

    with Service(server, SENTRIAL_TRUST_INCOMING="true") as service, ThreadPoolExecutor(10) as pool:
        url = service.url
        asked = [pool.submit(in_thread, n) for n in range(25, 50)]
        asyncio.run(all_in_loop())
        for each in asked:
            each.result(60)
        assert service.end() == ""
    assert sentrial.flush(20)
    assert len(answers) == 50
    of_session: dict[str, list[Span]] = {}
    for span in server.spans:
        of_session.setdefault(session_of(span), []).append(span)
    assert len(of_session) == 50
    for user, (session_id, answered) in answers.items():
        assert answered == session_id
        spans = of_session[session_id]
        assert Counter(span["name"] for span in spans) == {
            "invoke_agent agent": 1, "GET": 2, "GET /ask/{mark}": 2, "chat model": 2, "execute_tool look_up": 2,
            "SELECT": 2,
        }  # fmt: skip
        assert {span["attributes"]["user.id"] for span in spans} == {user}
        assert {span["trace_id"] for span in spans} == {session_id[:32]}
        ids = {span["span_id"] for span in spans}
        assert {span["parent_span_id"] for span in spans} <= ids | {None}
        told = {span["attributes"].get("gen_ai.input.messages") for span in spans if span["name"] == "chat model"}
        assert told == {f'[{{"role":"user","parts":[{{"type":"text","content":"{user[-2:]}"}}]}}]'}


def test_a_service_that_does_not_trust_what_comes_in_gets_the_trace_alone(server: SentrialStandIn) -> None:
    configure(server)
    with Service(server) as service:
        with sentrial.begin("u1", "agent") as session:
            assert requests.get(f"{service.url}/ask/it", timeout=60).json() is None
        assert service.end() == ""
    assert sentrial.flush(10)
    assert {span["name"] for span in server.spans} == {"invoke_agent agent", "GET"}
    assert {session_of(span) for span in server.spans} == {session.session_id}


def test_a_session_that_shares_its_trace_is_the_same_one_in_a_service_that_does_not(server: SentrialStandIn) -> None:
    configure(server, session_parent="inherit")
    with Service(server, SENTRIAL_TRUST_INCOMING="true") as service:
        with trace.get_tracer("web").start_as_current_span("GET /"), sentrial.begin("u1", "agent") as session:
            assert requests.get(f"{service.url}/ask/it", timeout=60).json() == session.session_id
        service.end()
    assert sentrial.flush(10)
    spans = by_name(server.spans)
    (trace_id,) = {span["trace_id"] for span in spans.values()}
    assert trace_id != session.session_id[:32]
    assert names_up(spans, "chat model") == ["chat model", "GET /ask/{mark}", "GET", "invoke_agent agent"]
    assert {session_of(span) for span in spans.values()} == {session.session_id}


def test_a_session_that_does_not_share_its_trace_is_the_same_one_in_a_service_where_sessions_do(
    server: SentrialStandIn,
) -> None:
    configure(server)
    with Service(server, SENTRIAL_TRUST_INCOMING="true", SENTRIAL_SESSION_PARENT="inherit") as service:
        with sentrial.begin("u1", "agent") as session:
            assert requests.get(f"{service.url}/ask/it", timeout=60).json() == session.session_id
        service.end()
    assert sentrial.flush(10)
    assert {span["trace_id"] for span in server.spans} == {session.session_id[:32]}
    assert len(server.spans) == 6


def test_a_session_that_is_not_sampled_is_sampled_by_no_service(
    server: SentrialStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(server, sample_rate=0.0)
    with Service(server, SENTRIAL_TRUST_INCOMING="true") as service:
        with sentrial.begin("u1", "agent") as session:
            assert requests.get(f"{service.url}/ask/it", timeout=60).json() == session.session_id
        assert service.end() == ""
    assert sentrial.flush(10)
    assert server.spans == []
