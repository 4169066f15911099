"""Pain C5: many accounts in one process. Each gets its own and nothing else; threads and memory stay bounded."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest
from opentelemetry import trace

import sentrial
from receivers import SentrialStandIn
from running import session_of
from sentrial import SentrialClient
from sentrial._export.endpoint import MOST_THREADS

ANN, BOB = "sentrial_test_ann", "sentrial_test_bob"
TENANTS = [f"sentrial_test_tenant_{number:04d}" for number in range(1_000)]


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([ANN, BOB, *TENANTS]) as stand_in:
        yield stand_in
        sentrial.shutdown(20)


def threads_of_ours() -> int:
    return sum(thread.name.startswith("sentrial") for thread in threading.enumerate())


async def test_pain_c5_interleaved_sessions_of_two_accounts_reach_their_own_and_only_that(
    server: SentrialStandIn,
) -> None:
    clients = {key: SentrialClient(api_key=key, api_url=server.url) for key in (ANN, BOB)}
    turn = asyncio.Condition()
    running = 0

    async def converse(key: str, number: int) -> None:
        nonlocal running
        with clients[key].begin(f"user of {key}", f"agent {key} {number}") as session:
            async with turn:
                running += 1
                turn.notify_all()
                # All sessions of both are open at this place.
                await turn.wait_for(lambda: running == 40)
            trace.get_tracer("db").start_span(f"SELECT {key} {number}").end()
            await asyncio.sleep(0)
            async with session.tool(f"tool {key} {number}", {}):
                await asyncio.sleep(0)

    await asyncio.gather(*(converse(key, number) for number in range(20) for key in (ANN, BOB)))
    assert sentrial.flush(20)
    for key in (ANN, BOB):
        spans = server.spans_of(key)
        assert sorted(span["name"] for span in spans) == sorted(
            f"{what} {key} {number}"
            for number in range(20)
            for what in ("invoke_agent agent", "execute_tool tool", "SELECT")
        )
        assert {span["attributes"]["user.id"] for span in spans} == {f"user of {key}"}
        assert len({session_of(span) for span in spans}) == 20


def test_pain_c5_a_thousand_tenants_share_a_few_threads_and_lose_nothing(server: SentrialStandIn) -> None:
    most = 0
    for key in TENANTS:
        client = SentrialClient(api_key=key, api_url=server.url)
        with client.begin(f"user of {key}", f"agent {key}") as session:
            session.track_tool_call("t", {}, {})
        most = max(most, threads_of_ours())
    assert sentrial.flush(60)
    assert most <= MOST_THREADS
    for key in TENANTS:
        assert sorted(span["name"] for span in server.spans_of(key)) == ["execute_tool t", f"invoke_agent agent {key}"]
    assert sum(count["stored"] for count in sentrial.stats().values()) == 2 * len(TENANTS)


def test_pain_c5_a_thousand_tenants_whose_server_is_silent_hold_bounded_memory(server: SentrialStandIn) -> None:
    server.silence()
    queue_size = 1_000_000
    sentrial.configure(queue_size=queue_size, api_url=server.url, api_key=ANN)
    clients = [SentrialClient(api_key=key, api_url=server.url) for key in TENANTS]
    spans = 0
    for client in clients:
        session_id = client.create_session("n", "agent", "u")
        for _ in range(5):
            client.track_tool_call(session_id, "t", {}, {})
        client.complete_session(session_id)
        spans += 6
    lost = sum(count.get("queue full", 0) for count in sentrial.stats().values())
    # A span weighs a thousand bytes at least.
    assert (spans - lost) * 1_000 <= 2 * 1.25 * queue_size
    assert spans - lost >= queue_size // 1_500
    assert threads_of_ours() <= MOST_THREADS
    server.speak()
    assert sentrial.flush(60)
    assert sum(count["stored"] for count in sentrial.stats().values()) == spans - lost


def test_pain_c5_an_account_that_fills_the_queue_leaves_the_others_their_part(server: SentrialStandIn) -> None:
    server.silence()
    sentrial.configure(queue_size=100_000, api_url=server.url, api_key=ANN)
    ann, bob = (SentrialClient(api_key=key, api_url=server.url) for key in (ANN, BOB))
    flood, modest = ann.create_session("n", "agent", "u"), bob.create_session("n", "agent", "u")
    for _ in range(200):
        ann.track_tool_call(flood, "t", {}, {})
    for _ in range(10):
        bob.track_tool_call(modest, "t", {}, {})
    for client, session_id in ((ann, flood), (bob, modest)):
        client.complete_session(session_id)
    server.speak()
    assert sentrial.flush(20)
    assert len(server.spans_of(BOB)) == 11
    assert "queue full" not in sentrial.stats()[f"Sentrial {server.url} (account 2)"]
    assert sentrial.stats()[f"Sentrial {server.url}"]["queue full"] > 50
