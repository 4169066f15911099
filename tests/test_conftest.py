"""What every test stands on, tried on tests that are wrong: each in a run of pytest of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent


def outcomes(tmp_path: Path, source: str, **environment: str) -> tuple[dict[str, int], str]:
    """How many tests of ``source`` passed, failed, were skipped or went wrong; and what pytest printed."""
    folder = tmp_path / "checkout" / "tests"
    folder.mkdir(parents=True)
    (folder / "conftest.py").write_bytes((TESTS / "conftest.py").read_bytes())
    (folder / "test_it.py").write_text(source, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-rA", "--strict-markers", "-c", str(TESTS.parent / "pyproject.toml")]
    kept = {name: os.environ[name] for name in ("PATH", "HOME")}
    result = subprocess.run(
        [*command, "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(folder)],
        env={**kept, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    last = result.stdout.strip().splitlines()[-1]
    return {kind.rstrip("s"): int(count) for count, kind in re.findall(r"(\d+) ([a-z]+)", last)}, result.stdout


FAILS_ON_A_THREAD = """
import pytest, threading
from sentrial import _guard

def fail_on_a_thread():
    thread = threading.Thread(target=lambda: _guard.note("a place", ValueError("lost")))
    thread.start()
    thread.join()

def test_that_does_not_look():
    fail_on_a_thread()

@pytest.mark.quiet_guard
def test_that_expects_it():
    fail_on_a_thread()
    assert _guard.failures == {"a place": 1}

def test_that_comes_after():
    assert not _guard.failures
"""


def test_a_failure_of_ours_on_a_thread_fails_the_test_that_did_not_expect_it(tmp_path: Path) -> None:
    counts, text = outcomes(tmp_path, FAILS_ON_A_THREAD)
    assert counts == {"passed": 3, "error": 1}
    assert re.search(r"^ERROR \S*::test_that_does_not_look", text, re.MULTILINE)
    assert "failures of ours:" in text


FAILS_IN_A_CALL = """
import pytest
from sentrial import _guard

@_guard.guarded("a place", default=lambda: 7)
def broken():
    raise KeyError("ours")

def test_that_does_not_expect_it():
    broken()

@pytest.mark.quiet_guard
def test_that_sees_what_a_user_sees():
    assert broken() == 7
"""


def test_a_failure_of_ours_in_a_call_is_raised_unless_the_guard_is_quiet(tmp_path: Path) -> None:
    counts, text = outcomes(tmp_path, FAILS_IN_A_CALL)
    assert (counts["passed"], counts["failed"]) == (1, 1)
    assert "KeyError: 'ours'" in text


LEAVES_TRACES = """
import os
from pathlib import Path
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
import sentrial
from sentrial._store.location import store_path

def test_that_leaves_everything_behind():
    trace.set_tracer_provider(TracerProvider())
    os.environ["SENTRIAL_FLUSH_TIMEOUT"] = "1"
    sentrial.begin(user_id="u", event="left open")

def test_that_comes_after(tmp_path):
    assert type(trace.get_tracer_provider()).__name__ == "ProxyTracerProvider"
    assert not trace.get_current_span().get_span_context().is_valid
    assert [name for name in os.environ if name.startswith(("SENTRIAL_", "OTEL_"))] == []
    assert store_path().is_relative_to(tmp_path / "home")
    assert not list(Path.home().iterdir())
"""


def test_nothing_of_one_test_reaches_the_next(tmp_path: Path) -> None:
    counts, text = outcomes(tmp_path, LEAVES_TRACES, SENTRIAL_API_KEY="k", OTEL_SERVICE_NAME="outside")
    assert counts == {"passed": 2}, text


ASKS_FOR_THE_TIME = """
import time
import conftest
from opentelemetry.sdk.trace import TracerProvider

