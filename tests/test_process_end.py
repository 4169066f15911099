"""However a program ends, what it recorded arrives; and where that cannot be, the end does not wait for it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from receivers import OtlpHttpReceiver, SentrialStandIn
from refusing import refusing
from running import by_name, run_program, running_program

KEY = "sentrial_test_key"
BOUND = 25
"""Seconds that a program with a bound of some seconds may take on a slow machine, start and imports included."""


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        yield stand_in


def to(server: SentrialStandIn, **more: str) -> dict[str, str]:
    """Variables for a program that sends to ``server``, only when it ends."""
    return {
        "SENTRIAL_API_KEY": KEY,
        "SENTRIAL_API_URL": server.url,
        "SENTRIAL_FLUSH_INTERVAL": "60",
        **more,
    }


def outcome_of(server: SentrialStandIn, agent: str = "agent") -> tuple[str, int]:
    root = by_name(server.spans)[f"invoke_agent {agent}"]
    return root["attributes"]["sentrial.session.outcome"], root["status_code"]


# --- ways to end ---------------------------------------------------------------------------------------------------


def test_a_normal_end_delivers_all_without_flush(server: SentrialStandIn) -> None:
    ended = run_program(
        """
        import sentrial
        from opentelemetry import trace
        for number in range(3):
            with sentrial.begin("u", f"agent{number}") as session:
                session.track_tool_call(f"t{number}", {}, {})
                trace.get_tracer("db").start_span(f"SELECT {number}").end()
        """,
        to(server),
    )
    assert ended.err == ""
    names = {f"{what}{number}" for what in ("invoke_agent agent", "execute_tool t", "SELECT ") for number in range(3)}
    assert set(by_name(server.spans)) == names


def test_an_open_session_ends_as_abandoned(server: SentrialStandIn) -> None:
    run_program('import sentrial; sentrial.begin("u", "agent").track_tool_call("t", {}, {})', to(server))
    assert set(by_name(server.spans)) == {"invoke_agent agent", "execute_tool t"}
    assert outcome_of(server) == ("abandoned", 0)


def test_an_exception_nobody_catches_fails_a_block_and_abandons_a_bare_session(server: SentrialStandIn) -> None:
    ended = run_program(
        """
        import sentrial
        bare = sentrial.begin("u", "bare")
        with sentrial.begin("u", "agent"):
            raise LookupError("nothing there")
        """,
        to(server),
        code=1,
    )
    assert ended.err.splitlines()[-1] == "LookupError: nothing there"
    assert ended.log == []
    assert outcome_of(server) == ("failed", 2)
    assert outcome_of(server, "bare") == ("abandoned", 0)
    root = by_name(server.spans)["invoke_agent agent"]
    assert root["attributes"]["error.type"] == "LookupError"


@pytest.mark.parametrize("code", [0, 3])
def test_sys_exit_inside_a_block(server: SentrialStandIn, code: int) -> None:
    run_program(
        f"""
        import sys, sentrial
        with sentrial.begin("u", "agent") as session:
            session.set_output("so far")
            sys.exit({code})
        """,
        to(server),
        code=code,
    )
    assert outcome_of(server) == ("cancelled", 0)
    assert by_name(server.spans)["invoke_agent agent"]["attributes"]["output.value"] == "so far"


def test_an_interrupt_from_the_keyboard(server: SentrialStandIn, tmp_path: Path) -> None:
    process = running_program(
        """
        import sys, sentrial
        # What is imported while Python ends can make it forget that a signal was the cause.
        sentrial.begin("u", "before").finish()
        sentrial.flush(20)
        with sentrial.begin("u", "agent"), sentrial.begin("u", "sub"):
            print("inside", flush=True)
            sys.stdin.read()
        """,
        to(server),
        file=tmp_path / "program.py",
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "inside\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGINT
    assert err.splitlines()[-1] == "KeyboardInterrupt"
    assert outcome_of(server) == outcome_of(server, "sub") == ("cancelled", 0)


def test_a_session_left_open_by_a_daemon_thread(server: SentrialStandIn) -> None:
    run_program(
        """
        import threading, sentrial
        began = threading.Event()
        def work():
            with sentrial.begin("u", "agent"):
                began.set()
                threading.Event().wait()
        threading.Thread(target=work, daemon=True).start()
        began.wait()
        """,
        to(server),
    )
    assert outcome_of(server) == ("abandoned", 0)


def test_a_sub_agent_left_open_arrives_before_its_session(server: SentrialStandIn) -> None:
    run_program(
        """
        import os, sentrial
        outer = sentrial.begin("u", "outer").__enter__()
        inner = sentrial.begin("u", "inner").__enter__()
        inner.track_tool_call("t", {}, {})
        """,
        to(server),
    )
    spans = by_name(server.spans)
    assert spans["execute_tool t"]["parent_span_id"] == spans["invoke_agent inner"]["span_id"]
    assert spans["invoke_agent inner"]["parent_span_id"] == spans["invoke_agent outer"]["span_id"]


@pytest.mark.parametrize("configured_first", [True, False])
def test_the_applications_exporter_gets_what_the_end_of_the_program_ends(
    server: SentrialStandIn, configured_first: bool
) -> None:
    """Its provider shuts itself down at exit, and takes nothing afterwards: we have to be earlier."""
    configure = "sentrial.configure()"
    with OtlpHttpReceiver() as apm:
        run_program(
            f"""
            import sentrial
            {configure if configured_first else ""}
            from opentelemetry import trace
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
            provider = TracerProvider()
            provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter({apm.traces_url!r})))
            trace.set_tracer_provider(provider)
            {"" if configured_first else configure}
            sentrial.begin("u", "agent").track_tool_call("t", {{}}, {{}})
            """,
            to(server),
        )
        assert set(by_name(apm.spans)) == set(by_name(server.spans)) == {"invoke_agent agent", "execute_tool t"}


def test_what_begins_while_the_program_ends_can_still_be_flushed(server: SentrialStandIn) -> None:
    """From Python 3.12 on, no thread can be started any more by then."""
    ended = run_program(
        """
        import atexit, json, sentrial
        sentrial.begin("u", "before").finish()
        sentrial.shutdown()
        def last():
            sentrial.begin("u", "agent").finish("bye")
            print(json.dumps([sentrial.flush(20), list(sentrial.stats().values())]))
        atexit.register(last)
        """,
        to(server),
    )
    assert ended.printed == [[True, [{"stored": 1}]]]
    assert ended.err == ""
    assert outcome_of(server) == ("completed", 0)


def test_the_store_alone_has_all_when_a_program_ends(tmp_path: Path) -> None:
    ended = run_program(
        """
        import sentrial
        sentrial.begin("u", "agent")
        """,
        {"SENTRIAL_STORE": str(tmp_path / "own.db"), "SENTRIAL_FLUSH_INTERVAL": "60"},
    )
    assert ended.err == ""
    listed = run_program(
        f"""
        import json
        from pathlib import Path
        from sentrial._store.connection import open_for_reading
        from sentrial._store.read import list_sessions
        connection = open_for_reading(Path({str(tmp_path / "own.db")!r}))
        print(json.dumps([(each.agent, each.status) for each in list_sessions(connection)]))
        connection.close()
        """
    )
    assert listed.printed == [[["agent", "abandoned"]]]


# --- a server that is away --------------------------------------------------------------------------------------------

TWO_SESSIONS = """
    import sentrial
    for number in range(2):
        sentrial.begin("u", f"agent{number}").finish()
    open_at_the_end = sentrial.begin("u", "open")
