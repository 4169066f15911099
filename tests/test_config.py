from __future__ import annotations

import dataclasses
import pathlib
from typing import Any

import pytest

import sentrial
from sentrial import SentrialClient, _config
from sentrial._config import SETTINGS, Config, read_config
from sentrial._pii import PiiConfig

KEY = "sentrial_live_0123456789"
CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"


def mask(text: str) -> str:
    return text


# Setting: its variable, a value as argument, how it is read, a value as variable, how that is read.
VALUES: dict[str, tuple[str | None, Any, Any, str, Any]] = {
    "api_key": ("SENTRIAL_API_KEY", "  key-a ", "key-a", "key-b", "key-b"),
    "api_url": ("SENTRIAL_API_URL", "https://a.example/", "https://a.example", "http://b:8080", "http://b:8080"),
    "otlp_endpoint": (None, "http://a:4317", "http://a:4317", "", None),
    "store": ("SENTRIAL_STORE", pathlib.Path("/tmp/a"), "/tmp/a", "/tmp/b", "/tmp/b"),
    "enabled": ("SENTRIAL_ENABLED", False, False, "off", False),
    "set_global": ("SENTRIAL_SET_GLOBAL", False, False, "0", False),
    "capture_content": ("SENTRIAL_CAPTURE_CONTENT", "span", "span", "off", "off"),
    "session_parent": ("SENTRIAL_SESSION_PARENT", "Inherit", "inherit", "inherit", "inherit"),
    "auto_session": ("SENTRIAL_AUTO_SESSION", ["Call", "request"], ("request", "call"), "process", ("process",)),
    "agent_name": ("SENTRIAL_AGENT_NAME", "agent-a ", "agent-a", "agent-b", "agent-b"),
    "user_id": ("SENTRIAL_USER_ID", "user-a", "user-a", "user-b", "user-b"),
    "sample_rate": ("SENTRIAL_SAMPLE_RATE", 0.25, 0.25, "0.5", 0.5),
    "session_timeout": ("SENTRIAL_SESSION_TIMEOUT", 60, 60.0, "90.5", 90.5),
    "openinference": ("SENTRIAL_OPENINFERENCE", False, False, "no", False),
    "stream_usage": ("SENTRIAL_STREAM_USAGE", True, True, "on", True),
    "instrument": ("SENTRIAL_INSTRUMENT", ["OpenAI"], ("openai",), "openai, anthropic,", ("openai", "anthropic")),
    "carry_context": ("SENTRIAL_CARRY_CONTEXT", False, False, "no", False),
    "store_max_size": ("SENTRIAL_STORE_MAX_SIZE", "512 MB", 512_000_000, "1 GiB", 1 << 30),
    "store_max_age": ("SENTRIAL_STORE_MAX_AGE", "30d", 30 * 86_400.0, "12h", 12 * 3_600.0),
    "propagate_session": (
        "SENTRIAL_PROPAGATE_SESSION", ["*.Internal", "10.0.0.1"], ("*.internal", "10.0.0.1"), "on", True,
    ),
    "trust_incoming": ("SENTRIAL_TRUST_INCOMING", True, True, "yes", True),
    "mask": (None, mask, mask, "", None),
    "pii": ("SENTRIAL_PII", True, PiiConfig(enabled=True), "Hash", PiiConfig(enabled=True, mode="hash")),
    "pii_key": ("SENTRIAL_PII_KEY", "key-a", "key-a", "key-b", "key-b"),
    "queue_size": ("SENTRIAL_QUEUE_SIZE", 1000, 1000, "2000", 2000),
    "flush_interval": ("SENTRIAL_FLUSH_INTERVAL", 0.1, 0.1, "0.2", 0.2),
    "flush_timeout": ("SENTRIAL_FLUSH_TIMEOUT", 1, 1.0, "2", 2.0),
    "retry_timeout": ("SENTRIAL_RETRY_TIMEOUT", 3, 3.0, "4", 4.0),
}  # fmt: skip

