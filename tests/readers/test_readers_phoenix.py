"""What Arize Phoenix shows of sessions that come to it by plain OTLP, asked over its API."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from real_readers import SPANS, Kept, Phoenix


def parts_of(prefix: str, attributes: dict[str, Any]) -> list[dict[str, Any]]:
    return [entry["message"] for entry in attributes["llm"].get(prefix, [])]


def cost_of(shown: dict[str, Any]) -> float | None:
    return shown["costSummary"] and shown["costSummary"]["total"]["cost"]


def test_the_sessions_are_there_whole_each_span_with_its_kind_below_its_parent(in_phoenix: Kept) -> None:
    def tree(session: str) -> set[tuple[str, str, str | None]]:
        spans = in_phoenix.all_of(session)
        names = {span["spanId"]: span["name"] for span in spans}
        return {(span["name"], span["spanKind"], names.get(span["parentId"])) for span in spans}

    agent = "invoke_agent support-agent"
    assert tree("refund") == {
        (agent, "agent", None),
        ("chat gpt-4o", "llm", agent),
        ("execute_tool look_up_order", "tool", agent),
        ("decision support-agent", "chain", agent),
        ("invoke_agent refund-agent", "agent", agent),
        ("chat o3", "llm", "invoke_agent refund-agent"),
        ("execute_tool pay_back", "tool", "invoke_agent refund-agent"),
        ("chat house-model", "llm", agent),
    }
    assert tree("follow_up") == {(agent, "agent", None), ("error", "chain", agent), ("chat gpt-4o", "llm", agent)}
    assert tree("failed") == {
        (agent, "agent", None),
        ("chat gpt-4o", "llm", agent),
        ("execute_tool cancel_order", "tool", agent),
    }
    assert len(in_phoenix.spans) == SPANS


def test_model_calls_have_their_model_and_tokens_cached_ones_apart(in_phoenix: Kept) -> None:
    chat = in_phoenix.one("refund", "chat gpt-4o")
    assert (chat["attributes"]["llm"]["model_name"], chat["attributes"]["llm"]["provider"]) == ("gpt-4o", "openai")
    assert (chat["tokenCountPrompt"], chat["tokenCountCompletion"], chat["tokenCountTotal"]) == (12_000, 3_400, 15_400)
    assert chat["tokenPromptDetails"]["cacheRead"] == 2_000
    assert {entry["tokenType"]: entry["value"]["tokens"] for entry in chat["costDetailSummaryEntries"]} == {
        "input": 10_000,
        "cache_read": 2_000,
        "output": 3_400,
    }
    thinking = in_phoenix.one("refund", "chat o3")
    assert (thinking["attributes"]["llm"]["model_name"], thinking["tokenCountTotal"]) == ("o3", 8_000)


def test_tokens_add_up_to_the_root_and_count_once(in_phoenix: Kept) -> None:
    assert in_phoenix.root("refund")["cumulativeTokenCountTotal"] == 15_400 + 8_000 + 55
    assert in_phoenix.one("refund", "invoke_agent refund-agent")["cumulativeTokenCountTotal"] == 8_000
    assert in_phoenix.root("follow_up")["cumulativeTokenCountTotal"] == 8_600
    for session in ("refund", "follow_up", "failed"):
        root = in_phoenix.root(session)
        assert root["attributes"]["sentrial"]["usage"]["total_tokens"] == root["cumulativeTokenCountTotal"]


def test_its_own_price_table_and_ours_agree_on_every_call_that_both_know(in_phoenix: Kept) -> None:
    calls = [span for span in in_phoenix.spans if span["spanKind"] == "llm" and span["name"] != "chat house-model"]
    theirs = [cost_of(span) for span in calls]
    assert theirs == [pytest.approx(span["attributes"]["sentrial"]["estimated_cost"]) for span in calls]
    assert sorted(filter(None, theirs)) == pytest.approx([0.0095, 0.026, 0.034, 0.0615])
    assert cost_of(in_phoenix.root("refund")["trace"]) == pytest.approx(0.0615 + 0.034)


def test_the_list_of_traces_has_input_and_output_of_every_session(in_phoenix: Kept) -> None:
    shown = {session: in_phoenix.root(session) for session in ("refund", "follow_up", "failed")}
    assert {session: root["input"]["value"] for session, root in shown.items()} == {
        "refund": "I was charged twice for order 1042. Can I have my money back?",
        "follow_up": "When will it arrive?",
        "failed": "Cancel my order 7.",
    }
    assert shown["refund"]["output"]["value"] == "The second payment of 49.00 is on its way back to you."
    assert shown["follow_up"]["output"]["value"] == "In three days, on the card you paid with."
    assert shown["failed"]["output"] is None
    inner = in_phoenix.one("refund", "invoke_agent refund-agent")
    assert (inner["input"]["value"], inner["output"]["value"]) == ("Pay pay_72 back", "pay_72 is paid back.")


def test_the_list_of_sessions_has_conversations_with_their_user_texts_tokens_and_cost(
    phoenix: Phoenix, in_phoenix: Kept
) -> None:
    project = phoenix.ask("""{ projects { edges { node { sessions(first: 10) { edges { node {
        sessionId userId numTraces numTracesWithError firstInput { value } lastOutput { value }
        tokenUsage { prompt completion total } costSummary { total { cost } }
        traces(first: 10) { edges { node { traceId } } }
    } } } } } } }""")["projects"]["edges"][0]["node"]
    of = {edge["node"]["sessionId"]: edge["node"] for edge in project["sessions"]["edges"]}
    assert set(of) == {"conv-ada", in_phoenix.ids["failed"]}

    conversation = of["conv-ada"]
    assert {edge["node"]["traceId"] for edge in conversation["traces"]["edges"]} == {
        in_phoenix.ids[session].partition("-")[0] for session in ("refund", "follow_up")
    }
    assert (conversation["userId"], conversation["numTraces"], conversation["numTracesWithError"]) == ("ada", 2, 1)
    assert conversation["firstInput"]["value"] == "I was charged twice for order 1042. Can I have my money back?"
    assert conversation["lastOutput"]["value"] == "In three days, on the card you paid with."
    assert conversation["tokenUsage"] == {"prompt": 25_040, "completion": 7_015, "total": 32_055}
    assert cost_of(conversation) == pytest.approx(0.0615 + 0.034 + 0.026)

    alone = of[in_phoenix.ids["failed"]]
    assert (alone["userId"], alone["numTraces"], alone["numTracesWithError"]) == ("bob", 1, 1)
    assert (alone["firstInput"]["value"], alone["tokenUsage"]["total"]) == ("Cancel my order 7.", 3_200)


def test_spans_and_sessions_are_found_by_user_and_conversation(phoenix: Phoenix, in_phoenix: Kept) -> None:
    assert Counter((span["userId"], span["trace"]["userId"]) for span in in_phoenix.spans) == {
        ("ada", "ada"): 11,
        ("bob", "bob"): 3,
    }

    def found(condition: str) -> int:
        query = '{ projects { edges { node { spans(first: 100, filterCondition: "%s") { edges { node { id } } } } } } }'
        return len(phoenix.ask(query % condition)["projects"]["edges"][0]["node"]["spans"]["edges"])

    assert (found("user.id == 'ada'"), found("user.id == 'bob'"), found("session.id == 'conv-ada'")) == (11, 3, 11)
    query = """{ projects { edges { node { sessions(first: 10, sessionFilterCondition: "user.id == 'bob'") {
        edges { node { sessionId } } } } } } }"""
    (edge,) = phoenix.ask(query)["projects"]["edges"][0]["node"]["sessions"]["edges"]
    assert edge["node"]["sessionId"] == in_phoenix.ids["failed"]


def test_what_failed_is_seen_to_have_failed_and_of_what(in_phoenix: Kept) -> None:
    failed = {span["name"]: span for span in in_phoenix.all_of("failed")}
    assert {name: span["statusCode"] for name, span in failed.items()} == {
        "invoke_agent support-agent": "ERROR",
        "chat gpt-4o": "UNSET",
        "execute_tool cancel_order": "ERROR",
    }
    for name in ("invoke_agent support-agent", "execute_tool cancel_order"):
        assert failed[name]["statusMessage"] == "WarehouseClosedError: the warehouse is closed"
        assert failed[name]["events"] == [{"name": "exception", "message": "the warehouse is closed"}]

    error, root = in_phoenix.one("follow_up", "error"), in_phoenix.root("follow_up")
    assert (error["statusCode"], error["statusMessage"]) == ("ERROR", "the bank did not answer at once")
    assert (root["statusCode"], root["propagatedStatusCode"], root["trace"]["errorCount"]) == ("UNSET", "ERROR", 1)
    assert {span["propagatedStatusCode"] for span in in_phoenix.all_of("refund")} == {"OK"}


def test_messages_tools_and_decisions_can_be_read(in_phoenix: Kept) -> None:
    chat = in_phoenix.one("refund", "chat gpt-4o")["attributes"]
    assert [(said["role"], said["content"]) for said in parts_of("input_messages", chat)] == [
        ("system", "You are the support agent of a small shop."),
        ("user", "I was charged twice for order 1042. Can I have my money back?"),
    ]
    (asked,) = parts_of("output_messages", chat)
    assert (asked["role"], asked["tool_calls"][0]["tool_call"]["function"]) == (
        "assistant",
        {"name": "look_up_order", "arguments": '{"order_id": "1042"}'},
    )
    (told,) = parts_of("output_messages", in_phoenix.one("refund", "chat o3")["attributes"])
    assert (told["content"], told["finish_reason"]) == ("Yes: it is a duplicate.", "stop")
    assert '"look_up_order"' in chat["llm"]["tools"][0]["tool"]["json_schema"]

    tool = in_phoenix.one("refund", "execute_tool look_up_order")
    assert tool["attributes"]["tool"] == {"name": "look_up_order", "id": "call_1", "parameters": {"order_id": "1042"}}
    assert tool["output"]["value"] == '{"order_id":"1042","payments":["pay_71","pay_72"]}'

    decision = in_phoenix.one("refund", "decision support-agent")["attributes"]["sentrial"]["decision"]
    assert decision == {
        "reasoning": "Two payments for one order",
        "alternatives": ["escalate", "refund"],
        "chosen": "refund",
        "confidence": 0.94,
    }


def test_what_it_has_no_place_for_is_among_the_attributes(in_phoenix: Kept) -> None:
    thinking = in_phoenix.one("refund", "chat o3")
    assert {entry["tokenType"] for entry in thinking["costDetailSummaryEntries"]} == {"input", "output"}
    assert thinking["attributes"]["gen_ai"]["usage"]["reasoning"]["output_tokens"] == 2_560

    own = in_phoenix.one("refund", "chat house-model")
    assert (cost_of(own), own["attributes"]["sentrial"]["estimated_cost"]) == (None, 0.02)
    pay_back = in_phoenix.one("refund", "execute_tool pay_back")
    assert (cost_of(pay_back), pay_back["attributes"]["sentrial"]["estimated_cost"]) == (None, 0.25)
    assert in_phoenix.root("refund")["attributes"]["sentrial"]["estimated_cost"] == pytest.approx(
        0.0615 + 0.034 + 0.25 + 0.02
    )

    assert parts_of("output_messages", own["attributes"]) == []  # nobody said why it ended
    assert '"The second payment' in own["attributes"]["gen_ai"]["output"]["messages"]

    for name in ("chat gpt-4o", "execute_tool look_up_order", "decision support-agent"):
        assert in_phoenix.one("refund", name)["input"] is None
