"""The old package's public names, held against ours, and the page that tells what each does now. Those for LangChain,
which not every environment of the tests has, are held in a file of their own.

`OLD_SENTRIAL_PYTHON`, an interpreter with `sentrial[async,langchain,otel]==0.6.0`, also holds the list and the program
against the old package itself. After a change that is meant: UPDATE_GOLDEN=1 make test TESTS=tests/test_old_surface.py
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

import sentrial
from old_sdk import HERE, LANGCHAIN, MOVED, SECTIONS, differences, listed, migration_page, names_in, old_names, rows_for
from old_sdk.compare import differing, signature_of
from sentrial import _missing_names

PAGE = Path(__file__).parents[1] / "docs" / "moving-over.md"
READER = Path(__file__).parent / "old_sdk" / "read_surface.py"
OLD_PYTHON = os.environ.get("OLD_SENTRIAL_PYTHON")


@pytest.fixture
async def made(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """One object of each class, by name: what a constructor puts on it is public too."""
    monkeypatch.setenv("SENTRIAL_ENABLED", "false")
    objects = [
        sentrial.AsyncSentrialClient(),
        await sentrial.begin_async("ann", "agent"),
        sentrial.SentrialClient(),
        sentrial.begin("ann", "agent"),
        sentrial.SessionContext("ann", "agent"),
        sentrial.SentrialSpanProcessor(),
    ]
    return {f"sentrial.{type(each).__name__}": each for each in objects}


def test_every_old_name_is_here_as_it_was_but_for_the_listed_differences(made: dict[str, Any]) -> None:
    names, (rows, _) = old_names(), rows_for(old_names(), SECTIONS)
    here = [name for name, (row,) in rows.items() if row.now in HERE and row not in LANGCHAIN.rows]
    assert len(here) > 120
    found = {name: differences(names[name], made) for name in here}
    assert {name: found[name] for name in here if found[name]} == listed()


def test_what_is_left_out_or_comes_later_is_not_there(made: dict[str, Any]) -> None:
    names, (rows, _) = old_names(), rows_for(old_names(), SECTIONS)
    absent = [name for name, (row,) in rows.items() if row.now not in HERE]
    assert len(absent) > 100
    assert [name for name in absent if differences(names[name], made) != ["missing"]] == []


def test_whoever_imports_what_is_not_there_is_told_why_and_where_that_is_written() -> None:
    names, (rows, _) = old_names(), rows_for(old_names(), SECTIONS)
    absent = {
        name.removeprefix("sentrial.")
        for name, (row,) in rows.items()
        if row.now not in HERE and name.count(".") == 1 and names[name].kind != "module"
    }
    assert absent == _missing_names.WHY.keys()
    with pytest.raises(ImportError, match=r"SentrialCrewHandler .*: what is for CrewAI comes later\. See docs/moving"):
        from sentrial import SentrialCrewHandler  # noqa: F401 - it is not to be had
    with pytest.raises(ImportError, match="experiments are left out"):
        _ = sentrial.Experiment
    with pytest.raises(AttributeError, match="module 'sentrial' has no attribute 'Experimental'"):
        _ = sentrial.Experimental


def test_what_moved_is_where_the_page_says(made: dict[str, Any]) -> None:
    names, (rows, _) = old_names(), rows_for(old_names(), SECTIONS)
    moved = [names[name] for name, (row,) in rows.items() if row.now == MOVED]
    assert [name.name for name in moved] == [
        "sentrial.async_client",
        "sentrial.batcher",
        "sentrial.decorators.get_current_client",
    ]
    at_home = [own for name in moved if name.kind == "module" for own in name.signature.split(", ")]
    assert sorted(set(at_home) - set(sentrial.__all__)) == ["EventBatcher"]
    assert differences(moved[-1]._replace(name="sentrial.get_current_client"), made) == []


def test_each_old_name_has_words_and_no_words_are_without_a_name() -> None:
    rows, idle = rows_for(old_names(), SECTIONS)
    assert {name: found for name, found in rows.items() if len(found) != 1} == {}
    assert idle == []
    assert [part.title for part in SECTIONS if any(not row.words for row in part.rows)] == []


def test_the_page_says_what_the_tables_say() -> None:
    if os.environ.get("UPDATE_GOLDEN"):
        PAGE.write_text(migration_page(), encoding="utf-8")
    assert migration_page() == PAGE.read_text(encoding="utf-8")


def test_the_list_holds_all_kinds_of_names() -> None:
    names = old_names()
    assert len(names) == 320
    assert {name.kind for name in names.values()} == {
        "async function", "async method", "attribute", "class", "enum", "function", "method", "module", "property",
        "settable property", "static method", "value",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("old", "ours", "said"),
    [
        ("(a, b=None)", "(a, b=None, c=1, *, d=2, **more)", []),
        ("(a, b, *, c)", "(a, b=1, extra=0, *, c=2)", []),
        ("(a, *, b=None)", "(a, **more)", []),
        ("(a, b=None)", "(b=None, *, a)", ["a: keyword-only, was positional or keyword", "b: at position 1, was 2"]),
        ("(a, b=None)", "(a, c=1, b=None)", ["b: at position 3, was 2"]),
        ("(a, *, b)", "(a, b)", ["b: positional or keyword, was keyword-only"]),
        ("(a, b=1)", "(a, b=2)", ["b: default 2, was 1"]),
        ("(a, b=1)", "(a, b)", ["b: required, was 1"]),
        ("(a)", "(b)", ["a: missing", "b: required, was not there"]),
        ("(a, **more)", "(a)", ["more: missing"]),
    ],
)
def test_a_signature_that_takes_less_than_the_old_one_is_noticed(old: str, ours: str, said: list[str]) -> None:
    assert list(differing(signature_of(old), signature_of(ours))) == said


if OLD_PYTHON:

    def test_the_list_is_what_the_old_package_has() -> None:
        done = subprocess.run([str(OLD_PYTHON), str(READER)], capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        assert names_in(done.stdout) == old_names()
