"""Setting up and taking back: twice, again after a shutdown, and not at all where it is switched off."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry import trace

import sentrial
from receivers import SentrialStandIn
from running import arrived, by_name, run_program
from sentrial import SentrialClient, _config, _payload, _setup

KEY = "sentrial_test_key"


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    _before.update(threading.enumerate())
    with SentrialStandIn([KEY, "sentrial_second_key"]) as stand_in:
        yield stand_in
        sentrial.shutdown()


def threads_of_ours() -> list[str]:
    """Not counting those that tests before have left, with a server that did not answer."""
    alive = (thread for thread in threading.enumerate() if thread not in _before)
    return sorted(thread.name for thread in alive if thread.name.startswith("sentrial"))


_before: set[threading.Thread] = set()


def make_a_session(name: str = "agent") -> None:
    with sentrial.begin("u", name):
        trace.get_tracer("third.party").start_span(f"SELECT of {name}").end()


# --- setting up ------------------------------------------------------------------------------------------------------


def test_importing_and_configuring_start_nothing(server: SentrialStandIn) -> None:
    sentrial.configure(api_key=KEY, api_url=server.url, otlp_endpoint=server.url, store=True)
    client = SentrialClient()
    assert threads_of_ours() == []
    assert server.requests == []
    assert isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)
    session_id = client.create_session("n", "agent", "u")
    # The store is told of a session that has begun, so that it can be seen while it runs.
    assert threads_of_ours() == ["sentrial Sentrial " + server.url, "sentrial collector", "sentrial local store"]
    client.complete_session(session_id)


def test_a_client_alone_sets_up_what_it_needs(server: SentrialStandIn) -> None:
    client = SentrialClient(api_key=KEY, api_url=server.url)
    client.complete_session(client.create_session("n", "agent", "u"))
    assert client.flush(10)
    assert [span["name"] for span in server.spans] == ["invoke_agent agent"]


def test_a_client_without_arguments_takes_those_of_configure(
    server: SentrialStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SENTRIAL_API_KEY", "sentrial_second_key")
    sentrial.configure(api_key=KEY, api_url=server.url)
    client = SentrialClient()
    client.complete_session(client.create_session("n", "agent", "u"))
    assert client.flush(10)
    assert [span["name"] for span in server.spans_of(KEY)] == ["invoke_agent agent"]


def test_configuring_twice_sends_nothing_twice(server: SentrialStandIn) -> None:
    for _ in range(2):
        sentrial.configure(api_key=KEY, api_url=server.url)
    make_a_session()
    assert set(arrived(server)) == {"invoke_agent agent", "SELECT of agent"}
    sentrial.configure(api_key=KEY, api_url=server.url)
    make_a_session("second")
    assert len(arrived(server)) == 4
    # Two of them, if one was at work when there was more to do.
    assert set(threads_of_ours()) == {f"sentrial Sentrial {server.url}"}


def test_the_second_configuration_counts_for_the_sessions_that_begin_under_it(server: SentrialStandIn) -> None:
    sentrial.configure(api_key=KEY, api_url=server.url)
    first = sentrial.begin("u", "first")
    sentrial.configure(api_key="sentrial_second_key", api_url=server.url, capture_content=False)
    sentrial.begin("u", "second", input="hello").finish()
    first.finish("bye")
    assert sentrial.flush(10)
    (one,), (two,) = server.spans_of(KEY), server.spans_of("sentrial_second_key")
    assert (one["name"], two["name"]) == ("invoke_agent first", "invoke_agent second")
    assert "input.value" not in two["attributes"]


def test_bad_values_are_said_and_leave_the_defaults(server: SentrialStandIn, caplog: pytest.LogCaptureFixture) -> None:
    sentrial.configure(api_key=KEY, api_url=server.url, sample_rate=7, session_parent="uncle")
    assert (_config.active.sample_rate, _config.active.session_parent) == (None, "root")
    assert [record.message.split(": it must be")[0] for record in caplog.records] == [
        "sentrial: session_parent='uncle' is not usable",
        "sentrial: sample_rate=7 is not usable",
    ]
    with pytest.raises(ValueError, match=r"^sample_rate=7 is not usable"):
        sentrial.configure(api_key=KEY, api_url=server.url, sample_rate=7, fail_silently=False)


# --- taking back -----------------------------------------------------------------------------------------------------


def test_after_a_shutdown_nothing_of_ours_runs(server: SentrialStandIn) -> None:
    sentrial.configure(api_key=KEY, api_url=server.url)
    session = sentrial.begin("u", "agent")
    session.track_tool_call("t", {}, {})
    sentrial.shutdown()
    assert set(by_name(server.spans)) == {"invoke_agent agent", "execute_tool t"}
    assert threads_of_ours() == []
    assert sentrial.stats() == {f"Sentrial {server.url}": {"stored": 2}}  # what it was in the end
    trace.get_tracer("third.party").start_span("afterwards").end()
    assert sentrial.flush(1)
    sentrial.shutdown()  # a second time does nothing
    assert len(server.spans) == 2


def test_what_runs_again_after_a_shutdown_sends_again_and_nothing_twice(server: SentrialStandIn) -> None:
    for name in ("first", "second", "third"):
        sentrial.configure(api_key=KEY, api_url=server.url)
        make_a_session(name)
        sentrial.shutdown()
        assert sentrial.stats() == {f"Sentrial {server.url}": {"stored": 2}}
    expected = {f"{what} {name}" for name in ("first", "second", "third") for what in ("invoke_agent", "SELECT of")}
    assert set(by_name(server.spans)) == expected
    assert threads_of_ours() == []


def test_a_client_outlives_a_shutdown(server: SentrialStandIn) -> None:
    client = SentrialClient(api_key=KEY, api_url=server.url)
    client.complete_session(client.create_session("n", "first", "u"))
    sentrial.shutdown()
    client.complete_session(client.create_session("n", "second", "u"))
    assert set(arrived(server)) == {"invoke_agent first", "invoke_agent second"}


def test_a_session_that_a_shutdown_ended_takes_late_events_after_the_next_start(server: SentrialStandIn) -> None:
    client = SentrialClient(api_key=KEY, api_url=server.url)
    session_id = client.create_session("n", "agent", "u")
    sentrial.shutdown()
    sentrial.configure(api_key=KEY, api_url=server.url)
    assert client.complete_session(session_id) == {}
    client.track_tool_call(session_id, "t", {}, {})
    tool = arrived(server)["execute_tool t"]
    assert tool["attributes"]["sentrial.late"] is True


# --- switched off ----------------------------------------------------------------------------------------------------

SWITCHED_OFF = """
    import json, os, sys, threading

    seen = []
    def watch(event, arguments):
        if event.startswith(("socket.connect", "socket.bind", "socket.getaddrinfo", "sqlite3.connect")):
            seen.append(event)
    sys.addaudithook(watch)

    from openai import _base_client
    request = _base_client.SyncAPIClient.request

    import sentrial
    from opentelemetry import context, propagate, trace

    if os.environ.get("ARGUMENT"):
        sentrial.configure(enabled=False)
    client = sentrial.SentrialClient(api_key="sentrial_test_key", api_url="http://127.0.0.1:9")
    provider = trace.get_tracer_provider()

    def carried():
        carrier = {}
        propagate.inject(carrier)
        return carrier.get("traceparent")

    def use():
        places = {}
        session_id = client.create_session("n", "agent", "u")
        answers = [
            client.track_tool_call(session_id, "t", {}, {}),
            client.track_decision(session_id, "r"),
            client.track_llm_call(session_id, "m"),
            client.track_error(session_id, "e"),
            client.complete_session(session_id),
        ]
        with sentrial.begin("u", "agent", input="in") as session:
            places["session"] = carried()
            with session.tool("t"):
                places["tool"] = carried()
                with session.decision("r"):
                    places["decision"] = carried()
            with session.llm("m", provider="openai"):
                places["llm"] = carried()
            with sentrial.begin("u", "sub") as sub:
                places["sub-agent"] = carried()
            same = trace.get_current_span()
            last = session.finish("out")
        return places, session_id, answers, (session.session_id, sub.session_id), last, same

    without = use()
    incoming = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    context.attach(propagate.extract({"traceparent": incoming}))
    caller = trace.get_current_span()
    inside = use()
    print(json.dumps({
        "places without": without[0],
        "places inside": inside[0],
        "ids": [without[1], inside[1], *without[3], *inside[3]],
        "answers": [*without[2], *inside[2]],
        "last": [without[4], inside[4]],
        "the caller's span stays current": inside[5] is caller,
        "flush": sentrial.flush(30),
        "stats": sentrial.stats(),
        "threads": [thread.name for thread in threading.enumerate()],
        "patched": _base_client.SyncAPIClient.request is not request,
        "provider": type(trace.get_tracer_provider()).__name__ == type(provider).__name__,
        "seen": seen,
    }))
