"""``@decision``: what was chosen, out of what, and why."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

import sentrial
from decorated import decided
from receivers import SentrialStandIn
from running import arrived
from sentrial.decorators import decision

KEY = "sentrial_test_key"


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        sentrial.configure(api_key=KEY, api_url=stand_in.url, flush_interval=0.01)
        yield stand_in
        sentrial.shutdown()


def test_what_a_decision_returns_is_what_was_chosen(server: SentrialStandIn) -> None:
    @decision
    def route(message: str, alternatives: list[str]) -> str:
        """Not the reason."""
        return alternatives[0]

    with sentrial.begin("u", "agent"):
        assert route("hello", ["refund", "escalate"]) == "refund"
    span = arrived(server)["decision agent"]
    assert decided(span) == {"chosen": "refund", "alternatives": ["refund", "escalate"]}
    assert span["attributes"]["sentrial.metadata.name"] == "route"
    assert not any(key.startswith("gen_ai.") for key in span["attributes"])


def test_a_decision_may_say_why_and_how_sure_it_is(server: SentrialStandIn) -> None:
    answer = {"chosen": "refund", "reasoning": "policy", "alternatives": {"refund": 1, "wait": 2}, "confidence": 0.9}

    @decision("routing")
    async def route(options: list[str]) -> dict[str, Any]:
        return answer

    async def run() -> Any:
        with sentrial.begin("u", "agent"):
            return await route(["a"])

    assert asyncio.run(run()) is answer
    span = arrived(server)["decision agent"]
    assert decided(span) == {
        "chosen": "refund",
        "reasoning": "policy",
        "alternatives": ["refund", "wait"],
        "confidence": 0.9,
    }
    assert span["attributes"]["sentrial.metadata.name"] == "routing"


def test_a_mapping_without_words_of_a_decision_is_what_was_chosen(server: SentrialStandIn) -> None:
    @decision
    def pick(options: dict[str, str]) -> dict[str, int]:
        return {"table": 4}

    with sentrial.begin("u", "agent"):
        pick({"window": "quiet", "bar": "loud"})
    assert decided(arrived(server)["decision agent"]) == {"chosen": '{"table":4}', "alternatives": ["window", "bar"]}


def test_a_decision_that_cannot_be_taken_is_an_error(server: SentrialStandIn) -> None:
    @decision
    def pick() -> str:
        raise LookupError("nothing fits")

    with sentrial.begin("u", "agent"), pytest.raises(LookupError):
        pick()
    span = arrived(server)["decision agent"]
    assert (span["status_code"], span["attributes"]["error.type"]) == (2, "LookupError")
