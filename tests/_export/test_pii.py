from __future__ import annotations

import json
import logging
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drawn import drawn
from sentrial._export.pii import FAILED, PiiMasker, build_pii_masker
from sentrial._export.redact import SecretMasker
from sentrial._pii import PiiBuiltinPatterns, PiiConfig, PiiCustomPattern

CARD = "4111111111111111"


def masker(mode: str = "label", key: str | None = None, **settings: Any) -> PiiMasker:
    return PiiMasker(PiiConfig(enabled=True, mode=mode, **settings), key)


PLAIN = masker()


# --- what is found ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("card 4111111111111111.", "card [CREDIT_CARD]."),
        ("card 4111 1111 1111 1111, code 123", "card [CREDIT_CARD], code 123"),
        ("4111-1111-1111-1111 12/27", "[CREDIT_CARD] 12/27"),
        ("Amex 3782 822463 10005 or 378282246310005", "Amex [CREDIT_CARD] or [CREDIT_CARD]"),
        ("order 4111111111111112", "order 4111111111111112"),
        ("at 1700000000123 ms", "at 1700000000123 ms"),
        ("0.4111111111111111", "0.4111111111111111"),
        ("trace 4bf92f4111111111111111d3da6a3ce9", "trace 4bf92f4111111111111111d3da6a3ce9"),
    ],
)
def test_defect_08_a_card_is_one_card_and_nothing_else_is(text: str, masked: str) -> None:
    assert PLAIN.mask(text) == masked


@pytest.mark.parametrize(
    "text",
    ["order 4155552671", "at 1700000000", "from 2024-10-15 to 2024-11-15 12", "10/15/2024", "1 234 567", "3.1415926",
     "ISBN 978-0-306-40615-7", "id 550e8400-e29b-41d4-a716-446655440000", "10.0.19045.3930", "1000 2000 3000"],
)  # fmt: skip
def test_defect_08_numbers_that_nobody_can_call_are_no_telephones(text: str) -> None:
    assert PLAIN.mask(text) == text


@pytest.mark.parametrize(
    "phone",
    ["(415) 555-2671", "415-555-2671", "415.555.2671", "1-800-356-9377", "+1 415 555 2671", "+14155552671",
     "555-123-4567", "415-555-2671 ext. 12", "020 7946 0958", "+44 (0)20 7946 0958", "07911 123456", "030 901820",
     "0171 1234567", "+49 30 901820", "0049 30 901820", "01 42 68 53 00", "06.12.34.56.78", "+33 1 42 68 53 00",
     "912 345 678", "98765 43210", "+91 98765 43210", "03-1234-5678", "(11) 98765-4321", "0412 345 678",
     "138 1234 5678", "8 (495) 123-45-67"],
)  # fmt: skip
def test_telephones_are_found_as_people_write_them(phone: str) -> None:
    assert PLAIN.mask(f"call {phone}, or write") == "call [PHONE], or write"
    assert PLAIN.mask(f"{phone} or {phone}") == "[PHONE] or [PHONE]"
    # Which of the numbers around it belong to it, the plans of all countries do not say: it is gone in any case.
    assert not set(PLAIN.mask(f"2024-10-15 88 {phone} 77 times").split()) & set(phone.split())