CAPTURES = '"span", "ours", "off" or one of SPAN_ONLY, EVENT_ONLY, SPAN_AND_EVENT, NO_CONTENT'
NAMES = 'names of libraries, such as openai, or "all", or "none"'

# Setting, a value that makes no sense, what it must be.
BAD: list[tuple[str, Any, str]] = [
    ("api_key", 7, "a text that is not empty"),
    ("api_key", "two words", "the key alone, without spaces and line breaks"),
    ("api_key", "line\nbreak", "the key alone, without spaces and line breaks"),
    ("api_key", "schlüssel", "the key alone, without spaces and line breaks"),
    ("api_url", "ftp://x", "an address that starts with http:// or https://"),
    ("api_url", "https://", "an address that starts with http:// or https://"),
    ("api_url", "http://[::1", "an address that starts with http:// or https://"),
    ("api_url", 7, "a text that is not empty"),
    ("otlp_endpoint", "", "a text that is not empty"),
    ("store", 7, "a path, or true or false"),
    ("store", "  ", "a path, or true or false"),
    ("enabled", "maybe", "true or false"),
    ("set_global", 2, "true or false"),
    ("capture_content", "everything", CAPTURES),
    ("session_parent", "child", '"root" or "inherit"'),
    ("auto_session", "always", '"off", "request", "call", "process" or "request,call"'),
    ("auto_session", "request,off", '"off", "request", "call", "process" or "request,call"'),
    ("auto_session", True, '"off", "request", "call", "process" or "request,call"'),
    ("agent_name", "", "a text that is not empty"),
    ("user_id", 7, "a text that is not empty"),
    ("sample_rate", 1.5, "a number from 0 to 1"),
    ("sample_rate", "half", "a number from 0 to 1"),
    ("sample_rate", True, "a number from 0 to 1"),
    ("sample_rate", float("nan"), "a number from 0 to 1"),
    ("session_timeout", 0, "a number above 0"),
    ("session_timeout", float("inf"), "a number above 0"),
    ("openinference", [], "true or false"),
    ("stream_usage", "openai", "true or false"),
    ("instrument", False, NAMES),
    ("instrument", [7], NAMES),
    ("instrument", "", NAMES),
    ("instrument", " , ", NAMES),
    ("instrument", [""], NAMES),
    ("propagate_session", 7, "true, false, or hosts such as *.internal"),
    ("propagate_session", b"host", "true, false, or hosts such as *.internal"),
    ("propagate_session", "https://tools.internal", "true, false, or hosts such as *.internal"),
    ("propagate_session", "tools.internal/path", "true, false, or hosts such as *.internal"),
    ("propagate_session", ["tools.internal", None], "true, false, or hosts such as *.internal"),
    ("propagate_session", ",", "true, false, or hosts such as *.internal"),
    ("trust_incoming", "internal", "true or false"),
    ("carry_context", "threads", "true or false"),
    ("store_max_size", "much", "a number of bytes, or a size such as 500MB or 2GiB"),
    ("store_max_age", "old", "a number of seconds above 0, or a time such as 12h or 30d"),
    ("mask", "text", "a function from text to text"),
    ("pii", 7, 'true, false, "label", "hash", "remove" or a PiiConfig'),
    ("pii_key", 7, "a text that is not empty"),
    ("queue_size", 0.5, "a number of bytes, at least 1"),
    ("queue_size", -1, "a number of bytes, at least 1"),
    ("flush_interval", "soon", "a number above 0"),
    ("flush_timeout", 10**400, "a number above 0"),
    ("retry_timeout", None.__class__, "a number above 0"),
]  # fmt: skip


DERIVED = {"asked_for", "collector", "problems", "sources"}


def test_every_setting_is_covered_here() -> None:
    assert VALUES.keys() == SETTINGS.keys()
    assert {name for name, *_ in BAD} == SETTINGS.keys()
    assert {field.name for field in dataclasses.fields(Config)} == SETTINGS.keys() | DERIVED


