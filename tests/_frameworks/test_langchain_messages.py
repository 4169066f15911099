from __future__ import annotations

import base64
from typing import Any

import pytest
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)

from langchain_scenarios.overheard import read
from sentrial._frameworks.langchain.messages import defer_messages, read_messages
from sentrial.types import Deferred

PIXEL = base64.b64encode(b"\x89PNG").decode()


def told(*messages: Any) -> Any:
    return read(defer_messages(list(messages)))


def test_each_kind_of_message_has_its_role() -> None:
    messages = [
        SystemMessage("Be brief."),
        HumanMessage("Where?", name="ana"),
        AIMessage("In Lisbon."),
        AIMessageChunk("In Porto."),
        ChatMessage("Then?", role="developer"),
        FunctionMessage("21", name="count"),
    ]

    assert [message["role"] for message in told(*messages)] == [
        "system", "user", "assistant", "assistant", "system", "tool",
    ]  # fmt: skip
    assert told(messages[1]) == [{"role": "user", "parts": [{"type": "text", "content": "Where?"}], "name": "ana"}]


def test_the_objects_themselves_are_read_as_what_is_picked_from_them() -> None:
    messages = [
        HumanMessage("Where?"),
        AIMessage("", tool_calls=[{"name": "find", "args": {"number": 7}, "id": "call_7"}]),
        ToolMessage("in Lisbon", tool_call_id="call_7"),
    ]

    assert read(Deferred(messages, read_messages)) == told(*messages)


def test_pairs_dicts_and_texts_stand_for_messages() -> None:
    assert told(("human", "Where?"), {"role": "assistant", "content": "Here."}, "And now?", ["ai", "There."]) == [
        {"role": "user", "parts": [{"type": "text", "content": "Where?"}]},
        {"role": "assistant", "parts": [{"type": "text", "content": "Here."}]},
        {"role": "user", "parts": [{"type": "text", "content": "And now?"}]},
        {"role": "assistant", "parts": [{"type": "text", "content": "There."}]},
    ]
    assert read(defer_messages("Where?")) == [{"role": "user", "parts": [{"type": "text", "content": "Where?"}]}]


def test_a_message_that_removes_another_is_none() -> None:
    assert told(RemoveMessage(id="m1"), HumanMessage("hi")) == told(HumanMessage("hi"))


def test_calls_of_tools_are_decoded_and_those_that_cannot_be_stay_as_they_came() -> None:
    message = AIMessage(
        "Let me look.",
        tool_calls=[{"name": "find", "args": {"number": 7}, "id": "call_7"}],
        invalid_tool_calls=[{"name": "weather", "args": '{"city": "Lis', "id": "call_8", "error": "broken"}],
    )

    assert told(message)[0]["parts"] == [
        {"type": "text", "content": "Let me look."},
        {"type": "tool_call", "name": "find", "id": "call_7", "arguments": {"number": 7}},
        {"type": "tool_call", "name": "weather", "id": "call_8", "arguments": '{"city": "Lis'},
    ]


@pytest.mark.parametrize(
    "block",
    [
        {"type": "tool_use", "id": "call_7", "name": "find", "input": {}, "partial_json": '{"number": 7}'},
        {"type": "tool_call", "id": "call_7", "name": "find", "args": {"number": 7}},
        {"type": "function_call", "id": "fc_1", "call_id": "call_7", "name": "find", "arguments": '{"number": 7}'},
    ],
)
def test_a_call_that_stands_in_the_content_too_is_told_once_and_in_its_place(block: dict[str, Any]) -> None:
    calls = [{"name": "find", "args": {"number": 7}, "id": "call_7"}, {"name": "wait", "args": {}, "id": "call_9"}]
    message = AIMessage([{"type": "text", "text": "a"}, block, {"type": "text", "text": "b"}], tool_calls=calls)
    call = {"type": "tool_call", "name": "find", "id": "call_7", "arguments": {"number": 7}}

    assert told(message)[0]["parts"] == [
        {"type": "text", "content": "a"},
        call,
        {"type": "text", "content": "b"},
        {"type": "tool_call", "name": "wait", "id": "call_9", "arguments": {}},
    ]
    assert told({"role": "assistant", "content": [block]})[0]["parts"] == [call]