def test_digits_in_one_row_are_a_telephone_where_the_words_say_so() -> None:
    assert PLAIN.mask("my phone number is 4155552671, order 4155552671") == (
        "my phone number is [PHONE], order 4155552671"
    )
    assert PLAIN.mask("?To=%2B14155552671&n=4155552671") == "?To=[PHONE]&n=4155552671"
    assert PLAIN.mask("hotel 4155552671") == "hotel 4155552671"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("123-45-6789", "[SSN]"), ("123 45 6789", "[SSN]"), ("SSN: 123456789", "SSN: [SSN]"),
        ("000-12-3456", "000-12-3456"), ("666-12-3456", "666-12-3456"), ("912-12-3456", "912-12-3456"),
        ("123-00-4567", "123-00-4567"), ("order 123456789", "order 123456789"),
    ],
)  # fmt: skip
def test_social_security_numbers_are_those_that_are_given_out(text: str, masked: str) -> None:
    assert PLAIN.mask(text) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("<ada@example.com>", "<[EMAIL]>"),
        ('"Ada.L+x@mail.example.co.uk"', '"[EMAIL]"'),
        ("mail 'ada@example.com'.", "mail '[EMAIL]'."),
        ("?q=ada%40example.com&n=1", "?q=[EMAIL]&n=1"),
        ("jürgen@bücher.example", "[EMAIL]"),
        ("lines\\nada@example.com\\nand", "lines\\n[EMAIL]\\nand"),
        ("@decorator and a@b", "@decorator and a@b"),
    ],
)
def test_addresses_of_mail_are_found_in_whatever_is_around_them(text: str, masked: str) -> None:
    assert PLAIN.mask(text) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("10.1.2.3:80", "[IP_ADDRESS]:80"), ("10.1.2.3-10.1.2.9", "[IP_ADDRESS]-[IP_ADDRESS]"),
        ("[2001:db8::1]:80", "[[IP_ADDRESS]]:80"), ("::ffff:10.1.2.3", "[IP_ADDRESS]"),
        ("fe80::1%eth0", "[IP_ADDRESS]%eth0"),
        ("1:2:3:4:5:6:7:8", "[IP_ADDRESS]"), ("version 1.2.3", "version 1.2.3"), ("v1.2.3.4", "v1.2.3.4"),
        ("12:30:45", "12:30:45"), ("Chrome/120.0.0.0", "Chrome/120.0.0.0"), ("1.3.6.1.4.1", "1.3.6.1.4.1"),
        ("a[1::2] std::vector dead::beef", "a[1::2] std::vector dead::beef"),
        ("00:1a:2b:3c:4d:5e", "00:1a:2b:3c:4d:5e"),
        ("2024-10-15T12:30:45Z", "2024-10-15T12:30:45Z"), ("256.1.1.1", "256.1.1.1"),
    ],
)  # fmt: skip
def test_addresses_of_machines_are_no_versions_and_no_times(text: str, masked: str) -> None:
    assert PLAIN.mask(text) == masked


def test_each_kind_can_be_left_out() -> None:
    text = f"ada@example.com, 10.1.2.3, 415-555-2671, 123-45-6789, {CARD}"
    labels = ("[EMAIL]", "[IP_ADDRESS]", "[PHONE]", "[SSN]", "[CREDIT_CARD]")
    assert PLAIN.mask(text) == ", ".join(labels)
    for kind, label in zip(("emails", "ip_addresses", "phones", "ssns", "credit_cards"), labels, strict=True):
        left = masker(builtin_patterns=PiiBuiltinPatterns(**{kind: False})).mask(text)
        assert label not in left
        assert left.count("[") == 4


# --- what stands in its place -----------------------------------------------------------------------------------------


def test_hashes_are_keyed_and_compare_however_a_value_is_written() -> None:
    mine = masker("hash", "a key")
    hashed = mine.mask(f"{CARD} and 4111 1111 1111 1111 and 4111-1111-1111-1111")
    one = hashed.split(" and ")[0]
    assert hashed == f"{one} and {one} and {one}"
    assert len(one) == len("[PII:xxxxxxxxxxxx]")
    assert mine.mask("+1 415 555 2671") == mine.mask("(415) 555-2671")
    assert mine.mask("Ada@Example.com") == mine.mask("ada@example.com") != one
    assert masker("hash", "a key").mask(CARD) == one
    # An unkeyed hash of a card is found by trying all cards.
    assert masker("hash", "another").mask(CARD) != one
    assert masker("hash").mask(CARD) == masker("hash").mask(CARD) != one


def test_removing_leaves_nothing_not_even_what_was_around_it() -> None:
    remove = masker("remove")
    assert remove.mask(f"pay {CARD} to <ada@example.com>") == "pay  to <>"
    # What is left of this is another number, when the address in its middle is gone.
    assert remove.mask("call 415-555 ada@example.com 2671") == "call "


def test_what_is_masked_already_is_left_alone() -> None:
    text = "[EMAIL] [PII:415555267100] phone: [PII:415555267100] [masked] [masking failed] [CREDIT_CARD]"
    assert PLAIN.mask(text) == text
    capitals = masker(custom_patterns=[PiiCustomPattern("[A-Z]+", "CAPS")])
    assert capitals.mask("ADA ada@example.com [EMAIL]") == "[CAPS] [EMAIL] [EMAIL]"
    assert capitals.mask(capitals.mask("ADA ada@example.com")) == "[CAPS] [EMAIL]"


