"""redaction.yaml: what the collector masks, that messages stay JSON, and what it cannot see."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace

import sentrial
from real_collector import SentrialBehindCollector, StartCollector, by_session
from running import Span, by_name

EMAIL = "ann.lee@example.com"
CARD = "4111 1111 1111 1111"


def everywhere() -> str:
    """A session with an address and a card number wherever a text can be."""
    with sentrial.begin(
        user_id=EMAIL,
        event="support-agent",
        input=f"Write to:\n{EMAIL}\tcard {CARD}",
        metadata={"email": "n/a", "n": 7},
    ) as session:
        with session.tool("find_customer", {"contact": {"mail": EMAIL}, "card": 4111111111111111, "p": 0.3}) as tool:
            tool.set_output([EMAIL, "4111-1111-1111-1111", 5555444433332222])
        with session.decision(f"{EMAIL} asks", [f"write to {EMAIL}", "wait"]) as decision:
            decision.choose("wait")
        with session.llm("gpt-4o", provider="openai", input=json.dumps({"to": EMAIL, "line": f"\n{EMAIL}"})) as model:
            model.set_output(f"Zoë\\{EMAIL} \u2028{EMAIL}, amex 3782 822463 10005")
        with trace.get_tracer("app").start_as_current_span(f"mail to {EMAIL}"):
            pass
        session.track_error(f"{EMAIL} refused", error_type="Refused")
    return str(session.session_id)


IDS = ("sentrial.session.id", "session.id", "user.id", "sentrial.event_id", "sentrial.session.name")


def what_was_said(span: Span) -> list[Any]:
    """All of ``span`` but ids, hashes and times, which can hold the digits of a card by chance."""
    attributes = {key: value for key, value in span["attributes"].items() if key not in IDS}
    events = [(event["name"], event["attributes"]) for event in span["events"]]
    return [span["name"], attributes, span["status_message"], events]


def test_addresses_and_card_numbers_are_masked_wherever_they_stand_and_json_stays_json(
    start_collector: StartCollector,
    far_end: SentrialBehindCollector,
    violations: Callable[..., list[dict[str, Any]]],
) -> None:
    collector = start_collector("redaction.yaml")
    sentrial.configure(otlp_endpoint=collector.http_url, flush_interval=0.05)
    session = everywhere()
    assert sentrial.flush(10)
    spans = by_name(far_end.wait_for_spans(6))
    assert list(by_session(far_end.spans)) == [session]
    raw = far_end.otlp_json()
    assert "example.com" not in raw
    texts = json.dumps([what_was_said(span) for span in spans.values()])
    assert [secret for secret in ("1111", "3333", "822463") if secret in texts] == []

    def said(name: str, key: str) -> Any:
        return json.loads(spans[name]["attributes"][key])

    root, tool = "invoke_agent support-agent", "execute_tool find_customer"
    assert said(root, "gen_ai.input.messages")[0]["parts"][0]["content"] == "Write to:\n[EMAIL]\tcard 0"
    assert spans[root]["attributes"]["input.value"] == "Write to:\n[EMAIL]\tcard 0"
    assert said(tool, "gen_ai.tool.call.arguments") == {"contact": {"mail": "[EMAIL]"}, "card": 0, "p": 0.3}
    assert said(tool, "gen_ai.tool.call.result") == {"result": ["[EMAIL]", "0", 0]}
    prompt = said("chat gpt-4o", "gen_ai.input.messages")[0]["parts"][0]["content"]
    assert json.loads(prompt) == {"to": "[EMAIL]", "line": "\n[EMAIL]"}
    answer = said("chat gpt-4o", "gen_ai.output.messages")[0]["parts"][0]["content"]
    assert answer == "Zoë\\[EMAIL] \u2028[EMAIL], amex 0"
    decision = spans["decision support-agent"]["attributes"]
    assert decision["sentrial.decision.alternatives"] == ["write to [EMAIL]", "wait"]
    assert decision["sentrial.decision.reasoning"] == "[EMAIL] asks"
    assert "mail to [EMAIL]" in spans
    assert spans["error"]["status_message"] == "[EMAIL] refused"
    assert spans["error"]["events"][0]["attributes"]["exception.message"] == "[EMAIL] refused"
    # Ids group, and stay; a user id that is an address becomes its hash on each span.
    assert {span["attributes"]["user.id"] for span in spans.values()} == {hashlib.sha256(EMAIL.encode()).hexdigest()}
    # By name: the whole value, and how many of them.
    assert spans[root]["attributes"]["sentrial.metadata.email"] == "****"
    assert spans[root]["attributes"]["sentrial.metadata.n"] == 7
    assert spans[root]["attributes"]["redaction.masked.count"] == 1
    assert violations(raw, 6) == []


def test_ids_with_many_digits_and_numbers_that_are_no_cards_are_left_alone(
    start_collector: StartCollector, far_end: SentrialBehindCollector
) -> None:
    collector = start_collector("redaction.yaml")
    sentrial.configure(otlp_endpoint=collector.http_url, flush_interval=0.05)
    numbers = {
        "ms": 1795247396821,
        "ns": 1795247396821585466,
        "ratio": 0.4111111111111111,
        "big": 10**40,
        "hex": "4111" * 8,
    }
    with sentrial.begin(user_id="4111111111111111", event="agent", input="?", convo_id="5555444433332222") as session:
        session.track_tool_call("clock", numbers, {})
    assert sentrial.flush(10)
    spans = by_name(far_end.wait_for_spans(2))
    assert json.loads(spans["execute_tool clock"]["attributes"]["gen_ai.tool.call.arguments"]) == numbers
    root = spans["invoke_agent agent"]["attributes"]
    assert (root["user.id"], root["gen_ai.conversation.id"]) == ("4111111111111111", "5555444433332222")


NAIVE = r"""
processors:
  redaction/names:
    allow_all_keys: true
    redact_all_types: %s
    blocked_values: ['[A-Za-z0-9._%%+-]+@[A-Za-z0-9.-]+', '\d{13,19}']
service:
  pipelines:
    traces:
      processors: [memory_limiter, redaction/names]
"""
"""What one writes first: the redaction processor alone."""


@pytest.mark.parametrize("all_types", [False, True])
def test_the_redaction_processor_alone_breaks_messages_and_either_skips_arrays_or_makes_them_text(
    all_types: bool, start_collector: StartCollector, far_end: SentrialBehindCollector, tmp_path: Path
) -> None:
    naive = tmp_path / "naive.yaml"
    naive.write_text(NAIVE % str(all_types).lower(), encoding="utf-8")
    collector = start_collector("redaction.yaml", naive)
    sentrial.configure(otlp_endpoint=collector.http_url, flush_interval=0.05)
    everywhere()
    assert sentrial.flush(10)
    spans = by_name(far_end.wait_for_spans(6))

    message = spans["invoke_agent support-agent"]["attributes"]["gen_ai.input.messages"]
    assert r"Write to:\****" in message
    with pytest.raises(json.JSONDecodeError):
        json.loads(message)
    with pytest.raises(json.JSONDecodeError):  # a bare number became stars
        json.loads(spans["execute_tool find_customer"]["attributes"]["gen_ai.tool.call.arguments"])
    alternatives = spans["decision support-agent"]["attributes"]["sentrial.decision.alternatives"]
    assert alternatives == ('["write to ****","wait"]' if all_types else [f"write to {EMAIL}", "wait"])
    assert f"mail to {EMAIL}" in spans
    assert spans["error"]["status_message"] == f"{EMAIL} refused"
