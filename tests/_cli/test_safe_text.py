"""Recorded content is hostile: nothing of it reaches the terminal as a command, or rich as markup."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import format_span_id, format_trace_id

from fixed_spans import Maker, at
from fixed_spans.rows import TOOL, root, row
from sentrial import semconv as s
from sentrial._cli.safe_text import safe_line, safe_text
from terminal import printed, store, write


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sessions.db"


HOSTILE = (
    "\x1b[31mred\x1b]0;title\x07\x9b2J\rback [bold]markup[/bold] :smile: \u202egnp.exe \x00 \u2066 \U000e0041 \x7f"
)
SHOWN = (
    "\\x1b[31mred\\x1b]0;title\\x07\\x9b2J\\x0dback [bold]markup[/bold] :smile: \\u202egnp.exe \\x00 \\u2066 "
    "\\U000e0041 \\x7f"
)


def hostile_session() -> Sequence[ReadableSpan]:
    maker = Maker(5)
    span = maker.start(f"invoke_agent {HOSTILE}", 0)
    context = span.get_span_context()
    own = {s.SENTRIAL_SESSION_ID: f"{format_trace_id(context.trace_id)}-{format_span_id(context.span_id)}"}
    message = [{"role": HOSTILE, "parts": [{"type": "text", "content": HOSTILE + "\ud83d"}, {"type": HOSTILE}]}]
    words: dict[str, Any] = dict.fromkeys(
        (
            s.GEN_AI_AGENT_NAME,
            s.SENTRIAL_SESSION_NAME,
            s.USER_ID,
            s.GEN_AI_CONVERSATION_ID,
            s.SENTRIAL_SESSION_OUTCOME,
            s.SENTRIAL_SESSION_FAILURE_REASON,
            s.SENTRIAL_METADATA_PREFIX + HOSTILE,
            s.GEN_AI_TOOL_NAME,
            s.GEN_AI_TOOL_CALL_ARGUMENTS,
            s.GEN_AI_TOOL_CALL_RESULT,
            s.SENTRIAL_REASONING,
            s.SENTRIAL_DECISION_CHOSEN,
            s.SENTRIAL_PARENT_SESSION_ID,
            s.ERROR_TYPE,
            s.GEN_AI_RESPONSE_MODEL,
        ),
        HOSTILE,
    )
    words[s.GEN_AI_INPUT_MESSAGES] = words[s.GEN_AI_OUTPUT_MESSAGES] = json.dumps(message)
    words[s.SENTRIAL_DECISION_ALTERNATIVES] = [HOSTILE]
    for kind in (*(s.EVENT_TOOL_CALL, s.EVENT_LLM_CALL, s.EVENT_DECISION, s.EVENT_ERROR), HOSTILE):
        event = maker.start(HOSTILE, 1, span, {**words, **own, s.SENTRIAL_EVENT_TYPE: kind})
        event.add_event(s.EXCEPTION_EVENT, {s.EXCEPTION_TYPE: HOSTILE, s.EXCEPTION_MESSAGE: HOSTILE})
        event.end(at(2))
    span.set_attributes({**words, **own, s.SENTRIAL_EVENT_TYPE: s.EVENT_SESSION})
    span.end(at(3))
    return maker.ended


def test_recorded_escape_sequences_and_markup_are_shown_and_not_obeyed(path: Path) -> None:
    store(path, hostile_session())
    for arguments in (["list"], ["show", "last"], ["show", "last", "--full"]):
        output = printed("sessions", *arguments, "--store", path, columns=400)
        assert [character for character in output if not character.isprintable() and character != "\n"] == []
    assert output.count(SHOWN) > 15
    assert f"user       {SHOWN}" in output


def test_each_line_break_in_recorded_text_keeps_the_tree_whole(path: Path) -> None:
    lines = "one\r\ntwo\x85three\u2028four\x0bfive\n\nsix\tend"
    write(path, [root(1), row(1, 2, TOOL, 1, SENTRIAL_REASONING=lines, GEN_AI_TOOL_NAME="a\nb"), row(1, 3, TOOL, 2)])
    output = printed("sessions", "show", "last", "--store", path, "--full").splitlines()
    assert output[-9:-1] == [
        "  1.00s  ├─ ▸ tool a b",
        "         │    why  one",
        "         │         two",
        "         │         three",
        "         │         four",
        "         │         five",
        "         │",
        "         │         six    end",
    ]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, größer, 日本, 👩‍💻, e\u0301", "plain, größer, 日本, 👩‍💻, e\u0301"),
        ("a\tb", "a    b"),
        ("a\r\nb", "a\nb"),
        ("\x1b]8;;http://a\x1b\\b", "\\x1b]8;;http://a\\x1b\\b"),
        ("\x9b31m", "\\x9b31m"),
        ("\ud83d", "\ufffd"),
        ("user\u202etxt\u2069", "user\\u202etxt\\u2069"),
        ("\U000e0061", "\\U000e0061"),
    ],
)
def test_control_characters_are_shown_as_what_they_are(text: str, shown: str) -> None:
    assert safe_text(text) == shown


def test_a_line_is_one_line() -> None:
    assert safe_line("a\nb\u2028c\r\nd") == "a b c d"
    assert safe_line(5) == "5"
