"""Forks and workers: each process sends what it did itself, nothing is sent twice, nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from receivers import SentrialStandIn
from running import by_name, id_of, run_program

KEY = "sentrial_test_key"


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


FORK = """
    import os, sys
    import sentrial
    from opentelemetry import trace

    with sentrial.begin("u", "before"):
        pass  # queued, not sent: the parent's to send
    session = sentrial.begin("u", "agent", convo_id="c")
    session.track_tool_call("of the parent, before", {}, {})
    tool = session.tool("around the fork")
    tool.__enter__()
    child = os.fork()
    who = "parent" if child else "child"
    trace.get_tracer("db").start_span(f"SELECT of the {who}").end()
    tool.__exit__(None, None, None)
    session.track_tool_call(f"of the {who}", {}, {})
    session.finish(f"from the {who}")
    session.finish()  # again
    with sentrial.begin("u", f"new in the {who}"):
        pass
    if child:
        assert os.waitpid(child, 0)[1] == 0
"""


@pytest.mark.parametrize("provider", ["ours", "joined"])
def test_a_fork_in_the_middle_of_a_session(server: SentrialStandIn, provider: str) -> None:
    own = """
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    trace.set_tracer_provider(TracerProvider())
    """
    ended = run_program((own if provider == "joined" else "") + FORK, to(server))
    assert ended.err == ""
    spans = by_name(server.spans)  # each once
    assert set(spans) == {
        "invoke_agent before",
        "invoke_agent agent",
        "execute_tool of the parent, before",
        "execute_tool around the fork",
        "execute_tool of the parent",
        "execute_tool of the child",
        "SELECT of the parent",
        "SELECT of the child",
        "session completed",
        "invoke_agent new in the parent",
        "invoke_agent new in the child",
    }
    root = spans["invoke_agent agent"]
    session_id = id_of(root)
    of_session = [span for span in spans.values() if span["attributes"]["sentrial.session.id"] == session_id]
    assert len(of_session) == 8
    ids = {span["span_id"] for span in of_session}
    assert [span["name"] for span in of_session if span["parent_span_id"] not in ids] == ["invoke_agent agent"]
    assert {span["attributes"]["user.id"] for span in of_session} == {"u"}
    assert {span["attributes"]["session.id"] for span in of_session} == {"c"}
    assert root["attributes"]["output.value"] == "from the parent"
    assert root["attributes"]["sentrial.session.outcome"] == "completed"
    end = spans["session completed"]
    assert end["parent_span_id"] == root["span_id"]
    assert end["attributes"]["output.value"] == "from the child"
    assert end["attributes"]["sentrial.session.outcome"] == "completed"
    assert "sentrial.session.tool_calls" not in end["attributes"]


def test_a_fork_with_the_server_busy_sends_nothing_twice(server: SentrialStandIn) -> None:
    """The thread that is sending exists in the parent only, with whatever lock it holds."""
    run_program(
        """
        import os, sentrial
        client = sentrial.SentrialClient()
        children = []
        for number in range(5):
            for count in range(40):
                client.complete_session(client.create_session("n", f"parent {number}.{count}", "u"))
            child = os.fork()
            if not child:
                client.complete_session(client.create_session("n", f"child {number}", "u"))
                raise SystemExit
            children.append(child)
        assert [os.waitpid(child, 0)[1] for child in children] == [0] * 5
        """,
        to(server, SENTRIAL_FLUSH_INTERVAL="0.001"),
    )
    names = {f"invoke_agent parent {number}.{count}" for number in range(5) for count in range(40)}
    assert set(by_name(server.spans)) == names | {f"invoke_agent child {number}" for number in range(5)}


IN_AN_IMPORT = """
    import importlib.abc, os, sys, time

    os.register_at_fork(before=lambda: time.sleep(0.5))  # called after ours, which were registered later
    import sentrial

    class Slow(importlib.abc.MetaPathFinder):
        def find_spec(self, name, path, target=None):
            if name == os.environ["IMPORTED"]:
                time.sleep(1)  # in the middle of what imports it
            return None

    sys.meta_path.insert(0, Slow())
    sentrial.begin("u", "of the parent").finish()
    time.sleep(float(os.environ["FORK_AFTER"]))
    child = os.fork()
    if not child:
        sentrial.begin("u", "of the child").finish()
        raise SystemExit
    assert os.waitpid(child, 0)[1] == 0
