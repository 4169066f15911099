"""Ours stands around the configured propagator where it is asked for, and leaves no trace where it is not any more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import baggage, propagate, trace
from opentelemetry.propagators.b3 import B3MultiFormat, B3SingleFormat
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.propagators.textmap import TextMapPropagator
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

import sentrial
from running import is_current, run_program
from sentrial._patch.propagator import SessionPropagator
from sentrial.propagation import extract, inject


@pytest.fixture(autouse=True)
def configured() -> Iterator[TextMapPropagator]:
    before = propagate.get_global_textmap()
    yield before
    sentrial.shutdown()
    propagate.set_global_textmap(before)


def configure(**settings: Any) -> None:
    sentrial.configure(store=True, **settings)


def injected() -> dict[str, str]:
    headers: dict[str, str] = {}
    propagate.inject(headers)
    return headers


@pytest.mark.parametrize("setting", [{"propagate_session": True}, {"propagate_session": "*"}, {"trust_incoming": True}])
def test_it_stands_around_the_configured_one_and_shutdown_takes_it_away(
    configured: TextMapPropagator, setting: dict[str, Any]
) -> None:
    for _ in range(2):
        configure(**setting)
        ours: Any = propagate.get_global_textmap()
        assert isinstance(ours, SessionPropagator)
        assert ours.configured is configured
        assert ours.fields == configured.fields
        assert ours._propagators is configured._propagators  # type: ignore[attr-defined]  # the SDK's, or ours
    sentrial.shutdown()
    assert propagate.get_global_textmap() is configured


def test_asked_for_no_longer_it_goes(configured: TextMapPropagator) -> None:
    configure(trust_incoming=True)
    configure()
    assert propagate.get_global_textmap() is configured
    configure(trust_incoming=True, enabled=False)
    assert propagate.get_global_textmap() is configured


def test_one_that_is_set_later_counts_and_is_stood_around_when_we_are_configured_again() -> None:
    configure(propagate_session=True)
    later = TraceContextTextMapPropagator()
    propagate.set_global_textmap(later)
    with sentrial.begin("u1", "agent"):
        assert injected().keys() == {"traceparent"}
    sentrial.shutdown()
    assert propagate.get_global_textmap() is later
    configure(propagate_session=True)
    assert propagate.get_global_textmap().configured is later  # type: ignore[attr-defined]  # the SDK's, or ours


class Around(TextMapPropagator):
    """What another library puts around the global one."""

    def __init__(self) -> None:
        self.inner = propagate.get_global_textmap()

    def inject(self, *args: Any, **kwargs: Any) -> None:
        self.inner.inject(*args, **kwargs)

    def extract(self, *args: Any, **kwargs: Any) -> Any:
        return self.inner.extract(*args, **kwargs)

    @property
    def fields(self) -> set[str]:
        return self.inner.fields


def test_inside_another_librarys_it_works_and_steps_aside_when_it_is_over() -> None:
    configure(propagate_session=True, trust_incoming=True)
    around = Around()
    propagate.set_global_textmap(around)
    for _ in range(2):
        with sentrial.begin("u1", "agent") as session:
            headers = injected()
        assert headers["baggage"].startswith("sentrial.session=sentrial1.")
        context = propagate.extract(headers)
        assert sentrial.get_current_session_id() is None
        token = trace.context_api.attach(context)
        assert is_current(session.session_id)
        trace.context_api.detach(token)
        configure(propagate_session=True, trust_incoming=True)  # twice around, from here on
    sentrial.shutdown()
    with sentrial.begin("u1", "agent"):
        assert injected().keys() == {"traceparent"}
    assert "sentrial.session" in baggage.get_all(propagate.extract({"baggage": "sentrial.session=x"}))


@pytest.mark.parametrize("b3", [B3SingleFormat(), B3MultiFormat()])
def test_a_propagator_without_baggage_leaves_the_session_behind_and_that_is_said(
    b3: TextMapPropagator, caplog: pytest.LogCaptureFixture
) -> None:
    propagate.set_global_textmap(CompositePropagator([b3]))
    configure(propagate_session=True, trust_incoming=True)
    with sentrial.begin("u1", "agent") as session:
        headers = injected()
        inject(headers)
    assert headers.keys() == b3.fields & headers.keys()
    with extract(headers) as received:
        assert not received.found
        here = trace.get_current_span().get_span_context()
        assert f"{here.trace_id:032x}" == session.session_id[:32]
    (said,) = [record.getMessage() for record in caplog.records if "baggage" in record.getMessage()]
    assert "as in tracecontext,baggage" in said


def test_where_nothing_is_propagated_nothing_breaks() -> None:
    propagate.set_global_textmap(CompositePropagator([]))
    configure(propagate_session=True, trust_incoming=True)
    with sentrial.begin("u1", "agent"):
        assert injected() == {}
    assert propagate.extract({"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}) is None
    with extract({"traceparent": "x"}) as received:
        assert not received.found


def test_the_provider_is_joined_before_the_first_request_that_brings_a_session_has_a_span() -> None:
    configure(propagate_session=True)
    with sentrial.begin("u1", "agent") as session:
        headers = injected()
    sentrial.shutdown()
    trace._TRACER_PROVIDER = TracerProvider(shutdown_on_exit=False)
    configure(trust_incoming=True)
    context = propagate.extract(headers)
    with trace.get_tracer("web").start_as_current_span("GET /", context, trace.SpanKind.SERVER) as span:
        assert span.attributes["sentrial.session.id"] == session.session_id  # type: ignore[attr-defined]  # the SDK's, or ours


@pytest.mark.quiet_guard
def test_a_failure_of_ours_lets_the_request_leave_and_arrive(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from sentrial import _baggage

    def broken(*_: object, **__: object) -> Any:
        raise LookupError("broken")

    configure(propagate_session=True, trust_incoming=True)
    with sentrial.begin("u1", "agent"):
        headers = injected()
        monkeypatch.setattr(_baggage, "session_in", broken)
        monkeypatch.setattr(_baggage, "take_session", broken)
        assert injected().keys() == {"traceparent"}
        assert "sentrial.session" in baggage.get_all(propagate.extract(headers))
        with extract(headers) as received:
            assert not received.found
        by_hand: dict[str, str] = {}
        inject(by_hand)
        assert by_hand.keys() == {"traceparent"}
    said = [record.getMessage() for record in caplog.records if "LookupError" in record.getMessage()]
    assert [words.partition(" (")[0] for words in said] == [
        "sentrial failed at sending a session along",
        "sentrial failed at receiving a session",
    ]


def test_an_unknown_propagator_breaks_neither_our_import_nor_a_session() -> None:
    program = """
import json
import sentrial
from sentrial.propagation import extract, inject
with sentrial.begin("u1", "agent") as session:
    carrier = {}
    inject(carrier)
    with extract(carrier) as received:
        print(json.dumps([carrier, received.found]))
"""
    variables = {"OTEL_PROPAGATORS": "nonsense", "SENTRIAL_TRUST_INCOMING": "true", "SENTRIAL_STORE": "on"}
    ended = run_program(program, variables)
    assert ended.printed == [[{}, False]]
    (said,) = ended.log
    assert said.startswith("sentrial: OpenTelemetry's propagators cannot be loaded (Propagator nonsense not found.")
    assert said.endswith("Correct OTEL_PROPAGATORS.")
