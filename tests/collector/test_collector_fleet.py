"""fleet-agent.yaml, fleet-gateway.yaml: a session to one gateway, and queues on disk that outlive their collector."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sentrial
from real_collector import (
    KEY,
    NAMES,
    Collector,
    SentrialBehindCollector,
    StartCollector,
    by_session,
    span_keys,
    support_session,
)
from running import run_program

DECIDED = "processor_tail_sampling_global_count_traces_sampled"


def sending_to(collector: Collector, **more: Any) -> None:
    sentrial.configure(otlp_endpoint=collector.http_url, flush_interval=0.02, **more)


def gateways(*collectors: Collector) -> str:
    return f"[{', '.join(f'127.0.0.1:{each.grpc_port}' for each in collectors)}]"


class Load:
    """Sessions made by two threads until told to stop."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.made = threading.Condition()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._make, args=(first,)) for first in (0, 1)]

    @contextmanager
    def running(self) -> Iterator[Load]:
        for thread in self._threads:
            thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            for thread in self._threads:
                thread.join()

    def go_on(self, sessions: int) -> None:
        """Returns once so many more have been made."""
        with self.made:
            count = len(self.ids) + sessions
            assert self.made.wait_for(lambda: len(self.ids) >= count, 30)

    def _make(self, number: int) -> None:
        while not self._stop.wait(0.01):
            session = support_session(number)
            with self.made:
                self.ids.append(session)
                self.made.notify_all()
            number += 2


def arrived_of(ids: list[str], *ends: SentrialBehindCollector) -> int:
    """Asserts that all of each session arrived, again and the same where it came twice. Returns how many did."""
    ends[0].wait_until(lambda: sum(len(set(span_keys(end.spans))) for end in ends) >= 4 * len(ids))
    spans = [span for end in ends for span in end.spans]
    once = {(span["trace_id"], span["span_id"]): span for span in spans}
    assert by_session(once.values()) == dict.fromkeys(ids, NAMES)
    assert all(span == once[span["trace_id"], span["span_id"]] for span in spans)
    return len(spans) - len(once)


def test_each_session_goes_to_one_gateway_whichever_agent_it_passes(
    start_collector: StartCollector,
    far_end: SentrialBehindCollector,
    violations: Callable[..., list[dict[str, Any]]],
) -> None:
    with SentrialBehindCollector([KEY]) as second_end:
        both = [start_collector("fleet-gateway.yaml", SENTRIAL_API_URL=end.url) for end in (far_end, second_end)]
        agents = [start_collector("fleet-agent.yaml", COLLECTOR_GATEWAYS=gateways(*both)) for _ in range(2)]
        sending_to(agents[0])
        ids = [support_session(number) for number in range(40)]
        opened = [sentrial.begin(user_id="user-1", event="support-agent", input="?") for _ in range(10)]
        handles = [session.export() for session in opened]
        for session in opened:
            session.finish()
        assert sentrial.flush(10)
        sentrial.shutdown(5)
        sending_to(agents[1])
        for handle in handles:
            sentrial.resume(handle).track_error("the customer complains", error_type="Complaint")
        assert sentrial.flush(10)
        expected = dict.fromkeys(ids, NAMES)
        expected |= {session.session_id: ["error", "invoke_agent support-agent"] for session in opened}
        far_end.wait_until(lambda: len(far_end.spans) + len(second_end.spans) >= 180)
        here, there = by_session(far_end.spans), by_session(second_end.spans)
        assert {**here, **there} == expected
        assert not set(here) & set(there)
        # Neither has less than a tenth of them.
        assert min(len(here), len(there)) >= 5
        assert violations(far_end.otlp_json() + second_end.otlp_json(), 180) == []


def test_what_a_killed_collector_said_yes_to_is_on_disk_and_is_sent_by_the_next_one(
    start_collector: StartCollector, far_end: SentrialBehindCollector
) -> None:
    gateway = start_collector("fleet-gateway.yaml")
    far_end.silence()
    sending_to(gateway)
    ids = []
    for number in range(50):
        ids.append(support_session(number))
        if number % 5 == 4:
            assert sentrial.flush(10)
    assert sentrial.stats() == {"collector": {"stored": 200}}
    far_end.wait_for_requests(1)
    gateway.kill()
    on_the_way = far_end.requests
    assert far_end.spans == []
    with SentrialBehindCollector([KEY]) as later:
        gateway.variables["SENTRIAL_API_URL"] = later.url
        gateway.start()
        assert arrived_of(ids, later) == 0
        # What was on its way when it died has arrived twice: there and here.
        far_end.speak()
        far_end.wait_until(lambda: all(request.spans for request in on_the_way))
        assert 0 < len(far_end.spans) == len(set(span_keys(far_end.spans)))
        assert set(span_keys(far_end.spans)) <= set(span_keys(later.spans))


