"""Parts of messages that every API has in its own way."""

from __future__ import annotations

import base64

import pytest

from sentrial._providers.parts import blob, modality_of, readable, uri

PICTURE = b"\x89PNG" + bytes(20)
ENCODED = base64.b64encode(PICTURE).decode()


@pytest.mark.parametrize(
    ("mime_type", "modality"),
    [
        ("image/png", "image"),
        ("audio/wav", "audio"),
        ("video/mp4", "video"),
        ("text/plain", "document"),
        ("", "document"),
        (None, "document"),
    ],
)
def test_content_is_of_a_kind_that_the_conventions_know(mime_type: str | None, modality: str) -> None:
    assert modality_of(mime_type) == modality


def test_what_only_an_api_can_read_is_left_out_at_any_depth() -> None:
    result = {"url": "https://x", "encrypted_content": "x" * 9, "page": [{"title": "T", "age": None, "signature": "s"}]}
    assert readable(result) == {"url": "https://x", "page": [{"title": "T"}]}


@pytest.mark.parametrize("data", [ENCODED, PICTURE])
def test_binary_content_is_bytes(data: str | bytes) -> None:
    assert blob("image", "image/png", data).fields["content"] == PICTURE


def test_an_address_that_holds_its_content_is_that_content() -> None:
    assert uri(f"data:image/png;base64,{ENCODED}", "image") == blob("image", "image/png", PICTURE)
    assert uri("https://x/y.png", "image").fields == {"modality": "image", "uri": "https://x/y.png"}
