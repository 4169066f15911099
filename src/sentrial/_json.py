"""JSON text of a snapshot, each text masked on the way, and each text of a session masked and encoded once.

An agent resends its history at each turn: the pieces of the last turn's JSON are found again here, not made again.
"""

from __future__ import annotations

import base64
import datetime
import decimal
import enum
import fractions
import hashlib
import math
import pathlib
import re
import threading
import uuid
import weakref
from dataclasses import dataclass
from json.encoder import encode_basestring
from typing import Any, Protocol

MAX_TEXT = 1_000_000
"""Characters of one text that are kept; the rest is cut, and the cut is said in the text and counted."""

MAX_INLINE_BYTES = 1_024
"""Binary values up to this size are kept as base64; larger ones are replaced by size and hash."""

MAX_REMEMBERED = 4_000_000
"""Characters of text one session remembers in masked and encoded form."""

MAX_REMEMBERED_BY_ALL = 64_000_000
"""Characters of text all sessions of the process remember together, those included that nobody ever ends."""

SECRET = "[masked]"

_WEIGHT_OF_A_TEXT = 200
# A secret that the cut would halve has to be seen whole: this much more is masked than is kept.
_MARGIN = 4_096
_SHORT_NUMBER = 10**12  # no number that is somebody's, and given as a number, is shorter: a card's has 13 digits
_MAX_BITS = 4_096  # Python reads no decimal integer beyond 4300 digits
_DATA_URL = re.compile(r"data:[a-z]{1,20}/[a-z0-9.+-]{1,80};base64,", re.IGNORECASE)
_NO_TEXT = re.compile(r"[\x00-\x08\x0e-\x1f]")


class Masker(Protocol):
    """What decides which texts may leave, and in what form."""

    def mask(self, text: str) -> str:
        """``text`` with what is secret replaced. Must not raise."""

    def mask_number(self, value: int) -> int | str:
        """``value``, or what takes its place where it is secret. Must not raise."""

    def is_secret(self, key: str) -> bool:
        """Whether a value that stands under ``key`` is secret whatever it is."""


class NoMask:
    """Lets everything pass."""

    def mask(self, text: str) -> str:
        """``text`` as it is."""
        return text

    def mask_number(self, value: int) -> int | str:
        """``value`` as it is."""
        return value

    def is_secret(self, key: str) -> bool:
        """Never."""
        return False


@dataclass(frozen=True, slots=True)
class JsonText:
    """A value that stands as JSON text where a text is wanted; what is secret in it is masked by its key too."""

    value: Any


class _Said:
    """One text as it may leave, how many secrets were masked in it, how many characters cut."""

    __slots__ = ("cut", "literal", "masked", "text")

    def __init__(self, text: str, masked: int, cut: int) -> None:
        self.text = text
        self.masked = masked
        self.cut = cut
        self.literal: str | None = None


class Texts:
    """The texts one session has already said, under the masker that is in force."""

    __slots__ = ("__weakref__", "_known_to_all", "_said", "remembered")

    def __init__(self) -> None:
        self._said: tuple[Masker | None, dict[str, _Said]] = (None, {})
        self._known_to_all = False
        self.remembered = 0

    def under(self, masker: Masker) -> dict[str, _Said]:
        """What was said under ``masker``; what another one let pass is forgotten."""
        known, said = self._said
        if known is not masker:
            said = {}
            self._said = masker, said
            self.remembered = 0
        return said

    def spend(self, characters: int) -> None:
        """Count what was remembered; starts over when the session, or all of them, have said too much."""
        weight = characters + _WEIGHT_OF_A_TEXT
        self.remembered += weight
        if self.remembered > MAX_REMEMBERED:
            self.forget()
        self._known_to_all = _everybody.spend(self, weight, known=self._known_to_all)

    def forget(self) -> None:
        """Start over."""
        self._said[1].clear()
        self.remembered = 0


