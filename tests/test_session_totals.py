"""What the events of a session add up to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

import sentrial
from receivers import SentrialStandIn
from running import Span, arrived
from sentrial import SentrialClient

KEY = "sentrial_test_key"


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        sentrial.configure(api_key=KEY, api_url=stand_in.url, flush_interval=0.01)
        yield stand_in
        sentrial.shutdown()


@pytest.fixture
def client(server: SentrialStandIn) -> SentrialClient:
    return SentrialClient(api_key=KEY, api_url=server.url)


def totals(root: Span) -> dict[str, Any]:
    wanted = ("gen_ai.usage.", "sentrial.usage.", "sentrial.estimated_cost", "sentrial.session.duration_ms")
    counts = ("llm_calls", "tool_calls", "decisions", "errors")
    attributes = root["attributes"]
    found = {key: value for key, value in attributes.items() if key.startswith(wanted)}
    return found | {key: attributes[f"sentrial.session.{key}"] for key in counts}


def test_totals_are_the_sums_over_the_events(server: SentrialStandIn, client: SentrialClient) -> None:
    session_id = client.create_session("n", "agent", "u")
    client.track_llm_call(session_id, "m", prompt_tokens=10, completion_tokens=1, estimated_cost=0.25)
    client.track_llm_call(session_id, "m", prompt_tokens=20, estimated_cost=0.5)
    client.track_llm_call(session_id, "m")
    client.track_tool_call(session_id, "t", {}, {}, estimated_cost=0.125, token_count=99)
    client.track_decision(session_id, "r", estimated_cost=0.0625)
    client.track_error(session_id, "e")
    client.complete_session(session_id)
    assert sentrial.flush(10)
    root = next(span for span in server.spans if span["name"] == "invoke_agent agent")
    assert totals(root) == {
        "gen_ai.usage.input_tokens": 30,
        "gen_ai.usage.output_tokens": 1,
        "sentrial.usage.total_tokens": 31,
        "sentrial.estimated_cost": 0.9375,
        "llm_calls": 3,
        "tool_calls": 1,
        "decisions": 1,
        "errors": 1,
    }


def test_explicit_totals_win(server: SentrialStandIn, client: SentrialClient) -> None:
    session_id = client.create_session("n", "agent", "u")
    client.track_llm_call(session_id, "m", prompt_tokens=10, completion_tokens=1, estimated_cost=0.25)
    client.complete_session(
        session_id,
        estimated_cost=Decimal("1.5"),  # type: ignore[arg-type]  # taken all the same
        prompt_tokens=100,
        completion_tokens=0,
        total_tokens=123,
        duration_ms=42,
        custom_metrics={"score": 4, "odd": "n/a"},  # type: ignore[dict-item]  # refused
    )
    root = arrived(server)["invoke_agent agent"]
    assert totals(root) == {
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 0,
        "sentrial.usage.total_tokens": 123,
        "sentrial.estimated_cost": 1.5,
        "sentrial.session.duration_ms": 42.0,
        "llm_calls": 1,
        "tool_calls": 0,
        "decisions": 0,
        "errors": 0,
    }
    assert root["attributes"]["sentrial.metric.score"] == 4.0
    assert root["attributes"]["sentrial.metadata.metric.odd"] == "n/a"


def test_one_explicit_total_leaves_the_others_to_the_sums(server: SentrialStandIn) -> None:
    session = sentrial.begin("u", "agent")
    session.track_llm_call("m", prompt_tokens=10, completion_tokens=1)
    session.finish(completion_tokens=5)
    found = totals(arrived(server)["invoke_agent agent"])
    assert found["gen_ai.usage.input_tokens"] == 10
    assert found["gen_ai.usage.output_tokens"] == 5
    assert found["sentrial.usage.total_tokens"] == 15


def test_what_nobody_knows_is_absent(server: SentrialStandIn) -> None:
    session = sentrial.begin("u", "agent")
    session.track_llm_call("a-model-without-a-price")
    session.track_tool_call("t", {}, {})
    session.finish()
    assert totals(arrived(server)["invoke_agent agent"]) == {
        "llm_calls": 1,
        "tool_calls": 1,
        "decisions": 0,
        "errors": 0,
    }


def test_a_sub_agents_events_count_in_both_totals(server: SentrialStandIn) -> None:
    with sentrial.begin("u", "outer") as outer:
        outer.track_llm_call("m", prompt_tokens=1, completion_tokens=1, estimated_cost=1)
        with sentrial.begin("u", "inner") as inner:
            inner.track_llm_call("m2", prompt_tokens=10, completion_tokens=10, estimated_cost=2)
            inner.track_error("e")
            inner.finish(success=True)
    spans = arrived(server)
    assert totals(spans["invoke_agent inner"]) == {
        "gen_ai.usage.input_tokens": 10,
        "gen_ai.usage.output_tokens": 10,
        "sentrial.usage.total_tokens": 20,
        "sentrial.estimated_cost": 2.0,
        "llm_calls": 1,
        "tool_calls": 0,
        "decisions": 0,
        "errors": 1,
    }
    assert totals(spans["invoke_agent outer"]) == {
        "gen_ai.usage.input_tokens": 11,
        "gen_ai.usage.output_tokens": 11,
        "sentrial.usage.total_tokens": 22,
        "sentrial.estimated_cost": 3.0,
        "llm_calls": 2,
        "tool_calls": 0,
        "decisions": 0,
        "errors": 1,
    }


def test_a_span_that_ends_while_its_session_is_being_counted_is_counted_too(server: SentrialStandIn) -> None:
    """The garbage collector ends streams wherever it runs, also on a thread that holds the session's lock."""
    session = sentrial.begin("u", "agent")

    def collect() -> None:
        with session._session.lock:
            session.track_tool_call("t", {}, {})

    worker = threading.Thread(target=collect, daemon=True)
    worker.start()
    worker.join(10)
    assert not worker.is_alive()
    session.finish()
    assert totals(arrived(server)["invoke_agent agent"])["tool_calls"] == 1