"""


def test_a_silent_server_holds_up_the_end_no_longer_than_its_bound(server: SentrialStandIn) -> None:
    server.silence()
    ended = run_program(TWO_SESSIONS, to(server, SENTRIAL_FLUSH_TIMEOUT="1", SENTRIAL_FLUSH_INTERVAL="0.01"))
    assert ended.seconds < BOUND
    (line,) = ended.err.splitlines()
    assert line.startswith(f"sentrial: 3 spans for Sentrial {server.url} are lost: could not be sent in the time")


def test_a_server_that_is_down_holds_up_the_end_no_longer_than_its_bound() -> None:
    with refusing() as url:
        ended = run_program(
            TWO_SESSIONS,
            # Long enough to import what sends and to try once, and nothing near what one batch is tried for.
            {
                "SENTRIAL_API_KEY": KEY,
                "SENTRIAL_API_URL": url,
                "SENTRIAL_FLUSH_INTERVAL": "60",
                "SENTRIAL_FLUSH_TIMEOUT": "5",
            },
        )
    assert ended.seconds < BOUND
    lost = [line for line in ended.err.splitlines() if " lost: " in line]
    assert len(lost) == 1
    assert lost[0].startswith(f"sentrial: 3 spans for Sentrial {url} are lost: no answer from {url}")
    assert "Traceback" not in ended.err


def test_one_of_two_servers_silent_costs_the_other_nothing(server: SentrialStandIn) -> None:
    server.silence()
    with OtlpHttpReceiver() as collector:
        ended = run_program(
            TWO_SESSIONS, to(server, SENTRIAL_FLUSH_TIMEOUT="8", OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
        )
        assert ended.seconds < BOUND
        assert set(by_name(collector.spans)) == {"invoke_agent agent0", "invoke_agent agent1", "invoke_agent open"}
    assert [line[:30] for line in ended.err.splitlines()] == [f"sentrial: 3 spans for Sentrial {server.url}"[:30]]


def test_a_server_that_comes_back_before_the_end_gets_all(server: SentrialStandIn) -> None:
    """The pause before the next try would be longer than the end of the program waits."""
    server.respond(503, {}, b"busy", times=3)
    process = running_program(
        """
        import sys, sentrial
        sentrial.begin("u", "agent").finish()
        for _ in range(3):
            sentrial.flush(0.3)
        """,
        to(server, SENTRIAL_FLUSH_TIMEOUT="20", SENTRIAL_FLUSH_INTERVAL="0.01"),
    )
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert set(by_name(server.spans)) == {"invoke_agent agent"}
    assert " lost: " not in err


# --- threads ----------------------------------------------------------------------------------------------


def test_there_is_no_thread_of_ours_before_the_first_span(server: SentrialStandIn) -> None:
    ended = run_program(
        """
        import json, threading
        def ours():
            return [thread.name for thread in threading.enumerate() if thread.name.startswith("sentrial")]
        import sentrial
        sentrial.configure()
        client = sentrial.SentrialClient()
        print(json.dumps(ours()))
        session_id = client.create_session("n", "agent", "u")
        print(json.dumps(ours()))
        client.complete_session(session_id)
        sentrial.shutdown()
        print(json.dumps(ours()))
        """,
        to(server),
    )
    assert ended.printed == [[], [f"sentrial Sentrial {server.url}"], []]