class _Everybody:
    """What all sessions remember together."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._texts: weakref.WeakSet[Texts] = weakref.WeakSet()
        self._spent = 0

    def spend(self, texts: Texts, weight: int, *, known: bool) -> bool:
        """Count ``weight``, and whose it is; whether that is known now."""
        if not self._lock.acquire(blocking=False):
            return known  # nothing here is worth a wait, and inside a garbage collection we could wait for ourselves
        try:
            if not known:
                self._texts.add(texts)
            self._spent += weight
            if self._spent > MAX_REMEMBERED_BY_ALL:
                alive = list(self._texts)
                self._spent = sum(each.remembered for each in alive)
                if self._spent > MAX_REMEMBERED_BY_ALL // 2:
                    for each in alive:
                        each.forget()
                    self._spent = 0
        finally:
            self._lock.release()
        return True


_everybody = _Everybody()


def encodable(text: str) -> str:
    """``text`` as UTF-8 can carry it: a surrogate pair becomes its character, a lone surrogate U+FFFD.

    A lone surrogate is a legal str; one of them must not cost the whole batch.
    """
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


class JsonWriter:
    """Writes snapshots as JSON text; counts what it masked, and the characters and bytes that it cut."""

    __slots__ = ("_by_name", "_masker", "_said", "_texts", "cut", "cut_bytes", "masked")

    def __init__(self, masker: Masker, texts: Texts) -> None:
        self._masker = masker
        self._texts = texts
        self._said = texts.under(masker)
        self._by_name = True
        self.masked = 0
        self.cut = 0
        self.cut_bytes = 0

    def text(self, value: Any) -> str:
        """A text masked, cut to size and fit to be encoded as UTF-8; not quoted. What is no text, as JSON."""
        if type(value) is not str and not isinstance(value, dict | list):
            value = self._plain(value)
        return self._say(value).text if type(value) is str else self.json(value)

    def number(self, value: int) -> int | str:
        """A whole number, masked."""
        shown = self._masker.mask_number(value)
        self.masked += shown is not value
        return shown

    def json(self, value: Any) -> str:
        """``value``, a snapshot, as JSON."""
        pieces: list[str] = []
        self._write(value, pieces)
        return "".join(pieces)

    def definitions(self, value: Any) -> str:
        """``value`` as JSON, where it describes things and what stands under ``password`` is no password."""
        self._by_name = False
        try:
            return self.json(value)
        finally:
            self._by_name = True

    def _say(self, text: str) -> _Said:
        said = self._said.get(text)
        if said is None:
            said = self._said[text] = self._prepare(text)
            self._texts.spend(len(text) if said.text is text else len(text) + len(said.text))
        self.masked += said.masked
        self.cut += said.cut
        return said

    def _prepare(self, text: str) -> _Said:
        if text.startswith("data:") and len(text) > MAX_INLINE_BYTES and (head := _DATA_URL.match(text)):
            # An image within a message: binary, whatever it is dressed in.
            cut = len(text) - head.end()
            digest = hashlib.sha256(text[head.end() :].encode("utf-8", "replace")).hexdigest()
            return _Said(f"{head.group()}[{cut} characters left out, sha256 {digest}]", 0, cut)
        cut = max(0, len(text) - MAX_TEXT)
        seen = text[: MAX_TEXT + _MARGIN] if cut else text
        shown = self._masker.mask(seen)
        masked = int(shown != seen)
        if cut:
            shown = f"{shown[: max(0, len(shown) - (len(seen) - MAX_TEXT))]}[{cut} characters left out]"
        return _Said(encodable(shown), masked, cut)

    def _literal(self, text: str) -> str:
        said = self._say(text)
        if said.literal is None:
            said.literal = encode_basestring(said.text)
            self._texts.spend(len(said.literal))
        return said.literal

    def _write(self, value: Any, pieces: list[str]) -> None:
        kind = type(value)
        if kind is str:
            pieces.append(self._literal(value))
        elif kind is dict:
            separator = "{"
            for key, item in value.items():
                name = key if type(key) is str else self._name(key)
                pieces.append(f"{separator}{self._literal(name)}:")
                if self._by_name and self._masker.is_secret(name):
                    self._write_secret(item, pieces)
                else:
                    self._write(item, pieces)
                separator = ","
            pieces.append("}" if separator == "," else "{}")
        elif kind is list or kind is tuple:
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
            if -_SHORT_NUMBER < value < _SHORT_NUMBER:
                pieces.append(int.__repr__(value))
            elif isinstance(number := self.number(value), str):
                pieces.append(encode_basestring(number))
            elif value.bit_length() <= _MAX_BITS:
                pieces.append(int.__repr__(value))
            else:
                self._write(hex(value), pieces)
        elif kind is float:
            pieces.append(float.__repr__(value) if math.isfinite(value) else f'"{value}"')
        elif kind is JsonText:
            pieces.append(encode_basestring(self.json(value.value)))
        else:
            self._write(self._plain(value), pieces)

    def _write_secret(self, item: Any, pieces: list[str]) -> None:
        if item is None or type(item) is bool or (type(item) is str and item in ("", SECRET)):
            self._write(item, pieces)
        else:
            self.masked += 1
            pieces.append(f'"{SECRET}"')

    def _name(self, key: Any) -> str:
        """A key that is no text, as the standard library's encoder would have it, as far as it has it."""
        plain = self._plain(key)
        if isinstance(plain, str):
            return plain
        if isinstance(plain, int) and not isinstance(plain, bool) and plain.bit_length() > _MAX_BITS:
            return hex(plain)
        return self.json(plain).strip('"')

    def _plain(self, value: Any) -> Any:
        """An immutable leaf that is no JSON, as the nearest thing that is."""
        try:
            return self._read_leaf(value)
        except Exception as error:  # noqa: BLE001 - a subclass's own methods may raise anything
            return f"<{type(value).__name__}, unreadable: {type(error).__name__}>"

    def _read_leaf(self, value: Any) -> Any:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, enum.Enum):
            return self._read_leaf(value.value) if isinstance(value.value, str | int | float) else value.name
        # The classes' own methods: a subclass's may do anything.
        if isinstance(value, str):
            return str.__str__(value)
        if isinstance(value, int):
            return int.__index__(value)
        if isinstance(value, float):
            return float.__float__(value)
        if isinstance(value, bytes):
            return self._binary(bytes.__getitem__(value, slice(None)))
        if isinstance(value, datetime.date | datetime.time):
            return str.__str__(value.isoformat())
        if isinstance(value, datetime.timedelta):
            return f"{value.total_seconds()} s"
        if isinstance(value, decimal.Decimal | fractions.Fraction | uuid.UUID | pathlib.PurePath):
            return str.__str__(str(value))
        return str.__str__(repr(value))

    def _binary(self, value: bytes) -> Any:
        """Text as text, so that it is masked as such; else base64, or size and hash."""
        if len(value) <= 4 * MAX_TEXT:
            try:
                text = value.decode("utf-8")
            except UnicodeDecodeError:
                text = "\0"
            if not _NO_TEXT.search(text):
                return text
        if len(value) <= MAX_INLINE_BYTES:
            return base64.b64encode(value).decode("ascii")
        self.cut_bytes += len(value)
        return {"type": "bytes", "size": len(value), "sha256": hashlib.sha256(value).hexdigest()}
