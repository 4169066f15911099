"""LangChain is switched as clients are: by settings, by OpenTelemetry's variable, by its instrumentor, by shutdown."""

from __future__ import annotations

import contextvars
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import FakeListChatModel
from langchain_core.tracers.context import _configure_hooks

import sentrial
from sentrial import _known_clients
from sentrial._diagnosis import clients
from sentrial._frameworks import LANGCHAIN
from sentrial._patch import install
from sentrial.instrumentors import ClientInstrumentor, LangChainInstrumentor

ENTRANCE = "langchain_core.tracers.context.register_configure_hook"


class Counting(BaseCallbackHandler):
    """Counts the calls of chat models, while it is on."""

    def __init__(self) -> None:
        self.calls = 0
        self.on = False
        self._current: contextvars.ContextVar[Any] = contextvars.ContextVar("counting", default=self)
        self._registered = False

    def enter(self, register: Callable[..., Any]) -> None:
        self.on = True
        if not self._registered:
            register(self._current, inheritable=True)
            self._registered = True

    def leave(self) -> None:
        self.on = False

    def on_chat_model_start(self, *args: Any, **kwargs: Any) -> None:
        self.calls += self.on


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], int]]:
    """Makes a call, and gives how many of it were seen."""
    counting = Counting()
    framework = replace(LANGCHAIN, install=counting.enter, uninstall=counting.leave)
    monkeypatch.setattr(_known_clients, "FRAMEWORKS", (framework,))
    monkeypatch.setattr(install, "_patches", {})
    model = FakeListChatModel(responses=["It left on Tuesday."])

    def call() -> int:
        before = counting.calls
        model.invoke("Where is my parcel?")
        return counting.calls - before

    yield call
    install.uninstall()
    # LangChain would keep it, for the tests after this one.
    _configure_hooks[:] = [hook for hook in _configure_hooks if hook[0] is not counting._current]


def test_a_configuration_records_it_and_shutdown_ends_that(calls: Callable[[], int]) -> None:
    assert calls() == 0
    sentrial.configure()
    sentrial.configure()
    assert calls() == 1
    sentrial.shutdown()
    assert calls() == 0
    sentrial.configure()
    assert calls() == 1


@pytest.mark.parametrize(
    ("disabled", "instrument", "expected"),
    [
        ("", None, 1),
        ("", "langchain", 1),
        ("", "openai", 0),
        ("langchain", None, 0),
        ("langchain", "langchain", 1),
        ("sentrial-langchain", None, 0),
        ("sentrial-langchain", "langchain", 0),
        ("sentrial-openai", None, 1),
        ("*", None, 0),
    ],
)
def test_the_variables_say_whether_it_is_recorded(
    calls: Callable[[], int],
    monkeypatch: pytest.MonkeyPatch,
    disabled: str,
    instrument: str | None,
    expected: int,
) -> None:
    monkeypatch.setenv("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", disabled)
    if instrument is not None:
        monkeypatch.setenv("SENTRIAL_INSTRUMENT", instrument)
    # As opentelemetry-instrument does, before its hook for us.
    if "sentrial-langchain" not in disabled:
        LangChainInstrumentor().instrument(skip_dep_check=True)
    assert calls() == expected
    sentrial.configure()
    assert calls() == expected


def test_its_instrumentor_switches_it_alone(calls: Callable[[], int]) -> None:
    LangChainInstrumentor().instrument()
    LangChainInstrumentor().instrument()
    assert LangChainInstrumentor().is_instrumented_by_opentelemetry
    assert (calls(), install.is_installed("openai")) == (1, False)
    LangChainInstrumentor().uninstrument()
    assert not LangChainInstrumentor().is_instrumented_by_opentelemetry
    assert calls() == 0


def test_a_configuration_takes_it_back_where_the_next_one_does_not_want_it(calls: Callable[[], int]) -> None:
    sentrial.configure()
    sentrial.configure(instrument=["openai"])
    assert calls() == 0


def test_its_entry_point_leads_to_it_and_its_lowest_version_is_the_one_that_is_tested() -> None:
    found = {each.name: each for each in entry_points(group="opentelemetry_instrumentor")}
    assert found["sentrial-langchain"].load() is LangChainInstrumentor
    assert issubclass(LangChainInstrumentor, ClientInstrumentor)
    pins = (Path(__file__).parents[1] / "frameworks" / "oldest.txt").read_text(encoding="utf-8").splitlines()
    name, _, lowest = LangChainInstrumentor.dependencies[0].split()
    assert f"{name}=={lowest}" in pins


def test_the_doctor_tells_of_it() -> None:
    sentrial.configure()
    (read,) = clients.read_clients([LANGCHAIN], sentrial._config.active, own_process=False)
    assert read == {
        "client": "langchain",
        "target": ENTRANCE,
        "state": "patched",
        "calls": None,
        "also_patched_by": [],
    }
    assert clients.findings_of([read], own_process=False) == []
    (foreseen,) = clients.read_clients([LANGCHAIN], sentrial._config.active, own_process=True)
    assert foreseen["state"] == "will be patched"


def test_it_is_not_imported_for_that() -> None:
    program = (
        "import sys, sentrial\n"
        "from sentrial._patch.install import installed\n"
        "sentrial.configure()\n"
        "(state,) = [each.state for each in installed() if each.name == 'langchain']\n"
        "assert state == 'waiting for import', state\n"
        "assert not [name for name in sys.modules if name.startswith(('langchain', 'langgraph', 'langsmith'))]\n"
        "from langchain_core.language_models import FakeListChatModel\n"
        "FakeListChatModel(responses=['a']).invoke('b')\n"
        "(state,) = [each.state for each in installed() if each.name == 'langchain']\n"
        "assert state == 'patched', state\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
