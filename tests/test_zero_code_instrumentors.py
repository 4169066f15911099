"""``opentelemetry-instrument`` finds each client by name too: recorded once, and left out by either name."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from by_themselves import CALL
from fake_provider import FakeProvider
from receivers import SentrialStandIn
from zero_code import run, variables

ANSWER = "The parcel left Rotterdam on Tuesday.\n"
INSTRUMENT = ["opentelemetry-instrument", "python", "asks.py"]


@pytest.fixture
def model() -> Iterator[FakeProvider]:
    with FakeProvider() as provider:
        yield provider


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn() as stand_in:
        yield stand_in


@pytest.mark.parametrize(
    ("disabled", "instrument", "calls"),
    [
        ("", "", 1),
        ("openai", "", 0),
        ("sentrial-openai", "", 0),
        ("openai", "openai", 1),
        ("sentrial-openai", "openai", 0),
        ("sentrial-google, anthropic", "", 1),
        ("*", "", 0),
        ("", "anthropic", 0),
    ],
)
def test_each_call_is_recorded_once_or_left_out(
    model: FakeProvider, server: SentrialStandIn, disabled: str, instrument: str, calls: int
) -> None:
    given = variables(model, server, OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=disabled, SENTRIAL_INSTRUMENT=instrument)
    done = run(INSTRUMENT, given)
    assert (done.code, done.out, done.err) == (0, ANSWER, "")
    assert [span["name"] for span in server.spans].count(CALL) == calls
