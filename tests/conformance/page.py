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
exported against a checked-in list. `make conformance` runs them and the contract suite with the newest clients, and
checks all that they export with the checker of the GenAI conventions: no violation, and for each client and type of
span as many attributes as below at least. The same is part of `make test`, scenario by scenario, and of `make matrix`
with the oldest clients.

`LangChain` is LangChain with the provider's client recorded too, which knows more of the same call. `LangChain alone`
is what its callbacks tell by themselves, where that client is not recorded (`SENTRIAL_INSTRUMENT=langchain`, or one
that this version does not know). The checker and its list of attributes are no part of a clone: see
[testing](contributing/testing.md).

What is missing is missing because the API does not tell it, or because another span says it already. The attributes of
a tool are those of tools that the client runs, and of a program's own with `@tool`: see [spans.md](spans.md).

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
