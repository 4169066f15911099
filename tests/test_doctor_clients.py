"""What the doctor says of clients: on small client libraries of the test's own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from own_client import describe
from sentrial._config import Config
from sentrial._diagnosis import clients, local_store, others
from sentrial._diagnosis.finding import Finding
from sentrial._library_versions import REQUIREMENTS
from sentrial._patch import install
from sentrial._patch.spec import Provider, Target


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Makes modules that can be imported, and forgets them."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(install, "_patches", {})
    names: list[str] = []

    def make(source: str) -> str:
        names.append(f"doctored_{tmp_path.name}_{len(names)}")
        (tmp_path / f"{names[-1]}.py").write_text(source)
        return names[-1]

    yield make
    install.uninstall()
    for name in names:
        sys.modules.pop(name, None)


CHAT = "class Chat:\n    def ask(self, question):\n        return question\n"


def foreseen(of: Provider, config: Config | None = None) -> list[str]:
    return [each["state"] for each in clients.read_clients([of], config or Config(), own_process=True)]


def test_in_a_process_of_its_own_it_foresees_what_will_be_patched(library: Any) -> None:
    there = library(CHAT)
    assert foreseen(describe("a", Target(there, "Chat", "ask"))) == ["will be patched"]
    assert foreseen(describe("a", Target(there, "Chat", "gone"), Target(there, "Gone", "ask"))) == [
        "not in this version",
        "not in this version",
    ]
    assert foreseen(describe("a", Target("no_such_library.chat", "Chat", "ask"))) == ["not installed"]
    assert foreseen(describe("a", Target(there, "Chat", "ask")), Config(instrument=("openai",))) == ["off"]
    assert foreseen(describe("a", Target(there, "Chat", "ask")), Config(enabled=False)) == ["off"]


def test_a_client_that_cannot_be_imported_is_a_problem_and_costs_nothing_else(library: Any) -> None:
    broken = library("raise RuntimeError('no licence')")
    read = clients.read_clients(
        [describe("a", Target(broken, "Chat", "ask")), describe("b", Target(library(CHAT), "Chat", "ask"))],
        Config(),
        own_process=True,
    )
    assert [each["state"] for each in read] == ["cannot be imported", "will be patched"]
    (finding,) = clients.findings_of(read, own_process=True)
    assert (finding.level, finding.code) == ("problem", "client-broken")


def test_a_version_without_anything_that_we_know_is_a_problem(library: Any) -> None:
    there = library(CHAT)
    read = clients.read_clients([describe("a", Target(there, "Chat", "gone"))], Config(), own_process=True)
    (finding,) = clients.findings_of(read, own_process=True)
    assert (finding.level, finding.code) == ("problem", "client-unsupported")
    both = describe("a", Target(there, "Chat", "gone"), Target(there, "Chat", "ask"))
    read = clients.read_clients([both], Config(), own_process=True)
    assert clients.findings_of(read, own_process=True) == []


@pytest.mark.parametrize("own_process", [True, False])
def test_a_version_older_than_what_is_tested_is_a_problem_where_it_is_recorded(
    library: Any, monkeypatch: pytest.MonkeyPatch, own_process: bool
) -> None:
    monkeypatch.setitem(REQUIREMENTS, "a", "pytest >= 99.1")
    of = describe("a", Target(library(CHAT), "Chat", "ask"))

    def found(config: Config) -> list[Finding]:
        return clients.findings_of(clients.read_clients([of], config, own_process=own_process), own_process=own_process)

    install.install(None, [of])
    (finding,) = found(Config())
    assert (finding.level, finding.code) == ("problem", "client-unsupported")
    assert finding.words == (
        f"pytest {pytest.__version__} is older than 99.1, the oldest version that is tested: "
        "what is recorded of it may not be whole"
    )
    assert finding.remedy == "Upgrade pytest."
    install.uninstall()
    assert found(Config(instrument=())) == []


def test_in_a_program_nothing_is_imported_for_it(library: Any) -> None:
    there = library(CHAT)
    of = describe("a", Target(there, "Chat", "ask"))
    install.install(None, [of])
    (found,) = clients.read_clients([of], Config(), own_process=False)
    assert (found["state"], found["calls"]) == ("waiting for import", 0)
    assert there not in sys.modules


def test_an_instrumentation_of_a_client_that_we_record_is_told() -> None:
    other = {
        "name": "openinference-instrumentation-openai",
        "version": "1",
        "state": "active",
        "records": "openai",
        "means": "",
    }
    ours = {"client": "openai", "target": "t", "state": "patched", "calls": 1, "also_patched_by": []}
    (finding,) = others.findings_of([other], [ours])
    assert (finding.level, finding.code) == ("note", "client-recorded-by-others")
    assert others.findings_of([other], [ours | {"state": "off"}]) == []
    assert others.findings_of([other], [ours | {"also_patched_by": ["openinference.instrumentation.openai"]}]) == []


def test_little_room_on_the_disk_of_a_store_in_use_is_a_problem(tmp_path: Path) -> None:
    store = local_store.read_store(Config(store=str(tmp_path / "s.db")), in_use=True)
    assert local_store.findings_of(store) == []
    (finding,) = local_store.findings_of(store | {"free_bytes": 12_000_000})
    assert (finding.code, finding.words.split(" on ")[0]) == ("disk-full", "only 12 MB are free")
    assert local_store.findings_of(store | {"free_bytes": 12_000_000, "in_use": False}) == []
