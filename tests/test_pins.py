"""The lower bounds in pyproject.toml are those that the matrix installs."""

from __future__ import annotations

import re
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement

TESTS = Path(__file__).parent
OURS = "pins/lowest-of-ours.txt"
# An extra of ours that no other set brings.
LANGCHAIN = "langchain-core"


def pinned(name: str) -> dict[str, str]:
    lines = (TESTS / name).read_text(encoding="utf-8").splitlines()
    return dict(re.split("==", line) for line in lines if line and not line.startswith(("#", "-r")))


def required() -> dict[str, Requirement]:
    found = [Requirement(text) for text in requires("sentrial-otel") or ()]
    return {each.name: each for each in found if each.name != "sentrial-otel"}


def test_every_dependency_has_a_lower_bound_and_it_is_the_one_that_is_tested() -> None:
    bounds = {
        name: [limit.version for limit in each.specifier if limit.operator == ">="] for name, each in required().items()
    }
    tested = {**pinned(OURS), LANGCHAIN: pinned("frameworks/oldest.txt")[LANGCHAIN]}
    assert bounds == {name: [version] for name, version in tested.items()}


def test_the_older_wrapt_is_the_lowest_that_is_allowed() -> None:
    assert pinned("pins/wrapt-1.txt") == {"wrapt": pinned(OURS)["wrapt"]}


def test_the_newest_set_names_every_dependency_and_holds_none_back() -> None:
    lines = (TESTS / "pins/newest-of-ours.txt").read_text(encoding="utf-8").splitlines()
    assert {line for line in lines if line and not line.startswith(("#", "-r"))} == set(required()) - {LANGCHAIN}
