"""What every test stands on: a process without traces of the test before, and a guard that is loud."""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from opentelemetry import context, metrics, trace
from opentelemetry.metrics import _internal as metrics_internal
from opentelemetry.util._once import Once

import sentrial
from sentrial import _guard, _setup
from sentrial._spans import metrics as our_metrics

IN_CI = os.environ.get("CI", "").lower() in ("true", "1")
SHARED = Path(os.environ.get("SENTRIAL_SHARED") or Path(__file__).parents[2] / "shared")

THREADS_END_WITHIN = 30.0

_modules_frozen = 0


@pytest.fixture
def shared() -> Path:
    """The folder beside the checkout with the users' document and the checker of the conventions."""
    if not SHARED.is_dir():
        pytest.skip(f"needs {SHARED} (or SENTRIAL_SHARED), which is not on this machine")
    return SHARED


@pytest.fixture(autouse=True)
def fresh_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting from outside, and a home directory of the test's own: the local store's default place is in it."""
    for name in list(os.environ):
        if name.startswith(("SENTRIAL_", "OTEL_")) or name in ("XDG_DATA_HOME", "LOCALAPPDATA"):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))


@pytest.fixture(autouse=True)
def fresh_otel() -> Iterator[None]:
    """OpenTelemetry as in a new process: no global provider, nothing in the context. The same again afterwards."""
    _forget_providers()
    token = context.attach(context.Context())
    yield
    context.detach(token)
    _forget_providers()


@pytest.fixture(autouse=True)
def loud_guard(
    request: pytest.FixtureRequest, fresh_environment: None, fresh_otel: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """A failure of ours is raised where it happens, or, on a thread of ours, fails the test when it ends.

    So does a thread of ours that outlives ``shutdown()``.

    ``@pytest.mark.quiet_guard`` is for tests of what a user sees when we fail: the guard is as in production.
    """
    quiet = request.node.get_closest_marker("quiet_guard") is not None
    monkeypatch.setattr(_guard, "strict", not quiet)
    _guard.forget()
    notes = _Notes()
    _guard.logger.addHandler(notes)
    before = set(threading.enumerate())
    yield
    try:
        sentrial.shutdown()
    finally:
        _guard.logger.removeHandler(notes)
        _guard.forget()
    assert quiet or not notes.records, "failures of ours:\n" + "\n".join(map(notes.format, notes.records))
    assert _still_running(set(threading.enumerate()) - before) == []


def pytest_configure() -> None:
    # A shell that starts us in the background has it ignored, in the programs that we start too: they must hear Ctrl-C.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # The order of spans is told by when they began, and a machine's clock may be set back by a millisecond meanwhile.
    real = time.time_ns
    time.time_ns = forwards(real)
    for module in list(sys.modules.values()):
        if getattr(module, "__dict__", {}).get("time_ns") is real:
            module.__dict__["time_ns"] = time.time_ns


def forwards(clock: Callable[[], int]) -> Callable[[], int]:
    """``clock``, but that each time is later than the one before. Without a lock: a fork could leave it held."""
    last = 0

    def tell() -> int:
        nonlocal last
        last = now = max(last + 1, clock())
        return now

    return tell


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Keep what libraries are made of out of the hundreds of garbage collections to come: half a second each."""
    global _modules_frozen
    if len(sys.modules) > _modules_frozen + 50:
        _modules_frozen = len(sys.modules)
        gc.collect()
        gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    """In CI what cannot run has failed: nothing is skipped there."""
    report = yield
    return _failed_if_skipped(report)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Iterator[None]:
    """The same for whole files."""
    report = yield
    return _failed_if_skipped(report)


def _failed_if_skipped(report: pytest.TestReport | pytest.CollectReport) -> pytest.TestReport | pytest.CollectReport:
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"may not be skipped in CI. {reason}"
    return report


def _still_running(threads: set[threading.Thread]) -> list[str]:
    ours = [thread for thread in threads if thread.name.startswith("sentrial")]
    for thread in ours:
        thread.join(THREADS_END_WITHIN)
    return [thread.name for thread in ours if thread.is_alive()]


class _Notes(logging.Handler):
    """What the guard logged of failures. Its counters do not serve: they are forgotten on shutdown."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        if (record.module, record.funcName) == ("_guard", "note"):
            self.records.append(record)


def _forget_providers() -> None:
    # Private names, and the same from the lowest to the newest version: OpenTelemetry has no way to ask for this.
    trace._TRACER_PROVIDER = None
    trace._TRACER_PROVIDER_SET_ONCE = Once()
    metrics_internal._METER_PROVIDER = None
    metrics_internal._METER_PROVIDER_SET_ONCE = Once()
    metrics_internal._PROXY_METER_PROVIDER = metrics_internal._ProxyMeterProvider()
    assert isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)
    assert isinstance(metrics.get_meter_provider(), metrics_internal._ProxyMeterProvider)
    _setup._built = None
    _setup._joined.clear()
    our_metrics._instruments.cache_clear()