def test_that_is_told_a_clock_that_is_set_back():
    set_back = iter([5, 7, 3, 3, 9])
    clock = conftest.forwards(lambda: next(set_back))
    assert [clock() for _ in range(5)] == [5, 7, 8, 9, 10]

def test_that_spans_are_told_the_same():
    tracer, now = TracerProvider(shutdown_on_exit=False).get_tracer("test"), time.time_ns()
    spans = [tracer.start_span("one after the other") for _ in range(1000)]
    times = [now, *(span.start_time for span in spans), time.time_ns()]
    assert times == sorted(set(times))
    assert TracerProvider.get_tracer.__globals__["time_ns"] is time.time_ns
"""


def test_the_clock_goes_forwards_alone(tmp_path: Path) -> None:
    counts, text = outcomes(tmp_path, ASKS_FOR_THE_TIME)
    assert counts == {"passed": 2}, text


AWAITS_NOTHING = """
class Client:
    async def aclose(self):
        pass

class _AsyncGenerator(Client):
    async def aclose(self):
        pass

def test_that_lets_go_of_anothers_close():
    Client().aclose()

def test_that_lets_go_of_ours():
    _AsyncGenerator().aclose()

def test_that_forgets_to_wait():
    async def ask():
        pass
    ask()
"""


def test_a_client_that_closes_itself_when_it_is_collected_fails_no_test(tmp_path: Path) -> None:
    counts, text = outcomes(tmp_path, AWAITS_NOTHING)
    assert counts == {"passed": 1, "failed": 2}, text


LEAVES_A_THREAD = """
import threading
import conftest

conftest.THREADS_END_WITHIN = 0.1
gone = threading.Event()

def test_that_leaves_a_thread():
    threading.Thread(target=gone.wait, name="sentrial-forgotten", daemon=True).start()

def test_that_comes_after():
    gone.set()
"""


def test_a_thread_of_ours_that_is_left_fails_the_test_that_started_it(tmp_path: Path) -> None:
    counts, text = outcomes(tmp_path, LEAVES_A_THREAD)
    assert counts == {"passed": 2, "error": 1}
    assert re.search(r"^ERROR \S*::test_that_leaves_a_thread", text, re.MULTILINE)
    assert "['sentrial-forgotten']" in text


SKIPS = """
import pytest

def test_that_needs_the_shared_folder(shared):
    pass

@pytest.mark.skip(reason="no time")
def test_that_is_skipped():
    pass

def test_that_gives_up():
    pytest.skip("halfway")

@pytest.mark.xfail(raises=ValueError, strict=True)
def test_that_is_known_to_fail():
    raise ValueError
"""


def test_what_cannot_run_is_skipped_with_its_reason(tmp_path: Path) -> None:
    counts, text = outcomes(tmp_path, SKIPS)
    assert counts == {"skipped": 3, "xfailed": 1}
    assert f"needs {tmp_path / 'shared'} (or SENTRIAL_SHARED), which is not on this machine" in text


def test_what_cannot_run_has_failed_in_ci(tmp_path: Path) -> None:
    counts, text = outcomes(tmp_path, SKIPS, CI="true")
    # What fails before the test itself runs is an error, in pytest's words.
    assert counts == {"failed": 1, "error": 2, "xfailed": 1}
    assert "may not be skipped in CI. Skipped: halfway" in text


@pytest.mark.parametrize(("ci", "expected"), [("", {"skipped": 1}), ("true", {"error": 1})])
def test_a_whole_file_may_not_be_skipped_in_ci_either(tmp_path: Path, ci: str, expected: dict[str, int]) -> None:
    counts, _ = outcomes(tmp_path, "import pytest\npytest.importorskip('no_such_package')\n", CI=ci)
    assert counts == expected


def test_the_shared_folder_beside_the_checkout_is_found(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    source = f"def test_it(shared):\n    assert str(shared) == {str(tmp_path / 'shared')!r}\n"
    assert outcomes(tmp_path, source)[0] == {"passed": 1}
