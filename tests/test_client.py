"""The client itself: what it keeps, prices, copies and closes. Its sessions: test_session_*.py."""

from __future__ import annotations

import copy
import logging
import math
import pickle
from collections.abc import Iterator
from typing import Any

import genai_prices
import pytest

import sentrial
from receivers import SentrialStandIn
from running import arrived, by_name
from sentrial import BatcherConfig, SentrialClient, _registry

KEY = "sentrial_test_key"


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        sentrial.configure(api_key=KEY, api_url=stand_in.url, flush_interval=0.01)
        yield stand_in
        sentrial.shutdown()


@pytest.fixture
def client(server: SentrialStandIn) -> SentrialClient:
    return SentrialClient()


def words_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if record.name == "sentrial"]


# --- completing ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "outcome", "reason"),
    [({}, "completed", None), ({"success": None}, "completed", None), ({"success": True}, "completed", None),
     ({"success": False, "failure_reason": "no"}, "failed", "no")],
)  # fmt: skip
def test_close_session_ends_as_complete_session_does(
    server: SentrialStandIn, client: SentrialClient, given: dict[str, Any], outcome: str, reason: str | None
) -> None:
    session_id = client.create_session("n", "agent", "u")
    assert client.close_session(session_id, 250, **given)["status"] == outcome
    attributes = arrived(server)["invoke_agent agent"]["attributes"]
    assert attributes["sentrial.session.outcome"] == outcome
    assert attributes.get("sentrial.session.failure_reason") == reason
    assert attributes["sentrial.session.duration_ms"] == 250


def test_a_span_named_by_its_ids_is_linked(server: SentrialStandIn, client: SentrialClient) -> None:
    trace_id, span_id = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    session_id = client.create_session("n", "agent", "u")
    client.track_tool_call(session_id, "t", {}, {}, None, None, None, None, trace_id, span_id)
    client.track_decision(session_id, "why", None, None, None, None, trace_id.upper(), span_id)
    client.track_error(session_id, "what", None, None, None, trace_id, span_id)
    client.track_tool_call(session_id, "other", {}, {}, trace_id="trace-of-datadog", span_id=7)
    client.complete_session(session_id)
    spans = arrived(server)
    for name in ("execute_tool t", "decision agent", "error"):
        (link,) = spans[name]["links"]
        assert (link["trace_id"], link["span_id"]) == (trace_id, span_id)
        assert link["attributes"] == {"sentrial.link": "given"}
    odd = spans["execute_tool other"]
    assert odd["links"] == []
    assert odd["attributes"]["sentrial.metadata.trace_id"] == "trace-of-datadog"
    assert odd["attributes"]["sentrial.metadata.span_id"] == 7


def test_a_loud_client_raises_for_bad_values_and_records_what_is_good(server: SentrialStandIn) -> None:
    client = SentrialClient(fail_silently=False)
    session_id = client.create_session("n", "agent", "u")
    with pytest.raises(ValueError, match=r"confidence=7 is not usable: it must be a number from 0 to 1"):
        client.track_decision(session_id, "why", confidence=7)
    with pytest.raises(ValueError, match=r"estimated_cost='abc' is not usable.*token_count=-1 is not usable"):
        client.track_tool_call(session_id, "t", {}, {}, estimated_cost="abc", token_count=-1)
    with pytest.raises(ValueError, match=r"metadata is a list"):
        client.create_session("n", "second", "u", metadata=[1])
    with pytest.raises(ValueError, match=r"custom_metrics\['speed'\]='fast' is not usable"):
        client.complete_session(session_id, custom_metrics={"speed": "fast", "score": 4})
    with pytest.raises(ValueError, match=r"prompt_tokens=nan is not usable"):
        client.begin("u", "third").finish(prompt_tokens=math.nan)
    sentrial.shutdown(20)
    spans = by_name(server.spans)
    assert set(spans) == {
        "invoke_agent agent", "decision agent", "execute_tool t", "invoke_agent second", "invoke_agent third",
    }  # fmt: skip
    assert spans["decision agent"]["attributes"]["sentrial.metadata.confidence"] == 7
    assert spans["invoke_agent agent"]["attributes"]["sentrial.metric.score"] == 4
    assert spans["invoke_agent agent"]["attributes"]["sentrial.session.outcome"] == "completed"


# --- state -----------------------------------------------------------------------------------------------------------


def test_state_stands_on_its_own_session(server: SentrialStandIn, client: SentrialClient) -> None:
    with sentrial.begin("u1", "first"):
        client.update_state("step", "collect")
        client.update_state("cart", ["book"])
        with sentrial.begin("u2", "second"):
            assert client.current_state == {}
            client.current_state = {"step": "pay"}
        client.update_state("step", "ask")
        client.current_state["cart"].append("pen")
        assert client.current_state == {"step": "ask", "cart": ["book", "pen"]}
    assert client.current_state == {}
    spans = arrived(server)
    assert spans["invoke_agent first"]["attributes"]["sentrial.state"] == '{"step":"ask","cart":["book","pen"]}'
    assert spans["invoke_agent second"]["attributes"]["sentrial.state"] == '{"step":"pay"}'


def test_state_without_a_session_is_said(client: SentrialClient, caplog: pytest.LogCaptureFixture) -> None:
    client.update_state("a", 1)
    assert client.current_state == {"a": 1}
    client.current_state = {"b": 2}
    client.current_state["c"] = 3
    assert client.current_state == {"b": 2, "c": 3}
    with sentrial.begin("u", "agent"):
        assert client.current_state == {}
    (said,) = words_of(caplog)
    assert "set_session_context(session_id)" in said
    with pytest.raises(ValueError, match="state is kept with the current session"):
        SentrialClient(fail_silently=False).update_state("a", 1)


