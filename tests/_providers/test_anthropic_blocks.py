"""What the blocks of Anthropic's messages mean, through the snapshot that our thread sees."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from anthropic.types import Message as AnthropicMessage
from anthropic.types import TextBlock, ToolUseBlock

from fake_provider import read_reply
from sentrial._providers.anthropic.blocks import read_messages, read_result, read_system, read_tools
from sentrial._snapshot import Tally, snapshot

PICTURE = b"\x89PNG" + bytes(20)
ENCODED = base64.b64encode(PICTURE).decode()


def read(message: Any) -> dict[str, Any]:
    (found,) = read_messages(snapshot([message], Tally()))
    return found.to_json()


def parts(content: Any, role: str = "user") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = read({"role": role, "content": content})["parts"]
    return found


def source(kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": kind, **fields}


@pytest.mark.parametrize(
    ("block", "part"),
    [
        ({"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}}, {"type": "text", "content": "Hi"}),
        (
            {"type": "image", "source": source("base64", media_type="image/png", data=ENCODED)},
            {"type": "blob", "modality": "image", "mime_type": "image/png", "content": PICTURE},
        ),
        (
            {"type": "image", "source": source("url", url="https://example.org/a.png")},
            {"type": "uri", "modality": "image", "uri": "https://example.org/a.png"},
        ),
        (
            {"type": "image", "source": source("file", file_id="file_1")},
            {"type": "file", "modality": "image", "file_id": "file_1"},
        ),
        (
            {"type": "document", "source": source("base64", media_type="application/pdf", data=ENCODED)},
            {"type": "blob", "modality": "document", "mime_type": "application/pdf", "content": PICTURE},
        ),
        (
            {"type": "document", "title": "Terms", "source": source("text", media_type="text/plain", data="Pay.")},
            {"type": "document", "title": "Terms", "content": "Pay."},
        ),
        (
            {"type": "document", "source": source("content", content=[{"type": "text", "text": "Pay."}])},
            {"type": "document", "content": "Pay."},
        ),
        (
            {"type": "tool_use", "id": "toolu_1", "name": "track", "input": {"number": 7}},
            {"type": "tool_call", "id": "toolu_1", "name": "track", "arguments": {"number": 7}},
        ),
        (
            {"type": "tool_use", "id": "toolu_1", "name": "track", "input": '{"number": 7}'},
            {"type": "tool_call", "id": "toolu_1", "name": "track", "arguments": {"number": 7}},
        ),
        (
            {"type": "tool_use", "id": "toolu_1", "name": "track", "input": '{"numb'},
            {"type": "tool_call", "id": "toolu_1", "name": "track", "arguments": '{"numb'},
        ),
        (
            {"type": "tool_use", "id": "toolu_1", "name": "track", "input": "[" * 200_000},
            {"type": "tool_call", "id": "toolu_1", "name": "track", "arguments": "[" * 200_000},
        ),
        (
            {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
            {"type": "reasoning", "content": "Hm.", "signature": "c2ln"},
        ),
        ({"type": "thinking", "thinking": "Hm."}, {"type": "reasoning", "content": "Hm."}),
        (
            {"type": "thinking", "thinking": "", "signature": "c2ln"},
            {"type": "redacted_thinking", "signature": "c2ln"},
        ),
        ({"type": "redacted_thinking", "data": "eHh4"}, {"type": "redacted_thinking", "data": "eHh4"}),
        ({"type": "redacted_thinking"}, {"type": "redacted_thinking"}),
        (
            {"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {"query": "strike"}},
            {
                "type": "server_tool_call",
                "id": "srv_1",
                "name": "web_search",
                "server_tool_call": {"type": "web_search", "arguments": {"query": "strike"}},
            },
        ),
        (
            {
                "type": "web_search_tool_result",
                "tool_use_id": "srv_1",
                "content": [{"type": "web_search_result", "url": "https://a", "encrypted_content": "b3Bh"}],
            },
            {
                "type": "server_tool_call_response",
                "id": "srv_1",
                "name": "web_search",
                "server_tool_call_response": {
                    "type": "web_search",
                    "content": [{"type": "web_search_result", "url": "https://a"}],
                },
            },
        ),
        (
            {"type": "mcp_tool_use", "id": "mcp_1", "name": "status", "server_name": "depot", "input": {}},
            {
                "type": "server_tool_call",
                "id": "mcp_1",
                "name": "status",
                "server_tool_call": {"type": "mcp", "arguments": {}, "server_name": "depot"},
            },
        ),
        (
            {"type": "mcp_tool_result", "tool_use_id": "mcp_1", "is_error": True, "content": "closed"},
            {
                "type": "server_tool_call_response",
                "id": "mcp_1",
                "name": "mcp",
                "server_tool_call_response": {"type": "mcp", "content": "closed", "is_error": True},
            },
        ),
        ({"type": "compaction", "content": "So far: hello."}, {"type": "compaction", "content": "So far: hello."}),
        ({"type": "compaction", "content": None}, {"type": "compaction"}),
        ({"type": "container_upload", "file_id": "file_2"}, {"type": "container_upload", "file_id": "file_2"}),
        (
            {"type": "search_result", "source": "kb", "title": "Strike", "content": [], "cache_control": None},
            {"type": "search_result", "source": "kb", "title": "Strike", "content": []},
        ),
    ],
)
def test_a_block_becomes_a_part_of_the_conventions(block: dict[str, Any], part: dict[str, Any]) -> None:
    assert parts([block], role="assistant") == [part]


def test_plain_content_is_one_text() -> None:
    assert read({"role": "user", "content": "Hi"}) == {"role": "user", "parts": [{"type": "text", "content": "Hi"}]}


def test_what_is_no_block_and_no_message_stays_readable() -> None:
    assert parts([3]) == [{"type": "text", "content": "3"}]
    assert read("Hi") == {"role": "user", "parts": [{"type": "text", "content": "Hi"}]}
    assert parts(None) == []


def test_a_message_of_tool_results_alone_is_a_tools() -> None:
    answered = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "in Lisbon"}
    response = {"type": "tool_call_response", "id": "toolu_1", "response": "in Lisbon"}

    assert read({"role": "user", "content": [answered]}) == {"role": "tool", "parts": [response]}
    both = read({"role": "user", "content": [answered, {"type": "text", "text": "Go on."}]})
    assert both == {"role": "user", "parts": [response, {"type": "text", "content": "Go on."}]}


def test_a_tool_result_that_is_an_error_says_so() -> None:
    failed = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "no such parcel", "is_error": True}

    (part,) = parts([failed])
    assert part == {"type": "tool_call_response", "id": "toolu_1", "response": "no such parcel", "is_error": True}


def test_a_result_of_more_than_text_keeps_its_parts() -> None:
    image = {"type": "image", "source": source("base64", media_type="image/png", data=ENCODED)}

    assert read_result([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]) == "a\nb"
    assert read_result([{"type": "text", "text": "a"}, image]) == [
        {"type": "text", "content": "a"},
        {"type": "blob", "modality": "image", "mime_type": "image/png", "content": PICTURE},
    ]
    assert read_result(None) == ""


def test_blocks_of_the_clients_own_types_are_read_like_dicts() -> None:
    message = AnthropicMessage.model_validate(read_reply("message_tools"))

    assert parts(message.content, role="assistant") == [
        {"type": "text", "content": "I look it up."},
        {
            "type": "tool_call",
            "id": "toolu_01Track",
            "name": "track_parcel",
            "arguments": {"number": "PT-77", "detailed": True},
        },
    ]
    assert all(isinstance(block, (TextBlock, ToolUseBlock)) for block in message.content)


def test_instructions_are_a_text_or_blocks() -> None:
    blocks = [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}]

    assert [part.to_json() for part in read_system("Be brief.")] == [{"type": "text", "content": "Be brief."}]
    assert [part.to_json() for part in read_system(blocks)] == [{"type": "text", "content": "Be brief."}]


def test_tools_of_the_program_are_functions_and_those_of_the_api_are_their_own() -> None:
    schema = {"type": "object", "properties": {"number": {"type": "string"}}}
    tools = [
        {"name": "track", "description": "Where is it?", "input_schema": schema},
        {"type": "custom", "name": "cancel", "input_schema": schema},
        {"type": "web_search_20250305", "name": "web_search", "max_uses": 2},
        {"type": "mcp_toolset", "mcp_server_name": "depot"},
        "no tool",
    ]

    assert read_tools(snapshot(tools, Tally())) == [
        {"type": "function", "name": "track", "description": "Where is it?", "parameters": schema},
        {"type": "function", "name": "cancel", "parameters": schema},
        {"type": "web_search_20250305", "name": "web_search"},
        {"type": "mcp_toolset", "name": "depot"},
    ]
