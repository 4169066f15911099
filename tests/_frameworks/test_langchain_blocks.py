from __future__ import annotations

import base64
from typing import Any

import pytest

from sentrial._frameworks.langchain.blocks import read_content

PIXEL = base64.b64encode(b"\x89PNG").decode()


def parts(block: Any) -> list[dict[str, Any]]:
    return [part.to_json() for part in read_content([block])]


@pytest.mark.parametrize(
    "block",
    [
        {"type": "image", "base64": PIXEL, "mime_type": "image/png"},
        {"type": "image", "source_type": "base64", "data": PIXEL, "mime_type": "image/png"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}},
        {"type": "image_url", "image_url": f"data:image/png;base64,{PIXEL}"},
        {"type": "input_image", "image_url": f"data:image/png;base64,{PIXEL}"},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}},
        {"type": "media", "mime_type": "image/png", "data": b"\x89PNG"},
        {"image": {"format": "png", "source": {"bytes": b"\x89PNG"}}},
    ],
)
def test_an_image_that_is_sent_along_is_a_blob_in_whatever_words(block: dict[str, Any]) -> None:
    assert parts(block) == [
        {"type": "blob", "modality": "image", "mime_type": "image/png", "content": b"\x89PNG"},
    ]


@pytest.mark.parametrize(
    "block",
    [
        {"type": "image", "url": "https://x.test/p.png"},
        {"type": "image", "source_type": "url", "url": "https://x.test/p.png"},
        {"type": "image_url", "image_url": {"url": "https://x.test/p.png", "detail": "low"}},
        {"type": "image", "source": {"type": "url", "url": "https://x.test/p.png"}},
    ],
)
def test_an_image_by_its_address_is_a_uri_in_whatever_words(block: dict[str, Any]) -> None:
    assert parts(block) == [{"type": "uri", "modality": "image", "uri": "https://x.test/p.png"}]


@pytest.mark.parametrize(
    ("block", "part"),
    [
        (
            {"type": "input_audio", "input_audio": {"data": PIXEL, "format": "wav"}},
            {"type": "blob", "modality": "audio", "mime_type": "audio/wav", "content": b"\x89PNG"},
        ),
        (
            {"type": "audio", "base64": PIXEL, "mime_type": "audio/mp3"},
            {"type": "blob", "modality": "audio", "mime_type": "audio/mp3", "content": b"\x89PNG"},
        ),
        (
            {"type": "video", "file_id": "file_3", "mime_type": "video/mp4"},
            {"type": "file", "modality": "video", "file_id": "file_3", "mime_type": "video/mp4"},
        ),
        (
            {"type": "media", "mime_type": "video/mp4", "file_uri": "gs://b/v.mp4"},
            {"type": "uri", "modality": "video", "uri": "gs://b/v.mp4", "mime_type": "video/mp4"},
        ),
        (
            {"type": "file", "file": {"file_data": f"data:application/pdf;base64,{PIXEL}", "filename": "a.pdf"}},
            {"type": "blob", "modality": "document", "mime_type": "application/pdf", "content": b"\x89PNG"},
        ),
        (
            {"type": "file", "file": {"file_id": "file_1"}},
            {"type": "file", "modality": "document", "file_id": "file_1"},
        ),
        (
            {"type": "file", "source_type": "id", "id": "file_2"},
            {"type": "file", "modality": "document", "file_id": "file_2"},
        ),
        (
            {"type": "document", "source": {"type": "text", "data": "All rules."}, "title": "Rules"},
            {"type": "document", "title": "Rules", "content": "All rules."},
        ),
        (
            {"type": "text-plain", "text": "All rules.", "mime_type": "text/plain"},
            {"type": "document", "content": "All rules."},
        ),
        ({"type": "refusal", "refusal": "No."}, {"type": "refusal", "content": "No."}),
        ({"text": "of Bedrock"}, {"type": "text", "content": "of Bedrock"}),
        (
            {"type": "non_standard", "value": {"type": "thing", "size": 3, "signature": "c2ln", "seen": None}},
            {"type": "thing", "size": 3},
        ),
        ("words", {"type": "text", "content": "words"}),
    ],
)
def test_other_content_becomes_the_conventions_part(block: Any, part: dict[str, Any]) -> None:
    assert parts(block) == [part]


@pytest.mark.parametrize(
    ("block", "part"),
    [
        (
            {"type": "server_tool_call", "id": "s_1", "name": "web_search", "args": {"query": "x"}},
            {
                "type": "server_tool_call",
                "id": "s_1",
                "name": "web_search",
                "server_tool_call": {"type": "web_search", "arguments": {"query": "x"}},
            },
        ),
        (
            {"type": "server_tool_use", "id": "s_1", "name": "web_search", "input": {"query": "x"}},
            {
                "type": "server_tool_call",
                "id": "s_1",
                "name": "web_search",
                "server_tool_call": {"type": "web_search", "arguments": {"query": "x"}},
            },
        ),
        (
            {
                "type": "web_search_tool_result",
                "tool_use_id": "s_1",
                "content": [{"type": "web_search_result", "url": "https://x.test", "encrypted_content": "ZW5j"}],
            },
            {
                "type": "server_tool_call_response",
                "id": "s_1",
                "name": "web_search",
                "server_tool_call_response": {
                    "type": "web_search",
                    "content": [{"type": "web_search_result", "url": "https://x.test"}],
                },
            },
        ),
        (
            {"type": "server_tool_result", "tool_call_id": "s_1", "status": "error", "output": "down"},
            {
                "type": "server_tool_call_response",
                "id": "s_1",
                "name": "tool",
                "server_tool_call_response": {"type": "tool", "content": "down", "is_error": True},
            },
        ),
    ],
)
def test_tools_of_the_server_are_told_as_such(block: dict[str, Any], part: dict[str, Any]) -> None:
    assert parts(block) == [part]
