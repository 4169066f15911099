"""Text that any reader takes: valid UTF-8, short, without markup and without the caller's secrets."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

_INVISIBLE = re.compile(r"<(script|style|head)\b.*?</\1\s*>|<!--.*?-->", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>")
_USER = re.compile(r"(^|//)[^/@]*@")
_SHORTEST_SECRET = 6


def utf8(text: str) -> bytes:
    """``text`` in UTF-8. A surrogate pair becomes its character, a lone surrogate U+FFFD."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return repaired(text).encode()


def repaired(text: str) -> str:
    """``text`` without what UTF-8 cannot carry (see ``utf8``)."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def is_encodable(text: str) -> bool:
    """Whether UTF-8 can carry ``text``."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def printable(value: object) -> str:
    """``str(value)``, or the name of its type where that fails."""
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - the user's __str__ may raise anything
        return f"<{type(value).__name__}>"


def excerpt(text: str, secrets: Iterable[str] = (), limit: int = 300) -> str:
    """``text`` in one line of at most ``limit`` characters, ``secrets`` starred out."""
    # Before it is cut: half a secret would not be known again.
    line = " ".join(without_secrets(text, secrets).split())
    return line if len(line) <= limit else line[: limit - 3] + "..."


def without_markup(page: str) -> str:
    """The readable text of an HTML page."""
    return html.unescape(_TAG.sub(" ", _INVISIBLE.sub(" ", page)))


def without_password(url: str) -> str:
    """``url`` without a user and password in it."""
    return _USER.sub(r"\1", url)


def without_secrets(text: str, secrets: Iterable[str]) -> str:
    """``text`` with each of ``secrets`` starred out, for servers that repeat what they were sent."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, "***")
    return text


def secrets_in(headers: Iterable[str]) -> frozenset[str]:
    """What of header values must not be printed: each value, and its last word (``Bearer`` is no secret)."""
    return frozenset(part for value in headers if value for part in (value, value.split()[-1] if value.split() else ""))
