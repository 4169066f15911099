"""What a search looks for, and whether a recorded text holds it: anywhere in it, upper and lower case alike."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from sentrial import semconv

# Ids and kinds that stand on every span: nobody looks for an event by them.
_ON_EVERY_SPAN = frozenset({semconv.SENTRIAL_SESSION_ID, semconv.SESSION_ID, semconv.SENTRIAL_EVENT_TYPE})
_PLAIN = re.compile(r'[^"\\\x00-\x1f]+')
TRIGRAM = 3
_MOST_TRIGRAMS = 64


class Needle:
    """The text ``wanted``, as it may stand in what is recorded: as it is, and inside JSON."""

    def __init__(self, wanted: str) -> None:
        # Half of a surrogate pair stands in no text of the store.
        lower = wanted.encode("utf-8", "replace").decode().lower()
        self._forms = tuple(
            dict.fromkeys((lower, json.dumps(lower, ensure_ascii=False)[1:-1], json.dumps(lower)[1:-1]))
        )
        # In a skeleton, which is JSON around JSON, a form is escaped once more: only its plain stretches are as here.
        longest = [max(_PLAIN.findall(form), key=len, default="") for form in self._forms]
        self._stretches = () if "" in longest else tuple(dict.fromkeys(longest))

    def is_in(self, text: str) -> bool:
        """Whether ``text`` holds it."""
        lower = text.lower()
        return any(form in lower for form in self._forms)

    def is_in_span(self, name: str, skeleton: str) -> bool:
        """Whether a span's name or one of the values in its skeleton holds it."""
        if self.is_in(name):
            return True
        lower = skeleton.lower()
        if self._stretches and not any(stretch in lower for stretch in self._stretches):
            return False
        return any(map(self.is_in, texts_of(json.loads(skeleton))))

    @property
    def trigrams(self) -> list[list[str]]:
        """Of each form the groups of three characters that a text has to hold; empty where they tell nothing."""
        groups = [
            list(dict.fromkeys(form[start : start + TRIGRAM] for start in range(len(form) - TRIGRAM + 1)))
            for form in self._forms
        ]
        told = [[group for group in each if "\0" not in group][:_MOST_TRIGRAMS] for each in groups]
        return told if all(told) else []


def texts_of(skeleton: dict[str, Any]) -> Iterator[str]:
    """The short texts of a span; a long one is a text of its own."""
    said = skeleton.get("status_message")
    if isinstance(said, str):
        yield said
    yield from _values(skeleton.get("attributes", {}).items())
    for holder in (*skeleton.get("events", ()), *skeleton.get("links", ())):
        yield from _values(holder[2].items())
        if isinstance(holder[0], str):
            yield holder[0]


def _values(items: Iterable[tuple[str, Any]]) -> Iterator[str]:
    waiting = [value for key, value in items if key not in _ON_EVERY_SPAN]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
