"""The oldest version of each library that is tested. An older one is recorded as far as that goes, and named once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple

from sentrial import _guard

REQUIREMENTS: Mapping[str, str] = {
    "anthropic": "anthropic >= 0.49.0",
    "google": "google-genai >= 1.7.0",
    "langchain": "langchain-core >= 1.0.0",
    "openai": "openai >= 1.55.3",
}
"""By name of a library: its distribution and the oldest version, in the words of a requirement."""

_REQUIREMENT = re.compile(r"\s*(?P<name>[\w.-]+)[^>]*(?:>=\s*(?P<oldest>[\w.]+))?")


class Unmet(NamedTuple):
    """A requirement that is not met. ``found``: the version that is installed; ``None`` where none is."""

    requirement: str
    distribution: str
    oldest: str
    found: str | None

    @property
    def words(self) -> str:
        """What is the matter, in a sentence without its end."""
        if self.found is None:
            return f"{self.distribution} is not installed: there is nothing of it to record"
        return (
            f"{self.distribution} {self.found} is older than {self.oldest}, the oldest version that is tested: "
            "what is recorded of it may not be whole"
        )

    @property
    def remedy(self) -> str:
        """What to do about it."""
        return f"{'Install' if self.found is None else 'Upgrade'} {self.distribution}."

    def say(self) -> None:
        """Say it in the log, once."""
        _guard.say_once(f"version of {self.distribution}", "sentrial: %s. %s", self.words, self.remedy)


def unmet(requirement: str) -> Unmet | None:
    """What keeps ``requirement`` from being met: nothing but a lowest version is looked at."""
    read = _REQUIREMENT.match(requirement)
    if read is None:
        return None
    name, oldest = read["name"], read["oldest"] or ""
    found = _installed(name)
    if found is not None and _numbers(found) >= _numbers(oldest):
        return None
    return Unmet(requirement, name, oldest, found)


def too_old(libraries: Iterable[str]) -> Iterator[Unmet]:
    """Of the ``libraries`` that are installed, those that are older than what is tested."""
    for name in libraries:
        found = unmet(REQUIREMENTS[name]) if name in REQUIREMENTS else None
        if found is not None and found.found is not None:
            yield found


@_guard.guarded("looking at the versions of libraries", _guard.nothing)
def say_too_old(libraries: Iterable[str]) -> None:
    """Say once of each of the ``libraries`` that it is too old, if it is."""
    for each in too_old(libraries):
        each.say()


@cache
def _installed(distribution: str) -> str | None:
    # Reading it takes a millisecond or more, and every configuration asks.
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def _numbers(text: str) -> list[int]:
    found = [int(digits) for digits in re.findall(r"\d+", text.partition("+")[0])[:3]]
    return found + [0] * (3 - len(found))
