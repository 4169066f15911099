"""What Google's contents hold, in the client's own spelling and in the API's."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from google.genai import types

from sentrial._providers.google.parts import read_contents, read_parts, read_tools
from sentrial._snapshot import Tally, snapshot

PICTURE = b"\x89PNG\xff\xfe" + bytes(4)


def parts(*given: dict[str, Any]) -> list[dict[str, Any]]:
    return [part.to_json() for part in read_parts(snapshot(list(given), Tally()))]


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ({"text": "hi"}, {"type": "text", "content": "hi"}),
        ({"text": "hm", "thought": True}, {"type": "reasoning", "content": "hm"}),
        (
            {"inlineData": {"data": base64.urlsafe_b64encode(PICTURE).decode(), "mime_type": "image/png"}},
            {"type": "blob", "modality": "image", "mime_type": "image/png", "content": PICTURE},
        ),
        (
            {"inlineData": {"data": base64.b64encode(PICTURE).decode(), "mimeType": "application/pdf"}},
            {"type": "blob", "modality": "document", "mime_type": "application/pdf", "content": PICTURE},
        ),
        (
            {"fileData": {"file_uri": "gs://shop/a.mp4", "mime_type": "video/mp4"}, "videoMetadata": {"fps": 2}},
            {"type": "uri", "modality": "video", "uri": "gs://shop/a.mp4", "mime_type": "video/mp4"},
        ),
        (
            {"functionCall": {"name": "find", "args": {"number": 1}, "id": "fc-1"}, "thoughtSignature": "c2ln"},
            {"type": "tool_call", "name": "find", "arguments": {"number": 1}, "id": "fc-1"},
        ),
        ({"functionCall": {"name": "list"}}, {"type": "tool_call", "name": "list", "arguments": {}}),
        (
            {"functionResponse": {"name": "find", "response": {"result": "here"}, "id": "fc-1"}},
            {"type": "tool_call_response", "name": "find", "response": {"result": "here"}, "id": "fc-1"},
        ),
        (
            {
                "function_response": {
                    "name": "draw",
                    "response": {"result": "as asked"},
                    "parts": [
                        {"inline_data": {"data": base64.b64encode(PICTURE).decode(), "mime_type": "image/png"}},
                        {"fileData": {"fileUri": "gs://shop/a.pdf", "mimeType": "application/pdf"}},
                    ],
                }
            },
            {
                "type": "tool_call_response",
                "name": "draw",
                "response": {"result": "as asked"},
                "parts": [
                    {"type": "blob", "modality": "image", "mime_type": "image/png", "content": PICTURE},
                    {
                        "type": "uri",
                        "modality": "document",
                        "uri": "gs://shop/a.pdf",
                        "mime_type": "application/pdf",
                    },
                ],
            },
        ),
        ({"functionResponse": {"response": {}}}, {"type": "tool_call_response", "response": {}}),
        (
            {"executableCode": {"code": "print(1)", "language": types.Language.PYTHON}},
            {
                "type": "server_tool_call",
                "name": "code_execution",
                "server_tool_call": {"type": "code_execution", "code": "print(1)", "language": "PYTHON"},
            },
        ),
        (
            {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1\n"}},
            {
                "type": "server_tool_call_response",
                "name": "code_execution",
                "server_tool_call_response": {"type": "code_execution", "outcome": "OUTCOME_OK", "output": "1\n"},
            },
        ),
        (
            {"toolCall": {"id": "t1", "tool_type": "GOOGLE_SEARCH_WEB", "args": {"queries": ["parcel"]}}},
            {
                "type": "server_tool_call",
                "id": "t1",
                "name": "google_search_web",
                "server_tool_call": {"type": "google_search_web", "args": {"queries": ["parcel"]}},
            },
        ),
        (
            {"toolResponse": {"id": "t1", "toolType": "GOOGLE_SEARCH_WEB", "response": {"found": 2}}},
            {
                "type": "server_tool_call_response",
                "id": "t1",
                "name": "google_search_web",
                "server_tool_call_response": {"type": "google_search_web", "response": {"found": 2}},
            },
        ),
        ({"hologram": {"depth": 3}}, {"type": "hologram", "depth": 3}),
    ],
)
def test_each_part_has_its_type(part: dict[str, Any], said: dict[str, Any]) -> None:
    assert parts(part) == [said]


def test_a_part_that_says_nothing_by_itself_is_left_out() -> None:
    assert parts({"text": ""}, {"thoughtSignature": "c2ln"}) == []


def test_arguments_that_come_piece_by_piece_are_one_call() -> None:
    pieces: list[dict[str, Any]] = [
        {"functionCall": {"name": "find", "id": "fc-1", "willContinue": True}},
        {"functionCall": {"partialArgs": [{"jsonPath": "$.city", "stringValue": "Rotter"}], "willContinue": True}},
        {"functionCall": {"partialArgs": [{"jsonPath": "$.city", "stringValue": "dam"}], "willContinue": True}},
        {"functionCall": {"partialArgs": [{"jsonPath": "$.days", "numberValue": 2}], "willContinue": True}},
        {"functionCall": {}},
        {"text": "done"},
    ]
    assert parts(*pieces) == [
        {"type": "tool_call", "name": "find", "arguments": {"city": "Rotterdam", "days": 2}, "id": "fc-1"},
        {"type": "text", "content": "done"},
    ]


@pytest.mark.parametrize(
    ("content", "role"),
    [
        ({"role": "user", "parts": [{"text": "hi"}]}, "user"),
        ({"parts": [{"text": "hi"}]}, "user"),
        ({"role": "model", "parts": [{"text": "hi"}]}, "assistant"),
        ({"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {}}}]}, "tool"),
        ({"role": "function", "parts": [{"functionResponse": {"name": "f", "response": {}}}]}, "tool"),
        ({"role": "user", "parts": [{"functionResponse": {"response": {}}}, {"text": "and?"}]}, "user"),
        ("hi", "user"),
    ],
)
def test_roles_are_those_of_the_conventions(content: Any, role: str) -> None:
    (message,) = read_contents([content])
    assert message.role == role


def test_tools_are_told_one_by_one() -> None:
    schema = {"type": "object", "properties": {"number": {"type": types.Type.INTEGER}}}
    tools = [
        {
            "functionDeclarations": [
                {"name": "find", "description": "Find it", "parameters": schema},
                {"name": "list", "parameters_json_schema": {"type": "object"}},
                {"name": "stop"},
            ]
        },
        {"codeExecution": {}, "urlContext": None},
        {"fileSearch": {"fileSearchStoreNames": ["a"]}},
    ]
    assert read_tools(snapshot(tools, Tally())) == [
        {
            "type": "function",
            "name": "find",
            "description": "Find it",
            "parameters": {"type": "object", "properties": {"number": {"type": "INTEGER"}}},
        },
        {"type": "function", "name": "list", "parameters": {"type": "object"}},
        {"type": "function", "name": "stop"},
        {"type": "code_execution", "name": "code_execution"},
        {"type": "file_search", "name": "file_search", "fileSearchStoreNames": ["a"]},
    ]
