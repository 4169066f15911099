"""Several clients with different keys in one process: each session to its own account, and only there."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from opentelemetry import context, trace
from opentelemetry.sdk.trace import TracerProvider

import sentrial
from receivers import SentrialStandIn
from running import session_of
from sentrial import SentrialClient
from sentrial._spans import llm
from sentrial.types import LlmRequest, LlmResponse

KEYS = ("sentrial_test_ann", "sentrial_test_bob", "sentrial_test_cyd")
ROUNDS = 8


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn(KEYS) as stand_in:
        yield stand_in
        sentrial.shutdown()


@pytest.fixture
def clients(server: SentrialStandIn) -> dict[str, SentrialClient]:
    return {key: SentrialClient(api_key=key, api_url=server.url) for key in KEYS}


def third_party_span(name: str) -> None:
    trace.get_tracer("db").start_span(name).end()


def patched_call(model: str) -> None:
    llm.begin(LlmRequest("chat", "openai", model)).succeed(LlmResponse())


def assert_each_at_its_own_account(server: SentrialStandIn, rounds: int) -> None:
    assert sentrial.flush(10)
    for key in KEYS:
        spans = server.spans_of(key)
        assert {span["attributes"]["user.id"] for span in spans} == {key}
        assert sorted(span["name"] for span in spans) == sorted(
            ["invoke_agent agent", f"execute_tool {key}", f"SELECT {key}", f"chat {key}"] * rounds
        )
        assert len({session_of(span) for span in spans}) == rounds
    counts = [{"stored": 4 * rounds}] * len(KEYS)
    names = [f"Sentrial {server.url}", *(f"Sentrial {server.url} (account {number})" for number in (2, 3))]
    assert sentrial.stats() == dict(zip(names, counts, strict=True))


async def test_interleaved_tasks(server: SentrialStandIn, clients: dict[str, SentrialClient]) -> None:
    together = {number: asyncio.Barrier(len(KEYS)) for number in range(ROUNDS)} if hasattr(asyncio, "Barrier") else {}

    async def work(key: str) -> None:
        for number in range(ROUNDS):
            async with clients[key].begin(key, "agent") as session:
                if together:
                    await together[number].wait()
                session.track_tool_call(key, {}, {})
                await asyncio.sleep(0)
                third_party_span(f"SELECT {key}")
                await asyncio.sleep(0)
                patched_call(key)

    await asyncio.gather(*map(work, KEYS))
    assert_each_at_its_own_account(server, ROUNDS)


def test_interleaved_threads(server: SentrialStandIn, clients: dict[str, SentrialClient]) -> None:
    together = threading.Barrier(len(KEYS))

    def work(key: str) -> None:
        for _ in range(ROUNDS):
            session = clients[key].begin(key, "agent")
            together.wait(10)
            session.track_tool_call(key, {}, {})
            third_party_span(f"SELECT {key}")
            patched_call(key)
            together.wait(10)
            session.finish()

    with ThreadPoolExecutor(len(KEYS)) as pool:
        list(pool.map(work, KEYS))
    assert_each_at_its_own_account(server, ROUNDS)


def test_one_thread_that_holds_all_sessions_open_at_once(
    server: SentrialStandIn, clients: dict[str, SentrialClient]
) -> None:
    sessions = {}
    for key in KEYS:
        sessions[key] = clients[key].begin(key, "agent")
        third_party_span(f"SELECT {key}")
        patched_call(key)
    for key in KEYS:
        sessions[key].track_tool_call(key, {}, {})
        sessions[key].finish()
    assert_each_at_its_own_account(server, 1)


def test_one_key_has_one_sender_however_often_it_is_named(server: SentrialStandIn) -> None:
    for number in range(3):
        sentrial.configure(api_key=KEYS[0], api_url=server.url)
        SentrialClient(api_key=KEYS[0], api_url=server.url + "/").begin("u", f"agent{number}").finish()
    sentrial.begin("u", "agent3").finish()
    assert sentrial.flush(10)
    assert sorted(span["name"] for span in server.spans) == [f"invoke_agent agent{number}" for number in range(4)]
    assert sentrial.stats() == {f"Sentrial {server.url}": {"stored": 4}}
    # Perhaps by two threads in turn, but by one sender.
    assert server.connections == 1
    assert {thread.name for thread in threading.enumerate() if thread.name.startswith("sentrial")} == {
        f"sentrial Sentrial {server.url}"
    }


def test_a_joined_provider_serves_all_of_them(server: SentrialStandIn) -> None:
    trace.set_tracer_provider(TracerProvider())
    for key in KEYS:
        SentrialClient(api_key=key, api_url=server.url).begin(key, "agent").finish()
    assert sentrial.flush(10)
    assert {key: [span["attributes"]["user.id"] for span in server.spans_of(key)] for key in KEYS} == {
        key: [key] for key in KEYS
    }


def test_another_client_may_add_to_a_session_and_complete_it(
    server: SentrialStandIn, clients: dict[str, SentrialClient]
) -> None:
    ann, bob = clients[KEYS[0]], clients[KEYS[1]]
    session_id = ann.create_session("n", "agent", "u")
    bob.track_tool_call(session_id, "t", {}, {})
    bob.complete_session(session_id)
    bob.track_decision(session_id, "late")
    assert sentrial.flush(10)
    names = {"invoke_agent agent", "execute_tool t", "decision agent"}
    assert {span["name"] for span in server.spans_of(KEYS[0])} == names
    assert server.spans_of(KEYS[1]) == []


def test_one_refused_account_costs_the_others_nothing(
    server: SentrialStandIn, clients: dict[str, SentrialClient]
) -> None:
    stranger = SentrialClient(api_key="sentrial_test_unknown", api_url=server.url)
    stranger.begin("u", "stranger").finish()
    clients[KEYS[0]].begin("u", "known").finish()
    assert sentrial.flush(10)
    assert [span["name"] for span in server.spans] == ["invoke_agent known"]
    assert sentrial.stats()[f"Sentrial {server.url} (account 4)"] == {"stored": 0, "refused": 1}


def test_work_outside_every_session_belongs_to_no_account(
    server: SentrialStandIn, clients: dict[str, SentrialClient]
) -> None:
    session = clients[KEYS[0]].begin("u", "agent")
    token = context.attach(context.Context())
    third_party_span("unrelated")
    patched_call("gpt-4o")
    context.detach(token)
    session.finish()
    assert sentrial.flush(10)
    assert [span["name"] for span in server.spans] == ["invoke_agent agent"]
