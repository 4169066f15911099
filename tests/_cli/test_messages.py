"""Messages as a person reads them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fixed_spans.rows import LLM, root, row
from terminal import printed, write


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sessions.db"


def test_messages_of_every_kind_of_part_are_readable(path: Path) -> None:
    parts = [
        {"type": "text", "content": "look at this"},
        {"type": "reasoning", "content": "hm"},
        {"type": "tool_call", "id": "1", "name": "zoom", "arguments": {"factor": 2}},
        {"type": "tool_call", "id": "2", "name": "now"},
        {"type": "tool_call_response", "id": "1", "response": {"result": "größer"}},
        {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "iVBO" * 100},
        {"type": "uri", "modality": "image", "uri": "https://example.com/a.png"},
        {"type": "strange", "a": [1, "ü"]},
        "bare",
    ]
    messages = [{"role": "user", "parts": parts}, "no message"]
    said = {"GEN_AI_INPUT_MESSAGES": json.dumps(messages), "GEN_AI_OUTPUT_MESSAGES": '[{"role": "assist'}
    write(path, [root(1), row(1, 2, LLM, 1, name="chat m", **said)])
    output = printed("sessions", "show", "last", "--store", path, "--full").splitlines()
    assert [line.strip() for line in output[-11:]] == [
        "user      look at this",
        "(reasoning) hm",
        'calls zoom {"factor": 2}',
        "calls now",
        "größer",
        "[image/png, 400 characters of base64]",
        "[image, https://example.com/a.png]",
        '{"type": "strange", "a": [1, "ü"]}',
        "bare",
        "message   no message",
        'messages  [{"role": "assist',
    ]
    brief = printed("sessions", "show", "last", "--store", path)
    assert "message   (+1 earlier) no message" in brief