def test_without_anything_the_defaults_count(caplog: pytest.LogCaptureFixture) -> None:
    assert read_config({}) == Config()
    assert caplog.records == []


@pytest.mark.parametrize("name", VALUES)
def test_an_argument_beats_the_variable_and_the_variable_the_default(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    variable, argument, from_argument, text, from_text = VALUES[name]
    assert getattr(read_config({name: None}), name) == getattr(Config(), name)
    if variable is not None:
        assert SETTINGS[name].variables[0] == variable
        monkeypatch.setenv(variable, f" {text} ")
        assert getattr(read_config({}), name) == from_text
    assert getattr(read_config({name: argument}), name) == from_argument


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("SPAN_ONLY", "span"), ("span_and_event", "span"), ("true", "span"), ("EVENT_ONLY", "ours"),
        ("NO_CONTENT", "off"), ("False", "off"),
    ],
)  # fmt: skip
def test_the_standard_variable_says_where_content_goes_and_ours_beats_it(
    text: str, kept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CAPTURE, text)
    assert read_config({}).capture_content == kept
    for ours in ("ours", "span", "off"):
        monkeypatch.setenv("SENTRIAL_CAPTURE_CONTENT", ours)
        assert read_config({}).capture_content == ours
    assert read_config({"capture_content": False}).capture_content == "off"
    assert read_config({"capture_content": True}).capture_content == "span"


def test_the_standard_variables_name_the_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_config({}).collector is False
    for variable in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"):
        with monkeypatch.context() as patch:
            patch.setenv(variable, "http://collector:4318")
            assert read_config({}).collector is True
            assert read_config({}).otlp_endpoint is None
            assert read_config({"otlp_endpoint": "http://other:4318"}).otlp_endpoint == "http://other:4318"
    assert read_config({"otlp_endpoint": "http://other:4318"}).collector is True


def test_the_standard_switch_is_final(monkeypatch: pytest.MonkeyPatch) -> None:
    # Not even an argument beats it: OpenTelemetry's own SDK makes no spans then.
    monkeypatch.setenv("OTEL_SDK_DISABLED", " TRUE ")
    assert read_config({"enabled": True}).enabled is False
    monkeypatch.setenv("OTEL_SDK_DISABLED", "false")
    assert read_config({}).enabled is True


