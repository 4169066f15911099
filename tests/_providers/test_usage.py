"""What services say of tokens and dollars in the same words."""

from __future__ import annotations

import math
from typing import Any

import pytest

from sentrial._providers.usage import read_stated_cost, read_web_searches, read_whole_output


@pytest.mark.parametrize(
    ("output", "thoughts", "given", "whole", "found"),
    [
        pytest.param(103, 94, 32, 135, 103, id="among the output"),
        pytest.param(9, 94, 32, 135, 103, id="beside it, and in the whole"),
        pytest.param(94, 9, 32, 135, 103, id="beside it, and fewer"),
        pytest.param(7163, 73997, 33, 7196, 81160, id="beside it, and not in the whole"),
        pytest.param(103, 94, 32, None, 103, id="no whole"),
        pytest.param(3, 2, None, 5, 5, id="nothing given"),
        pytest.param(9, 0, 32, 41, 9, id="none"),
        pytest.param(9, None, 32, 41, 9, id="not said"),
        pytest.param(None, 94, 32, 135, None, id="no output"),
    ],
)
def test_thoughts_are_in_the_output_once(
    output: int | None, thoughts: int | None, given: int | None, whole: int | None, found: int | None
) -> None:
    assert read_whole_output(output, thoughts, given, whole) == found


@pytest.mark.parametrize(
    ("usage", "dollars"),
    [
        pytest.param({"cost": 0.95, "is_byok": False}, 0.95, id="OpenRouter"),
        pytest.param({"cost": 0}, 0.0, id="OpenRouter, a free model"),
        pytest.param(
            {"cost": 0.5, "is_byok": False, "cost_details": {"upstream_inference_cost": 0.5}}, 0.5, id="said twice"
        ),
        pytest.param(
            {"cost": 0.5, "is_byok": True, "cost_details": {"upstream_inference_cost": 10.0}},
            10.5,
            id="a key of one's own",
        ),
        pytest.param({"cost": 0.5, "is_byok": True, "cost_details": None}, 0.5, id="the fee alone"),
        pytest.param({"cost": {"request_cost": 0.006, "total_cost": 0.25}}, 0.25, id="Perplexity"),
        pytest.param({"cost_in_usd_ticks": 2709000}, 0.0002709, id="xAI"),
        pytest.param({"cost": "0.95"}, None, id="a text"),
        pytest.param({"cost": True}, None, id="a truth value"),
        pytest.param({"cost": -1.0}, None, id="negative"),
        pytest.param({"cost": math.nan}, None, id="no number"),
        pytest.param({"cost": math.inf}, None, id="endless"),
        pytest.param({"cost": None}, None, id="null"),
        pytest.param({}, None, id="not said"),
    ],
)
def test_a_cost_that_a_service_states_is_read(usage: dict[str, Any], dollars: float | None) -> None:
    assert read_stated_cost(usage) == dollars


@pytest.mark.parametrize(
    ("usage", "found"),
    [({"server_tool_use": {"web_search_requests": 3}}, 3), ({"server_tool_use": None}, None), ({}, None)],
)
def test_searches_are_counted(usage: dict[str, Any], found: int | None) -> None:
    assert read_web_searches(usage) == found