def test_calls_that_only_the_provider_s_own_fields_have_are_told() -> None:
    call = {"id": "call_7", "type": "function", "function": {"name": "find", "arguments": '{"number": 7}'}}

    assert told({"role": "assistant", "content": None, "tool_calls": [call]})[0]["parts"] == [
        {"type": "tool_call", "name": "find", "id": "call_7", "arguments": {"number": 7}}
    ]
    old = AIMessage("", additional_kwargs={"function_call": {"name": "find", "arguments": '{"number": 7}'}})
    assert told(old)[0]["parts"] == [{"type": "tool_call", "name": "find", "arguments": {"number": 7}}]


def test_what_a_tool_gave_is_its_text_or_its_parts_and_its_artifact_stays_out() -> None:
    several = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    picture = [{"type": "text", "text": "a"}, {"type": "image", "url": "https://x.test/p.png"}]
    messages = [
        ToolMessage("in Lisbon", tool_call_id="call_7", name="find", artifact={"rows": [1, 2]}),
        ToolMessage("no such parcel", tool_call_id="call_8", status="error"),
        ToolMessage(several, tool_call_id="call_9"),
        ToolMessage(picture, tool_call_id="call_10"),
    ]

    first, second, third, fourth = told(*messages)
    assert first == {
        "role": "tool",
        "name": "find",
        "parts": [{"type": "tool_call_response", "id": "call_7", "response": "in Lisbon"}],
    }
    assert second["parts"][0]["is_error"] is True
    assert third["parts"][0]["response"] == "a\nb"
    assert fourth["parts"][0]["response"] == [
        {"type": "text", "content": "a"},
        {"type": "uri", "modality": "image", "uri": "https://x.test/p.png"},
    ]
    assert "artifact" not in defer_messages(messages[:1]).value[0]


def test_results_in_a_message_of_the_user_s_are_the_tools() -> None:
    block = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "in Lisbon", "is_error": True}

    (message,) = told(HumanMessage([block]))

    assert message["role"] == "tool"
    assert message["parts"] == [
        {"type": "tool_call_response", "id": "toolu_1", "response": "in Lisbon", "is_error": True}
    ]


@pytest.mark.parametrize(
    ("message", "thought"),
    [
        (AIMessage("a", additional_kwargs={"reasoning_content": "Hm."}), {"content": "Hm."}),
        (AIMessage("a", additional_kwargs={"reasoning": {"summary": [{"text": "Hm."}]}}), {"content": "Hm."}),
        (AIMessage([{"type": "reasoning", "reasoning": "Hm."}]), {"content": "Hm."}),
        (AIMessage([{"type": "reasoning", "id": "rs_1", "summary": [{"text": "Hm."}]}]), {"content": "Hm."}),
        (
            AIMessage([{"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}]),
            {"content": "Hm.", "signature": "c2ln"},
        ),
        (
            AIMessage([{"type": "reasoning_content", "reasoning_content": {"text": "Hm.", "signature": "c2ln"}}]),
            {"content": "Hm.", "signature": "c2ln"},
        ),
    ],
)
def test_a_thought_is_reasoning_in_whatever_words(message: AIMessage, thought: dict[str, str]) -> None:
    assert told(message)[0]["parts"][0] == {"type": "reasoning", **thought}


def test_a_thought_that_is_hidden_is_kept_as_it_came() -> None:
    assert told(AIMessage([{"type": "redacted_thinking", "data": "ZW5j"}]))[0]["parts"] == [
        {"type": "redacted_thinking", "data": "ZW5j"}
    ]


def test_what_openai_says_beside_the_content_is_told() -> None:
    message = AIMessage(
        "", additional_kwargs={"refusal": "I cannot.", "audio": {"transcript": "It is a parcel.", "data": PIXEL}}
    )

    assert told(message)[0]["parts"] == [
        {"type": "refusal", "content": "I cannot."},
        {"type": "text", "content": "It is a parcel."},
        {"type": "blob", "modality": "audio", "mime_type": "audio/*", "content": b"\x89PNG"},
    ]


def test_sound_that_google_answers_is_a_blob() -> None:
    assert told(AIMessage("", additional_kwargs={"audio": b"RIFF"}))[0]["parts"] == [
        {"type": "blob", "modality": "audio", "mime_type": "audio/wav", "content": b"RIFF"}
    ]
