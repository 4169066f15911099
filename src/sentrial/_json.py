"""JSON text of a snapshot, each text masked on the way, and each long text of a session masked and encoded once.

An agent resends its history at each turn: the pieces of the last turn's JSON are found again here, not made again.
"""

from __future__ import annotations

import base64
import datetime
import decimal
import enum
import hashlib
import math
import pathlib
import uuid
from json.encoder import encode_basestring
from typing import Any, Protocol

MAX_TEXT = 1_000_000
"""Characters of one text that are kept; the rest is cut, and the cut is said in the text and counted."""

MAX_INLINE_BYTES = 1_024
"""Binary values up to this size are kept as base64; larger ones are replaced by size and hash."""

MAX_REMEMBERED = 4_000_000
"""Characters of text one session remembers in encoded form."""

_WORTH_REMEMBERING = 48


class Masker(Protocol):
    """What decides which texts may leave, and in what form."""

    def mask(self, text: str) -> str:
        """``text`` with what is secret replaced. Must not raise."""

    def is_secret(self, key: str) -> bool:
        """Whether a value that stands under ``key`` is secret whatever it is."""


class NoMask:
    """Lets everything pass."""

    def mask(self, text: str) -> str:
        """``text`` as it is."""
        return text

    def is_secret(self, key: str) -> bool:
        """Never."""
        return False


class Texts:
    """The texts one session has already said: each as masked, JSON-encoded literal."""

    __slots__ = ("literals", "remembered")

    def __init__(self) -> None:
        self.literals: dict[str, str] = {}
        self.remembered = 0

    def remember(self, text: str, literal: str) -> None:
        """Keep ``literal`` for ``text``; starts over when the session has said too much."""
        if self.remembered > MAX_REMEMBERED:
            self.literals.clear()
            self.remembered = 0
        self.literals[text] = literal
        self.remembered += len(text) + len(literal)


SECRET = "[masked]"


class JsonWriter:
    """Writes snapshots as JSON text; counts what it masked and cut."""

    __slots__ = ("_masker", "_texts", "cut", "masked")

    def __init__(self, masker: Masker, texts: Texts) -> None:
        self._masker = masker
        self._texts = texts
        self.masked = 0
        self.cut = 0

    def text(self, text: str) -> str:
        """``text`` masked, cut to size and fit to be encoded as UTF-8; not quoted."""
        if len(text) > MAX_TEXT:
            self.cut += len(text) - MAX_TEXT
            text = f"{text[:MAX_TEXT]}[{len(text) - MAX_TEXT} characters left out]"
        masked = self._masker.mask(text)
        if masked != text:
            self.masked += 1
        if not masked.isascii():
            # A lone surrogate is a legal str and no UTF-8: one of them must not cost the whole batch.
            masked = masked.encode("utf-8", "replace").decode("utf-8")
        return masked

    def json(self, value: Any) -> str:
        """``value``, a snapshot, as JSON."""
        pieces: list[str] = []
        self._write(value, pieces)
        return "".join(pieces)

    def _literal(self, text: str) -> str:
        if len(text) < _WORTH_REMEMBERING:
            return encode_basestring(self.text(text))
        known = self._texts.literals.get(text)
        if known is None:
            known = encode_basestring(self.text(text))
            self._texts.remember(text, known)
        return known

    def _write(self, value: Any, pieces: list[str]) -> None:
        kind = type(value)
        if kind is str:
            pieces.append(self._literal(value))
        elif kind is dict:
            separator = "{"
            for key, item in value.items():
                name = key if type(key) is str else self._key(key)
                pieces.append(f"{separator}{encode_basestring(self.text(name))}:")
                if item is not None and self._masker.is_secret(name):
                    self.masked += 1
                    pieces.append(f'"{SECRET}"')
                else:
                    self._write(item, pieces)
                separator = ","
            pieces.append("}" if separator == "," else "{}")
        elif kind is list:
            separator = "["
            for item in value:
                pieces.append(separator)
                self._write(item, pieces)
                separator = ","
            pieces.append("]" if separator == "," else "[]")
        elif value is None:
            pieces.append("null")
        elif kind is bool:
            pieces.append("true" if value else "false")
        elif kind is int:
            pieces.append(int.__repr__(value) if abs(value) < 1 << 4096 else f'"{hex(value)}"')
        elif kind is float:
            pieces.append(float.__repr__(value) if math.isfinite(value) else f'"{value}"')
        else:
            self._write(self._plain(value), pieces)

    def _key(self, key: Any) -> str:
        plain = self._plain(key)
        return plain if isinstance(plain, str) else str(plain)

    def _plain(self, value: Any) -> Any:
        """An immutable leaf that is no JSON, as the nearest thing that is."""
        if isinstance(value, enum.Enum):
            return value.value if isinstance(value.value, str | int | float) else value.name
        if isinstance(value, bool):
            return bool(value)
        if isinstance(value, str):
            return str.__str__(value)
        if isinstance(value, int):
            return int(value)
        if isinstance(value, float):
            return float(value)
        if isinstance(value, bytes):
            return self._binary(value)
        if isinstance(value, datetime.date | datetime.time):
            return value.isoformat()
        if isinstance(value, datetime.timedelta):
            return f"{value.total_seconds()} s"
        if isinstance(value, decimal.Decimal | uuid.UUID | pathlib.PurePath):
            return str(value)
        return repr(value)

    def _binary(self, value: bytes) -> Any:
        if len(value) <= MAX_INLINE_BYTES:
            return base64.b64encode(value).decode("ascii")
        self.cut += len(value)
        return {"type": "bytes", "size": len(value), "sha256": hashlib.sha256(value).hexdigest()}
