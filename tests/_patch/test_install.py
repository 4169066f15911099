"""What is patched when, on a client of the test's own."""

from __future__ import annotations

import importlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from own_client import describe
from recorder import Recorder
from sentrial._patch import install
from sentrial._patch.install import MISSING, OFF, PATCHED, WAITING, Report
from sentrial._patch.spec import Framework, Target

CLIENT = """
class Chat:
    def ask(self, question):
        return question.upper()
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of a client library that nobody has imported yet."""
    name = f"client_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(CLIENT)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(install, "_patches", {})
    yield name
    install.uninstall()
    sys.modules.pop(name, None)


def test_a_client_is_patched_after_the_program_has_imported_it(module: str, recorder: Recorder) -> None:
    target = Target(module, "Chat", "ask")
    install.install(None, [describe("test", target)])
    assert module not in sys.modules
    assert install.installed() == [Report("test", f"{module}.Chat.ask", WAITING)]
    chat = importlib.import_module(module).Chat()
    assert install.installed() == [Report("test", f"{module}.Chat.ask", PATCHED)]
    assert chat.ask("hello") == "HELLO"
    assert recorder.one.name == "chat hello"
    install.uninstall()
    assert install.installed() == [Report("test", f"{module}.Chat.ask", OFF)]


def test_a_client_is_left_alone_where_the_patches_have_gone_before_its_import(module: str, recorder: Recorder) -> None:
    install.install(None, [describe("test", Target(module, "Chat", "ask"))])
    install.uninstall()
    assert importlib.import_module(module).Chat().ask("hello") == "HELLO"
    assert recorder.started == 0


def test_a_missing_target_costs_only_itself(module: str, recorder: Recorder) -> None:
    targets = [Target(module, "Chat", "vanished"), Target(module, "Gone", "ask"), Target(module, "Chat", "ask")]
    install.install(None, [describe("test", *targets)])
    importlib.import_module(module).Chat().ask("hello")
    assert recorder.one.name == "chat hello"
    assert [report.state for report in install.installed()] == [MISSING, MISSING, PATCHED]


def test_a_target_is_left_out_where_there_is_what_it_stands_in_for(module: str, recorder: Recorder) -> None:
    needed = Target(module, "Chat", "ask", unless=("Chat", "ask_twice"))
    needless = Target(module, "Chat", "ask", unless=("Chat", "ask"))
    install.install(None, [describe("test", needed), describe("other", needless)])
    importlib.import_module(module).Chat().ask("hello")
    assert {report.name: report.state for report in install.installed()} == {"test": PATCHED, "other": MISSING}
    assert recorder.one.name == "chat hello"


def test_an_inherited_method_is_not_patched_in_the_subclass(module: str, recorder: Recorder) -> None:
    library: Any = importlib.import_module(module)
    library.Subclass = type("Subclass", (library.Chat,), {})
    targets = [Target(module, "Chat", "ask"), Target(module, "Subclass", "ask")]
    install.install(None, [describe("test", *targets)])
    assert library.Subclass().ask("hello") == "HELLO"
    assert len(recorder.spans) == 1


@pytest.mark.parametrize(("names", "spans"), [(None, 1), (["test"], 1), ([], 0), (["other"], 0)])
def test_only_the_clients_that_are_named_are_patched(
    module: str, recorder: Recorder, names: list[str] | None, spans: int
) -> None:
    known = [describe("test", Target(module, "Chat", "ask")), describe("other", Target("nowhere", "Chat", "ask"))]
    install.install(names, known)
    importlib.import_module(module).Chat().ask("hello")
    assert len(recorder.spans) == spans


def test_an_unknown_name_is_said_once(module: str, caplog: pytest.LogCaptureFixture) -> None:
    known = [describe("test", Target(module, "Chat", "ask"))]
    with caplog.at_level(logging.WARNING, logger="sentrial"):
        install.install(["opnai"], known)
        install.install(["opnai"], known)
    assert caplog.messages == ["sentrial: no client is known by the name 'opnai'; known are: test."]


# --- frameworks, which call us back -----------------------------------------------------------------------------------


def framework(module: str, happened: list[str], entrance: str = "Chat") -> Framework:
    """One that is entered by ``entrance``, whatever that is; ``happened`` tells when."""
    return Framework(
        "test",
        Target(module, None, entrance),
        lambda function: happened.append(f"in by {function.__name__}"),
        lambda: happened.append("out"),
    )


def test_a_framework_is_entered_after_the_program_has_imported_it_and_once(module: str) -> None:
    happened: list[str] = []
    known = [framework(module, happened)]
    install.install(None, known)
    assert (happened, module in sys.modules) == ([], False)
    assert install.installed() == [Report("test", f"{module}.Chat", WAITING)]
    importlib.import_module(module)
    install.install(["test"], known)
    assert happened == ["in by Chat"]
    assert install.installed() == [Report("test", f"{module}.Chat", PATCHED)]
    assert install.installed()[0].calls is None
    assert install.is_installed("test")


def test_a_framework_is_left_and_entered_again(module: str) -> None:
    happened: list[str] = []
    known = [framework(module, happened)]
    importlib.import_module(module)
    install.install(None, known)
    install.uninstall(["other"])
    assert happened == ["in by Chat"]
    install.uninstall(["test"])
    install.uninstall()
    assert happened == ["in by Chat", "out"]
    assert (install.installed(), install.is_installed("test")) == ([Report("test", f"{module}.Chat", OFF)], False)
    install.install(None, known)
    assert happened == ["in by Chat", "out", "in by Chat"]


def test_a_framework_that_is_not_wanted_any_more_when_it_is_imported_is_left_alone(module: str) -> None:
    happened: list[str] = []
    install.install(None, [framework(module, happened)])
    install.uninstall()
    importlib.import_module(module)
    assert happened == []


def test_a_framework_without_the_entrance_that_we_know_is_left_alone(module: str) -> None:
    happened: list[str] = []
    install.install(None, [framework(module, happened, "gone")])
    importlib.import_module(module)
    assert (happened, install.installed()) == ([], [Report("test", f"{module}.gone", MISSING)])


def test_a_framework_is_none_of_those_that_are_not_named(module: str) -> None:
    happened: list[str] = []
    known = [framework(module, happened), describe("other", Target("nowhere", "Chat", "ask"))]
    importlib.import_module(module)
    install.install(["other"], known)
    assert happened == []


@pytest.mark.quiet_guard
def test_a_framework_that_cannot_be_entered_costs_the_program_nothing(
    module: str, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(function: object) -> None:
        raise RuntimeError("no")

    install.install(None, [Framework("test", Target(module, None, "Chat"), refuse, lambda: None)])
    assert importlib.import_module(module).Chat().ask("hello") == "HELLO"
    assert install.installed() == [Report("test", f"{module}.Chat", MISSING)]
    assert len(caplog.messages) == 1


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_child_that_is_forked_while_another_thread_patches_can_take_the_patches_back(module: str) -> None:
    inside, go = threading.Event(), threading.Event()

    def enter(function: object) -> None:
        inside.set()
        assert go.wait(30)

    importlib.import_module(module)
    known = [Framework("test", Target(module, None, "Chat"), enter, lambda: None)]
    thread = threading.Thread(target=install.install, args=(None, known))
    thread.start()
    assert inside.wait(30)
    child = os.fork()
    if child == 0:
        try:
            signal.alarm(30)
            install.uninstall()
            os._exit(len(install.installed()))
        finally:
            os._exit(99)
    go.set()
    thread.join(30)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
