"""What is asked for when personal data is to be masked, and how it is read. Nothing is fetched from any server."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

LABEL = "label"
HASH = "hash"
REMOVE = "remove"
MODES = (LABEL, HASH, REMOVE)

_ON = frozenset({"true", "1", "yes", "on", LABEL})
_OFF = frozenset({"false", "0", "no", "off"})


@dataclass
class PiiCustomPattern:
    """Something of your own to mask: a regular expression of Python's, and the label that takes its place."""

    pattern: str
    label: str


@dataclass
class PiiBuiltinPatterns:
    """Which kinds are looked for."""

    emails: bool = True
    phones: bool = True
    ssns: bool = True
    credit_cards: bool = True
    ip_addresses: bool = True


@dataclass
class PiiConfig:
    """How personal data is masked, in all that leaves.

    Attributes:
        enabled: ``False``, the default, masks none.
        fields: narrows nothing, and is logged: a part that is not masked would be a leak.
        mode: ``"label"`` writes ``[EMAIL]``, ``"hash"`` ``[PII:1f0c5e8a2b7d]`` (keyed, by ``SENTRIAL_PII_KEY``),
            ``"remove"`` nothing.
        enhanced_detection: has no effect, and is logged: the best detection that is installed is always used.
        builtin_patterns: which kinds are looked for; all, if not given.
        custom_patterns: what to mask besides.
    """

    enabled: bool = False
    fields: list[str] | None = None
    mode: str = LABEL
    enhanced_detection: bool = False
    builtin_patterns: PiiBuiltinPatterns | None = None
    custom_patterns: list[PiiCustomPattern] | None = None

    def __post_init__(self) -> None:
        if self.builtin_patterns is None:
            self.builtin_patterns = PiiBuiltinPatterns()
        if self.custom_patterns is None:
            self.custom_patterns = []


class PartlyUsableError(ValueError):
    """A value that cannot be used as it is; ``instead`` masks at least what was asked for, ``then`` tells it."""

    def __init__(self, words: str, instead: PiiConfig, then: str) -> None:
        super().__init__(words)
        self.instead = instead
        self.then = then


def read_pii(value: object) -> PiiConfig | None:
    """What ``value`` asks for: a switch, a mode, or a :class:`PiiConfig`; ``None`` where nothing is to be masked.

    Raises:
        PartlyUsableError: for what makes no sense; never is less masked for it.
    """
    if isinstance(value, PiiConfig):
        return _read_config(value) if value.enabled else None
    word = str(value).strip().lower() if isinstance(value, str | bool) else ""
    if word in _OFF:
        return None
    if word in _ON:
        return PiiConfig(enabled=True)
    if word in MODES:
        return PiiConfig(enabled=True, mode=word)
    raise PartlyUsableError(
        'true, false, "label", "hash", "remove" or a PiiConfig', PiiConfig(enabled=True), "It counts as true."
    )


def _read_config(given: PiiConfig) -> PiiConfig:
    wrong: list[str] = []
    sound: list[PiiCustomPattern] = []
    read = replace(given, mode=LABEL, builtin_patterns=None, custom_patterns=sound)
    if given.mode in MODES:
        read.mode = given.mode
    else:
        wrong.append('"label", "hash" or "remove" as its mode')
    if isinstance(given.builtin_patterns, PiiBuiltinPatterns):
        read.builtin_patterns = replace(given.builtin_patterns)
    else:
        wrong.append("a PiiBuiltinPatterns as its builtin_patterns")
    patterns: Any = given.custom_patterns
    if not isinstance(patterns, list | tuple):
        wrong.append("a list as its custom_patterns")
        patterns = ()
    for number, custom in enumerate(patterns):
        flaw = _flaw(custom)
        if flaw is None:
            sound.append(replace(custom))
        else:
            wrong.append(f"a PiiCustomPattern with a regular expression as its custom_patterns[{number}], not {flaw}")
    if wrong:
        raise PartlyUsableError("given " + ", and ".join(wrong), read, "Everything else in it holds.")
    return read


def _flaw(custom: object) -> str | None:
    if not isinstance(custom, PiiCustomPattern):
        return f"a {type(custom).__name__}"
    pattern: object = custom.pattern
    label: object = custom.label
    if not isinstance(pattern, str) or not isinstance(label, str):
        return f"PiiCustomPattern({type(pattern).__name__}, {type(label).__name__})"
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        return f"{pattern[:80]!r} for {label[:80]!r} ({error})"
    return None
