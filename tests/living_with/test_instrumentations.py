"""Pain C3 and B2: the model client instrumented by others, beside us and without us; HTTP and databases too."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from fake_provider import Answer, FakeProvider
from peers import marks_of, python_of
from receivers import SentrialStandIn

KEY = "sentrial_test_key"
PROGRAM = Path(__file__).parents[1] / "peers" / "instrumented.py"
AROUND_THE_CLIENT = {
    "otel": (
        "openinference", "openllmetry", "openinference openllmetry", "us openinference", "openinference us",
        "us openllmetry", "openllmetry us", "openinference openllmetry us", "us openinference openllmetry",
    ),
    "genai": ("genai", "us genai", "genai us"),
    "openai_v2": ("openai_v2", "us openai_v2", "openai_v2 us"),
}  # fmt: skip
BOTH = {"openinference", "openllmetry"}
RUNS = [
    pytest.param(environment, names, marks=marks_of(environment, is_needed=set(names.split()) >= BOTH), id=names)
    for environment, all_names in AROUND_THE_CLIENT.items()
    for names in all_names
]


@dataclass(frozen=True)
class Outcome:
    """What the roots of the sessions said to everybody, by agent; and what arrived at Sentrial."""

    roots: dict[str, dict[str, Any]]
    spans: list[dict[str, Any]]


@cache
def run(environment: str, names: str) -> Outcome:
    with FakeProvider() as model, SentrialStandIn([KEY]) as server:
        model.queue(Answer.reply(), Answer.stream(), Answer.stream(usage=False))
        variables = {
            "PATH": os.environ["PATH"],
            "HOME": os.environ["HOME"],
            "MODEL_URL": model.base_url,
            "SENTRIAL_API_KEY": KEY,
            "SENTRIAL_API_URL": server.url,
            "SENTRIAL_FLUSH_TIMEOUT": "60",
        }
        command = [str(python_of(environment)), str(PROGRAM), *names.split()]
        done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return Outcome(json.loads(done.stdout), server.spans)


def totals(root: dict[str, Any]) -> tuple[Any, ...]:
    keys = "sentrial.session.llm_calls", "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"
    return tuple(root.get(key) for key in (*keys, "sentrial.usage.total_tokens"))


@pytest.mark.parametrize(("environment", "names"), RUNS)
def test_pain_c3_a_call_counts_once_whoever_tells_of_it(environment: str, names: str) -> None:
    roots = run(environment, names).roots
    assert {agent: totals(root) for agent, root in roots.items()} == {
        "in one piece": (1, 1200, 48, 1248),
        "stream": (1, 1200, 48, 1248),
        "stream without tokens": (1, None, None, None),
    }


@pytest.mark.parametrize(("environment", "names"), RUNS)
def test_pain_c3_its_cost_is_that_of_our_price_list_whoever_tells_of_it(environment: str, names: str) -> None:
    spans = run(environment, names).spans
    costs = {
        span["name"].removeprefix("invoke_agent "): span["attributes"].get("sentrial.estimated_cost")
        for span in spans
        if span["name"].startswith("invoke_agent")
    }
    (known,) = (
        span["attributes"]["sentrial.estimated_cost"]
        for span in run(environment, "us").spans
        if span["name"] == "invoke_agent in one piece"
    )
    if "openai_v2" in names.split():
        # It says nothing of cached tokens, which are cheaper.
        assert costs["in one piece"] == costs["stream"] > known > 0
    else:
        assert costs == {"in one piece": known, "stream": known, "stream without tokens": None}
        assert known > 0


@pytest.mark.parametrize(("environment", "names"), RUNS)
def test_pain_b2_all_spans_of_the_call_are_the_sessions(environment: str, names: str) -> None:
    spans = run(environment, names).spans
    calls = [span for span in spans if not span["name"].startswith("invoke_agent")]
    # Ours stays out where another one tells of the call.
    others = [name for name in names.split() if name != "us"]
    assert len(calls) == 3 * len(others or ["us"])
    roots = {span["attributes"]["sentrial.session.id"]: span for span in spans if span not in calls}
    for call in calls:
        assert call["trace_id"] == roots[call["attributes"]["sentrial.session.id"]]["trace_id"]
        assert call["attributes"]["user.id"] == "u"


def test_pain_c1_of_http_and_database_spans_those_inside_the_session_arrive_and_no_other() -> None:
    spans = run("otel", "us requests httpx sqlite3").spans
    (root,) = (span for span in spans if span["name"] == "invoke_agent others")
    others = [span for span in spans if span is not root]
    assert sorted(span["scope_name"] for span in others) == [
        "opentelemetry.instrumentation.httpx",
        "opentelemetry.instrumentation.requests",
        "opentelemetry.instrumentation.sqlite3",
    ]
    assert {span["attributes"]["sentrial.session.id"] for span in others} == {root["attributes"]["sentrial.session.id"]}
    assert {span["parent_span_id"] for span in others} == {root["span_id"]}
    assert totals(root["attributes"]) == (0, None, None, None)
