"""A program written for the old package runs unchanged, and everything that it said arrives.

`OLD_SENTRIAL_PYTHON`, an interpreter with `sentrial[async,langchain,otel]==0.6.0`, also runs it on the old package.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from receivers import OldRestApi, SentrialStandIn
from running import id_of, links_of

PROGRAM = Path(__file__).parent / "old_sdk" / "program.py"
OLD_PYTHON = os.environ.get("OLD_SENTRIAL_PYTHON")
PRINTED = {
    "current_inside": True,
    "answer": {"response": "1 order"},
    "answer_later": "about refunds",
    "raised": "no order 9",
    "state": 1,
    "complete": True,
    "close": True,
    "costs": [0.0125, 0.018, 0.0005],
    "context": [True, 1],
    "cleared": None,
    "added": [10, 0.125],
    "types": [True, "ERROR"],
}


def run(python: str, url: str) -> dict[str, Any]:
    """What the program prints, but for what `finish` returned."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME")}
    environment = {**kept, "SENTRIAL_API_URL": url, "SENTRIAL_FLUSH_TIMEOUT": "30"}
    done = subprocess.run(
        [python, "-W", "error", str(PROGRAM)], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    printed: dict[str, Any] = json.loads(done.stdout)
    assert (printed["finish"]["status"], printed.pop("finish")["success"]) == ("completed", True)
    return printed


# On every span, told twice, or random.
NOT_TOLD = (
    "session.id", "sentrial.session.id", "sentrial.event.type", "gen_ai.operation.name", "gen_ai.tool.type",
    "openinference.span.kind", "input.mime_type", "output.mime_type", "gen_ai.input.messages", "gen_ai.output.messages",
    "sentrial.convo_id", "sentrial.event_id", "sentrial.parent_session_id", "sentrial.session.success",
    "sentrial.session.llm_calls", "sentrial.session.tool_calls", "sentrial.session.decisions",
    "sentrial.session.errors",
)  # fmt: skip
TOLD_BY_THE_ROOT = ("user.id", "gen_ai.conversation.id", "gen_ai.agent.name", "gen_ai.tool.name")


def told(span: dict[str, Any], *less: str) -> dict[str, Any]:
    kept = {key: value for key, value in span["attributes"].items() if key not in (*NOT_TOLD, *less)}
    return {key.removeprefix("sentrial.").removeprefix("gen_ai."): value for key, value in kept.items()}


def sessions(spans: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """By input, or by name where there is none: what the root says, then each event, as they came: by their end."""
    found = {}
    for root in (span for span in spans if span["parent_span_id"] is None):
        below = [span for span in spans if span["parent_span_id"] == root["span_id"]]
        label = root["attributes"].get("input.value") or root["attributes"]["sentrial.session.name"]
        events = [(span["name"], told(span, *TOLD_BY_THE_ROOT)) for span in below]
        found[label] = [told(root, "input.value", "sentrial.session.name"), *events]
    assert sum(map(len, found.values())) == len(spans)
    return found


def test_it_runs_and_everything_arrives() -> None:
    with SentrialStandIn() as server:
        assert run(sys.executable, server.url) == PRINTED
        spans = server.spans
    found = sessions(spans)
    assert {label: found[label] for label in ("Mail [EMAIL] about [ORDER]", "And mine?")} == WITH_THE_MODULE
    assert {label: found[label] for label in ("Where is my order?", "refunds", "Refund 9")} == WITH_DECORATORS
    assert {label: found[label] for label in ("First", "Where is 9?", "Third")} == WITH_A_CLIENT
    assert {label: found[label] for label in ("in", "hello", "again")} == WITH_THE_ASYNC_CLIENT
    assert len(found) == 11


def test_ids_lead_to_the_trace_and_given_spans_are_linked() -> None:
    with SentrialStandIn() as server:
        run(sys.executable, server.url)
        spans = server.spans
    first, second, called, decided, failed = (
        next(span for span in spans if span["name"] == name and wanted in str(span["attributes"]))
        for name, wanted in [
            ("invoke_agent by-id", "First"),
            ("invoke_agent by-id", "Second"),
            ("execute_tool lookup", "must know"),
            ("decision by-id", "give up"),
            ("error", "GivenUp"),
        ]
    )
    assert second["attributes"]["sentrial.parent_session_id"] == id_of(first)
    assert links_of(second) == [("parent_session", id_of(first))]
    given = "0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7"
    assert [links_of(span) for span in (called, decided, failed)] == [[("given", given)]] * 3
    (event,) = failed["events"]
    assert event["attributes"] == {
        "exception.type": "GivenUp",
        "exception.message": "gave up",
        "exception.stacktrace": "Traceback ...",
    }


WITH_THE_MODULE = {
    "Mail [EMAIL] about [ORDER]": [
        {
            "agent.name": "chat", "user.id": "ann", "conversation.id": "conv-1", "metadata.channel": "web",
            "session.outcome": "completed", "output.value": "Refunded.", "metric.satisfaction": 4.5,
            "estimated_cost": 0.05, "session.duration_ms": 1200.0,
            "usage.input_tokens": 100, "usage.output_tokens": 50, "usage.total_tokens": 150, "masked": 2,
        },
        (
            "execute_tool search",
            {
                "tool.call.arguments": '{"q":"[ORDER]"}', "tool.call.result": '{"found":1}', "reasoning": "look it up",
                "estimated_cost": 0.01, "usage.total_tokens": 12, "metadata.try": 1, "masked": 1,
            },
        ),
        (
            "decision chat",
            {
                "decision.reasoning": "it is late", "decision.alternatives": ["refund", "wait"],
                "decision.confidence": 0.9, "estimated_cost": 0.02, "usage.total_tokens": 30, "metadata.by": "policy",
            },
        ),
    ],
    "And mine?": [
        {
            "agent.name": "chat", "user.id": "bob", "session.outcome": "failed", "output.value": "Sorry.",
            "session.failure_reason": "timed out", "error.type": "_OTHER",
        },
        ("error", {"error.type": "Timeout", "metadata.tool_name": "search", "metadata.after": 3}),
    ],
}  # fmt: skip
WITH_DECORATORS = {
    "Where is my order?": [
        {"agent.name": "refund-agent", "user.id": "ann", "session.outcome": "completed", "output.value": "1 order"},
        (
            "execute_tool search_orders",
            {
                "tool.call.arguments": '{"customer":"ann","limit":5}',
                "tool.call.result": '{"orders":["1042"],"limit":5}',
            },
        ),
    ],
    "refunds": [
        {
            "agent.name": "policy-agent", "user.id": "bob", "session.outcome": "completed",
            "output.value": "about refunds",
        },
        (
            "execute_tool policy",
            {"tool.call.arguments": '{"topic":"refunds"}', "tool.call.result": '{"text":"about refunds"}'},
        ),
    ],
    "Refund 9": [
        {
            "agent.name": "refund-agent", "user.id": "cy", "session.outcome": "failed", "output.value": "tried",
            "session.failure_reason": "LookupError: no order 9", "error.type": "LookupError",
        },
        ("execute_tool refund", {"tool.call.arguments": '{"order":"9"}', "error.type": "LookupError"}),
    ],
}  # fmt: skip
WITH_A_CLIENT = {
    "First": [
        {"agent.name": "by-id", "user.id": "dan", "session.outcome": "completed", "session.duration_ms": 800.0},
    ],
    "Where is 9?": [
        {
            "agent.name": "by-id", "user.id": "dan", "conversation.id": "conv-2", "metadata.plan": "pro",
            "session.outcome": "failed", "session.failure_reason": "gave up", "error.type": "_OTHER",
            "output.value": "I do not know.", "metric.turns": 3.0, "estimated_cost": 0.25, "session.duration_ms": 900.0,
            "usage.input_tokens": 10, "usage.output_tokens": 20, "usage.total_tokens": 30,
        },
        (
            "execute_tool lookup",
            {
                "tool.call.arguments": '{"id":9}', "tool.call.result": "{}", "error.type": "LookupError",
                "reasoning": "must know", "estimated_cost": 0.01, "usage.total_tokens": 7, "metadata.try": 2,
            },
        ),
        (
            "decision by-id",
            {
                "decision.reasoning": "give up", "decision.alternatives": ["retry"], "decision.confidence": 0.4,
                "estimated_cost": 0.02, "usage.total_tokens": 8, "metadata.by": "limit",
            },
        ),
        ("error", {"error.type": "GivenUp", "metadata.tool_name": "lookup", "metadata.tries": 2}),
    ],
    "Third": [
        {
            "agent.name": "by-context", "user.id": "dan", "session.outcome": "completed",
            "state": '{"step":1,"note":"kept"}',
        },
        (
            "execute_tool search_orders",
            {
                "tool.call.arguments": '{"customer":"dan","limit":1}',
                "tool.call.result": '{"orders":["1042"],"limit":1}',
            },
        ),
    ],
}  # fmt: skip
WITH_THE_ASYNC_CLIENT = {
    "in": [
        {
            "agent.name": "async", "user.id": "eve", "conversation.id": "conv-3", "metadata.plan": "free",
            "session.outcome": "completed", "output.value": "out", "estimated_cost": 0.5, "session.duration_ms": 5.0,
        },
        (
            "execute_tool lookup",
            {
                "tool.call.arguments": '{"id":1}', "tool.call.result": '{"ok":true}', "estimated_cost": 0.5,
                "usage.total_tokens": 5, "metadata.n": 1,
            },
        ),
        (
            "decision async",
            {"decision.reasoning": "enough", "decision.confidence": 1.0, "estimated_cost": 0.0},
        ),
    ],
    "hello": [
        {
            "agent.name": "async-chat", "user.id": "eve", "conversation.id": "conv-3", "metadata.k": "v",
            "session.outcome": "completed", "output.value": "bye", "estimated_cost": 0.125,
            "usage.input_tokens": 7, "usage.output_tokens": 3, "usage.total_tokens": 10,
        },
        ("execute_tool lookup", {"tool.call.arguments": '{"id":2}', "tool.call.result": '{"ok":true}'}),
    ],
    "again": [
        {"agent.name": "async-chat", "user.id": "eve", "session.outcome": "completed", "output.value": "done"},
    ],
}  # fmt: skip


if OLD_PYTHON:

    def test_it_runs_on_the_old_package() -> None:
        with OldRestApi() as server:
            assert run(str(OLD_PYTHON), server.url) == PRINTED
            agents = [each.created["agentName"] for each in server.sessions]
            assert agents == [
                "chat", "chat", "refund-agent", "policy-agent", "refund-agent", "by-id", "by-id", "by-context",
                "async", "async-chat", "async-chat",
            ]  # fmt: skip
            assert [len(each.completed) for each in server.sessions] == [1] * 11
            assert [len(each.events) for each in server.sessions] == [2, 1, 1, 0, 1, 0, 3, 1, 2, 1, 0]
