from __future__ import annotations

import base64
import datetime
import decimal
import enum
import fractions
import hashlib
import json
import math
import pathlib
import uuid
from typing import Any

import pytest

from sentrial import _json
from sentrial._export.redact import SecretMasker
from sentrial._json import MAX_INLINE_BYTES, MAX_TEXT, JsonText, JsonWriter, NoMask, Texts
from sentrial._snapshot import Tally, snapshot


def written(value: object, masker: _json.Masker | None = None, texts: Texts | None = None) -> str:
    return JsonWriter(masker or NoMask(), texts or Texts()).json(snapshot(value, Tally()))


def read(value: object) -> Any:
    return json.loads(written(value))


# --- against the standard library -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        {}, [], (), "", 0, -0.0, 1e300, 1e-300, 2**63, -(2**64), 10**400, True, False, None,
        {"a": [1, 2.5, None, True, {"b": []}], "ü": "ß\u2028\x7f\x1f\x00\t\\\"/", "": ""},
        [[[[]]], {"x": {"y": {"z": ()}}}],
        {1: "int", 2.5: "float", None: "none", "text": "text"}, {True: "true", False: "false"},
        "\U0001f600 emoji and \u0000 NUL",
        ["line\nbreak\r\n", "tab\t", "back\\slash", 'quote"', "</script>", "\u202e"],
        {"long": "x" * 10_000, "list": list(range(1_000))},
    ],
    ids=lambda value: repr(value)[:40],
)  # fmt: skip
def test_plain_data_is_what_the_standard_library_writes(value: object) -> None:
    assert written(value) == json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def test_keys_of_all_kinds_become_texts() -> None:
    class Level(enum.IntEnum):
        HIGH = 3

    class Colour(enum.Enum):
        RED = "red"
        NOWHERE = object()

    keys = {
        Level.HIGH: 1, Colour.RED: 2, Colour.NOWHERE: 3, uuid.UUID(int=1): 4, datetime.date(2026, 1, 2): 5,
        ("a", 1): 6, b"bytes": 7, decimal.Decimal("1.50"): 8, math.inf: 9, 2**20_000: 10,
        pathlib.PurePosixPath("/x"): 11,
    }  # fmt: skip
    assert read(keys) == {
        "3": 1, "red": 2, "NOWHERE": 3, "00000000-0000-0000-0000-000000000001": 4, "2026-01-02": 5, "('a', 1)": 6,
        "bytes": 7, "1.50": 8, "inf": 9, hex(2**20_000): 10, "/x": 11,
    }  # fmt: skip


# --- what is no JSON --------------------------------------------------------------------------------------------------


def test_numbers_that_json_does_not_know_are_words() -> None:
    assert written([math.nan, math.inf, -math.inf]) == '["nan","inf","-inf"]'


def test_integers_beyond_what_python_reads_are_hexadecimal() -> None:
    assert read([2**4095, -(2**4095)]) == [2**4095, -(2**4095)]
    assert read([2**4096, -(10**6_000)]) == [hex(2**4096), hex(-(10**6_000))]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (datetime.date(2026, 11, 21), "2026-11-21"),
        (datetime.datetime(2026, 11, 21, 4, 5, tzinfo=datetime.timezone.utc), "2026-11-21T04:05:00+00:00"),
        (datetime.time(4, 5), "04:05:00"),
        (datetime.timedelta(minutes=1.5), "90.0 s"),
        (decimal.Decimal("0.10"), "0.10"),
        (fractions.Fraction(1, 3), "1/3"),
        (uuid.UUID("12345678-1234-5678-1234-567812345678"), "12345678-1234-5678-1234-567812345678"),
        (pathlib.PurePosixPath("/tmp/x"), "/tmp/x"),
        (3 + 4j, "(3+4j)"),
        (range(3), "range(0, 3)"),
        ({"b"}, ["b"]),
        (b"plain \xc3\xbc text\n", "plain ü text\n"),
        (b"\x00\x01", base64.b64encode(b"\x00\x01").decode()),
        (b"\xff\xfe", base64.b64encode(b"\xff\xfe").decode()),
    ],
    ids=repr,
)
def test_values_that_are_no_json_become_something_readable(value: object, expected: object) -> None:
    assert read([value, {"k": value}]) == [expected, {"k": expected}]


def test_enumerations_are_their_value_or_else_their_name() -> None:
    class Kind(str, enum.Enum):
        REFUND = "refund"

    class Number(enum.IntEnum):
        SEVEN = 7

    class Odd(enum.Enum):
        THING = ("a", 1)
        RATE = 0.5

    assert read([Kind.REFUND, Number.SEVEN, Odd.THING, Odd.RATE]) == ["refund", 7, "THING", 0.5]