"""


@pytest.mark.parametrize(
    "variables",
    [
        {"OTEL_SDK_DISABLED": "true"},
        {"SENTRIAL_ENABLED": "false"},
        {"SENTRIAL_ENABLED": "false", "SENTRIAL_SESSION_PARENT": "inherit"},
        {"ARGUMENT": "1"},
    ],
    ids=lambda variables: "+".join(variables),
)
def test_switched_off_it_answers_and_does_nothing(variables: dict[str, str]) -> None:
    ended = run_program(SWITCHED_OFF, {**variables, "SENTRIAL_STORE": "on"})
    (found,) = ended.printed
    assert ended.err == ""
    places = ("session", "tool", "decision", "llm", "sub-agent")
    assert found["places without"] == dict.fromkeys(places)
    assert found["places inside"] == dict.fromkeys(places, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    assert found["the caller's span stays current"] is True
    ids = found["ids"]
    assert len(set(ids)) == len(ids)
    assert {len(session_id) for session_id in ids} == {49}
    events = ["tool_call", "llm_decision", "llm_call", "error", None]
    assert [answer.get("eventType") for answer in found["answers"]] == events * 2
    assert [answer["status"] for answer in found["answers"] if "status" in answer] == ["completed"] * 2
    assert [answer["status"] for answer in found["last"]] == ["completed"] * 2
    assert found["flush"] is True
    assert sum(sum(counts.values()) for counts in found["stats"].values()) == 0
    assert found["threads"] == ["MainThread"]
    assert found["patched"] is False
    assert found["provider"] is True
    assert found["seen"] == []
    assert list(Path(os.environ["HOME"]).iterdir()) == []


def test_switched_on_the_same_program_does_what_the_other_lacks(server: SentrialStandIn) -> None:
    """What the test above sees nothing of can be seen."""
    program = SWITCHED_OFF.replace('"http://127.0.0.1:9"', repr(server.url))
    (found,) = run_program(program, {"SENTRIAL_STORE": "on"}).printed
    assert "socket.connect" in found["seen"]
    assert "sqlite3.connect" in found["seen"]
    assert len(found["threads"]) == 3
    assert found["patched"] is True
    assert None not in found["places without"].values()
    assert found["the caller's span stays current"] is False


def test_switched_off_it_links_nothing_with_the_callers_span() -> None:
    from opentelemetry.sdk.trace import TracerProvider

    trace.set_tracer_provider(TracerProvider())
    sentrial.configure(enabled=False)
    with trace.get_tracer("web").start_as_current_span("GET /") as caller:
        sentrial.begin("u", "agent").finish()
        assert trace.get_current_span() is caller
        assert list(caller.links) == []  # type: ignore[attr-defined]  # the SDK's own
        assert caller.is_recording()


def test_it_can_be_switched_off_and_on_again(server: SentrialStandIn) -> None:
    for number, enabled in enumerate((True, False, True)):
        sentrial.configure(api_key=KEY, api_url=server.url, enabled=enabled)
        assert _payload.policy.to_us is enabled
        make_a_session(f"agent{number}")
    assert set(arrived(server)) == {
        "invoke_agent agent0",
        "SELECT of agent0",
        "invoke_agent agent2",
        "SELECT of agent2",
    }


def test_a_session_that_is_open_when_it_is_switched_off_still_ends(server: SentrialStandIn) -> None:
    sentrial.configure(api_key=KEY, api_url=server.url)
    session = sentrial.begin("u", "agent")
    sentrial.configure(enabled=False)
    assert session.finish()["status"] == "completed"
    assert set(arrived(server)) == {"invoke_agent agent"}


def test_setting_up_from_many_threads_sets_up_once(server: SentrialStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENTRIAL_API_KEY", KEY)
    monkeypatch.setenv("SENTRIAL_API_URL", server.url)
    together = threading.Barrier(8)

    def work(number: int) -> None:
        together.wait(10)
        with sentrial.begin("u", f"agent{number}"):
            pass

    workers = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert set(arrived(server)) == {f"invoke_agent agent{number}" for number in range(8)}
    assert len(_setup._joined) == 0
