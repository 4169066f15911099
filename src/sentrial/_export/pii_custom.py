"""The application's own patterns of personal data. With the library ``regex`` each has a limit of time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from sentrial import _late_imports
from sentrial._export.pii_shapes import Found
from sentrial._pii import PiiCustomPattern

MAX_SECONDS = 1.0
"""How long one pattern may look at one text. What takes longer is never masked to the end, and so the text is lost."""


class PatternTooSlowError(Exception):
    """A pattern that ran out of its time; ``label`` says which."""

    def __init__(self, label: str) -> None:
        super().__init__(label)
        self.label = label


def limiting_library() -> Any:
    """The library whose patterns can be given a limit of time; ``None`` where it is not installed."""
    try:
        with _late_imports.undisturbed():
            import regex  # type: ignore[import-untyped]  # its stubs are a package of their own; it is used as Any
    except ImportError:
        return None
    return regex


class CustomPatterns:
    """Patterns that are known to be sound, ready to look at texts."""

    def __init__(self, given: Iterable[PiiCustomPattern], library: Any) -> None:
        self._patterns = [(*_compile(each.pattern, library), each.label) for each in given]
        self.labels = [label for *_, label in self._patterns]
        self.unlimited = [label for _, limited, label in self._patterns if not limited]

    def find(self, text: str) -> Iterator[Found]:
        """Every match that is not empty.

        Raises:
            PatternTooSlowError: where one ran out of its time.
        """
        for pattern, limited, label in self._patterns:
            try:
                for match in pattern.finditer(text, timeout=MAX_SECONDS) if limited else pattern.finditer(text):
                    if match.end() > match.start():
                        yield Found(match.start(), match.end(), label, match.group())
            except TimeoutError:
                raise PatternTooSlowError(label) from None


def _compile(pattern: str, library: Any) -> tuple[Any, bool]:
    if library is not None:
        try:
            return library.compile(pattern), True
        except Exception:  # noqa: BLE001 - it has rules of its own; the pattern is sound by those of Python
            return re.compile(pattern), False
    return re.compile(pattern), False