# --- patterns of the application's own --------------------------------------------------------------------------------


def test_own_patterns_stand_beside_the_built_in_ones() -> None:
    own = masker(custom_patterns=[PiiCustomPattern(r"EMP-\d+", "EMPLOYEE"), PiiCustomPattern("x*", "NOTHING")])
    assert own.mask("EMP-123 is ada@example.com") == "[EMPLOYEE] is [EMAIL]"
    # What overlaps goes whole.
    across = masker(custom_patterns=[PiiCustomPattern(r"id ada@\w+", "ID")])
    assert across.mask("id ada@example.com!") == "[EMAIL]!"


def test_a_pattern_that_would_run_for_ever_costs_the_text_and_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    slow = masker(custom_patterns=[PiiCustomPattern("(a|aa)+$", "SLOW")])
    started = time.monotonic()
    assert slow.mask("a" * 60 + "! ada@example.com") == FAILED == "[masking failed]"
    assert slow.mask("a" * 60 + "? ada@example.com") == FAILED
    assert time.monotonic() - started < 60
    assert slow.mask("short, ada@example.com") == "short, [EMAIL]"
    (record,) = caplog.records
    assert record.getMessage() == (
        "sentrial: the pii pattern for 'SLOW' ran out of its time; each text on which it does is replaced by "
        "[masking failed]. Remedy: a pattern without repetitions of repetitions."
    )


# --- texts that are JSON ----------------------------------------------------------------------------------------------


def test_a_text_that_is_json_stays_json_and_else_as_it_was() -> None:
    text = '{ "card" : 4111111111111111,"b":[ 1.50, "x\\u0040y.example", true], "n": 4155552671, "a@b.example": null }'
    masked = PLAIN.mask(text)
    assert masked == '{ "card" : "[CREDIT_CARD]","b":[ 1.50, "[EMAIL]", true], "n": 4155552671, "[EMAIL]": null }'
    assert json.loads(masked)["card"] == "[CREDIT_CARD]"


def test_json_within_json_stays_json() -> None:
    inner = json.dumps({"cards": [int(CARD)], "to": "<ada@example.com>\n415-555-2671"})
    masked = PLAIN.mask(json.dumps({"body": json.dumps({"deeper": inner})}))
    assert json.loads(json.loads(json.loads(masked)["body"])["deeper"]) == {
        "cards": ["[CREDIT_CARD]"], "to": "<[EMAIL]>\n[PHONE]",
    }  # fmt: skip


def test_what_stands_under_a_telling_name_is_masked_whatever_it_looks_like() -> None:
    told = {"phone": 4155552671, "customerPhoneNumber": "5552671", "ssn": 123456789, "cvv": "123", "fax": ""}
    other = {"microphone": 4155552671, "phones": 3, "order": 123456789, "discard": "123"}
    masked = json.loads(PLAIN.mask(json.dumps({**told, **other})))
    assert masked == {**dict.fromkeys(told, "[masked]"), "fax": "", **other}
    assert [name for name in (*told, *other) if SecretMasker(None, PLAIN).is_secret(name)] == list(told)
    no_phones = masker(builtin_patterns=PiiBuiltinPatterns(phones=False))
    assert (no_phones.is_personal("phone"), no_phones.is_personal("ssn")) == (False, True)


def test_numbers_are_masked_as_numbers() -> None:
    assert PLAIN.mask_number(int(CARD)) == "[CREDIT_CARD]"
    for number in (0, -int(CARD), 4155552671, 1700000000123, 10**30, 4111111111111112):
        assert PLAIN.mask_number(number) is number


# --- among the other masks --------------------------------------------------------------------------------------------


def test_it_stands_between_the_built_in_mask_and_the_applications() -> None:
    seen: list[str] = []

    def own(text: str) -> str:
        seen.append(text)
        return text.upper()

    assert SecretMasker(own, PLAIN).mask("password=hunter2 for ada@example.com") == "PASSWORD=[MASKED] FOR [EMAIL]"
    assert seen == ["password=[masked] for [EMAIL]"]


