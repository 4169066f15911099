"""What each answer of a destination leads to: what is sent again, in smaller parts, or counted as lost and said."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status as RpcStatus

from receivers import OtlpGrpcReceiver, SentrialStandIn
from running.line import KEY, Line, names_at
from sentrial._export.collector import collector

TIMEOUT = 20


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        yield stand_in


@pytest.fixture
def line(server: SentrialStandIn) -> Iterator[Line]:
    made = Line(server.url, flush_interval=60.0)  # flushed by the test, so that what is put together is sent together
    yield made
    made.outlet.close(0.1)


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> Any:
    """What was logged so far, at INFO and above."""
    caplog.set_level(logging.INFO, "sentrial")
    return lambda: [record.getMessage() for record in caplog.records]


# --- one answer of each kind ---------------------------------------------------------------------------------------


def test_what_is_stored_is_counted(server: SentrialStandIn, line: Line, said: Any) -> None:
    line.put("a", "b", "c")
    assert line.outlet.flush(TIMEOUT)
    assert names_at(server) == ["a", "b", "c"]
    assert line.counts == {"stored": 3}
    assert said() == []


def test_a_redirect_is_refused_in_words_that_name_the_remedy(server: SentrialStandIn, line: Line, said: Any) -> None:
    server.respond(302, {"Location": "https://login.example.org/"}, times=2)
    line.put("a", "b")
    assert line.outlet.flush(TIMEOUT)
    line.put("c")
    assert line.outlet.flush(TIMEOUT)
    assert line.counts == {"stored": 0, "refused": 3}
    assert said() == [
        "sentrial: 2 spans for Sentrial are lost: 302 Found: redirects to https://login.example.org/; set the endpoint "
        "to that address. More of this kind is counted, not logged."
    ]


@pytest.mark.parametrize(
    ("status", "words"), [(401, "401 Unauthorized"), (403, "403 Forbidden"), (400, "400 Bad Request")]
)
def test_a_refusal_is_final_and_said_once(
    server: SentrialStandIn, line: Line, said: Any, status: int, words: str
) -> None:
    server.respond(status, {"Content-Type": "application/json"}, b'{"error":"the words of the server"}', times=3)
    for name in ("a", "b", "c"):
        line.put(name)
        assert line.outlet.flush(TIMEOUT)
    assert len(server.requests) == 3
    assert line.counts == {"stored": 0, "refused": 3}
    (once,) = said()
    assert once.startswith(f"sentrial: 1 span for Sentrial is lost: {words}")
    assert "the words of the server" in once
    assert ("SENTRIAL_API_KEY" in once) is (status != 400)
    assert KEY not in once


def test_partial_success_is_counted_with_the_servers_words(server: SentrialStandIn, line: Line, said: Any) -> None:
    reply = {"partialSuccess": {"rejectedSpans": "2", "errorMessage": "too old"}}
    server.respond(200, {"Content-Type": "application/json"}, json.dumps(reply).encode())
    line.put("a", "b", "c")
    assert line.outlet.flush(TIMEOUT)
    assert line.counts == {"stored": 1, "rejected by the server": 2}
    assert said() == ["sentrial: 2 spans for Sentrial are lost: too old. More of this kind is counted, not logged."]


def test_a_server_that_rejects_more_than_it_got_does_not_make_the_counts_absurd(
    server: SentrialStandIn, line: Line
) -> None:
    server.respond(200, {"Content-Type": "application/json"}, b'{"partialSuccess":{"rejectedSpans":"99"}}')
    line.put("a")
    assert line.outlet.flush(TIMEOUT)
    assert line.counts == {"stored": 0, "rejected by the server": 1}


def test_a_warning_without_rejections_is_said_and_counts_as_stored(
    server: SentrialStandIn, line: Line, said: Any
) -> None:
    reply = b'{"partialSuccess":{"errorMessage":"this version ends soon"}}'
    server.respond(200, {"Content-Type": "application/json"}, reply, times=2)
    for name in ("a", "b"):
        line.put(name)
        assert line.outlet.flush(TIMEOUT)
    assert line.counts == {"stored": 2}
    assert said() == ["sentrial: Sentrial answers: this version ends soon"]


@pytest.mark.parametrize(
    ("status", "after"),
    [(408, "0"), (429, None), (429, "0"), (429, "1"), (500, "0"), (502, "0"), (503, None), (503, "1"), (504, "0")],
)
def test_what_may_pass_later_is_sent_again(
    server: SentrialStandIn, line: Line, said: Any, status: int, after: str | None
) -> None:
    server.respond(status, {} if after is None else {"Retry-After": after}, b"busy")
    line.put("a", "b")
    assert line.outlet.flush(TIMEOUT)
    assert names_at(server) == ["a", "b"]
    first, second = server.requests
    assert first.body == second.body  # encoded once
    assert line.counts == {"stored": 2}
    down, up = said()
    assert down.startswith(f"sentrial: Sentrial does not take spans now ({status} ")
    assert down.endswith("They wait, up to 10 MB; your program goes on.")
    assert up.startswith("sentrial: Sentrial answers again, after ")


def test_a_wait_that_the_bound_does_not_allow_is_not_begun(server: SentrialStandIn, said: Any) -> None:
    line = Line(server.url, retry_timeout=2.0)
    server.respond(429, {"Retry-After": "3600"}, b"slow down")
    line.put("a")
    assert line.outlet.flush(TIMEOUT)
    assert line.counts == {"stored": 0, "not reachable": 1}
    assert said() == [
        "sentrial: 1 span for Sentrial is lost: 429 Too Many Requests: slow down. "
        "More of this kind is counted, not logged."
    ]
    line.put("b")
    assert line.outlet.flush(TIMEOUT)
    assert names_at(server) == ["b"]
    line.outlet.close(1)


def test_the_time_that_a_collector_names_over_grpc_is_kept() -> None:
    import grpc

    details = RpcStatus(code=14, message="busy")
    details.details.add().Pack(RetryInfo(retry_delay=Duration(nanos=200_000_000)))
    with OtlpGrpcReceiver() as receiver:
        receiver.fail(
            grpc.StatusCode.UNAVAILABLE, "busy", {"grpc-status-details-bin": details.SerializeToString()}, times=2
        )
        made = Line(make=lambda: collector(receiver.url))
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
            made.put("a")
            assert made.outlet.flush(TIMEOUT)
        assert names_at(receiver) == ["a"]
        assert len(receiver.requests) == 3
        assert made.counts == {"stored": 1}
        made.outlet.close(1)


# --- too large -----------------------------------------------------------------------------------------------------


def test_what_is_too_large_is_halved_until_it_fits(line: Line, server: SentrialStandIn) -> None:
    server.respond(413, {}, b"too large", times=3)  # eight at once, four at once, two at once
    names = [f"span{number}" for number in range(8)]
    line.put(*names)
    assert line.outlet.flush(TIMEOUT)
    assert names_at(server) == names
    assert [len(request.spans) for request in server.requests] == [0, 0, 0, 1, 1, 2, 4]
    assert line.counts == {"stored": 8}


def test_a_lone_giant_loses_its_long_texts_and_says_so(line: Line, server: SentrialStandIn, said: Any) -> None:
    giant = {"gen_ai.input.messages": "x" * 5_000, "list": ["y" * 400, "z" * 400], "short": "kept", "number": 7}
    server.respond(413, {}, b"too large")
    line.put("giant", **giant)
    assert line.outlet.flush(TIMEOUT)
    (span,) = server.spans
    assert span["attributes"] == {
        "short": "kept",
        "number": 7,
        "sentrial.truncated": "left out, since the destination refused the span for its size: 5800 characters of "
        "gen_ai.input.messages, list",
    }
    assert line.counts == {"stored": 1}
    assert said() == []


def test_a_giant_among_others_costs_the_others_nothing(line: Line, server: SentrialStandIn) -> None:
    server.respond(413, {}, b"", times=3)  # four at once, the first two, the first
    line.put("giant", text="x" * 5_000)
    line.put("b", "c", "d")
    assert line.outlet.flush(TIMEOUT)
    assert sorted(names_at(server)) == ["b", "c", "d", "giant"]
    assert line.counts == {"stored": 4}


def test_what_is_too_large_even_so_is_lost_with_words(line: Line, server: SentrialStandIn, said: Any) -> None:
    server.respond(413, {}, b"never", times=2)
    line.put("giant", text="x" * 5_000)
    assert line.outlet.flush(TIMEOUT)
    assert line.counts == {"stored": 0, "too large": 1}
    (words,) = said()
    assert "1 span for Sentrial is lost: 413 " in words
    assert "never" in words


def test_nothing_long_to_leave_out_is_lost_at_once(line: Line, server: SentrialStandIn) -> None:
    server.respond(413, {}, b"", times=2)
    line.put("small", text="short")
    assert line.outlet.flush(TIMEOUT)
    assert len(server.requests) == 1
    assert line.counts == {"stored": 0, "too large": 1}


def test_a_batch_stays_below_what_grpc_servers_take() -> None:
    with OtlpGrpcReceiver() as receiver, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
        made = Line(make=lambda: collector(receiver.url), queue_size=100_000_000, flush_interval=60.0)
        made.put(*(f"span{number}" for number in range(20)), text="x" * 900_000)
        assert made.outlet.flush(TIMEOUT)
        assert len(receiver.spans) == 20
        assert {len(request.spans) for request in receiver.requests} <= {2, 3}  # none was refused and sent again
        assert made.counts == {"stored": 20}
        made.outlet.close(1)
