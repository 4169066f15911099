"""How personal data comes to be masked: asked for in code or by variable, wholly or in part, with and without extra."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

import sentrial
from receivers import SentrialStandIn
from running import run_program
from sentrial import _config, redact
from sentrial._config import read_config
from sentrial.redact import PiiBuiltinPatterns, PiiConfig, PiiCustomPattern, redact_payload, redact_string, redact_value

KEY = "sentrial_test_key"
CARD = 4111111111111111


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        yield stand_in
        sentrial.shutdown()


def said(server: SentrialStandIn, text: str) -> str:
    """What becomes of ``text`` on the wire."""
    with sentrial.begin("u", "agent", input=text):
        pass
    assert sentrial.flush(10)
    value: str = server.spans[-1]["attributes"]["input.value"]
    return value


# --- asked for --------------------------------------------------------------------------------------------------------


def test_the_settings_have_the_names_and_defaults_of_the_old_sdk() -> None:
    config = PiiConfig()
    assert (config.enabled, config.fields, config.mode, config.enhanced_detection) == (False, None, "label", False)
    assert config.builtin_patterns == PiiBuiltinPatterns(True, True, True, True, True)
    assert config.custom_patterns == []
    assert PiiConfig(True, None, "hash", False, PiiBuiltinPatterns(phones=False), [PiiCustomPattern("x", "X")]).enabled


@pytest.mark.parametrize(
    ("pii", "masked"),
    [
        (True, "to [EMAIL] or [PHONE]"),
        ("remove", "to  or "),
        (PiiConfig(enabled=True), "to [EMAIL] or [PHONE]"),
        (PiiConfig(enabled=True, builtin_patterns=PiiBuiltinPatterns(phones=False)), "to [EMAIL] or 415-555-2671"),
        (PiiConfig(enabled=True, custom_patterns=[PiiCustomPattern("or", "OR")]), "to [EMAIL] [OR] [PHONE]"),
        (PiiConfig(), "to ada@example.com or 415-555-2671"),
        (False, "to ada@example.com or 415-555-2671"),
        (None, "to ada@example.com or 415-555-2671"),
    ],
)
def test_it_is_asked_for_in_code(pii: Any, masked: str, server: SentrialStandIn) -> None:
    sentrial.configure(api_key=KEY, api_url=server.url, pii=pii)
    assert said(server, "to ada@example.com or 415-555-2671") == masked


@pytest.mark.parametrize(
    ("value", "masked"),
    [("true", "to [EMAIL]"), ("1", "to [EMAIL]"), ("remove", "to "), ("false", "to ada@example.com"),
     ("ture", "to [EMAIL]")],
)  # fmt: skip
def test_it_is_asked_for_by_variable_and_a_slip_of_the_pen_leaks_nothing(
    value: str, masked: str, server: SentrialStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SENTRIAL_PII", value)
    sentrial.configure(api_key=KEY, api_url=server.url)
    assert said(server, "to ada@example.com") == masked


def test_a_client_can_ask_for_it(server: SentrialStandIn) -> None:
    client = sentrial.SentrialClient(server.url, KEY, pii=True)
    session_id = client.create_session("n", "agent", "u")
    client.complete_session(session_id, user_input="to ada@example.com")
    assert client.flush(10)
    assert server.spans[-1]["attributes"]["input.value"] == "to [EMAIL]"


def test_what_happens_to_the_settings_afterwards_changes_nothing(server: SentrialStandIn) -> None:
    given = PiiConfig(enabled=True)
    sentrial.configure(api_key=KEY, api_url=server.url, pii=given)
    given.enabled = False
    assert given.builtin_patterns is not None
    given.builtin_patterns.emails = False
    assert said(server, "to ada@example.com") == "to [EMAIL]"


def test_defect_26_nothing_is_fetched_for_it(server: SentrialStandIn) -> None:
    sentrial.configure(api_key=KEY, api_url=server.url, pii=True)
    assert server.requests == []
    assert said(server, "to ada@example.com") == "to [EMAIL]"
    assert {request.path for request in server.requests} == {"/api/otel/v1/traces"}


# --- settings that make no sense --------------------------------------------------------------------------------------


def test_defect_05e_a_bad_pattern_costs_nothing_but_itself(
    server: SentrialStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    patterns = [PiiCustomPattern("(", "BAD"), PiiCustomPattern(r"EMP-\d+", "EMPLOYEE")]
    pii = PiiConfig(enabled=True, custom_patterns=patterns)
    for _ in range(2):
        sentrial.configure(api_key=KEY, api_url=server.url, pii=pii)
    assert said(server, "EMP-12 is ada@example.com (") == "[EMPLOYEE] is [EMAIL] ("
    (record,) = caplog.records
    assert record.getMessage() == (
        "sentrial: pii=PiiConfig(...) is not usable: it must be given a PiiCustomPattern with a regular expression as "
        "its custom_patterns[0], not '(' for 'BAD' (missing ), unterminated subpattern at position 0). "
        "Everything else in it holds."
    )
    with pytest.raises(ValueError, match=r"^pii=PiiConfig\(...\) is not usable: .*custom_patterns\[0\], not '\(' for "):
        sentrial.configure(fail_silently=False, pii=pii)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"mode": "mask"}, 'given "label", "hash" or "remove" as its mode'),
        ({"builtin_patterns": {"emails": False}}, "given a PiiBuiltinPatterns as its builtin_patterns"),
        ({"custom_patterns": "EMP"}, "given a list as its custom_patterns"),
        ({"custom_patterns": [("EMP", "X")]}, "with a regular expression as its custom_patterns[0], not a tuple"),
        ({"custom_patterns": [PiiCustomPattern(7, "X")]}, "not PiiCustomPattern(int, str)"),
    ],
)
def test_settings_that_make_no_sense_never_mask_less(
    settings: dict[str, Any], words: str, caplog: pytest.LogCaptureFixture
) -> None:
    read = read_config({"pii": PiiConfig(enabled=True, **settings)})
    assert read.pii == PiiConfig(enabled=True)
    (record,) = caplog.records
    assert words in record.getMessage()
    with pytest.raises(ValueError, match=r"^pii="):
        read_config({"pii": PiiConfig(enabled=True, **settings)}, strict=True)


def test_the_key_of_hashes_is_shown_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENTRIAL_PII_KEY", "a long random key")
    sentrial.configure(pii="hash")
    assert _config.active.pii_key == "a long random key"
    assert "a long random key" not in repr(_config.active)


# --- processes --------------------------------------------------------------------------------------------------------

HASH = """
    import json
    from sentrial.redact import redact_string
    print(json.dumps([redact_string("4111 1111 1111 1111", "hash"), redact_string("4111111111111111", "hash")]))
