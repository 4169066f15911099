"""Bodies that the program reads itself, as the bytes come."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

import pytest

from fake_provider import events_of, read_reply
from sentrial._patch import body
from sentrial._patch.body import Body
from sentrial._providers.openai import chat as openai_chat

REPLY = json.dumps(read_reply("chat_text")).encode()
EVENTS = b"".join(events_of(read_reply("chat_text")))


def gathered(content: bytes, kind: str, coding: str | None = None, *, step: int = 7) -> Body:
    headers = {"content-type": kind} | ({"content-encoding": coding} if coding else {})
    found = Body(openai_chat.OPERATION, headers)
    for start in range(0, len(content), step):
        found.add(content[start : start + step])
    return found


def text_of(answer: Any) -> str:
    text: str = answer["choices"][0]["message"]["content"]
    return text


@pytest.mark.parametrize(
    ("coding", "encode"),
    [(None, bytes), ("identity", bytes), ("gzip", gzip.compress), ("GZIP", gzip.compress), ("deflate", zlib.compress)],
)
def test_a_whole_body_is_read(coding: str | None, encode: Any) -> None:
    for content, kind in ((REPLY, "application/json"), (EVENTS, "text/event-stream; charset=utf-8")):
        found = gathered(encode(content), kind, coding)
        assert text_of(found.result()) == "The parcel left Rotterdam on Tuesday."
        assert found.complete


def test_a_stream_that_breaks_off_gives_what_came() -> None:
    found = gathered(EVENTS[: len(EVENTS) // 2], "text/event-stream")
    assert text_of(found.result()).startswith("The parcel")
    assert not found.complete


@pytest.mark.parametrize("content", [b"", b"<html>", REPLY[:-3], b"\xff\xfe"])
def test_what_is_no_json_gives_nothing(content: bytes) -> None:
    found = gathered(content, "application/json")
    assert found.result() is None
    assert not found.complete


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, br"])
def test_a_coding_that_the_standard_library_has_not_gives_nothing(coding: str) -> None:
    assert gathered(REPLY, "application/json", coding).result() is None


def test_a_broken_coding_gives_nothing() -> None:
    assert gathered(b"no gzip at all", "application/json", "gzip").result() is None


def test_a_body_that_is_too_large_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "MAX_BODY", 100)
    found = gathered(REPLY, "application/json")
    assert found.result() is None
    assert sum(map(len, found._pieces)) <= 100
