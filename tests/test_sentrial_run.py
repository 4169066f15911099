"""``sentrial run`` runs a program as Python itself would, and records it."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from by_themselves import CALL, names
from fake_provider import FakeProvider
from receivers import SentrialStandIn
from running import Span
from zero_code import BIN, PROGRAMS, Outcome, run, variables

ROOT = "invoke_agent shop"
SHOWS = """
import os, sys
print(sys.argv, sys.path[0], __name__, globals().get("__file__"), __spec__ and __spec__.name, sys.flags.dev_mode)
print([place for place in sys.path if "sentrial" in place.rpartition("/src/")[2]], sys.stdin.read())
"""
FAILS = """
def deeper():
    raise ValueError("no such order")

deeper()
"""


@pytest.fixture
def model() -> Iterator[FakeProvider]:
    with FakeProvider() as provider:
        yield provider


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn() as stand_in:
        yield stand_in


@pytest.fixture
def given(model: FakeProvider, server: SentrialStandIn) -> dict[str, str]:
    return variables(model, server)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the programs of these tests."""
    package = tmp_path / "package"
    package.mkdir()
    for place, source in (
        (tmp_path / "shows.py", SHOWS),
        (tmp_path / "fails.py", FAILS),
        (package / "__init__.py", ""),
        (package / "__main__.py", SHOWS),
    ):
        place.write_text(source, encoding="utf-8")
    return tmp_path


def root_of(server: SentrialStandIn) -> Span:
    (root,) = [span for span in server.spans if span["name"] == ROOT]
    return root


