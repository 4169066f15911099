"""The items that OpenAI's responses are made of, through snapshot and reader, as our thread sees them."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from fake_provider import read_reply
from sentrial._providers.openai.items import read_input, read_output, read_system
from sentrial._snapshot import Tally, snapshot

PICTURE = b"\x89PNG" + bytes(20)
ENCODED = base64.b64encode(PICTURE).decode()


def read(items: Any) -> list[dict[str, Any]]:
    return [message.to_json() for message in read_input(snapshot(items, Tally()))]


def parts(item: Any) -> list[dict[str, Any]]:
    (message,) = read([item])
    return list(message["parts"])


def test_a_text_is_what_the_user_says() -> None:
    assert read("Where is it?") == [{"role": "user", "parts": [{"type": "text", "content": "Where is it?"}]}]


def test_messages_keep_their_roles_and_one_turn_of_the_model_is_one_message() -> None:
    assert read(
        [
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "content": [{"type": "input_text", "text": "Where is 4711?"}]},
            {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Look it up."}]},
            {"type": "function_call", "call_id": "c1", "name": "find", "arguments": '{"n": 4711}'},
            {"type": "function_call", "call_id": "c2", "name": "find", "arguments": '{"n": 4712'},
            {"type": "function_call_output", "call_id": "c1", "output": "Rotterdam"},
            {"type": "function_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "none"}]},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "In Rotterdam."}]},
        ]
    ) == [
        {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
        {"role": "user", "parts": [{"type": "text", "content": "Where is 4711?"}]},
        {
            "role": "assistant",
            "parts": [
                {"type": "reasoning", "content": "Look it up."},
                {"type": "tool_call", "name": "find", "arguments": {"n": 4711}, "id": "c1"},
                {"type": "tool_call", "name": "find", "arguments": '{"n": 4712', "id": "c2"},
            ],
        },
        {"role": "tool", "parts": [{"type": "tool_call_response", "response": "Rotterdam", "id": "c1"}]},
        {
            "role": "tool",
            "parts": [
                {"type": "tool_call_response", "response": [{"type": "text", "content": "none"}], "id": "c2"},
            ],
        },
        {"role": "assistant", "parts": [{"type": "text", "content": "In Rotterdam."}]},
    ]


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ({"type": "input_text", "text": "hi"}, {"type": "text", "content": "hi"}),
        ({"type": "output_text", "text": "hi", "annotations": []}, {"type": "text", "content": "hi"}),
        ({"type": "refusal", "refusal": "no"}, {"type": "refusal", "content": "no"}),
        (
            {"type": "input_image", "image_url": "https://example.org/a.png", "detail": "low"},
            {"type": "uri", "modality": "image", "uri": "https://example.org/a.png"},
        ),
        (
            {"type": "input_image", "image_url": f"data:image/png;base64,{ENCODED}"},
            {"type": "blob", "modality": "image", "mime_type": "image/png", "content": PICTURE},
        ),
        (
            {"type": "input_image", "file_id": "file-1", "detail": "auto"},
            {"type": "file", "modality": "image", "file_id": "file-1"},
        ),
        (
            {"type": "input_file", "file_id": "file-2"},
            {"type": "file", "modality": "document", "file_id": "file-2"},
        ),
        (
            {"type": "input_file", "filename": "a.pdf", "file_data": f"data:application/pdf;base64,{ENCODED}"},
            {"type": "blob", "modality": "document", "mime_type": "application/pdf", "content": PICTURE},
        ),
        (
            {"type": "input_file", "file_url": "https://example.org/a.pdf"},
            {"type": "uri", "modality": "document", "uri": "https://example.org/a.pdf"},
        ),
        (
            {"type": "input_audio", "input_audio": {"data": ENCODED, "format": "wav"}},
            {"type": "blob", "modality": "audio", "mime_type": "audio/wav", "content": PICTURE},
        ),
        ({"type": "hologram", "depth": 3, "width": None}, {"type": "hologram", "depth": 3}),
        ("bare", {"type": "text", "content": "bare"}),
    ],
)
def test_each_part_has_its_form(part: Any, said: dict[str, Any]) -> None:
    assert parts({"role": "user", "content": [part]}) == [said]


@pytest.mark.parametrize(
    ("item", "said"),
    [
        (
            {"type": "custom_tool_call", "call_id": "c", "name": "run_query", "input": "SELECT 1"},
            {"name": "run_query", "arguments": "SELECT 1", "id": "c"},
        ),
        (
            {"type": "computer_call", "call_id": "c", "action": {"type": "click", "x": 1, "y": 2}},
            {"name": "computer", "arguments": {"action": {"type": "click", "x": 1, "y": 2}}, "id": "c"},
        ),
        (
            {"type": "local_shell_call", "call_id": "c", "action": {"type": "exec", "command": ["ls"]}},
            {"name": "local_shell", "arguments": {"action": {"type": "exec", "command": ["ls"]}}, "id": "c"},
        ),
        (
            {"type": "apply_patch_call", "call_id": "c", "operation": {"type": "delete_file", "path": "a"}},
            {"name": "apply_patch", "arguments": {"operation": {"type": "delete_file", "path": "a"}}, "id": "c"},
        ),
        (
            {"type": "shell_call", "call_id": "c", "action": {"commands": ["ls"]}, "environment": None},
            {"name": "shell", "arguments": {"action": {"commands": ["ls"]}}, "id": "c"},
        ),
        (
            {"type": "tool_search_call", "call_id": "c", "arguments": {"q": "crm"}, "execution": "client"},
            {"name": "tool_search", "arguments": {"q": "crm"}, "id": "c"},
        ),
    ],
)
def test_what_the_program_is_to_run_is_a_tool_call(item: dict[str, Any], said: dict[str, Any]) -> None:
    assert parts(item) == [{"type": "tool_call", **said}]


def test_what_the_provider_runs_is_a_call_and_a_response_of_its_own() -> None:
    (message,) = read_output(snapshot(read_reply("response_server_tools")["output"], Tally()))
    assert message.role == "assistant"
    assert [part.to_json() for part in message.parts] == [
        {
            "type": "server_tool_call",
            "id": "ws_1",
            "name": "web_search",
            "server_tool_call": {
                "type": "web_search",
                "action": {
                    "type": "search",
                    "query": "parcel 4711 Rotterdam",
                    "sources": [{"type": "url", "url": "https://parcels.example/4711"}],
                },
            },
        },
        {
            "type": "server_tool_call",
            "id": "fs_1",
            "name": "file_search",
            "server_tool_call": {"type": "file_search", "queries": ["returns policy"]},
        },
        {
            "type": "server_tool_call_response",
            "id": "fs_1",
            "server_tool_call_response": {
                "type": "file_search",
                "results": [
                    {
                        "file_id": "file-1",
                        "filename": "policy.md",
                        "score": 0.87,
                        "text": "Returns within 30 days.",
                        "attributes": {},
                    }
                ],
            },
        },
        {
            "type": "server_tool_call",
            "id": "ci_1",
            "name": "code_interpreter",
            "server_tool_call": {"type": "code_interpreter", "code": "print(6 * 7)", "container_id": "cntr_1"},
        },
        {
            "type": "server_tool_call_response",
            "id": "ci_1",
            "server_tool_call_response": {
                "type": "code_interpreter",
                "outputs": [{"type": "logs", "logs": "42\n"}],
            },
        },
        {
            "type": "server_tool_call",
            "id": "ig_1",
            "name": "image_generation",
            "server_tool_call": {"type": "image_generation", "revised_prompt": "A parcel on a quay"},
        },
        {
            "type": "server_tool_call_response",
            "id": "ig_1",
            "server_tool_call_response": {
                "type": "image_generation",
                "result": {
                    "type": "blob",
                    "modality": "image",
                    "mime_type": "image/png",
                    "content": base64.b64decode("iVBORw0KGgoAAAANSUhEUg=="),
                },
            },
        },
        {
            "type": "mcp_list_tools",
            "id": "mcpl_1",
            "server_label": "parcels",
            "tools": [
                {
                    "name": "locate",
                    "input_schema": {"type": "object"},
                    "description": "Where a parcel is",
                    "annotations": None,
                }
            ],
        },
        {
            "type": "server_tool_call",
            "id": "mcp_1",
            "name": "locate",
            "server_tool_call": {"type": "mcp", "server_label": "parcels", "arguments": {"number": 4711}},
        },
        {
            "type": "server_tool_call_response",
            "id": "mcp_1",
            "server_tool_call_response": {"type": "mcp", "output": "Rotterdam"},
        },
        {
            "type": "tool_call",
            "name": "computer",
            "arguments": {"action": {"type": "click", "button": "left", "x": 10, "y": 20}},
            "id": "call_click",
        },
        {"type": "text", "content": "It is in Rotterdam."},
    ]


def test_a_shell_in_a_container_is_the_providers() -> None:
    environment = {"type": "container_reference", "container_id": "cntr_1"}
    item = {"type": "shell_call", "id": "sh_1", "action": {"commands": ["ls"]}, "environment": environment}
    assert [part["type"] for part in parts(item)] == ["server_tool_call"]


def test_a_screenshot_is_a_response_with_a_picture() -> None:
    screenshot = {"type": "computer_screenshot", "image_url": "https://example.org/s.png"}
    assert read([{"type": "computer_call_output", "call_id": "c", "output": screenshot}]) == [
        {
            "role": "tool",
            "parts": [
                {
                    "type": "tool_call_response",
                    "response": {"type": "uri", "modality": "image", "uri": "https://example.org/s.png"},
                    "id": "c",
                }
            ],
        }
    ]


def test_what_only_the_provider_can_read_is_left_out() -> None:
    assert read([{"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"}]) == []
    assert parts({"type": "compaction", "id": "cmp_1", "encrypted_content": "gAAA"}) == [
        {"type": "compaction", "id": "cmp_1"}
    ]


def test_a_reference_and_an_approval_are_themselves() -> None:
    assert parts({"type": "item_reference", "id": "msg_1"}) == [{"type": "item_reference", "id": "msg_1"}]
    assert read([{"type": "mcp_approval_response", "approval_request_id": "r", "approve": True}]) == [
        {
            "role": "user",
            "parts": [{"type": "mcp_approval_response", "approval_request_id": "r", "approve": True}],
        }
    ]


@pytest.mark.parametrize("items", [7, {}, [None], [7], [{}], [{"type": "reasoning", "summary": ["x"]}], [{"role": 3}]])
def test_what_is_no_item_is_read_without_an_exception(items: Any) -> None:
    assert isinstance(read(items), list)


def test_instructions_are_parts() -> None:
    assert [part.to_json() for part in read_system("Be brief.")] == [{"type": "text", "content": "Be brief."}]
    items = [{"role": "developer", "content": "A"}, {"role": "system", "content": "B"}]
    assert [part.to_json() for part in read_system(items)] == [
        {"type": "text", "content": "A"},
        {"type": "text", "content": "B"},
    ]
