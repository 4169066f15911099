"""How the value of a setting is read: from code as an object, from a variable as text. What makes no sense says so."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from sentrial._units import read_bytes, read_seconds

DEFAULT_API_URL = "https://api.sentrial.com"

CAPTURE_OURS = "ours"
CAPTURE_SPAN = "span"
CAPTURE_OFF = "off"

STORE_ON = "on"
STORE_OFF = "off"

PARENT_ROOT = "root"
PARENT_INHERIT = "inherit"

ALL = "all"
NONE = "none"

AUTO_OFF = "off"
AUTO_REQUEST = "request"
AUTO_CALL = "call"
AUTO_PROCESS = "process"
AUTO_MODES = (AUTO_REQUEST, AUTO_CALL, AUTO_PROCESS)

LONGEST = 10 * 365 * 24 * 3600.0
"""Seconds in which everything ends: ten years. Python's own waits overflow somewhere beyond."""


class UnusableError(ValueError):
    """A value that makes no sense where it stands; the words say what would."""


def read_text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise UnusableError("a text that is not empty")
    return value.strip()


def read_key(value: object) -> str:
    text = read_text(value)
    if not text.isascii() or not text.isprintable() or " " in text:
        raise UnusableError("the key alone, without spaces and line breaks")
    return text


def read_url(value: object) -> str:
    text = read_text(value).rstrip("/")
    try:
        sound = text.startswith(("http://", "https://")) and bool(urlsplit(text).hostname)
    except ValueError:
        sound = False
    if not sound:
        raise UnusableError("an address that starts with http:// or https://")
    return text


def read_switch(value: object) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word in ("true", "1", "yes", "on"):
        return True
    if word in ("false", "0", "no", "off"):
        return False
    raise UnusableError("true or false")


def read_number(value: object) -> float:
    if isinstance(value, bool):
        return -1.0
    try:
        return float(value)  # type: ignore[arg-type]  # whatever float() does not take is no number
    except (TypeError, ValueError, OverflowError):
        return -1.0


def read_positive(value: object) -> float:
    number = read_number(value)
    if not 0 < number < float("inf"):
        raise UnusableError("a number above 0")
    return min(number, LONGEST)


def read_size(value: object) -> int:
    number = read_number(value)
    if not 1 <= number < float("inf"):
        raise UnusableError("a number of bytes, at least 1")
    return int(number)


def read_room(value: object) -> int:
    size = read_bytes(value) if isinstance(value, str) else read_number(value)
    if size is None or not 1 <= size < 2**63:
        raise UnusableError("a number of bytes, or a size such as 500MB or 2GiB")
    return int(size)


def read_age(value: object) -> float:
    age = read_seconds(value, bare=True) if isinstance(value, str) else read_number(value)
    if age is None or not 0 < age < float("inf"):
        raise UnusableError("a number of seconds above 0, or a time such as 12h or 30d")
    return min(age, LONGEST)


def read_share(value: object) -> float:
    number = read_number(value)
    if not 0 <= number <= 1:
        raise UnusableError("a number from 0 to 1")
    return number


def read_parent(value: object) -> str:
    word = str(value).strip().lower()
    if word not in (PARENT_ROOT, PARENT_INHERIT):
        raise UnusableError('"root" or "inherit"')
    return word


_NAMES = 'names of libraries, such as openai, or "all", or "none"'


def read_names(value: object) -> tuple[str, ...] | None:
    """``None`` for all of them."""
    items: Iterable[Any] = value.split(",") if isinstance(value, str) else value if isinstance(value, Iterable) else [0]
    items = list(islice(items, 1_000))  # what never ends would keep the program from starting
    if not all(isinstance(item, str) for item in items):
        raise UnusableError(_NAMES)
    names = tuple(item.strip().lower() for item in items if item.strip())
    if items and not names:
        raise UnusableError(_NAMES)
    if ALL in names:
        return None
    return () if names == (NONE,) else names


def read_store(value: object) -> str:
    try:
        return STORE_ON if read_switch(value) else STORE_OFF
    except UnusableError:
        path = os.fspath(value) if isinstance(value, str | os.PathLike) else ""
        if not isinstance(path, str) or not path.strip():
            raise UnusableError("a path, or true or false") from None
        return path.strip()


def read_capture(value: object) -> str:
    """Also the words of ``OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT``."""
    word = str(value).strip().lower()
    if word in ("span", "span_only", "span_and_event") or value is True or word == "true":
        return CAPTURE_SPAN
    if word in ("ours", "event_only"):
        return CAPTURE_OURS
    if word in ("off", "no_content", "false"):
        return CAPTURE_OFF
    raise UnusableError('"span", "ours", "off" or one of SPAN_ONLY, EVENT_ONLY, SPAN_AND_EVENT, NO_CONTENT')


def read_hosts(value: object) -> bool | tuple[str, ...]:
    try:
        return read_switch(value)
    except UnusableError:
        items: Iterable[Any] = value if isinstance(value, Iterable) else ()
        items = value.split(",") if isinstance(value, str) else islice(items, 1_000)
        words = [item.strip().lower() if isinstance(item, str) else "?" for item in items]
        hosts = tuple(word for word in words if word)
        if not hosts or not all(_HOST.fullmatch(host) for host in hosts):
            raise UnusableError("true, false, or hosts such as *.internal") from None
        return hosts


_HOST = re.compile(r"[\w.*:-]+", re.ASCII)


def read_callable(value: object) -> Callable[[str], str]:
    if not callable(value):
        raise UnusableError("a function from text to text")
    return value


def read_auto(value: object) -> tuple[str, ...]:
    items: Iterable[Any] = value.split(",") if isinstance(value, str) else value if isinstance(value, Iterable) else ()
    words = [str(item).strip().lower() for item in islice(items, 10)]
    if value is False or words == [AUTO_OFF]:
        return ()
    if not words or not set(words) <= set(AUTO_MODES):
        raise UnusableError('"off", "request", "call", "process" or "request,call"')
    return tuple(mode for mode in AUTO_MODES if mode in words)
