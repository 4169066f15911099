"""docs/conformance.md, as it has to be: made of the checked-in lists of the scenarios and of the reasons.

PYTHONPATH=tests python -m conformance.page SHARED PAGE
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from conformance.covered import CLIENTS, FLOORS, attributes_shown
from conformance.reasons import REASONS

HEAD = """\
# What a span says, held against the conventions

The scenarios in [tests/scenarios](../tests/scenarios) call each client as programs do, and hold every span that is
exported against a checked-in list. `make conformance` runs them and the contract suite with the oldest and the newest
clients' words in one folder, and checks all of it with the checker of the GenAI conventions: no violation, and for each
client and type of span as many attributes as below at least. The same is part of `make test`, scenario by scenario.

What is missing is missing because the API does not tell it. A tool that a program runs itself, with `@tool`, is
described in [spans.md](spans.md).

| client | span type | attributes | at least |
| --- | --- | --- | --- |
"""

MISSING = """\

## What no scenario shows, and why

| client | span type | attribute | why |
| --- | --- | --- | --- |
"""


def page_of(shared: Path) -> str:
    """The page."""
    return HEAD + "".join(_counts(shared)) + MISSING + "".join(_reasons())


def _counts(shared: Path) -> Iterator[str]:
    for (client, span_type), floor in FLOORS.items():
        shown, missing = attributes_shown(shared, client, span_type)
        total = len(shown) + len(missing)
        yield f"| {CLIENTS[client]} | `{span_type}` | {len(shown)} of {total} | {floor} |\n"


def _reasons() -> Iterator[str]:
    for (client, span_type), reasons in REASONS.items():
        for attribute, reason in sorted(reasons.items()):
            yield f"| {CLIENTS[client]} | `{span_type}` | `{attribute}` | {reason} |\n"


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(page_of(Path(sys.argv[1])), encoding="utf-8")