"""


@pytest.mark.parametrize("fork_after", [0, 0.2], ids=["about to import", "importing"])
def test_no_fork_in_the_middle_of_a_late_import(server: SentrialStandIn, fork_after: float) -> None:
    """What a thread of ours has half imported would stay so in the child, which could deliver nothing, ever."""
    variables = {"IMPORTED": "requests.sessions", "FORK_AFTER": str(fork_after), "SENTRIAL_FLUSH_INTERVAL": "0.1"}
    ended = run_program(IN_AN_IMPORT, to(server, **variables))
    assert ended.err == ""
    assert set(by_name(server.spans)) == {"invoke_agent of the parent", "invoke_agent of the child"}


def test_a_forked_child_counts_its_own(server: SentrialStandIn) -> None:
    ended = run_program(
        """
        import json, os, sentrial
        sentrial.begin("u", "parent").finish()
        assert sentrial.flush(20)
        if not os.fork():
            before = sentrial.stats()
            sentrial.begin("u", "child").finish()
            assert sentrial.flush(20)
            print(json.dumps([before, sentrial.stats()]), flush=True)
        else:
            os.wait()
            print(json.dumps(sentrial.stats()), flush=True)
        """,
        to(server),
    )
    name = f"Sentrial {server.url}"
    assert ended.printed == [[{name: {"stored": 0}}, {name: {"stored": 1}}], {name: {"stored": 1}}]


def test_a_forked_child_says_itself_which_process_it_is(server: SentrialStandIn) -> None:
    """Where the SDK renews the resource there; older ones leave that of the parent."""
    ended = run_program(
        """
        import json, os, sentrial
        from opentelemetry.sdk.trace import TracerProvider
        sentrial.begin("u", "parent").finish()
        child = os.fork()
        if not child:
            sentrial.begin("u", "child").finish()
            raise SystemExit
        os.wait()
        print(json.dumps([os.getpid(), child if hasattr(TracerProvider, "_handle_fork") else os.getpid()]))
        """,
        to(server, OTEL_EXPERIMENTAL_RESOURCE_DETECTORS="process"),
    )
    spans = by_name(server.spans)
    found = [spans[f"invoke_agent {name}"]["resource"]["process.pid"] for name in ("parent", "child")]
    assert [int(pid) for pid in found] == ended.printed[0]


def test_a_child_that_ends_at_once_leaves_the_parents_sessions_alone(server: SentrialStandIn) -> None:
    run_program(
        """
        import os, sys, sentrial
        with sentrial.begin("u", "agent") as session:
            child = os.fork()
            if not child:
                sys.exit(0)  # runs the handlers of atexit, and leaves the block
            os.waitpid(child, 0)
            session.finish("done")
        """,
        to(server),
    )
    spans = by_name(server.spans)
    assert spans["invoke_agent agent"]["attributes"]["sentrial.session.outcome"] == "completed"
    assert set(spans) <= {"invoke_agent agent", "session completed"}


WORKERS = """
    import multiprocessing, os
    import sentrial

    def work(session_id):
        client = sentrial.SentrialClient()
        client.track_tool_call(session_id, "in the worker", {}, {})
        with sentrial.begin("u", "of the worker"):
            pass
        sentrial.begin("u", "left open in the worker")

    if __name__ == "__main__":
        context = multiprocessing.get_context(os.environ["METHOD"])
        client = sentrial.SentrialClient()
        session_id = client.create_session("n", "agent", "u")
        client.track_tool_call(session_id, "in the parent", {}, {})
        worker = context.Process(target=work, args=(session_id,))
        worker.start()
        worker.join()
        assert worker.exitcode == 0
        client.complete_session(session_id)
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_worker_of_multiprocessing_delivers_when_it_ends(
    server: SentrialStandIn, tmp_path: Path, method: str
) -> None:
    """It ends without the handlers of ``atexit``, before Python 3.14."""
    ended = run_program(WORKERS, to(server, METHOD=method), file=tmp_path / "workers.py")
    assert ended.err == ""
    spans = by_name(server.spans)
    assert set(spans) == {
        "invoke_agent agent",
        "execute_tool in the parent",
        "execute_tool in the worker",
        "invoke_agent of the worker",
        "invoke_agent left open in the worker",
    }
    root = spans["invoke_agent agent"]
    assert spans["execute_tool in the worker"]["parent_span_id"] == root["span_id"]
    assert spans["execute_tool in the worker"]["attributes"]["sentrial.session.id"] == id_of(root)
    forgotten = spans["invoke_agent left open in the worker"]
    assert forgotten["attributes"]["sentrial.session.outcome"] == "abandoned"


POOL = """
    import multiprocessing, os
    import sentrial

    def work(number):
        with sentrial.begin("u", f"agent{number}"):
            pass
        if os.environ["WAY"] == "flush":
            assert sentrial.flush()
        return number

    if __name__ == "__main__":
        sentrial.begin("u", "before").finish()
        with multiprocessing.get_context(os.environ["METHOD"]).Pool(3) as pool:
            assert pool.map(work, range(30)) == list(range(30))
            if os.environ["WAY"] == "close and join":
                pool.close()
                pool.join()
"""


@pytest.mark.parametrize("way", ["close and join", "flush"])
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_pool_of_workers_delivers_all(server: SentrialStandIn, tmp_path: Path, method: str, way: str) -> None:
    """At the end of ``with`` the workers are killed: as ``docs/across-processes.md`` says, they end or flush before."""
    ended = run_program(POOL, to(server, METHOD=method, WAY=way), file=tmp_path / "pool.py")
    assert ended.err == ""
    assert set(by_name(server.spans)) == {"invoke_agent before", *(f"invoke_agent agent{each}" for each in range(30))}


STUCK = """
    import ctypes, multiprocessing, signal
    import sentrial

    def work(ready):
        sentrial.begin("u", "agent").finish()
        mutex, library = ctypes.create_string_buffer(64), ctypes.CDLL(None)
        library.pthread_mutex_lock(mutex)
        ready.set()
        library.pthread_mutex_lock(mutex)

    if __name__ == "__main__":
        sentrial.configure()
        context = multiprocessing.get_context("fork")
        ready = context.Event()
        worker = context.Process(target=work, args=(ready,))
        worker.start()
        ready.wait()
        worker.terminate()
        worker.join(30)
        assert worker.exitcode == -signal.SIGTERM
"""


def test_a_worker_that_hangs_in_native_code_can_be_killed(server: SentrialStandIn, tmp_path: Path) -> None:
    """So SIGTERM is left to the system: a handler of Python's would not be come to."""
    assert run_program(STUCK, to(server), file=tmp_path / "stuck.py").err == ""
