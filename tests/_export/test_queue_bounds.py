"""How much waits before a destination, how long anybody waits for it, and what an outage or a broken span costs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan

from receivers import OtlpGrpcReceiver, SentrialStandIn
from running.line import KEY, Line, make_spans, names_at
from sentrial._export.collector import collector
from sentrial._export.crew import Crew
from sentrial._export.item import Item
from sentrial._export.sentrial_api import sentrial
from sentrial._session import Session

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


# --- the bound -----------------------------------------------------------------------------------------------------


def test_the_queue_holds_so_many_bytes_and_counts_what_it_drops(server: SentrialStandIn, said: Any) -> None:
    server.silence()
    line = Line(server.url, queue_size=100_000)
    line.put(*(f"span{number}" for number in range(50)), text="x" * 9_000)
    kept = 100_000 // 10_000
    assert line.counts == {"stored": 0, "queue full": 50 - kept}
    assert said() == [
        "sentrial: 1 span for Sentrial is lost: the queue is full (raise SENTRIAL_QUEUE_SIZE, in bytes). "
        "More of this kind is counted, not logged."
    ]
    server.speak()
    assert line.outlet.flush(TIMEOUT)
    assert names_at(server) == [f"span{number}" for number in range(kept)]
    assert line.counts == {"stored": kept, "queue full": 50 - kept}
    line.put("afterwards", text="x" * 9_000)  # there is room again
    assert line.outlet.flush(TIMEOUT)
    assert names_at(server)[-1] == "afterwards"
    line.outlet.close(1)


def test_a_third_party_spans_own_texts_weigh_too(server: SentrialStandIn) -> None:
    line = Line(server.url, queue_size=100_000)
    line.put("giant", text="x" * 200_000)
    assert line.counts == {"stored": 0, "queue full": 1}
    line.outlet.close(1)


def test_the_root_of_a_session_has_room_that_other_spans_have_not(server: SentrialStandIn) -> None:
    server.silence()
    line = Line(server.url, queue_size=10_000)
    (root,) = make_spans("root", text="x" * 1_000)
    context = root.context
    assert context is not None
    session = Session(root, context, agent_name="a", user_id=None)  # type: ignore[arg-type]  # only its context counts
    line.put(*(f"span{number}" for number in range(12)))
    assert line.counts == {"stored": 0, "queue full": 2}
    line.outlet.put(Item(root, None, session, lambda item: item.span))
    line.put("no room")
    assert line.counts == {"stored": 0, "queue full": 3}
    server.speak()
    assert line.outlet.flush(TIMEOUT)
    assert names_at(server)[-1] == "root"
    assert line.counts == {"stored": 11, "queue full": 3}
    line.outlet.close(1)


def test_what_was_made_is_stored_or_counted_from_many_threads(server: SentrialStandIn) -> None:
    line = Line(server.url, queue_size=60_000)
    made_each, workers = 200, 4
    spans = make_spans(*(f"span{number}" for number in range(made_each)))

    def work() -> None:
        for span in spans:
            line.outlet.put(Item(span, None, None, lambda item: item.span))

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert line.outlet.flush(TIMEOUT)
    assert len(server.spans) == line.outlet.stored
    assert sum(line.counts.values()) == made_each * workers
    assert set(line.counts) <= {"stored", "queue full"}
    line.outlet.close(1)


# --- flush and close -----------------------------------------------------------------------------------------------


def test_flush_says_whether_all_was_dealt_with(server: SentrialStandIn, line: Line) -> None:
    assert line.outlet.flush(0)  # nothing was ever queued
    server.silence()
    line.put("a")
    assert not line.outlet.flush(0.05)
    server.speak()
    assert line.outlet.flush(TIMEOUT)
    assert names_at(server) == ["a"]
    assert line.outlet.flush(TIMEOUT)


def test_flush_does_not_wait_for_company(server: SentrialStandIn) -> None:
    line = Line(server.url, flush_interval=3600.0)
    line.put("a")
    assert line.outlet.flush(TIMEOUT)
    assert names_at(server) == ["a"]
    line.outlet.close(1)


def test_flush_does_not_wait_for_the_end_of_a_pause_of_ours(server: SentrialStandIn, said: Any) -> None:
    line = Line(server.url, retry_timeout=3600.0)
    server.respond(503, {}, b"busy", times=4)
    line.put("a")
    # Each flush is worth one try, so that these are over long before the pauses (0.5, 1, 2 and 4 s) would be.
    while not line.outlet.flush(0.05):
        pass
    assert names_at(server) == ["a"]
    line.outlet.close(1)


def test_flush_does_not_wait_for_company_where_it_came_in_the_middle_of_a_pause(server: SentrialStandIn) -> None:
    crew = Crew("sentrial test")
    line = Line(server.url, flush_interval=3600.0, crew=crew)
    server.respond(503, {}, b"busy")
    first, last = _Turn(), _Turn()
    crew.call(first)
    line.put("a")
    crew.call(last)  # who has others behind him does not wait for company
    first.over.set()
    last.over.set()
    server.wait_for_requests(1)
    assert line.outlet.flush(TIMEOUT)
    assert names_at(server) == ["a"]
    line.outlet.close(TIMEOUT)
    crew.close(TIMEOUT)


class _Turn:
    """A turn of somebody else's at a thread, until it is ``over``."""

    def __init__(self) -> None:
        self.over = threading.Event()

    def work(self, *, alone: bool) -> None:
        assert self.over.wait(TIMEOUT)

    def let_go(self) -> None:
        pass


