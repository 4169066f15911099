"""Where a session goes along by itself: nowhere by default, everywhere or to some hosts where that is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import requests
from openai import OpenAI
from opentelemetry import baggage, propagate, trace
from opentelemetry import context as otel_context
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.sdk.trace import TracerProvider

import sentrial
from fake_provider import Answer as Reply
from fake_provider import FakeProvider
from receivers import SentrialStandIn
from receivers.http_receiver import Answer, HttpReceiver
from receivers.received import Request
from running import run_program
from sentrial.propagation import extract, inject

KEY = "sentrial_test_key"


class Elsewhere(HttpReceiver):
    """Some server: it keeps what it gets."""

    def answer(self, request: Request) -> Answer:
        return 200, {"Content-Type": "application/json"}, b"{}"

    @property
    def last(self) -> dict[str, str]:
        """The headers of the last request, those of a trace."""
        headers = self.requests[-1].headers
        return {name: headers[name] for name in ("traceparent", "tracestate", "baggage") if name in headers}


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    with Elsewhere() as server:
        yield server


@pytest.fixture
def instrumented() -> Iterator[None]:
    RequestsInstrumentor().instrument()
    HTTPXClientInstrumentor().instrument()
    yield
    HTTPXClientInstrumentor().uninstrument()
    RequestsInstrumentor().uninstrument()


def configure(**settings: Any) -> None:
    """Sessions go to the local store in the test's home."""
    sentrial.configure(store=True, **settings)


def by_name(server: Elsewhere) -> str:
    return server.url.replace("127.0.0.1", "localhost")


def is_told(headers: dict[str, str], session: sentrial.Interaction) -> bool:
    """Whether a request with ``headers`` names ``session``."""
    assert headers.keys() <= {"traceparent", "baggage"}
    told = "sentrial.session=" in headers.get("baggage", "")
    if told:
        assert extract(headers, trust=True).session_id == session.session_id
    return told


@pytest.mark.parametrize("post", [requests.post, httpx.post])
def test_by_default_a_request_carries_nothing_of_ours(instrumented: None, elsewhere: Elsewhere, post: Any) -> None:
    configure()
    propagator = propagate.get_global_textmap()
    with sentrial.begin("u1", "agent"):
        post(elsewhere.url, timeout=60)
    assert elsewhere.last.keys() == {"traceparent"}
    assert propagate.get_global_textmap() is propagator
    assert type(propagator).__module__.startswith("opentelemetry.")


@pytest.mark.parametrize("setting", [False, True, ["*"]])
def test_pain_g2_a_model_provider_gets_nothing_that_no_instrumentation_of_http_sends(setting: Any) -> None:
    configure(propagate_session=setting)
    with FakeProvider() as provider, OpenAI(api_key="sk-test", base_url=provider.base_url, max_retries=0) as client:
        provider.queue(Reply.reply())
        with sentrial.begin("u1", "agent"):
            client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Hi"}])
        (request,) = provider.requests
    assert not request.headers.keys() & {"traceparent", "tracestate", "baggage"}
    assert not [name for name in request.headers if "sentrial" in name or "session" in name]


@pytest.mark.parametrize("post", [requests.post, httpx.post])
def test_pain_g2_with_hosts_it_goes_there_and_only_there(instrumented: None, elsewhere: Elsewhere, post: Any) -> None:
    configure(propagate_session=["*.internal", "localhost"])
    with sentrial.begin("u1", "agent") as session:
        post(elsewhere.url, timeout=60)
        assert elsewhere.last.keys() == {"traceparent"}
        post(by_name(elsewhere), timeout=60)
        assert is_told(elsewhere.last, session)
        post(elsewhere.url, timeout=60)
        assert elsewhere.last.keys() == {"traceparent"}
        assert dict(baggage.get_all()) == {}
    post(by_name(elsewhere), timeout=60)
    assert elsewhere.last.keys() == {"traceparent"}


@pytest.mark.parametrize("post", [requests.post, httpx.post])
def test_asked_for_everywhere_it_goes_along_with_every_trace(
    instrumented: None, elsewhere: Elsewhere, post: Any
) -> None:
    configure(propagate_session=True)
    with sentrial.begin("u1", "agent") as session:
        for url in (elsewhere.url, by_name(elsewhere)):
            post(url, timeout=60)
            assert is_told(elsewhere.last, session)