"""


def test_hashes_compare_across_processes_that_share_a_key() -> None:
    keyed = [run_program(HASH, {"SENTRIAL_PII_KEY": "a long random key"}).printed for _ in range(2)]
    (first, second), *_ = keyed[0]
    assert keyed[0] == keyed[1]
    assert first == second
    unkeyed = [run_program(HASH).printed[0] for _ in range(2)]
    assert len({first, *unkeyed[0], *unkeyed[1]}) == 3


WITHOUT = """
    import json, logging, sys
    for name in ("phonenumbers", "stdnum", "regex"):
        sys.modules[name] = None  # what Python itself does to say that a module cannot be imported
    import sentrial
    from sentrial.redact import PiiConfig, PiiCustomPattern
    sentrial.configure(store=True, pii=PiiConfig(enabled=True, custom_patterns=[PiiCustomPattern("EMP-[0-9]+", "EMP")]))
    for text in json.loads(sys.stdin.readline()):
        sentrial.begin("u", "agent", input=text).finish()
    sentrial.flush()
    from sentrial._store.connection import open_for_reading
    from sentrial._store.location import store_path
    from sentrial._store.read import list_sessions, read_spans
    import os
    connection = open_for_reading(store_path(os.environ))
    found = [span for each in list_sessions(connection) for span in read_spans(connection, each.session_id)]
    print(json.dumps([span.attributes["input.value"] for span in sorted(found, key=lambda span: span.start_ns)]))