def test_close_delivers_and_ends_the_thread(server: SentrialStandIn) -> None:
    line = Line(server.url, flush_interval=3600.0)
    line.put("a", "b")
    (thread,) = line.outlet.crew.threads
    line.outlet.close(TIMEOUT)
    thread.join(TIMEOUT)
    assert not thread.is_alive()
    assert names_at(server) == ["a", "b"]
    assert line.counts == {"stored": 2}


def test_close_ends_within_its_time_while_the_server_is_silent_and_says_what_is_lost(
    server: SentrialStandIn, said: Any
) -> None:
    server.silence()
    line = Line(server.url)
    line.put("under way")
    server.wait_for_requests(1)
    line.put("waiting", "waiting too")
    line.outlet.close(0.2)
    assert line.counts == {"stored": 0, "shut down": 3}
    assert said() == [
        "sentrial: 3 spans for Sentrial are lost: could not be sent in the time that there was "
        "(SENTRIAL_FLUSH_TIMEOUT). More of this kind is counted, not logged."
    ]


def test_what_is_stored_after_it_was_written_off_counts_as_stored(server: SentrialStandIn) -> None:
    server.silence()
    line = Line(server.url)
    line.put("under way")
    server.wait_for_requests(1)
    line.put("waiting")
    (thread,) = line.outlet.crew.threads
    line.outlet.close(0.05)
    assert line.counts == {"stored": 0, "shut down": 2}
    server.speak()
    thread.join(TIMEOUT)
    assert names_at(server) == ["under way"]
    assert line.counts == {"stored": 1, "shut down": 1}


def test_close_without_any_span_is_silent(said: Any) -> None:
    line = Line("http://127.0.0.1:9")
    line.outlet.close(TIMEOUT)
    assert line.counts == {"stored": 0}
    assert said() == []


# --- outages -------------------------------------------------------------------------------------------------------


def test_after_an_outage_all_arrives_in_its_order(said: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    with OtlpGrpcReceiver() as receiver:
        line = Line(make=lambda: collector(receiver.url), retry_timeout=3600.0)
        names = [f"span{number}" for number in range(30)]
        line.put(*names[:10])
        assert line.outlet.flush(TIMEOUT)
        receiver.close()
        for name in names[10:]:
            line.put(name)
        assert not line.outlet.flush(0.2)
        receiver.start()
        while not line.outlet.flush(0.2):
            pass
        assert names_at(receiver) == names
        assert line.counts == {"stored": 30}
        down, up = said()
        assert down.startswith("sentrial: Sentrial does not take spans now (UNAVAILABLE")
        assert up.startswith("sentrial: Sentrial answers again, after ")
        line.outlet.close(1)


def test_what_is_given_up_does_not_keep_the_next_from_being_sent(server: SentrialStandIn, said: Any) -> None:
    line = Line(server.url, retry_timeout=0.01)
    server.drop(times=1)
    line.put("lost")
    assert line.outlet.flush(TIMEOUT)
    line.put("next")
    assert line.outlet.flush(TIMEOUT)
    assert names_at(server) == ["next"]
    assert line.counts == {"stored": 1, "not reachable": 1}
    line.outlet.close(1)


# --- spans that are broken -----------------------------------------------------------------------------------------


@pytest.mark.quiet_guard
def test_a_span_that_cannot_be_made_ready_costs_only_itself(server: SentrialStandIn, line: Line, said: Any) -> None:
    def broken(item: Item) -> ReadableSpan:
        raise ZeroDivisionError("no such span")

    line.put("a")
    line.put("broken", merge=broken)
    line.put("b")
    assert line.outlet.flush(TIMEOUT)
    assert names_at(server) == ["a", "b"]
    assert line.counts == {"stored": 2, "not readable": 1}
    failure, lost = said()
    assert "sentrial failed at preparing a span (ZeroDivisionError: no such span)" in failure
    assert lost.startswith("sentrial: 1 span for Sentrial is lost: could not be made ready.")


@pytest.mark.quiet_guard
def test_a_span_that_cannot_be_encoded_costs_only_itself(server: SentrialStandIn, said: Any) -> None:
    destination = sentrial(server.url, KEY)
    encode = destination.encoder

    def encode_strictly(spans: Any) -> bytes:
        if any(span.name == "broken" for span in spans):
            raise UnicodeError("no such character")
        return encode(spans)

    destination.encoder = encode_strictly
    line = Line(make=lambda: destination, flush_interval=60.0)
    line.put("a", "b", "broken", "c", "d")
    assert line.outlet.flush(TIMEOUT)
    assert names_at(server) == ["a", "b", "c", "d"]
    assert line.counts == {"stored": 4, "not encodable": 1}
    assert sum("lost: " in words for words in said()) == 1
    line.outlet.close(1)


def test_values_that_otlp_has_no_word_for_do_not_cost_the_span(server: SentrialStandIn, line: Line) -> None:
    line.put("odd", big=2**70, lone="\ud800", nan=float("nan"))
    line.put("plain")
    assert line.outlet.flush(TIMEOUT)
    assert names_at(server) == ["odd", "plain"]
    assert line.counts == {"stored": 2}


@pytest.mark.quiet_guard
def test_a_destination_that_cannot_be_made_is_tried_again_for_the_next_span(server: SentrialStandIn, said: Any) -> None:
    destinations = iter([OSError("no such place"), sentrial(server.url, KEY)])

    def make() -> Any:
        made = next(destinations)
        if isinstance(made, OSError):
            raise made
        return made

    line = Line(make=make)
    line.put("lost")
    assert line.outlet.flush(TIMEOUT)
    line.put("next")
    assert line.outlet.flush(TIMEOUT)
    assert names_at(server) == ["next"]
    assert line.counts == {"stored": 1, "failure of our own": 1}
    line.outlet.close(1)
