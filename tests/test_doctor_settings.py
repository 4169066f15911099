"""What the doctor says of settings that cannot do what they are meant to: each in plain words, with a remedy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from examined import look, notes, problems
from receivers import SentrialStandIn
from sentrial._cli.doctor_page import _plain
from sentrial._config import Config
from sentrial._diagnosis import settings
from sentrial._pii import PiiConfig
from sentrial._settings import SETTINGS

KEY = "sentrial_test_key_0123456789"


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        yield stand_in


@pytest.fixture
def set_to(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets variables."""

    def set_to(**variables: str) -> None:
        for name, text in variables.items():
            monkeypatch.setenv(name, text)

    return set_to


def settings_found(set_to: Any, **variables: str) -> dict[str, tuple[str, str]]:
    set_to(**variables)
    return problems(look(send=False))


def test_everything_switched_off(set_to: Any, server: SentrialStandIn) -> None:
    set_to(SENTRIAL_API_KEY=KEY, SENTRIAL_API_URL=server.url, OTEL_SDK_DISABLED="true")
    document = look()
    assert problems(document)["switched-off"] == (
        "everything is switched off (OTEL_SDK_DISABLED=true): nothing is recorded or sent",
        "Unset OTEL_SDK_DISABLED.",
    )
    assert document["destinations"] == server.requests == []


def test_an_address_without_a_key(set_to: Any) -> None:
    words, remedy = settings_found(set_to, SENTRIAL_API_URL="https://sentrial.example")["key-missing"]
    assert words == "Sentrial's address is set (https://sentrial.example), and no key: nothing is sent there"
    assert remedy == "Set SENTRIAL_API_KEY, or api_key= in configure()."


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({}, "sessions stay in the local store"),
        ({"SENTRIAL_STORE": "off"}, "no destination of ours gets sessions (SENTRIAL_STORE=off)"),
    ],
)
def test_no_destination(variables: dict[str, str], words: str, set_to: Any, tmp_path: Path) -> None:
    set_to(**variables)
    document = look(send=bool(variables))
    (finding,) = [each for each in document["findings"] if each["code"] == "no-destination"]
    assert (finding["level"], finding["words"]) == ("note", f"no key and no collector is set: {words}")
    assert [each["kind"] for each in document["destinations"]] == ([] if variables else ["store"])
    assert document["store"]["in_use"] is not bool(variables)
    assert list((tmp_path / "home").iterdir()) == []


def test_a_key_that_cannot_be_one(set_to: Any) -> None:
    words, _ = settings_found(set_to, SENTRIAL_API_KEY="two words")["setting-unusable"]
    assert words.startswith("SENTRIAL_API_KEY=(not shown) is not usable: it must be the key alone")


def test_a_key_of_another_kind(set_to: Any, server: SentrialStandIn) -> None:
    set_to(SENTRIAL_API_KEY="sk-0123456789abcdef", SENTRIAL_API_URL=server.url)
    document = look()
    assert notes(document)["key-odd"].startswith("the API key (...cdef) does not begin with sentrial_")
    assert "correct SENTRIAL_API_KEY (...cdef)" in problems(document)["key-refused"][1]


def test_settings_that_make_no_sense(set_to: Any) -> None:
    words, _ = settings_found(set_to, SENTRIAL_QUEUE_SIZE="lots")["setting-unusable"]
    assert words == (
        "SENTRIAL_QUEUE_SIZE='lots' is not usable: it must be a number of bytes, at least 1. It is ignored."
    )


@pytest.mark.parametrize("instrument", [None, (), ("openai", "langchain")])
@pytest.mark.parametrize("auto_session", [(), ("request", "call")])
@pytest.mark.parametrize("pii", [None, PiiConfig(enabled=True, mode="hash")])
def test_each_value_is_shown_as_it_would_be_written_to_have_it(
    instrument: tuple[str, ...] | None, auto_session: tuple[str, ...], pii: PiiConfig | None
) -> None:
    config = Config(instrument=instrument, auto_session=auto_session, pii=pii)
    shown = {each["name"]: each["value"] for each in settings.read_settings(config)["settings"]}
    for name, value in shown.items():
        if value is not None:
            assert SETTINGS[name].read(_plain(value)) == getattr(config, name), name
    assert {"instrument", "auto_session", "pii"} <= {name for name, value in shown.items() if value is not None}


def test_a_setting_of_opentelemetry_that_makes_no_sense(set_to: Any) -> None:
    set_to(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1", OTEL_EXPORTER_OTLP_TIMEOUT="soon")
    assert "OTEL_EXPORTER_OTLP_TIMEOUT is 'soon'" in notes(look(send=False))["logged"]


def test_a_variable_that_is_misspelled(set_to: Any) -> None:
    assert settings_found(set_to, SENTRIAL_APIKEY=KEY)["variable-unknown"] == (
        "SENTRIAL_APIKEY is set, and nothing reads it",
        "Did you mean SENTRIAL_API_KEY?",
    )


def test_clients_that_nobody_knows(set_to: Any) -> None:
    words, remedy = settings_found(set_to, SENTRIAL_INSTRUMENT="opnai, openai")["client-unknown"]
    assert words == "SENTRIAL_INSTRUMENT names 'opnai' (did you mean openai?), and no library is known by that name."
    assert remedy == "Recorded of what it names: openai. Known are: anthropic, google, langchain, openai."


@pytest.mark.parametrize(
    "variables",
    [
        {"SENTRIAL_SAMPLE_RATE": "0"},
        {"OTEL_TRACES_SAMPLER": "always_off"},
        {"OTEL_TRACES_SAMPLER": "parentbased_always_off"},
        {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0"},
    ],
)
def test_a_sampler_that_keeps_nothing(set_to: Any, variables: dict[str, str]) -> None:
    words, remedy = settings_found(set_to, **variables)["sampler-drops-all"]
    assert words.startswith("the sampler drops every session: ")
    assert remedy.startswith("Set SENTRIAL_SAMPLE_RATE (or sample_rate=) above 0")


@pytest.mark.parametrize("sampler", ["parentbased_always_on", "always_on", "parentbased_traceidratio"])
def test_a_sampler_that_keeps_some_is_no_problem(set_to: Any, sampler: str) -> None:
    assert settings_found(set_to, OTEL_TRACES_SAMPLER=sampler, OTEL_TRACES_SAMPLER_ARG="0.05") == {}


def test_every_variable_that_is_read_anywhere_is_known() -> None:
    source = Path(settings.__file__).parents[1]
    named = {name for path in source.rglob("*.py") for name in re.findall(r'"(SENTRIAL_[A-Z_]+)"', path.read_text())}
    assert "SENTRIAL_API_KEY" in named
    assert named - settings.known_variables() == set()
