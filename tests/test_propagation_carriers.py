"""What a session can be injected into and extracted from, and what becomes of carriers that are none."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.propagators.textmap import Getter, Setter

import sentrial
from receivers import SentrialStandIn
from running import arrived, is_current, run_program
from sentrial.propagation import environment_setter, extract, inject

KEY = "sentrial_test_key"


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        sentrial.configure(api_key=KEY, api_url=stand_in.url, flush_interval=0.01)
        yield stand_in
        sentrial.shutdown()


def sent() -> tuple[sentrial.Interaction, dict[str, str]]:
    """A session that sent a message, and the message's headers."""
    headers: dict[str, str] = {}
    with sentrial.begin("u1", "agent", convo_id="c1") as session:
        inject(headers)
    return session, headers


class Headers:
    """As those of HTTP libraries: spelling does not count, a name may stand twice."""

    def __init__(self, headers: dict[str, str]) -> None:
        self._items = [(name.title(), value) for name, value in headers.items()] + [("Accept", "*/*")] * 2

    def items(self) -> list[tuple[str, str]]:
        return self._items


@pytest.mark.parametrize(
    "make",
    [
        lambda headers: headers,
        lambda headers: {name.title(): value for name, value in headers.items()},
        lambda headers: {name: [value] for name, value in headers.items()},
        lambda headers: {"X": 7, **{name.upper().replace("-", "_"): value for name, value in headers.items()}},
        lambda headers: [(name.encode(), value.encode()) for name, value in headers.items()],
        lambda headers: tuple((name, value.encode()) for name, value in headers.items()),
        Headers,
    ],
)
def test_carriers_of_many_kinds_can_be_read(server: SentrialStandIn, make: Any) -> None:
    session, headers = sent()
    carrier = make(headers)
    for _ in range(2):
        assert extract(carrier, trust=True).session_id == session.session_id


class Broken(dict[str, str]):
    def items(self) -> Any:
        raise LookupError("out of order")


@pytest.mark.parametrize("carrier", [7, "traceparent", iter([("traceparent", "x")]), object(), Broken(), [7]])
def test_a_carrier_that_cannot_be_read_is_said_once_and_the_block_runs(
    server: SentrialStandIn, caplog: pytest.LogCaptureFixture, carrier: object
) -> None:
    with sentrial.begin("u1", "around") as around:
        for _ in range(2):
            with extract(carrier, trust=True) as received:
                assert not received.found
                assert is_current(around.session_id)
    (said,) = [record.message for record in caplog.records if record.name == "sentrial"]
    assert said.startswith("sentrial: nothing can be extracted from ")
    assert said.endswith(": give a mapping, or a getter that can read it.")


@pytest.mark.parametrize("carrier", [7, None, (), object(), "text"])
def test_a_carrier_that_cannot_be_written_to_is_said_once(
    server: SentrialStandIn, caplog: pytest.LogCaptureFixture, carrier: object
) -> None:
    with sentrial.begin("u1", "agent"):
        for _ in range(2):
            inject(carrier)
    (said,) = [record.message for record in caplog.records if record.name == "sentrial"]
    assert said.startswith("sentrial: nothing can be injected into ")
    assert said.endswith(": give a dict, or a setter that can write to it.")


def test_who_asked_for_it_hears_of_bad_input(server: SentrialStandIn) -> None:
    sentrial.configure(api_key=KEY, api_url=server.url, fail_silently=False)
    with sentrial.begin("u1", "agent"), pytest.raises(ValueError, match="nothing can be injected into 7"):
        inject(7)
    with pytest.raises(ValueError, match="nothing can be extracted from 7"):
        extract(7)
    with pytest.raises(ValueError, match=r"extract\(trust='true'\) is not usable"):
        extract({}, trust="true")  # type: ignore[arg-type]  # what the test is about


def test_trust_is_true_or_false_and_nothing_else_is_trust(
    server: SentrialStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    _, headers = sent()
    for trust in (1, "true", object()):
        assert not extract(headers, trust=trust).found  # type: ignore[arg-type]  # what the test is about
    assert [record.message for record in caplog.records if "trust=" in record.message] == [
        "sentrial: extract(trust=1) is not usable: it must be True or False. Nothing is believed."
    ]


def test_a_setter_and_a_getter_serve_carriers_of_any_kind(server: SentrialStandIn) -> None:
    class Attributes(Getter[Any], Setter[Any]):
        """Message attributes of a cloud's queue."""

        def set(self, carrier: Any, key: str, value: str) -> None:
            carrier[key] = {"DataType": "String", "StringValue": value}

        def get(self, carrier: Any, key: str) -> list[str] | None:
            return [carrier[key]["StringValue"]] if key in carrier else None

        def keys(self, carrier: Any) -> list[str]:
            return list(carrier)

    attributes: dict[str, Any] = {}
    with sentrial.begin("u1", "agent") as session:
        inject(attributes, Attributes())
    assert attributes["traceparent"]["DataType"] == "String"
    assert extract(attributes, Attributes(), trust=True).session_id == session.session_id


def test_a_program_started_by_a_session_finds_it_in_its_environment(server: SentrialStandIn) -> None:
    program = """
import os
import sentrial
from opentelemetry import trace
from sentrial.propagation import extract

with extract(os.environ, trust=True) as session:
    trace.get_tracer("db").start_span("SELECT").end()
    print(f'"{session.session_id}"')
"""
    variables: dict[str, str] = {}
    with sentrial.begin("u1", "agent") as session, session.tool("run"):
        inject(variables, environment_setter)
        assert set(variables) == {"TRACEPARENT", "BAGGAGE"}
        ended = run_program(program, {"SENTRIAL_API_KEY": KEY, "SENTRIAL_API_URL": server.url, **variables})
    assert (ended.printed, ended.err) == ([session.session_id], "")
    spans = arrived(server)
    assert spans["SELECT"]["parent_span_id"] == spans["execute_tool run"]["span_id"]
    assert spans["SELECT"]["attributes"]["user.id"] == "u1"
    assert "TRACEPARENT" not in os.environ
