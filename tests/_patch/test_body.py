"""Bodies that the program reads itself, as the bytes come."""

from __future__ import annotations

import gzip
import json
import zlib
from struct import pack
from typing import Any

import pytest

from fake_provider import anthropic, events_of, read_reply
from sentrial._patch import body
from sentrial._patch.body import Body
from sentrial._patch.spec import Operation
from sentrial._providers.anthropic import messages
from sentrial._providers.openai import chat as openai_chat

REPLY = json.dumps(read_reply("chat_text")).encode()
EVENTS = b"".join(events_of(read_reply("chat_text")))
WORDS = "Your parcel left Lisbon this morning and arrives tomorrow."
FRAMES = b"".join(anthropic.bedrock_stream().events or ())


def gathered(
    content: bytes,
    kind: str,
    coding: str | None = None,
    *,
    step: int = 7,
    operation: Operation = openai_chat.OPERATION,
) -> Body:
    headers = {"content-type": kind} | ({"content-encoding": coding} if coding else {})
    found = Body(operation, headers)
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


@pytest.mark.parametrize(("coding", "encode"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_a_body_that_is_small_on_the_wire_and_large_in_memory_is_not_read(
    monkeypatch: pytest.MonkeyPatch, coding: str, encode: Any
) -> None:
    large = json.dumps({**read_reply("chat_text"), "pad": "x" * 100_000}).encode()
    monkeypatch.setattr(body, "MAX_BODY", len(large))
    assert text_of(gathered(encode(large), "application/json", coding).result())
    monkeypatch.setattr(body, "MAX_BODY", len(large) - 1)
    assert gathered(encode(large), "application/json", coding).result() is None


# --- frames of AWS ----------------------------------------------------------------------------------------------------


def framed(content: bytes) -> tuple[str | None, bool]:
    """The text in those frames, and whether they hold all of it."""
    found = gathered(content, anthropic.EVENT_STREAM, operation=messages.OPERATION)
    answer = found.result()
    blocks = answer["content"] if answer else []
    return (blocks[0]["text"] if blocks else None), found.complete


def test_frames_of_aws_are_read_as_the_events_in_them() -> None:
    assert framed(FRAMES) == (WORDS, True)


@pytest.mark.parametrize("end", range(0, len(FRAMES), 97))
def test_frames_that_break_off_anywhere_give_what_came(end: int) -> None:
    text, complete = framed(FRAMES[:end])
    assert WORDS.startswith(text or "")
    assert not complete


@pytest.mark.parametrize(
    "odd",
    [
        b"\x00" * 16,
        b"\x00\x00\x00\x0c" + b"\x00" * 12,
        b"\xff" * 40,
        b"<html>an error page of a proxy</html>",
    ],
)
def test_what_is_no_frame_ends_the_reading(odd: bytes) -> None:
    assert framed(odd) == (None, False)
    assert framed(FRAMES[:-1] + odd)[0] == WORDS


@pytest.mark.parametrize("said", [b"{}", b'{"bytes": 1}', b'{"bytes": "!"}', b"[]", b"", b"\xff", b'{"message": "no"}'])
def test_a_frame_without_an_event_is_passed_over(said: bytes) -> None:
    # Headers that are longer than the frame, too: nothing is left then.
    for headers in (0, 9_999):
        odd = pack("!II", 16 + len(said), headers) + bytes(4) + said + bytes(4)
        assert framed(odd + FRAMES) == (WORDS, True)