# --- cost ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("helper", "provider", "model"),
    [
        (SentrialClient.calculate_openai_cost, "openai", "gpt-4o"),
        (SentrialClient.calculate_anthropic_cost, "anthropic", "claude-3-5-haiku-20241022"),
        (SentrialClient.calculate_google_cost, "google", "gemini-1.5-flash"),
    ],
)
def test_cost_helpers_give_the_price_database_s_price(helper: Any, provider: str, model: str) -> None:
    usage = genai_prices.Usage(input_tokens=1_000, output_tokens=500)
    wanted = float(genai_prices.calc_price(usage, model_ref=model, provider_id=provider).total_price)
    assert wanted > 0
    assert helper(model, 1_000, 500) == pytest.approx(wanted, rel=1e-12)
    assert getattr(sentrial.AsyncSentrialClient, helper.__name__)(model, 1_000, 500) == helper(model, 1_000, 500)


@pytest.mark.parametrize(
    ("model", "tokens"),
    [("llama-of-my-own", 10), ("", 10), (None, 10), (7, 10), ("gpt-4o", None), ("gpt-4o", "many"), ("gpt-4o", -1)],
)
def test_defect_13_what_has_no_price_costs_nan_and_no_guess(
    caplog: pytest.LogCaptureFixture, model: Any, tokens: Any
) -> None:
    for _ in range(3):
        assert math.isnan(SentrialClient.calculate_openai_cost(model, tokens, tokens))
    assert len(words_of(caplog)) == 1
    assert "its cost is NaN" in words_of(caplog)[0]


def test_a_cost_that_nobody_knows_is_absent_from_the_session(server: SentrialStandIn, client: SentrialClient) -> None:
    with client.begin("u", "agent") as session:
        session.track_tool_call("t", {}, {}, estimated_cost=client.calculate_openai_cost("mine", 1, 1))
    assert "sentrial.estimated_cost" not in arrived(server)["invoke_agent agent"]["attributes"]


# --- copies and ends -------------------------------------------------------------------------------------------------


def test_defect_21_a_client_can_be_copied_and_pickled_without_its_key(server: SentrialStandIn) -> None:
    client = SentrialClient(api_url=server.url, api_key=KEY, fail_silently=False)
    for copied in (copy.deepcopy(client), copy.copy(client)):
        copied.close_session(copied.create_session("n", "copied", "u"))
    pickled = pickle.dumps(client)
    assert KEY.encode() not in pickled
    there = pickle.loads(pickled)
    assert (there.api_url, there.api_key, there.fail_silently) == (server.url, KEY, False)
    there.close_session(there.create_session("n", "pickled", "u"))
    assert sentrial.flush(10)
    assert sorted(span["name"] for span in server.spans) == ["invoke_agent copied"] * 2 + ["invoke_agent pickled"]


def test_an_interaction_is_copied_as_itself_and_says_how_to_send_it(server: SentrialStandIn) -> None:
    with sentrial.begin("u", "agent") as session:
        assert copy.deepcopy({"config": [session]})["config"][0] is session
        with pytest.raises(TypeError, match=r"send its export\(\), and sentrial.resume\(handle\) there"):
            pickle.dumps(session)


def test_closing_delivers_and_what_comes_later_is_delivered_too(server: SentrialStandIn) -> None:
    with SentrialClient() as client:
        client.close_session(client.create_session("n", "first", "u"))
    assert [span["name"] for span in server.spans] == ["invoke_agent first"]
    client.close_session(client.create_session("n", "second", "u"))
    client.shutdown()
    assert len(server.spans) == 2
    client.close_session(client.create_session("n", "third", "u"))
    client.close()
    assert len(server.spans) == 3


def test_langfuse_is_refused_with_a_word_and_batching_taken(
    server: SentrialStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    sentrial.configure(KEY, server.url, True, None, BatcherConfig(enabled=True, flush_interval=0.02))
    client = SentrialClient(server.url, KEY, True, object(), None, True)
    client.close_session(client.create_session("n", "agent", "u"))
    assert set(arrived(server)) == {"invoke_agent agent"}
    (said,) = words_of(caplog)
    assert "langfuse= has no effect" in said
    with pytest.raises(ValueError, match="langfuse= has no effect"):
        SentrialClient(server.url, KEY, False, object())


def test_defect_22_sessions_that_nobody_ends_are_bounded_and_sent(
    server: SentrialStandIn, client: SentrialClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(_registry, "MAX_OPEN", 50)
    caplog.set_level(logging.WARNING)
    kept = client.create_session("n", "kept", "u")
    for n in range(300):
        client.create_session("n", f"forgotten{n}", "u")
        client.track_tool_call(kept, f"t{n}", {}, {})
    assert len(_registry.open_sessions()) == 50
    client.complete_session(kept)
    spans = arrived(server)
    assert spans["invoke_agent kept"]["attributes"]["sentrial.session.outcome"] == "completed"
    ended = [span for name, span in spans.items() if name.startswith("invoke_agent forgotten")]
    assert len(ended) == 251
    assert {span["attributes"]["sentrial.session.outcome"] for span in ended} == {"abandoned"}
    (said,) = words_of(caplog)
    assert "more than 50 sessions are open" in said