def test_large_binary_values_are_a_size_and_a_hash() -> None:
    image = bytes(range(256)) * 8
    writer = JsonWriter(NoMask(), Texts())
    assert json.loads(writer.json([image])) == [
        {"type": "bytes", "size": 2048, "sha256": hashlib.sha256(image).hexdigest()}
    ]
    assert (writer.cut, writer.cut_bytes) == (0, 2048)
    small = bytes(MAX_INLINE_BYTES)
    assert read(small) == base64.b64encode(small).decode()
    assert read(b"a long answer of a server. " * 1_000) == "a long answer of a server. " * 1_000


def test_an_image_within_an_address_is_its_type_and_a_hash() -> None:
    data = base64.b64encode(bytes(range(256)) * 100).decode()
    writer = JsonWriter(NoMask(), Texts())
    text = json.loads(writer.json({"url": f"data:image/png;base64,{data}"}))["url"]
    digest = hashlib.sha256(data.encode()).hexdigest()
    assert text == f"data:image/png;base64,[{len(data)} characters left out, sha256 {digest}]"
    assert writer.cut == len(data)
    assert read("data:image/png;base64,AAAA") == "data:image/png;base64,AAAA"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\ud800", "\ufffd"),
        ("a\udfffb", "a\ufffdb"),
        ("\ud83d\ude00", "\U0001f600"),
        ("\udcff\ud800\ud800", "\ufffd" * 3),
        ("fine \U0001f600 \xff", "fine \U0001f600 \xff"),
    ],
    ids=ascii,
)
def test_lone_surrogates_become_replacement_characters(text: str, expected: str) -> None:
    out = written({text: text})
    assert out.encode("utf-8")
    assert json.loads(out) == {expected: expected}
    assert JsonWriter(NoMask(), Texts()).text(text) == expected


def test_subclasses_with_methods_of_their_own_are_written_as_what_they_are() -> None:
    class Rude(int):
        def __int__(self) -> int:
            raise RuntimeError

        __repr__ = __str__ = __index__ = __abs__ = __int__

    class Late(datetime.date):
        def isoformat(self) -> str:
            raise RuntimeError("no")

    class Rough(float):
        def __float__(self) -> float:
            raise RuntimeError

        __repr__ = __float__

    assert read([Rude(7), Rough(1.5), Late(2026, 1, 1)]) == [7, 1.5, "<Late, unreadable: RuntimeError>"]


def test_text_in_json_in_text_is_masked_at_every_level() -> None:
    writer = JsonWriter(SecretMasker(), Texts())
    text = json.loads(writer.json(JsonText({"password": "hunter2", "n": [1], "s": 'quote"'})))
    assert json.loads(text) == {"password": "[masked]", "n": [1], "s": 'quote"'}
    assert writer.masked == 1


# --- cut --------------------------------------------------------------------------------------------------------------


def test_a_text_beyond_the_limit_is_cut_and_says_how_much() -> None:
    writer = JsonWriter(NoMask(), Texts())
    text = json.loads(writer.json("x" * (MAX_TEXT + 123)))
    assert text == "x" * MAX_TEXT + "[123 characters left out]"
    assert writer.cut == 123
    assert read("y" * MAX_TEXT) == "y" * MAX_TEXT


@pytest.mark.parametrize("before", range(0, 50, 7))
def test_no_half_of_a_secret_is_left_where_a_text_is_cut(before: int) -> None:
    secret = "sk-proj-0123456789abcdefghijklmnopqrstuvwxyz"
    text = "x" * (MAX_TEXT - before) + f" {secret} postgres://me:hunter2hunter2@host/db " + "y" * 10_000
    for prefix in ("", "password=hunter2 " * 500):
        shown = JsonWriter(SecretMasker(), Texts()).text(prefix + text)
        assert "0123456789" not in shown
        assert "hunter2" not in shown
        assert shown.endswith("characters left out]")


def test_a_key_block_at_the_cut_is_masked_and_the_cut_still_said() -> None:
    text = "x" * (MAX_TEXT - 50) + "-----BEGIN RSA PRIVATE KEY-----\n" + "MIIEow\n" * 5_000
    shown = JsonWriter(SecretMasker(), Texts()).text(text)
    assert "MIIEow" not in shown
    assert shown.endswith(f"[{len(text) - MAX_TEXT} characters left out]")
