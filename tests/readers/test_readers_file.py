"""The same sessions in the file that the OpenTelemetry Collector's file exporter writes."""

from __future__ import annotations

from typing import Any

import pytest

from real_readers import SPANS, Kept

INTERNAL, CLIENT = 1, 3
UNSET, ERROR = 0, 2


def picked(span: dict[str, Any], *keys: str) -> list[Any]:
    return [span["attributes"].get(key) for key in keys]


def test_the_sessions_are_there_whole_each_span_below_its_parent(in_file: Kept) -> None:
    def tree(session: str) -> set[tuple[str, int, str | None]]:
        spans = in_file.all_of(session)
        names = {span["span_id"]: span["name"] for span in spans}
        return {(span["name"], span["kind"], names.get(span["parent_span_id"])) for span in spans}

    agent = "invoke_agent support-agent"
    assert tree("refund") == {
        (agent, INTERNAL, None),
        ("chat gpt-4o", CLIENT, agent),
        ("execute_tool look_up_order", INTERNAL, agent),
        ("decision support-agent", INTERNAL, agent),
        ("invoke_agent refund-agent", INTERNAL, agent),
        ("chat o3", CLIENT, "invoke_agent refund-agent"),
        ("execute_tool pay_back", INTERNAL, "invoke_agent refund-agent"),
        ("chat house-model", CLIENT, agent),
    }
    assert len(in_file.spans) == SPANS
    assert [in_file.root(session)["span_id"] for session in in_file.ids] == [
        session_id.partition("-")[2] for session_id in in_file.ids.values()
    ]


def test_operations_and_event_types_are_those_of_the_page_of_spans(in_file: Kept) -> None:
    said = {
        span["name"]: (*picked(span, "gen_ai.operation.name", "sentrial.event.type", "openinference.span.kind"),)
        for span in [*in_file.all_of("refund"), in_file.one("follow_up", "error")]
    }
    assert said == {
        "invoke_agent support-agent": ("invoke_agent", "session", "AGENT"),
        "invoke_agent refund-agent": ("invoke_agent", "session", "AGENT"),
        "chat gpt-4o": ("chat", "llm_call", None),
        "chat o3": ("chat", "llm_call", None),
        "chat house-model": ("chat", "llm_call", None),
        "execute_tool look_up_order": ("execute_tool", "tool_call", None),
        "execute_tool pay_back": ("execute_tool", "tool_call", None),
        "decision support-agent": (None, "decision", "CHAIN"),
        "error": (None, "error", "CHAIN"),
    }


def test_model_calls_have_model_tokens_and_cost(in_file: Kept) -> None:
    usage = ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens")
    parts = ("gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.reasoning.output_tokens")
    keys = ("gen_ai.request.model", "gen_ai.response.model", *usage, *parts, "sentrial.estimated_cost")
    assert picked(in_file.one("refund", "chat gpt-4o"), *keys) == [
        "gpt-4o", "gpt-4o-2024-08-06", 12_000, 3_400, 2_000, None, pytest.approx(0.0615),
    ]  # fmt: skip
    assert picked(in_file.one("refund", "chat o3"), *keys) == [
        "o3", None, 5_000, 3_000, None, 2_560, pytest.approx(0.034),
    ]  # fmt: skip
    assert picked(in_file.one("refund", "chat house-model"), *keys) == ["house-model", None, 40, 15, None, None, 0.02]
    assert picked(in_file.root("refund"), *usage, "sentrial.usage.total_tokens", "sentrial.estimated_cost") == [
        17_040, 6_415, 23_455, pytest.approx(0.0615 + 0.034 + 0.02 + 0.25),
    ]  # fmt: skip


def test_texts_are_on_the_root_for_lists_and_as_messages(in_file: Kept) -> None:
    assert picked(in_file.root("refund"), "input.value", "output.value", "gen_ai.input.messages") == [
        "I was charged twice for order 1042. Can I have my money back?",
        "The second payment of 49.00 is on its way back to you.",
        '[{"role":"user","parts":[{"type":"text",'
        '"content":"I was charged twice for order 1042. Can I have my money back?"}]}]',
    ]
    tool = in_file.one("refund", "execute_tool look_up_order")
    assert picked(tool, "gen_ai.tool.call.arguments", "gen_ai.tool.call.result") == [
        '{"order_id":"1042"}',
        '{"order_id":"1042","payments":["pay_71","pay_72"]}',
    ]


def test_every_span_says_whose_it_is(in_file: Kept) -> None:
    def whose(session: str) -> set[tuple[str, ...]]:
        keys = ("sentrial.session.id", "session.id", "user.id")
        return {tuple(picked(span, *keys)) for span in in_file.all_of(session)}

    ids = in_file.ids
    assert whose("refund") == {(ids["refund"], "conv-ada", "ada")}
    assert whose("follow_up") == {(ids["follow_up"], "conv-ada", "ada")}
    assert whose("failed") == {(ids["failed"], ids["failed"], "bob")}


def test_what_failed_says_so(in_file: Kept) -> None:
    assert {span["name"]: span["status_code"] for span in in_file.all_of("failed")} == {
        "invoke_agent support-agent": ERROR,
        "chat gpt-4o": UNSET,
        "execute_tool cancel_order": ERROR,
    }
    outcome = ("sentrial.session.outcome", "sentrial.session.success", "sentrial.session.failure_reason")
    reason = "WarehouseClosedError: the warehouse is closed"
    assert picked(in_file.root("failed"), *outcome) == ["failed", False, reason]
    assert picked(in_file.root("follow_up"), *outcome, "sentrial.session.errors") == ["completed", True, None, 1]
    error = in_file.one("follow_up", "error")
    assert (error["status_code"], error["attributes"]["error.type"]) == (ERROR, "BankTimeout")
    assert {span["status_code"] for span in in_file.all_of("refund")} == {UNSET}
