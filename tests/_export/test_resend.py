"""What is recorded already goes out through a queue, and what becomes of it is said."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from fixed_spans.rows import LLM, TOOL, root, row
from receivers import OtlpHttpReceiver, SentrialStandIn
from sentrial._export.collector import collector
from sentrial._export.redact import SecretMasker
from sentrial._export.resend import Outcome, resend
from sentrial._export.sentrial_api import sentrial
from sentrial._store.span_row import SpanRow

KEY = "sentrial_test_key"


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        yield stand_in


def sessions(count: int) -> list[list[SpanRow]]:
    return [[row(number, 2, TOOL, number), root(number, number)] for number in range(1, count + 1)]


def test_all_that_is_taken_is_counted(server: SentrialStandIn) -> None:
    assert resend(sessions(3), sentrial(server.url, KEY), None, 1.0) == Outcome(6, {}, ())
    assert [span["name"] for span in server.spans] == ["span", "invoke_agent helper"] * 3


def test_nothing_to_send_is_no_failure(server: SentrialStandIn) -> None:
    outcome = resend([], sentrial(server.url, KEY), None, 1.0)
    assert (outcome, outcome.is_whole, server.requests) == (Outcome(0, {}, ()), True, [])


def test_a_collector_gets_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    with OtlpHttpReceiver() as receiver:
        assert resend(sessions(2), collector(receiver.url), None, 1.0).stored == 4
        assert [span["name"] for span in receiver.spans] == ["span", "invoke_agent helper"] * 2


def test_a_refusal_says_what_the_server_said(server: SentrialStandIn) -> None:
    outcome = resend(sessions(2), sentrial(server.url, "another_key"), None, 1.0)
    assert (outcome.stored, outcome.lost, outcome.is_whole) == (0, {"refused": 4}, False)
    assert len(outcome.words) == 1
    assert "403" in outcome.words[0]
    assert "unknown API key" in outcome.words[0]


def test_a_server_that_is_busy_is_asked_again(server: SentrialStandIn) -> None:
    server.respond(503, {"Retry-After": "0"}, times=2)
    assert resend(sessions(1), sentrial(server.url, KEY), None, 20.0).stored == 2


def test_after_one_that_nobody_took_the_rest_is_not_tried() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        outcome = resend(sessions(3), sentrial(address, KEY), None, 0.05)
    assert (outcome.stored, outcome.lost) == (0, {"not reachable": 2, "not tried": 4})
    assert outcome.words[0].startswith(f"no answer from {address}")


def test_what_is_too_large_goes_in_parts(server: SentrialStandIn) -> None:
    server.respond(413)
    assert resend(sessions(1), sentrial(server.url, KEY), None, 10.0).stored == 2
    assert len(server.requests) == 3


def test_a_mask_is_applied_on_the_way(server: SentrialStandIn) -> None:
    batch = [row(1, 2, LLM, SENTRIAL_REASONING="my password is hunter2; sk-" + "a1B2" * 12)]
    resend([batch], sentrial(server.url, KEY), SecretMasker(lambda text: text.replace("hunter2", "***")), 1.0)
    assert server.spans[0]["attributes"]["sentrial.reasoning"] == "my password is ***; sk-[masked]"
