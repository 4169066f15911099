"""Clients that another thread is in the middle of importing when they are to be patched."""

from __future__ import annotations

import importlib
import sys
import threading
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from own_client import describe
from recorder import Recorder
from sentrial._patch import half_imported, install
from sentrial._patch.install import PATCHED, WAITING
from sentrial._patch.spec import Framework, Target

CLIENT = """
import gate_of_the_import as gate
gate.inside.set()
assert gate.go.wait(30)
if gate.fails:
    raise ImportError("the first time")
class Chat:
    def ask(self, question):
        return question.upper()
    def answer(self, question):
        return question.lower()
"""


class Importing:
    """An import on a thread of its own, which stands still before the client's class is there."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.gate: Any = types.ModuleType("gate_of_the_import")
        self.gate.inside, self.gate.go = threading.Event(), threading.Event()
        self.gate.fails = False
        self.error: ImportError | None = None
        self._thread = threading.Thread(target=self._import)

    def start(self) -> None:
        self._thread.start()
        assert self.gate.inside.wait(30)

    def end(self) -> None:
        self.gate.go.set()
        self._thread.join(30)
        for thread in ours():
            thread.join(30)

    def _import(self) -> None:
        try:
            importlib.import_module(self.name)
        except ImportError as error:
            self.error = error


@pytest.fixture
def importing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Importing]:
    name = f"client_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(CLIENT)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(install, "_patches", {})
    found = Importing(name)
    monkeypatch.setitem(sys.modules, found.gate.__name__, found.gate)
    found.start()
    yield found
    found.end()
    install.uninstall()
    sys.modules.pop(name, None)


def ours() -> list[threading.Thread]:
    """The threads that wait for the end of imports."""
    return [thread for thread in threading.enumerate() if thread.name == "sentrial patching"]


def states() -> list[str]:
    return [report.state for report in install.installed()]


def test_a_client_is_patched_when_the_import_that_is_under_way_has_ended(
    importing: Importing, recorder: Recorder
) -> None:
    install.install(None, [describe("test", Target(importing.name, "Chat", "ask"))])
    assert states() == [WAITING]
    importing.end()
    assert states() == [PATCHED]
    assert sys.modules[importing.name].Chat().ask("hello") == "HELLO"
    assert recorder.one.name == "chat hello"


def test_one_thread_waits_for_all_that_is_to_be_patched(importing: Importing, recorder: Recorder) -> None:
    happened: list[str] = []
    targets = [Target(importing.name, "Chat", method) for method in ("ask", "answer")]
    framework = Framework("framework", Target(importing.name, None, "Chat"), lambda _: happened.append("in"), list)
    install.install(None, [describe("test", *targets), framework])
    assert len(ours()) == 1
    assert (states(), happened) == ([WAITING] * 3, [])
    importing.end()
    assert (states(), happened) == ([PATCHED] * 3, ["in"])


def test_what_nobody_wants_any_more_is_not_patched_and_not_waited_for(importing: Importing, recorder: Recorder) -> None:
    known = [describe("test", Target(importing.name, "Chat", "ask"))]
    install.install(None, known)
    (thread,) = ours()
    install.uninstall()
    thread.join(30)
    assert not thread.is_alive()
    install.install(None, known)
    install.uninstall(["test"])
    importing.end()
    assert sys.modules[importing.name].Chat().ask("hello") == "HELLO"
    assert recorder.started == 0
    install.install(None, known)
    assert states() == [PATCHED]


def test_an_import_that_fails_is_not_made_by_us_and_the_next_one_counts(
    importing: Importing, recorder: Recorder
) -> None:
    install.install(None, [describe("test", Target(importing.name, "Chat", "ask"))])
    importing.gate.fails = True
    importing.end()
    assert str(importing.error) == "the first time"
    assert (importing.name in sys.modules, states()) == (False, [WAITING])
    importing.gate.fails = False
    assert importlib.import_module(importing.name).Chat().ask("hello") == "HELLO"
    assert recorder.one.name == "chat hello"


def test_a_program_that_can_have_no_more_threads_loses_the_patch_alone(
    importing: Importing, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = [describe("test", Target(importing.name, "Chat", "ask"))]

    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as full:
        full.setattr(threading.Thread, "start", refuse)
        install.install(None, known)
    importing.end()
    assert states() == [WAITING]
    install.install(None, known)
    assert states() == [PATCHED]


def test_a_module_is_half_imported_until_its_import_has_ended(importing: Importing) -> None:
    assert half_imported.is_half_imported(importing.name)
    importing.end()
    assert not half_imported.is_half_imported(importing.name)
    assert not half_imported.is_half_imported("nowhere")