@pytest.mark.parametrize(
    ("hosts", "host", "goes"),
    [
        ("*.internal", "tools.internal", True),
        ("*.internal", "a.b.internal", True),
        ("*.internal", "internal", False),
        ("*.internal", ".internal", False),
        ("*.internal", "tools.internal.evil.example", False),
        ("*.internal", "evilinternal", False),
        ("TOOLS.internal", "Tools.Internal", True),
        ("tools.internal", "tools-internal", False),
        ("10.0.*", "10.0.3.4", True),
        ("10.0.*", "110.0.3.4", False),
        ("a.example, b.example", "b.example", True),
        ("::1", "::1", True),
        ("*", "api.openai.com", True),
    ],
)
def test_hosts_are_whole_names_and_a_star_stands_for_any_part(hosts: str, host: str, goes: bool) -> None:
    configure(propagate_session=hosts)
    headers: dict[str, str] = {}
    with sentrial.begin("u1", "agent"):
        tracer = trace.get_tracer("http")
        with tracer.start_as_current_span(
            "GET", kind=trace.SpanKind.CLIENT, attributes={"server.address": host, "url.scheme": "https"}
        ):
            propagate.inject(headers)
    assert ("baggage" in headers) is goes


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"url.full": "https://evil.example/?next=tools.internal", "server.address": "tools.internal"},
        {"http.url": "http://[tools.internal"},
        {"http.url": "tools.internal"},
        {"url.full": "https://tools.internal@evil.example/"},
        {"server.address": 7},
        {"http.host": "tools.internal"},
    ],
)
def test_where_it_is_not_sure_that_a_request_goes_to_such_a_host_the_session_stays(attributes: Any) -> None:
    configure(propagate_session="tools.internal")
    headers: dict[str, str] = {}
    with sentrial.begin("u1", "agent"):
        tracer = trace.get_tracer("http")
        with tracer.start_as_current_span("GET", kind=trace.SpanKind.CLIENT, attributes=attributes):
            propagate.inject(headers)
        assert headers.keys() == {"traceparent"}
        with tracer.start_as_current_span("work", attributes={"server.address": "tools.internal"}):
            propagate.inject(headers)
        propagate.inject(headers)
    assert headers.keys() == {"traceparent"}


def test_an_injection_by_hand_goes_where_the_application_sends_it() -> None:
    configure(propagate_session="tools.internal")
    headers: dict[str, str] = {}
    with sentrial.begin("u1", "agent") as session:
        inject(headers)
    assert is_told(headers, session)


def test_the_applications_own_baggage_goes_where_it_went(instrumented: None, elsewhere: Elsewhere) -> None:
    configure(propagate_session="localhost")
    token = otel_context.attach(baggage.set_baggage("tier", "gold"))
    with sentrial.begin("u1", "agent") as session:
        requests.post(elsewhere.url, timeout=60)
        assert elsewhere.last["baggage"] == "tier=gold"
        requests.post(by_name(elsewhere), timeout=60)
        assert "tier=gold" in elsewhere.last["baggage"].split(",")
        assert is_told(elsewhere.last, session)
    otel_context.detach(token)


def test_a_session_that_is_not_sampled_goes_only_where_no_host_has_to_be_known(
    instrumented: None, elsewhere: Elsewhere
) -> None:
    for setting, goes in (("localhost", False), (True, True)):
        configure(propagate_session=setting, sample_rate=0.0)
        with sentrial.begin("u1", "agent") as session:
            requests.post(by_name(elsewhere), timeout=60)
            assert is_told(elsewhere.last, session) is goes
            assert int(elsewhere.last["traceparent"][-2:], 16) & trace.TraceFlags.SAMPLED == 0


def test_a_session_that_a_stranger_named_goes_no_further() -> None:
    configure(propagate_session=True)
    trace.set_tracer_provider(TracerProvider(shutdown_on_exit=False))
    incoming = {
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "baggage": "sentrial.session=0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331,tier=gold",
    }
    context = propagate.extract(incoming)
    assert dict(baggage.get_all(context)) == {"tier": "gold"}
    outgoing: dict[str, str] = {}
    propagate.inject(outgoing, baggage.set_baggage("sentrial.session", "forged", context))
    assert outgoing == {**incoming, "baggage": "tier=gold"}


SEMCONV = """
import json
import os

import httpx
import requests
import sentrial
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.instrumentation.requests import RequestsInstrumentor

RequestsInstrumentor().instrument()
HTTPXClientInstrumentor().instrument()
sentrial.configure()
with sentrial.begin("u1", "agent") as session:
    for post in (requests.post, httpx.post):
        for url in (os.environ["THERE"], os.environ["ELSEWHERE"]):
            post(url, timeout=60)
"""


@pytest.mark.parametrize("names", ["", "http", "http/dup"])
def test_the_instrumentations_name_the_host_in_old_words_and_in_new_ones(elsewhere: Elsewhere, names: str) -> None:
    with SentrialStandIn([KEY]) as server:
        variables = {
            "SENTRIAL_API_KEY": KEY,
            "SENTRIAL_API_URL": server.url,
            "SENTRIAL_PROPAGATE_SESSION": "localhost",
            "OTEL_SEMCONV_STABILITY_OPT_IN": names,
            "THERE": by_name(elsewhere),
            "ELSEWHERE": elsewhere.url,
        }
        assert run_program(SEMCONV, variables).err == ""
    assert ["baggage" in request.headers for request in elsewhere.requests] == [True, False, True, False]


def test_a_session_that_began_by_itself_goes_along_once_it_has_begun(
    instrumented: None, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SENTRIAL_AUTO_SESSION", "request")
    configure(propagate_session=True)
    trace.set_tracer_provider(TracerProvider(shutdown_on_exit=False))
    sentrial.begin("u", "first").finish()  # joins the provider
    tracer = trace.get_tracer("web")
    with tracer.start_as_current_span("GET /", kind=trace.SpanKind.SERVER):
        requests.post(elsewhere.url, timeout=60)
        assert elsewhere.last.keys() == {"traceparent"}
        with tracer.start_as_current_span("chat gpt-4o", attributes={"gen_ai.operation.name": "chat"}):
            pass
        requests.post(elsewhere.url, timeout=60)
    with extract(elsewhere.last, trust=True) as received:
        assert received.found
        span = trace.get_tracer("db").start_span("SELECT")
        assert span.attributes["sentrial.session.id"] == received.session_id
        span.end()