def test_it_is_off_unless_it_is_asked_for() -> None:
    assert build_pii_masker(None, None) is None
    assert build_pii_masker(PiiConfig(), None) is None
    assert SecretMasker().mask("ada@example.com") == "ada@example.com"
    assert SecretMasker().mask_number(int(CARD)) == int(CARD)


@pytest.mark.quiet_guard
def test_a_detection_that_fails_costs_the_text_and_is_said(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(PiiMasker):
        def mask(self, text: str) -> str:
            raise RuntimeError("a library's own")

    assert SecretMasker(None, Broken(PiiConfig(enabled=True))).mask("ada@example.com") == FAILED
    assert "sentrial failed at masking personal data" in caplog.text
    assert "ada@example.com" not in caplog.text


# --- any text ---------------------------------------------------------------------------------------------------------

PERSONAL = st.sampled_from(
    [CARD, "4111 1111 1111 1111", "ada@example.com", "415-555-2671", "+49 30 901820", "123-45-6789", "10.1.2.3",
     "2001:db8::1", "[EMAIL]", "[PII:415555267100]", "SSN 123456789", "phone 4155552671", "EMP-12"]
)  # fmt: skip
TEXT = st.lists(st.one_of(PERSONAL, st.text(max_size=12), st.text("0123456789 .-+()/@:\\\"'nx[]", max_size=24))).map(
    "".join
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.just(int(CARD)), st.floats(allow_nan=False), TEXT),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(TEXT, inner, max_size=4), inner.map(json.dumps),
    ),
    max_leaves=12,
)  # fmt: skip
OWN = [
    PiiCustomPattern(r"EMP-\d+", "EMP"),
    PiiCustomPattern(r"\d\d$", "9"),
    PiiCustomPattern("[A-Z]{3}", "a@b.example"),
]
MASKERS = {mode: masker(mode, "key", custom_patterns=OWN) for mode in ("label", "hash", "remove")}


@given(TEXT, st.sampled_from(sorted(MASKERS)))
@drawn(300)
def test_masking_any_text_twice_is_masking_it_once(text: str, mode: str) -> None:
    once = MASKERS[mode].mask(text)
    assert MASKERS[mode].mask(once) == once


@given(st.one_of(st.lists(JSON), st.dictionaries(TEXT, JSON)), st.sampled_from(sorted(MASKERS)), st.booleans())
@drawn(300)
def test_any_json_text_stays_json_of_the_same_shape(document: Any, mode: str, ascii_only: bool) -> None:
    masked = MASKERS[mode].mask(json.dumps(document, ensure_ascii=ascii_only))
    assert shape(json.loads(masked, object_pairs_hook=Pairs)) == shape(pairs(document))


class Pairs(list[Any]):
    """An object, with keys that may be equal when they are masked."""


def pairs(value: Any) -> Any:
    return json.loads(json.dumps(value), object_pairs_hook=Pairs)


def shape(value: Any) -> Any:
    if isinstance(value, Pairs):
        return {"values": [shape(item) for _, item in value]}
    if isinstance(value, list):
        return [shape(item) for item in value]
    return "text or number" if isinstance(value, str | int) and not isinstance(value, bool) else type(value)


def test_hostile_texts_take_no_time_to_speak_of() -> None:
    for text in ("a@" * 50_000, "a@" + "b." * 50_000, "a:" * 50_000, "1" * 100_000, "+1 " * 30_000, "1.1." * 25_000,
                 "a" * 100_000 + "@", "(" * 100_000, "12 " * 30_000, '["' * 50_000):  # fmt: skip
        started = time.monotonic()
        PLAIN.mask(text)
        assert time.monotonic() - started < 20, text[:8]


def test_what_has_no_effect_is_said(caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(2):
        narrowed = masker(fields=["user_input"], enhanced_detection=True)
    assert narrowed.mask("ada@example.com") == "[EMAIL]"
    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [
        (
            logging.WARNING,
            "sentrial: fields of PiiConfig narrows nothing: personal data is masked in all that leaves.",
        ),
        (
            logging.WARNING,
            "sentrial: enhanced_detection of PiiConfig has no effect: the best detection installed is always used.",
        ),
    ]
