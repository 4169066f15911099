"""What is patched when, on a client of the test's own."""

from __future__ import annotations

import importlib
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from own_client import describe
from recorder import Recorder
from sentrial._patch import install
from sentrial._patch.install import MISSING, OFF, PATCHED, WAITING, Report
from sentrial._patch.spec import Target

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


def test_an_inherited_method_is_not_patched_in_the_heir(module: str, recorder: Recorder) -> None:
    library: Any = importlib.import_module(module)
    library.Heir = type("Heir", (library.Chat,), {})
    targets = [Target(module, "Chat", "ask"), Target(module, "Heir", "ask")]
    install.install(None, [describe("test", *targets)])
    assert library.Heir().ask("hello") == "HELLO"
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