def test_agent_and_gateway_killed_under_load_lose_nothing(
    start_collector: StartCollector, far_end: SentrialBehindCollector, record_property: Callable[[str, object], None]
) -> None:
    gateway = start_collector("fleet-gateway.yaml")
    agent = start_collector("fleet-agent.yaml", COLLECTOR_GATEWAYS=gateways(gateway))
    sending_to(agent)
    load = Load()
    with load.running():
        for victim in (agent, gateway, agent, gateway):
            load.go_on(60)
            victim.kill()
            load.go_on(20)
            victim.start()
        load.go_on(60)
    assert sentrial.flush(30)
    assert sentrial.stats() == {"collector": {"stored": 4 * len(load.ids)}}
    again = arrived_of(load.ids, far_end)  # what was on its way at one of the four deaths
    record_property("spans that came twice", again)
    print(f"{4 * len(load.ids)} spans, of which {again} came twice")


def test_a_gateway_that_restarts_gets_its_sessions_late_and_nobody_gets_any_twice(
    start_collector: StartCollector, far_end: SentrialBehindCollector
) -> None:
    with SentrialBehindCollector([KEY]) as second_end:
        up = start_collector("fleet-gateway.yaml")
        down = start_collector("fleet-gateway.yaml", SENTRIAL_API_URL=second_end.url)
        agent = start_collector("fleet-agent.yaml", COLLECTOR_GATEWAYS=gateways(up, down))
        down.kill()
        sending_to(agent)
        ids = []
        for _ in range(6):
            ids += [support_session(number) for number in range(5)]
            assert sentrial.flush(10)
        agent.wait_for_log("Exporting failed. Will retry the request after interval.")
        assert second_end.spans == []
        down.start()
        assert arrived_of(ids, far_end, second_end) == 0
        here, there = by_session(far_end.spans), by_session(second_end.spans)
        assert min(len(here), len(there)) > 0
        assert not set(here) & set(there)


IMPATIENT = """
exporters:
  load_balancing:
    retry_on_failure: { max_interval: 1s }
    protocol: { otlp: { retry_on_failure: { initial_interval: 100ms, max_interval: 100ms, max_elapsed_time: 300ms } } }
"""


def test_a_gateway_that_stays_away_makes_the_others_get_their_part_of_a_batch_again(
    start_collector: StartCollector, far_end: SentrialBehindCollector, tmp_path: Path
) -> None:
    changed = tmp_path / "changed.yaml"
    changed.write_text(IMPATIENT, encoding="utf-8")
    with SentrialBehindCollector([KEY]) as second_end:
        up = start_collector("fleet-gateway.yaml")
        down = start_collector("fleet-gateway.yaml", SENTRIAL_API_URL=second_end.url)
        agent = start_collector("fleet-agent.yaml", changed, COLLECTOR_GATEWAYS=gateways(up, down))
        down.kill()
        sending_to(agent)
        ids = [support_session(number) for number in range(20)]
        assert sentrial.flush(10)
        agent.wait_for_metric("loadbalancer_backend_outcome", 3, success="true")
        down.start()
        again = arrived_of(ids, far_end, second_end)
        once = len(set(span_keys(far_end.spans)))
        assert again == len(far_end.spans) - once > once
        assert len(set(span_keys(second_end.spans))) == len(second_end.spans) == 80 - once


ELSEWHERE = """
import os, sentrial
sentrial.resume(os.environ["HANDLE"]).track_error("the bank does not answer", error_type="Timeout")
assert sentrial.flush(10)
"""


def test_gateways_that_sample_decide_on_the_whole_of_a_session_that_two_hosts_work_on(
    start_collector: StartCollector, far_end: SentrialBehindCollector
) -> None:
    rest = {"COLLECTOR_SHARE_PERCENT": 0, "COLLECTOR_WAIT_AFTER_ROOT": "1s"}
    both = [start_collector("sampling.yaml", **rest) for _ in range(2)]
    agents = [start_collector("fleet-agent.yaml", COLLECTOR_GATEWAYS=gateways(*both)) for _ in range(2)]
    sending_to(agents[0])
    with sentrial.begin(user_id="user-1", event="support-agent", input="?") as session:
        with session.tool("find_order", {}):
            pass
        endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": agents[1].http_url}
        run_program(ELSEWHERE, {"HANDLE": session.export(), **endpoint})
        session.finish(success=True)
    support_session(2)
    assert sentrial.flush(10)
    far_end.wait_until(lambda: sum(each.metric(DECIDED) for each in both) == 2)
    far_end.wait_for_spans(3)
    whole = ["error", "execute_tool find_order", "invoke_agent support-agent"]
    assert by_session(far_end.spans) == {session.session_id: whole}
