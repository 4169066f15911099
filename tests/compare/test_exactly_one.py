"""Each model call is told once, and counted once in its session, whichever instrumentations are active, in any order.

Needs the environments of the peers: ``make compare`` runs it, nothing else collects it.
"""

from __future__ import annotations

from typing import Any

import pytest

from compare.__main__ import programs_of, run
from compare.peers import CLIENTS
from compare.telling import faults, model_calls, tokens_of, totals

OTHERS = ("official", "openllmetry", "openinference")

PUT_BACK = {("openinference", "openai"), ("openinference", "google"), ("official", "google")}
"""Where ``uninstrument()`` puts back what it has found, so that what came on top of it is gone: ours too."""


def _wrong(client: str, report: dict[str, Any]) -> dict[str, list[str]]:
    found = {
        name: [*faults(model_calls(report["programs"][name]["spans"]), program.calls), *_error(report, name)]
        for name, program in programs_of(client).items()
    }
    return {name: words for name, words in found.items() if words}


def _error(report: dict[str, Any], name: str) -> list[str]:
    error = report["programs"][name]["error"]
    return [error] if error else []


@pytest.mark.parametrize("client", CLIENTS)
def test_ours_alone_tells_every_call_once_with_its_tokens(client: str) -> None:
    assert _wrong(client, run("ours", client, "ours")) == {}


@pytest.mark.parametrize("is_first", [True, False], ids=["before us", "after us"])
@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("other", OTHERS)
def test_no_call_is_told_twice_or_counted_twice(other: str, client: str, is_first: bool) -> None:
    report = run(other, client, *([other, "ours"] if is_first else ["ours", other]))
    for name, program in programs_of(client).items():
        spans = report["programs"][name]["spans"]
        told = model_calls(spans)
        tokens = [tokens_of(span) for span in told]
        assert len(told) <= len(program.calls), name
        counted, given, made = totals(spans)
        # One tells the total instead of what came out.
        sums = [sum(each or 0 for each in column) for column in zip(*tokens, strict=True)] or [0, 0]
        assert [counted, given or 0, made or 0] == [len(told), *sums], name


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("other", OTHERS)
def test_ours_tells_all_after_another_was_switched_on_and_off(other: str, client: str) -> None:
    # It leaves the method of the class below in the class above: what is patched below is passed by from then on.
    if (other, client) != ("openinference", "openai"):
        assert _wrong(client, run(other, client, other, f"-{other}", "ours")) == {}
    assert _wrong(client, run(other, client, "ours", other, f"-{other}")) == {}


@pytest.mark.parametrize(("other", "client"), [(o, c) for o in OTHERS for c in CLIENTS if (o, c) not in PUT_BACK])
def test_ours_tells_all_after_one_that_was_there_before_is_switched_off(other: str, client: str) -> None:
    assert _wrong(client, run(other, client, other, "ours", f"-{other}")) == {}
