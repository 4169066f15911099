"""The user's document, snippet by snippet: each runs verbatim, as a program, and what arrives is asserted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from receivers import SentrialStandIn

KEY = "sentrial_live_xxx"

STAND_INS = """
class _Agent:
    def run(self, user_input):
        return f"An answer to: {user_input}"
agent, user_input = _Agent(), "User's question"
"""

# What stands before and after each snippet in the document.
PLACES = {
    "begin": ("using the begin/finish pattern:\n", "\nFull Control API"),
    "client": ("For more control over session data:\n", "\nEvent Types"),
    "tool": ("(search, API call, database query, etc.)\n", "\nDecisions\n"),
    "decision": ("makes a choice between alternatives:\n", "\nAutomatic Tracking"),
}


@pytest.fixture
def seed(shared: Path) -> str:
    return (shared / "seed" / "sessions.txt").read_text(encoding="utf-8")


def snippet(seed: str, name: str) -> str:
    start, end = PLACES[name]
    assert seed.count(start) == 1, f"the place of {name!r} is not where it was"
    text = seed.split(start)[1].split(end)[0]
    assert text.strip(), f"the snippet {name!r} is empty"
    return text


def run(program: str, server: SentrialStandIn, tmp_path: Path) -> None:
    file = tmp_path / "program.py"
    file.write_text(program, encoding="utf-8")
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    result = subprocess.run(
        [sys.executable, "-W", "error", str(file)],
        env={**environment, "SENTRIAL_API_URL": server.url, "SENTRIAL_STORE": "", "SENTRIAL_FLUSH_TIMEOUT": "30"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def attributes_of(span: dict[str, Any]) -> dict[str, Any]:
    """The attributes, JSON decoded, so that they can be compared with what was meant."""
    return {
        key: json.loads(value) if isinstance(value, str) and value[:1] in ("[", "{") else value
        for key, value in span["attributes"].items()
    }


def test_begin_and_finish_make_one_session(seed: str, tmp_path: Path) -> None:
    with SentrialStandIn(keys={KEY}) as server:
        run(STAND_INS + snippet(seed, "begin"), server, tmp_path)
        (root,) = server.wait_for_spans(1, timeout=20)
    session_id = f"{root['trace_id']}-{root['span_id']}"
    found = attributes_of(root)
    assert found.pop("sentrial.event_id")
    assert found.pop("sentrial.session.name").startswith("chat_message:")
    assert (root["name"], root["kind"], root["parent_span_id"], root["status_code"], root["links"]) == (
        "invoke_agent chat_message", 1, None, 0, [],
    )  # fmt: skip
    assert found == {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "chat_message",
        "gen_ai.conversation.id": "conv_456",
        "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "User's question"}]}],
        "gen_ai.output.messages": [
            {"role": "assistant", "parts": [{"type": "text", "content": "An answer to: User's question"}]}
        ],
        "input.value": "User's question",
        "input.mime_type": "text/plain",
        "output.value": "An answer to: User's question",
        "output.mime_type": "text/plain",
        "openinference.span.kind": "AGENT",
        "user.id": "user_123",
        "session.id": "conv_456",
        "sentrial.session.id": session_id,
        "sentrial.event.type": "session",
        "sentrial.convo_id": "conv_456",
        "sentrial.session.outcome": "completed",
        "sentrial.session.success": True,
        "sentrial.session.llm_calls": 0,
        "sentrial.session.tool_calls": 0,
        "sentrial.session.decisions": 0,
        "sentrial.session.errors": 0,
        "sentrial.estimated_cost": 0.023,
    }
    assert root["start_ns"] < root["end_ns"]


def session_attributes(session_id: str) -> dict[str, Any]:
    return {"sentrial.session.id": session_id, "session.id": session_id, "user.id": "user_123"}


def assert_session(spans: list[dict[str, Any]], *, late: bool) -> None:
    """The session of the document's second to fourth snippet."""
    by_name = {span["name"]: span for span in spans}
    assert set(by_name) == {
        "invoke_agent support-agent",
        "execute_tool search_knowledge_base",
        "decision support-agent",
    }
    root = by_name["invoke_agent support-agent"]
    tool = by_name["execute_tool search_knowledge_base"]
    decision = by_name["decision support-agent"]
    identity = session_attributes(f"{root['trace_id']}-{root['span_id']}")
    assert root["parent_span_id"] is None
    for event in (tool, decision):
        assert (event["trace_id"], event["parent_span_id"]) == (root["trace_id"], root["span_id"])
        assert (event["kind"], event["status_code"]) == (1, 0)
    if late:
        identity["sentrial.late"] = True
    assert attributes_of(tool) == {
        **identity,
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "search_knowledge_base",
        "gen_ai.tool.type": "function",
        "gen_ai.agent.name": "support-agent",
        "gen_ai.tool.call.arguments": {"query": "password reset"},
        "gen_ai.tool.call.result": {"results": ["KB-001", "KB-002"]},
        "sentrial.event.type": "tool_call",
        "sentrial.reasoning": "User asked about password reset",
        "sentrial.estimated_cost": 0.001,
    }
    assert attributes_of(decision) == {
        **identity,
        "openinference.span.kind": "CHAIN",
        "sentrial.event.type": "decision",
        "sentrial.decision.reasoning": "User needs password help, will search KB first",
        "sentrial.decision.alternatives": ["escalate_to_human", "ask_clarifying_question"],
        "sentrial.decision.confidence": 0.92,
    }
    identity.pop("sentrial.late", None)
    assert attributes_of(root) == {
        **identity,
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "support-agent",
        "gen_ai.usage.input_tokens": 1500,
        "gen_ai.usage.output_tokens": 500,
        "openinference.span.kind": "AGENT",
        "sentrial.event.type": "session",
        "sentrial.session.name": "Customer Support Request",
        "sentrial.metadata.ticket_id": "TKT-789",
        "sentrial.metadata.channel": "web_chat",
        "sentrial.metadata.priority": "high",
        "sentrial.metric.satisfaction": 4.5,
        "sentrial.metric.resolution_time": 120.0,
        "sentrial.usage.total_tokens": 2000,
        "sentrial.estimated_cost": 0.045,
        "sentrial.session.outcome": "completed",
        "sentrial.session.success": True,
        "sentrial.session.llm_calls": 0,
        "sentrial.session.tool_calls": 0 if late else 1,
        "sentrial.session.decisions": 0 if late else 1,
        "sentrial.session.errors": 0,
    }


def test_events_tracked_where_the_document_says_belong_to_the_session(seed: str, tmp_path: Path) -> None:
    before, after = snippet(seed, "client").split("# Track events manually...\n")
    with SentrialStandIn(keys={KEY}) as server:
        run(before + snippet(seed, "tool") + snippet(seed, "decision") + after, server, tmp_path)
        assert_session(server.wait_for_spans(3, timeout=20), late=False)


def test_snippets_in_the_order_of_the_page_lose_nothing(seed: str, tmp_path: Path) -> None:
    """Read from top to bottom, the page completes its session before it tracks events: they arrive, marked late."""
    program = snippet(seed, "client") + snippet(seed, "tool") + snippet(seed, "decision")
    with SentrialStandIn(keys={KEY}) as server:
        run(program, server, tmp_path)
        assert_session(server.wait_for_spans(3, timeout=20), late=True)


def test_every_snippet_of_the_document_is_run_but_the_one_of_langchain(seed: str) -> None:
    code = "".join(snippet(seed, name) for name in PLACES)
    calls = [line.strip() for line in seed.splitlines() if line.startswith(("client.", "interaction.", "sentrial."))]
    assert calls
    assert [call for call in calls if call not in code] == []
