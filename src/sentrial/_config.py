"""The configuration: argument, else ``SENTRIAL_*``, else the standard ``OTEL_*``, else a default. It reads, never acts.

A value that makes no sense is named in one warning, with the remedy, and the next source counts instead.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from sentrial import _guard

DEFAULT_API_URL = "https://api.sentrial.com"

CAPTURE_OURS = "ours"
CAPTURE_SPAN = "span"
CAPTURE_OFF = "off"

PARENT_ROOT = "root"
PARENT_INHERIT = "inherit"


@dataclass(frozen=True, slots=True)
class Config:
    """What is in force. Times in seconds, sizes in bytes.

    Attributes:
        api_key: Sentrial's key; ``None`` sends nothing to Sentrial.
        api_url: Sentrial's address.
        otlp_endpoint: a collector's address, where it was given in code; the ``OTEL_EXPORTER_OTLP_*`` family is read
            by the standard exporters themselves.
        collector: whether a collector is configured at all.
        store: the local store's path, ``"on"`` for the default place, ``None`` for "only if there is nothing else".
        enabled: ``False`` switches everything off.
        set_global: whether a provider of ours may become the global one.
        capture_content: ``"ours"``, ``"span"`` or ``"off"``.
        session_parent: ``"root"`` or ``"inherit"``.
        sample_rate: share of sessions kept by a provider of ours; ``None`` leaves it to ``OTEL_TRACES_SAMPLER``.
        session_timeout: after how long an untouched session ends as abandoned.
        openinference: whether ``input.value``, ``output.value`` and ``openinference.span.kind`` are written.
        instrument: names of the clients to patch; ``None`` for all that are known.
        mask: the application's own mask, applied to each text after the built-in one.
        queue_size: how much may wait for one destination.
        flush_interval: how long a span waits for company.
        flush_timeout: how long the end of the program may wait for what is still queued.
        retry_timeout: how long one batch is tried again before it is given up.
    """

    api_key: str | None = field(default=None, repr=False)
    api_url: str = DEFAULT_API_URL
    otlp_endpoint: str | None = None
    collector: bool = False
    store: str | None = None
    enabled: bool = True
    set_global: bool = True
    capture_content: str = CAPTURE_OURS
    session_parent: str = PARENT_ROOT
    sample_rate: float | None = None
    session_timeout: float = 24 * 3600.0
    openinference: bool = True
    instrument: tuple[str, ...] | None = None
    mask: Callable[[str], str] | None = None
    queue_size: int = 64 * 1024 * 1024
    flush_interval: float = 0.5
    flush_timeout: float = 5.0
    retry_timeout: float = 300.0


active = Config()
"""The configuration in force; :mod:`sentrial._setup` replaces it."""


def set_active(config: Config) -> None:
    """Put ``config`` in force."""
    global active
    active = config


class _UnusableError(ValueError):
    """A value that makes no sense where it stands; the words say what would."""


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _UnusableError("a text that is not empty")
    return value.strip()


def _key(value: object) -> str:
    text = _text(value)
    if not text.isascii() or not text.isprintable() or " " in text:
        raise _UnusableError("the key alone, without spaces and line breaks")
    return text


def _url(value: object) -> str:
    text = _text(value).rstrip("/")
    try:
        sound = text.startswith(("http://", "https://")) and bool(urlsplit(text).hostname)
    except ValueError:
        sound = False
    if not sound:
        raise _UnusableError("an address that starts with http:// or https://")
    return text


def _switch(value: object) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word in ("true", "1", "yes", "on"):
        return True
    if word in ("false", "0", "no", "off"):
        return False
    raise _UnusableError("true or false")


def _number(value: object) -> float:
    if isinstance(value, bool):
        return -1.0
    try:
        return float(value)  # type: ignore[arg-type]  # whatever float() does not take is no number
    except (TypeError, ValueError, OverflowError):
        return -1.0


def _positive(value: object) -> float:
    number = _number(value)
    if not 0 < number < float("inf"):
        raise _UnusableError("a number above 0")
    return number


def _size(value: object) -> int:
    number = _number(value)
    if not 1 <= number < float("inf"):
        raise _UnusableError("a number of bytes, at least 1")
    return int(number)


def _share(value: object) -> float:
    number = _number(value)
    if not 0 <= number <= 1:
        raise _UnusableError("a number from 0 to 1")
    return number


def _parent(value: object) -> str:
    word = str(value).strip().lower()
    if word not in (PARENT_ROOT, PARENT_INHERIT):
        raise _UnusableError('"root" or "inherit"')
    return word


def _names(value: object) -> tuple[str, ...]:
    items: Iterable[Any] = value.split(",") if isinstance(value, str) else value if isinstance(value, Iterable) else [0]
    items = list(items)
    if not all(isinstance(item, str) for item in items):
        raise _UnusableError("names of clients, such as openai")
    return tuple(item.strip().lower() for item in items if item.strip())


def _store(value: object) -> str | None:
    try:
        return "on" if _switch(value) else None
    except _UnusableError:
        path = os.fspath(value) if isinstance(value, str | os.PathLike) else ""
        if not isinstance(path, str) or not path.strip():
            raise _UnusableError("a path, or true or false") from None
        return path.strip()


def _capture(value: object) -> str:
    """Also the words of ``OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT``."""
    word = str(value).strip().lower()
    if word in ("span", "span_only", "span_and_event") or value is True or word == "true":
        return CAPTURE_SPAN
    if word in ("ours", "event_only"):
        return CAPTURE_OURS
    if word in ("off", "no_content", "false"):
        return CAPTURE_OFF
    raise _UnusableError('"span", "ours", "off" or one of SPAN_ONLY, EVENT_ONLY, SPAN_AND_EVENT, NO_CONTENT')


def _callable(value: object) -> Callable[[str], str]:
    if not callable(value):
        raise _UnusableError("a function from text to text")
    return value


@dataclass(frozen=True, slots=True)
class Setting:
    """Where one field of :class:`Config` comes from, and how it is read."""

    read: Callable[[object], Any]
    variables: tuple[str, ...] = ()


_STANDARD_CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"

SETTINGS: Mapping[str, Setting] = {
    "api_key": Setting(_key, ("SENTRIAL_API_KEY",)),
    "api_url": Setting(_url, ("SENTRIAL_API_URL",)),
    "otlp_endpoint": Setting(_text),
    "store": Setting(_store, ("SENTRIAL_STORE",)),
    "enabled": Setting(_switch, ("SENTRIAL_ENABLED",)),
    "set_global": Setting(_switch, ("SENTRIAL_SET_GLOBAL",)),
    "capture_content": Setting(_capture, ("SENTRIAL_CAPTURE_CONTENT", _STANDARD_CAPTURE)),
    "session_parent": Setting(_parent, ("SENTRIAL_SESSION_PARENT",)),
    "sample_rate": Setting(_share, ("SENTRIAL_SAMPLE_RATE",)),
    "session_timeout": Setting(_positive, ("SENTRIAL_SESSION_TIMEOUT",)),
    "openinference": Setting(_switch, ("SENTRIAL_OPENINFERENCE",)),
    "instrument": Setting(_names, ("SENTRIAL_INSTRUMENT",)),
    "mask": Setting(_callable),
    "queue_size": Setting(_size, ("SENTRIAL_QUEUE_SIZE",)),
    "flush_interval": Setting(_positive, ("SENTRIAL_FLUSH_INTERVAL",)),
    "flush_timeout": Setting(_positive, ("SENTRIAL_FLUSH_TIMEOUT",)),
    "retry_timeout": Setting(_positive, ("SENTRIAL_RETRY_TIMEOUT",)),
}
"""Every setting: one row each. ``collector`` alone is derived, from the standard variables."""

_COLLECTOR_VARIABLES = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")


def read_config(arguments: Mapping[str, object], *, strict: bool = False) -> Config:
    """The configuration from ``arguments`` (``None`` counts as not given) and the environment.

    Raises:
        ValueError: with ``strict``, for an argument that makes no sense; else it is logged and left out.
    """
    values: dict[str, Any] = {}
    for name, setting in SETTINGS.items():
        given = arguments.get(name)
        if given is not None:
            try:
                values[name] = setting.read(given)
                continue
            except Exception as error:  # noqa: BLE001 - an argument is any object, and its methods may raise anything
                words = f"{name}={_shown(name, given)} is not usable: it must be {_remedy(error, name)}."
                if strict:
                    raise ValueError(words) from None
                _guard.say_once(f"config {words}", "sentrial: %s It is ignored.", words)
        for variable in setting.variables:
            text = os.environ.get(variable, "").strip()
            if not text:
                continue
            try:
                values[name] = setting.read(text)
            except ValueError as error:
                words = f"{variable}={_shown(name, text)} is not usable: it must be {_remedy(error, name)}."
                _guard.say_once(f"config {words}", "sentrial: %s It is ignored.", words)
                continue
            break
    values["collector"] = "otlp_endpoint" in values or any(os.environ.get(name) for name in _COLLECTOR_VARIABLES)
    if os.environ.get(_STANDARD_CAPTURE, "").strip().upper() in ("EVENT_ONLY", "SPAN_AND_EVENT"):
        _guard.say_once(
            _STANDARD_CAPTURE,
            "sentrial: %s asks for content in log records, which this version does not emit; our destinations get it.",
            _STANDARD_CAPTURE,
        )
    if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        values["enabled"] = False
    return Config(**values)


def _shown(name: str, value: object) -> str:
    """``value`` for a message: never a key, also where it was given for an address, nor a password in one."""
    if name == "api_key":
        return "(not shown)"
    if name not in ("api_url", "otlp_endpoint"):
        return _guard.shown(value)
    if not isinstance(value, str) or "://" not in value:
        return "(not shown, for it may be a key)"
    scheme, _, rest = value.partition("://")
    return _guard.shown(f"{scheme}://{rest.rpartition('@')[2].partition('?')[0]}")


def _remedy(error: Exception, name: str) -> str:
    return str(error) if isinstance(error, _UnusableError) else f"a value for {name}"