@pytest.mark.parametrize(
    ("value", "kept"),
    [(True, "on"), (False, "off"), ("on", "on"), ("True", "on"), ("off", "off"), ("0", "off"), ("x", "x")],
)
def test_the_store_is_a_switch_or_a_path(value: object, kept: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_config({"store": value}).store == kept
    monkeypatch.setenv("SENTRIAL_STORE", str(value))
    assert read_config({}).store == kept


@pytest.mark.parametrize(
    ("named", "collector", "asked_for"),
    [
        ("", True, False),
        ("otlp", True, False),
        ("sentrial", False, True),
        ("sentrial, otlp_proto_http", True, True),
        ("none", False, False),
    ],
)
def test_the_standard_list_of_exporters_says_whether_a_collector_is_meant_and_whether_we_are(
    named: str, collector: bool, asked_for: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318")
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", named)
    config = read_config({})
    assert (config.collector, config.asked_for) == (collector, asked_for)
    assert read_config({"otlp_endpoint": "http://other:4318"}).collector is True


def test_sessions_begin_by_themselves_by_default_where_the_program_runs_without_code(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_config, "auto_by_default", ("request", "call"))
    assert read_config({}).auto_session == ("request", "call")
    assert read_config({"auto_session": False}).auto_session == ()
    monkeypatch.setenv("SENTRIAL_AUTO_SESSION", "off")
    assert read_config({}).auto_session == ()


# --- bad values -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "value", "remedy"), BAD, ids=lambda value: repr(value)[:20])
def test_a_bad_argument_is_named_once_with_the_remedy_and_ignored(
    name: str, value: Any, remedy: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    variable, _, _, text, from_text = VALUES[name]
    if variable is not None:
        monkeypatch.setenv(variable, text)
    config = read_config({name: value})
    read_config({name: value})
    becomes, counts = "It is ignored.", getattr(Config(), name) if variable is None else from_text
    if name == "pii":
        becomes, counts = "It counts as true.", PiiConfig(enabled=True)
    assert getattr(config, name) == counts
    (record,) = caplog.records
    message = record.getMessage()
    assert record.levelname == "WARNING"
    assert message.startswith(f"sentrial: {name}=")
    assert message.endswith(f" is not usable: it must be {remedy}. {becomes}")
    with pytest.raises(ValueError, match=f"^{name}=.* is not usable: it must be "):
        read_config({name: value}, strict=True)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("api_key", "two words"), ("api_url", "example.com"), ("api_url", "http://[::1"), ("enabled", "maybe"),
        ("set_global", "2"), ("capture_content", "all"), ("session_parent", "child"), ("sample_rate", "2"),
        ("session_timeout", "-1"), ("openinference", "x"), ("queue_size", "64MB"), ("flush_interval", "nan"),
        ("flush_timeout", "inf"), ("retry_timeout", "1e999"),
    ],
)  # fmt: skip
def test_a_bad_variable_is_named_once_with_the_remedy_and_ignored(
    name: str, text: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    variable = VALUES[name][0]
    assert variable is not None
    monkeypatch.setenv(variable, text)
    # Nobody gave it as an argument: even where arguments are strict, it is no exception.
    assert read_config({}, strict=True) == Config()
    read_config({})
    (record,) = caplog.records
    assert record.getMessage().startswith(f"sentrial: {variable}=")
    assert " is not usable: it must be " in record.getMessage()
    assert record.getMessage().endswith(". It is ignored.")


def test_after_a_bad_variable_the_next_one_counts(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("SENTRIAL_CAPTURE_CONTENT", "everything")
    monkeypatch.setenv(CAPTURE, "NO_CONTENT")
    assert read_config({}).capture_content == "off"
    assert len(caplog.records) == 1


def test_names_of_libraries_that_name_none_leave_all_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert read_config({"instrument": []}).instrument == ()
    for text in (",,", " , "):
        monkeypatch.setenv("SENTRIAL_INSTRUMENT", text)
        assert read_config({}).instrument is None
    assert caplog.messages == [
        f"sentrial: SENTRIAL_INSTRUMENT={text!r} is not usable: it must be {NAMES}. It is ignored."
        for text in (",,", ",")
    ]


def test_objects_that_raise_when_they_are_looked_at_are_bad_values(caplog: pytest.LogCaptureFixture) -> None:
    class Rude:
        def __repr__(self) -> str:
            raise RuntimeError("no")

        __str__ = __float__ = __iter__ = __fspath__ = __call__ = __repr__

    given = {name: Rude() for name in SETTINGS if name != "mask"}
    # Whoever wants something masked, and says it badly, must not have it sent.
    assert read_config(given) == Config(pii=PiiConfig(enabled=True))
    assert len(caplog.records) == len(given)
    with pytest.raises(ValueError, match="is not usable"):
        read_config(given, strict=True)


def test_configure_and_clients_raise_only_where_they_are_asked_to(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ValueError, match=r"^sample_rate=2 is not usable: it must be a number from 0 to 1\.$"):
        sentrial.configure(fail_silently=False, sample_rate=2)
    with pytest.raises(ValueError, match=r"^api_url="):
        SentrialClient(api_url="nowhere", fail_silently=False)
    assert caplog.records == []
    sentrial.configure(sample_rate=2, store="off")
    assert "sample_rate=2 is not usable" in caplog.text
    assert _config.active.sample_rate is None
