"""Settings that make no sense, and the calls that set up, wait and end: no exception, one word, and nothing is lost."""

from __future__ import annotations

import inspect
import logging
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import sentrial
from odd_values import ODD, make
from receivers import SentrialStandIn
from running import arrived, by_name
from sentrial import AsyncSentrialClient, SentrialClient, _config

KEY = "sentrial_test_key"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SentrialStandIn]:
    monkeypatch.chdir(tmp_path)  # "abc" is a path to a store, too
    monkeypatch.setenv("SENTRIAL_FLUSH_TIMEOUT", "10")
    with SentrialStandIn([KEY]) as stand_in:
        monkeypatch.setenv("SENTRIAL_API_KEY", KEY)
        monkeypatch.setenv("SENTRIAL_API_URL", stand_in.url)
        yield stand_in
        sentrial.shutdown(20)


def words_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if record.name == "sentrial" and record.levelno >= logging.WARNING
    ]


def a_session() -> None:
    with sentrial.begin("u", "agent") as session:
        session.track_tool_call("t", {}, {})


SETTINGS = [name for name in inspect.signature(sentrial.configure).parameters if name != "fail_silently"]


@pytest.mark.parametrize("name", SETTINGS)
def test_an_odd_setting_is_named_once_and_the_session_arrives(
    name: str, server: SentrialStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    for odd in ODD:
        caplog.clear()
        sentrial.configure(**{name: make(odd)})
        a_session()
        sentrial.shutdown(10)
        told = [words for words in words_of(caplog) if f"{name}=" in words]
        assert len(told) <= 1, (odd, told)
        if (name, odd) in TAKEN:
            continue
        counts = {place: counts for place, counts in sentrial.stats().items() if place != "collector"}
        assert {f"Sentrial {server.url}": {"stored": 2}}.items() <= counts.items(), odd
        assert [told for place, told in counts.items() if told != {"stored": 2}] in ([], [{"stored": 0, "refused": 2}])


TAKEN = {
    ("enabled", "zero"), ("enabled", "false"), *(("sample_rate", odd) for odd in ODD), ("queue_size", "seven"),
    ("queue_size", "integer of numpy"), ("queue_size", "bool of numpy"), ("queue_size", "array of one"),
    ("api_key", "text"), ("api_key", "text of numpy"), ("api_key", "text that raises"),
}  # fmt: skip
"""What is odd and makes sense all the same: it switches off, bounds what may wait, or is a key that is refused."""


@pytest.mark.parametrize("name", SETTINGS)
def test_asked_to_be_loud_it_raises_words_that_name_the_setting_and_changes_nothing(
    name: str, server: SentrialStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    sentrial.configure()
    for odd in ODD:
        before = _config.active
        try:
            sentrial.configure(**{"fail_silently": False, name: make(odd)})
        except ValueError as error:
            raised = str(error)
        else:
            sentrial.configure()
            continue
        if name == "instrument" and "no library is known" in raised:
            continue
        assert f"{name}=" in raised, odd
        assert "is not usable: it must be " in raised, odd
        assert _config.active is before
    assert words_of(caplog) == []
    a_session()
    assert set(arrived(server)) == {"invoke_agent agent", "execute_tool t"}


@pytest.mark.parametrize("name", ["api_url", "api_key", "langfuse", "pii", "batching", "fail_silently"])
def test_a_client_made_of_odd_values_works(
    name: str, server: SentrialStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    for number, odd in enumerate(ODD):
        caplog.clear()
        client = SentrialClient(**{name: make(odd)})
        assert len(words_of(caplog)) <= 1, odd
        assert KEY not in repr(client)
        session_id = client.create_session("n", f"agent{number}", "u")
        client.track_tool_call(session_id, "t", {}, {})
        assert client.complete_session(session_id)["status"] == "completed", odd
    sentrial.shutdown(20)
    lost = {reason for counts in sentrial.stats().values() for reason in counts} - {"stored"}
    assert lost <= ({"refused"} if name == "api_key" else set())
    assert sum(sum(counts.values()) for counts in sentrial.stats().values()) == 2 * len(ODD)


@pytest.mark.parametrize("wait", ["flush", "client.flush", "client.shutdown", "shutdown"])
def test_an_odd_time_to_wait_is_said_once_and_the_usual_one_counts(
    wait: str, server: SentrialStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    for number, odd in enumerate(set(ODD) - {"zero", "false", "fraction of one"}):
        caplog.clear()
        sentrial.configure()
        client = SentrialClient()
        sentrial.begin("u", f"agent{number}").finish()
        calls = {
            "flush": sentrial.flush, "client.flush": client.flush, "client.shutdown": client.shutdown,
            "shutdown": sentrial.shutdown,
        }  # fmt: skip
        assert calls[wait](make(odd)) in (None, True), odd
        assert f"invoke_agent agent{number}" in by_name(server.spans), odd
        assert len(words_of(caplog)) <= 1, odd
    sentrial.configure(fail_silently=False)
    with pytest.raises(ValueError, match=r"timeout='soon' is not usable: it must be a number of seconds, not below 0"):
        sentrial.flush("soon")  # type: ignore[arg-type]  # what is tried


def test_an_odd_id_or_handle_is_said_once_and_costs_nothing(
    server: SentrialStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    client = SentrialClient()
    for odd in ODD:
        with client.attach(make(odd)) as session:
            session.track_tool_call("t", {}, {})
        sentrial.set_session_context(make(odd))
        assert sentrial.get_current_session_id() is None, odd
        assert client.complete_session(make(odd)) == client.close_session(make(odd)) == {}
        assert client.track_error(make(odd), "e") == client.track_decision(make(odd), "r") == {}
        client.resume(make(odd)).finish()
        assert sentrial.get_current_session_id() is None, odd
    assert len(words_of(caplog)) == 2  # of ids, and of handles
    # What is told by an id that leads nowhere has no place; what is told to an object has one.
    names = Counter(span["name"] for span in flushed(server))
    assert names == {"invoke_agent resumed": len(ODD), "execute_tool t": len(ODD)}


def test_a_session_can_be_made_current_for_an_odd_client(
    server: SentrialStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    session_id = SentrialClient().create_session("n", "agent", "u")
    for odd in ODD:
        sentrial.set_session_context(session_id, make(odd))
        assert sentrial.get_current_session_id() == session_id, odd
        sentrial.clear_session_context()
    (said,) = words_of(caplog)
    assert said.endswith("is not usable: it must be a SentrialClient. The one that configure() made counts.")


async def test_the_asynchronous_doors_take_odd_values_too(server: SentrialStandIn) -> None:
    client = AsyncSentrialClient()
    for odd in ODD:
        before = len(flushed(server))
        session = await client.begin(*(make(odd) for _ in range(6)))
        await session.track_tool_call(*(make(odd) for _ in range(8)))
        await session.track_decision(*(make(odd) for _ in range(6)))
        await session.track_error(*(make(odd) for _ in range(5)))
        await session.track_llm_call(make(odd))
        session.add_tokens(*(make(odd) for _ in range(3)))
        session.set_output(make(odd))
        await session.finish(*(make(odd) for _ in range(9)))
        session_id = await client.create_session(*(make(odd) for _ in range(5)))
        assert (await client.complete_session(session_id, *(make(odd) for _ in range(10))))["id"] == session_id
        assert sentrial.get_current_session_id() is None
        assert len(flushed(server)) - before == 6, odd


def flushed(server: SentrialStandIn) -> list[dict[str, Any]]:
    assert sentrial.flush(20)
    return server.spans
