"""Clients that other distributions describe, each found by the entry point of a distribution that is installed."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sentrial._known_clients import GROUP, known_clients

OURS = ["anthropic", "google", "openai"]

DESCRIPTION = """
from own_client import describe

PROVIDER = describe({name!r})
"""

Install = Callable[..., None]


@pytest.fixture
def distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Installs a distribution with one module and one entry point."""
    monkeypatch.syspath_prepend(str(tmp_path))
    known_clients.cache_clear()

    def make(module: str, source: str, target: str = "PROVIDER") -> None:
        (tmp_path / f"{module}.py").write_text(source)
        info = tmp_path / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[{GROUP}]\nmine = {module}:{target}\n")

    yield make
    known_clients.cache_clear()


def names() -> list[str]:
    return [provider.name for provider in known_clients()]


def test_what_a_distribution_describes_is_known(distribution: Install) -> None:
    distribution("described_client", DESCRIPTION.format(name="mine"))
    assert names() == [*OURS, "mine"]
    assert known_clients() is known_clients()


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("raise RuntimeError('no licence')", "no licence"),
        ("PROVIDER = 7", "broken_client:PROVIDER is no sentrial Provider, but a int"),
        ("", "module 'broken_client' has no attribute 'PROVIDER'"),
        (DESCRIPTION.format(name="openai"), "the name 'openai' is taken"),
    ],
)
def test_one_that_cannot_be_used_is_said_once_and_costs_nothing(
    distribution: Install, caplog: pytest.LogCaptureFixture, source: str, words: str
) -> None:
    distribution("broken_client", source)
    for _ in range(2):
        assert names() == OURS
        known_clients.cache_clear()
    assert caplog.messages == [
        f"sentrial: the client that the entry point mine ({GROUP}) describes is not recorded: {words}"
    ]
    sys.modules.pop("broken_client", None)


def test_two_of_one_name_are_told_apart_by_their_modules(
    distribution: Install, caplog: pytest.LogCaptureFixture
) -> None:
    distribution("z_client", DESCRIPTION.format(name="mine"))
    distribution("a_client", DESCRIPTION.format(name="mine"))
    assert names() == [*OURS, "mine"]
    assert known_clients()[-1] is importlib.import_module("a_client").PROVIDER
    assert caplog.messages == [
        f"sentrial: the client that the entry point mine ({GROUP}) describes is not recorded: the name 'mine' is taken"
    ]