@pytest.mark.parametrize(
    "arguments",
    [
        ["shows.py", "--port", "80", "-m", "x"],
        ["-m", "package", "--", "a"],
        ["-c", SHOWS, "-h"],
        ["-X", "dev", "shows.py"],
        ["-", "from stdin"],
        ["package"],
        ["fails.py"],
        ["-c", "import sys; sys.exit(3)"],
        ["-c", "import sys; sys.exit('no')"],
        ["not_there.py"],
        ["-m", "not.there"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_it_runs_as_python_would(given: dict[str, str], folder: Path, arguments: list[str]) -> None:
    stdin = SHOWS if arguments[0] == "-" else "typed"
    expected = run(["python", *arguments], given, folder, stdin)
    seen = run(["sentrial", "run", *arguments], given, folder, stdin)
    assert (seen.code, seen.out) == (expected.code, expected.out)
    # Python calls itself by the name that it was started by.
    assert seen.err.replace(f"{BIN}/python3", f"{BIN}/python") == expected.err
    assert (seen.out, seen.err) != ("", "") or seen.code == 3


def test_a_command_that_is_a_python_program_runs_too(given: dict[str, str], folder: Path) -> None:
    seen = run(["sentrial", "run", "python", "shows.py", "a"], given, folder)
    assert seen == run(["python", "shows.py", "a"], given, folder)


def test_it_needs_neither_click_nor_rich(given: dict[str, str], server: SentrialStandIn, tmp_path: Path) -> None:
    for name in ("click", "rich"):
        (tmp_path / f"{name}.py").write_text("raise ModuleNotFoundError('away', name=__name__)", encoding="utf-8")
    done = run(["sentrial", "run", "asks.py"], {**given, "PYTHONPATH": str(tmp_path)})
    assert (done.code, done.err) == (0, "")
    assert root_of(server)["attributes"]["sentrial.session.outcome"] == "completed"


@pytest.mark.parametrize(("arguments", "code"), [(["--help"], 0), (["-h"], 0), ([], 2)])
def test_it_says_how_it_is_used(given: dict[str, str], arguments: list[str], code: int) -> None:
    done = run(["sentrial", "run", *arguments], given)
    assert done.code == code
    assert (done.out or done.err).startswith("Usage: sentrial run PROGRAM [ARGUMENTS]...\n")
    assert "run       Run a program" in run(["sentrial", "--help"], given).out


# --- the session of the run ------------------------------------------------------------------------------------------


def test_the_run_is_one_session(given: dict[str, str], server: SentrialStandIn) -> None:
    done = run(["sentrial", "run", "asks.py", "a", "b"], given)
    assert (done.code, done.err) == (0, "")
    assert names(server.spans) == [CALL, CALL, ROOT]
    root = root_of(server)["attributes"]
    assert (root["sentrial.session.outcome"], root["sentrial.session.llm_calls"]) == ("completed", 2)


@pytest.mark.parametrize(
    ("end", "outcome", "reason"),
    [
        ("raise ValueError('no such order')", "failed", "ValueError: no such order"),
        ("raise KeyboardInterrupt", "cancelled", None),
        ("raise SystemExit(0)", "completed", None),
    ],
)
def test_it_ends_as_the_program_does(
    given: dict[str, str], server: SentrialStandIn, end: str, outcome: str, reason: str | None
) -> None:
    run(["sentrial", "run", "-c", f"import asks\n{end}"], given)
    root = root_of(server)["attributes"]
    assert (root["sentrial.session.outcome"], root.get("sentrial.session.failure_reason")) == (outcome, reason)


def test_a_program_that_calls_no_model_leaves_nothing(given: dict[str, str], server: SentrialStandIn) -> None:
    assert run(["sentrial", "run", "-c", "print(1)"], given) == Outcome(0, "1\n", "")
    assert server.requests == []


def test_a_session_of_the_programs_own_wins(given: dict[str, str], server: SentrialStandIn) -> None:
    program = "import sentrial\nwith sentrial.begin('ann', 'clerk'):\n    import asks\n"
    assert run(["sentrial", "run", "-c", program], given).err == ""
    assert names(server.spans) == [CALL, "invoke_agent clerk"]


@pytest.mark.parametrize(
    "child",
    [
        "subprocess.run([sys.executable, 'asks.py', 'child'], check=True)",
        "multiprocessing.get_context('spawn').Process(target=runpy.run_path, args=('asks.py',)).start()",
        "multiprocessing.get_context('fork').Process(target=runpy.run_path, args=('asks.py',)).start()",
    ],
    ids=["subprocess", "spawn", "fork"],
)
def test_programs_and_workers_that_it_starts_are_a_part_of_the_run(
    given: dict[str, str], server: SentrialStandIn, tmp_path: Path, child: str
) -> None:
    imports = "import multiprocessing, runpy, subprocess, sys\n"
    program = f"{imports}if __name__ == '__main__':\n    import asks\n    {child}\n"
    (tmp_path / "parent.py").write_text(program, encoding="utf-8")
    path = {"PYTHONPATH": str(PROGRAMS), "PYTHONWARNINGS": "ignore"}
    done = run(["sentrial", "run", str(tmp_path / "parent.py")], {**given, **path})
    assert (done.code, done.err) == (0, "")
    root = root_of(server)
    assert names(server.spans) == [CALL, CALL, ROOT]
    assert [(span["trace_id"], span["parent_span_id"]) for span in server.spans if span["name"] == CALL] == [
        (root["trace_id"], root["span_id"])
    ] * 2
    assert {span["attributes"]["sentrial.session.id"] for span in server.spans} == {
        root["attributes"]["sentrial.session.id"]
    }


# --- what the machine has of its own ---------------------------------------------------------------------------------


def test_a_sitecustomize_of_the_machines_own_runs_first(given: dict[str, str], folder: Path) -> None:
    own = folder / "own"
    own.mkdir()
    (own / "sitecustomize.py").write_text("print('own', 'sentrial._setup' in __import__('sys').modules)", "utf-8")
    given["PYTHONPATH"] = str(own)
    done = run(["sentrial", "run", "-c", "import sitecustomize; print(sitecustomize.__file__)"], given)
    # The command is a Python program, too.
    assert done == Outcome(0, f"own False\nown False\n{own / 'sitecustomize.py'}\n", "")


def test_a_sitecustomize_that_fails_fails_as_ever_and_the_program_is_recorded(
    given: dict[str, str], server: SentrialStandIn, folder: Path
) -> None:
    (folder / "sitecustomize.py").write_text("raise ValueError('theirs')", encoding="utf-8")
    given["PYTHONPATH"] = str(folder)
    done, plain = run(["sentrial", "run", "asks.py"], given), run(["python", "asks.py"], given)
    assert "ValueError: theirs" in plain.err
    assert done == Outcome(0, plain.out, plain.err * 2)
    assert names(server.spans) == [CALL, ROOT]


# --- SIGTERM ---------------------------------------------------------------------------------------------------------

WAITS = """
import signal, sys, time
import asks
seen = []
assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
{handler}
print("ready", flush=True)
while not seen:
    time.sleep(0.01)
print("over")
sys.exit(7)
"""


def terminated(given: dict[str, str], handler: str = "") -> tuple[int, str]:
    process = subprocess.Popen(
        [str(BIN / "sentrial"), "run", "-c", WAITS.format(handler=handler)],
        env=given,
        cwd=PROGRAMS,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    while process.stdout.readline() != "ready\n":
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=60)
    return process.returncode, out


def test_what_is_queued_leaves_before_sigterm_ends_the_program(given: dict[str, str], server: SentrialStandIn) -> None:
    assert terminated(given) == (-signal.SIGTERM, "")
    assert root_of(server)["attributes"]["sentrial.session.outcome"] == "cancelled"
    assert names(server.spans) == [CALL, ROOT]


def test_a_handler_of_the_programs_own_is_the_one_that_counts(given: dict[str, str], server: SentrialStandIn) -> None:
    own = "assert signal.signal(signal.SIGTERM, lambda *_: seen.append(1)) is signal.SIG_DFL"
    assert terminated(given, own) == (7, "over\n")
    assert root_of(server)["attributes"]["sentrial.session.outcome"] == "completed"


def test_the_default_asked_for_again_delivers_too(given: dict[str, str], server: SentrialStandIn) -> None:
    again = (
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "assert signal.signal(signal.SIGTERM, signal.SIG_DFL) is signal.SIG_IGN\n"
        "assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL"
    )
    assert terminated(given, again) == (-signal.SIGTERM, "")
    assert names(server.spans) == [CALL, ROOT]


def test_a_server_that_does_not_answer_holds_sigterm_up_for_so_long_only(
    given: dict[str, str], server: SentrialStandIn
) -> None:
    server.silence()
    assert terminated({**given, "SENTRIAL_FLUSH_TIMEOUT": "0.2"}) == (-signal.SIGTERM, "")
    assert server.spans == []