"""


def test_without_the_extra_more_is_masked_and_never_less() -> None:
    said = {
        "mail ada@example.com at 10.1.2.3": "mail [EMAIL] at [IP_ADDRESS]",
        "call (415) 555-2671 or +49 30 901820": "call [PHONE] or [PHONE]",
        "4111 1111 1111 1111 and 123-45-6789 of EMP-12": "[CREDIT_CARD] and [SSN] of [EMP]",
        "order 4155552671 at 1700000000, 2024-10-15, version 1.2.3": (
            "order 4155552671 at 1700000000, 2024-10-15, version 1.2.3"
        ),
        # Whether they are real, nobody can say.
        "4111111111111112, 912-12-3456, 1234 567 890": "[CREDIT_CARD], [SSN], [PHONE]",
    }
    program = WITHOUT.replace("sys.stdin.readline()", repr(json.dumps(list(said))))
    ran = run_program(program)
    assert ran.printed == [list(said.values())]
    (warning,) = [line for line in ran.err.splitlines() if "pii" in line]
    assert warning == (
        "sentrial: pii is on without phonenumbers, so that whatever looks like a telephone number is masked; and "
        "without python-stdnum, so that whatever looks like a number of a card or an SSN is masked; and without "
        "regex, so that nothing limits the time of the patterns for ['EMP']. Remedy: pip install 'sentrial-otel[pii]'"
    )


def test_nothing_of_it_is_loaded_where_nobody_asks_for_it() -> None:
    program = """
        import json, sys
        import sentrial
        sentrial.begin("u", "agent", input="ada@example.com").finish()
        sentrial.shutdown()
        print(json.dumps(sorted({"phonenumbers", "stdnum", "regex", "sentrial.redact"} & set(sys.modules))))
    """
    assert run_program(program, {"SENTRIAL_STORE": "on"}).printed == [[]]


# --- by hand ----------------------------------------------------------------------------------------------------------


class Pair(NamedTuple):
    name: str
    card: int


def test_texts_and_values_are_masked_by_hand_as_they_are_on_the_way_out() -> None:
    assert redact_string("to ada@example.com") == "to [EMAIL]"
    assert redact_string("to ada@example.com", "remove", PiiBuiltinPatterns(), []) == "to "
    assert redact_string("EMP-1", custom=[PiiCustomPattern(r"EMP-\d", "EMP")]) == "[EMP]"
    value = {
        "a@b.example": [("x@y.example", Pair("z@y.example", CARD))],
        "raw": b"a@b.example \xff", "phone": 4155552671, "n": 17, "none": None, "flag": True, "set": {"a@b.example"},
    }  # fmt: skip
    assert redact_value(value) == {
        "[EMAIL]": [("[EMAIL]", Pair("[EMAIL]", "[CREDIT_CARD]"))],
        "raw": b"[EMAIL] \xff", "phone": "[masked]", "n": 17, "none": None, "flag": True, "set": {"[EMAIL]"},
    }  # fmt: skip
    assert value["phone"] == 4155552671


def test_what_contains_itself_is_masked_too() -> None:
    loop: list[Any] = ["a@b.example"]
    loop.append({"again": loop})
    assert redact_value(loop) == ["[EMAIL]", {"again": None}]


def test_a_payload_is_masked_whole_whatever_the_fields() -> None:
    payload = {"user_input": "a@b.example", "stateBefore": {"x": ("a@b.example",)}}
    config = PiiConfig(enabled=True, fields=["user_input"])
    assert redact_payload(payload, config) == {"user_input": "[EMAIL]", "stateBefore": {"x": ("[EMAIL]",)}}
    assert redact_payload(payload, PiiConfig()) == payload


@pytest.mark.parametrize("settings", [{"mode": "mask"}, {"custom": [PiiCustomPattern("(", "X")]}])
def test_by_hand_bad_settings_raise(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"^a PiiConfig must be given "):
        redact_string("x", **settings)


def test_the_door_says_what_is_public() -> None:
    assert sorted(redact.__all__) == [
        "PiiBuiltinPatterns", "PiiConfig", "PiiCustomPattern", "redact_payload", "redact_string", "redact_value",
    ]  # fmt: skip
