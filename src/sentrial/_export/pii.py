"""Personal data in a text, replaced. Only where it is asked for, and between the built-in mask and the application's.

What is real is said by libraries of the extra ``pii``. Without them everything that has the shape is replaced: more
than is asked for, never less.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from collections.abc import Iterator
from typing import Any

from sentrial import _guard, _late_imports
from sentrial._export import pii_shapes
from sentrial._export.json_text import rewrite_json
from sentrial._export.pii_custom import CustomPatterns, PatternTooSlowError, limiting_library
from sentrial._export.pii_names import names_personal_data
from sentrial._export.pii_phones import find_phones, phone_library
from sentrial._export.pii_shapes import Found
from sentrial._export.secrets import MASK
from sentrial._pii import HASH, REMOVE, PiiBuiltinPatterns, PiiConfig

FAILED = "[masking failed]"

MAX_PASSES = 8
"""How often a text is looked at again: what is taken out of its middle may join its ends to another number."""

_HASH_CHARACTERS = 12
# Nothing that is looked for is without these; and a JSON text may have names under which everything is personal.
_WORTH_A_LOOK = re.compile(r"[0-9@\"]")
# The numbers that are as long as those of cards are.
_LEAST, _MOST = 10**12, 10**19
_LABELS = (
    pii_shapes.EMAIL, pii_shapes.PHONE, pii_shapes.SSN, pii_shapes.CREDIT_CARD, pii_shapes.IP_ADDRESS,
)  # fmt: skip
_EXTRA = "pip install 'sentrial-otel[pii]'"

_key_of_this_process = os.urandom(32)


class PiiMasker:
    """Masks as ``config`` says. ``key``: what hashes are keyed with; else they compare within this process only."""

    def __init__(self, config: PiiConfig, key: str | None = None) -> None:
        self._mode = config.mode
        self._wanted = config.builtin_patterns or PiiBuiltinPatterns()
        self._key = key.encode("utf-8", "replace") if key else _key_of_this_process
        self._phones = phone_library()
        self._luhn, self._ssn = _number_libraries()
        self._custom = CustomPatterns(config.custom_patterns or (), limiting_library())
        labels = [f"[{label}]" for label in (*_LABELS, *self._custom.labels)]
        alternatives = "|".join(map(re.escape, (*labels, MASK, FAILED)))
        self._done = re.compile(rf"({alternatives}|\[PII:[0-9a-f]{{{_HASH_CHARACTERS}}}\])")
        self._say_what_is_missing()
        _say_what_has_no_effect(config)

    def mask(self, text: str) -> str:
        """``text`` with what is personal replaced. A text that a custom pattern cannot be run over is lost."""
        if not self._custom.labels and not _WORTH_A_LOOK.search(text):
            return text
        try:
            for _ in range(MAX_PASSES):
                masked = self._mask_once(text)
                if masked == text:
                    return text
                text = masked
        except PatternTooSlowError as error:
            _guard.say_once(
                f"pii pattern {error.label}",
                "sentrial: the pii pattern for %s ran out of its time; each text on which it does is replaced by %s. "
                "Remedy: a pattern without repetitions of repetitions.",
                _guard.shown(error.label),
                FAILED,
            )
            return FAILED
        # Only a text made for it comes here; what is left of it may be personal still.
        return FAILED

    def is_personal(self, name: str) -> bool:
        """Whether what stands under ``name`` is personal whatever it is."""
        return names_personal_data(name, self._wanted)

    def mask_named(self, name: str, words: str) -> str:
        """``words``, which stand under ``name``, masked."""
        return MASK if words not in ("", MASK) and self.is_personal(name) else self.mask(words)

    def mask_number(self, value: int) -> int | str:
        """``value``, or what takes its place where it is the number of a card: those are given as numbers, too."""
        if not _LEAST <= value < _MOST:
            return value
        digits = str(value)
        masked = self.mask(digits)
        return value if masked == digits else masked

    def _mask_once(self, text: str) -> str:
        document = rewrite_json(text, self.mask, self.mask_named)
        if document is not None:
            return document
        if "[" not in text:
            return self._mask_piece(text)
        # What stands in the place of something is left alone: it may look like something else.
        pieces = self._done.split(text)
        return "".join(piece if number % 2 else self._mask_piece(piece) for number, piece in enumerate(pieces))

    def _mask_piece(self, text: str) -> str:
        pieces: list[str] = []
        at = 0
        for found in _merged(self._find(text)):
            pieces += text[at : found.start], self._replacement(found)
            at = found.end
        pieces.append(text[at:])
        return "".join(pieces)

    def _find(self, text: str) -> Iterator[Found]:
        wanted = self._wanted
        if wanted.emails:
            yield from pii_shapes.find_emails(text)
        if wanted.ip_addresses:
            yield from pii_shapes.find_addresses(text)
        if pii_shapes.has_numbers(text):
            if wanted.credit_cards:
                yield from pii_shapes.find_cards(text, self._luhn)
            if wanted.ssns:
                yield from pii_shapes.find_ssns(text, self._ssn)
            if wanted.phones:
                for phone in find_phones(text, self._phones):
                    yield Found(phone.start, phone.end, pii_shapes.PHONE, phone.digits)
        yield from self._custom.find(text)

    def _replacement(self, found: Found) -> str:
        if self._mode == REMOVE:
            return ""
        if self._mode == HASH:
            digest = hmac.new(self._key, found.value.encode("utf-8", "replace"), hashlib.sha256).hexdigest()
            return f"[PII:{digest[:_HASH_CHARACTERS]}]"
        return f"[{found.label}]"

    def _say_what_is_missing(self) -> None:
        wanted = self._wanted
        missing = []
        if self._phones is None and wanted.phones:
            missing.append("phonenumbers, so that whatever looks like a telephone number is masked")
        if self._luhn is None and (wanted.credit_cards or wanted.ssns):
            missing.append("python-stdnum, so that whatever looks like a number of a card or an SSN is masked")
        if self._custom.unlimited:
            missing.append(f"regex, so that nothing limits the time of the patterns for {self._custom.unlimited}")
        if missing:
            _guard.say_once(
                f"pii without {missing}",
                "sentrial: pii is on without %s. Remedy: %s",
                "; and without ".join(missing),
                _EXTRA,
            )


def _say_what_has_no_effect(config: PiiConfig) -> None:
    if config.fields is not None:
        _guard.say_once(
            "pii fields", "sentrial: fields of PiiConfig narrows nothing: personal data is masked in all that leaves."
        )
    if config.enhanced_detection:
        _guard.say_once(
            "pii enhanced",
            "sentrial: enhanced_detection of PiiConfig has no effect: the best detection installed is always used.",
        )


def _number_libraries() -> tuple[Any, Any]:
    """The checks of a card's number and of an SSN; ``None`` both where the library is not installed."""
    try:
        with _late_imports.undisturbed():
            from stdnum import luhn
            from stdnum.us import ssn
    except ImportError:
        return None, None
    return luhn, ssn


def _merged(found: Iterator[Found]) -> Iterator[Found]:
    """In the order of the text, those that overlap as one, which has the name of the one that was found first."""
    ranked = sorted(enumerate(found), key=lambda each: each[1].start)
    if not ranked:
        return
    rank, current = ranked[0]
    for next_rank, each in ranked[1:]:
        if each.start >= current.end:
            yield current
            rank, current = next_rank, each
            continue
        best = each if next_rank < rank else current
        rank = min(rank, next_rank)
        current = best._replace(start=min(current.start, each.start), end=max(current.end, each.end))
    yield current


def build_pii_masker(config: PiiConfig | None, key: str | None) -> PiiMasker | None:
    """The masker that ``config`` asks for; ``None`` where it asks for none."""
    return PiiMasker(config, key) if config is not None and config.enabled else None
