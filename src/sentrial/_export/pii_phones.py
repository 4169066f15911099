"""Telephone numbers in a text: groups of digits that have the shape of one, judged by Google's numbering plans."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate
from typing import Any, NamedTuple

from sentrial import _late_imports

MAX_JUDGED = 500
"""Spellings in one text that the library is asked about; whatever has the shape counts in the rest of a longer list."""

# Whose national spellings are known. A number with a plus is known wherever it is from.
_BEGIN_WITH_ZERO = (
    "GB", "DE", "FR", "NL", "BE", "CH", "AT", "SE", "TR", "ZA", "AU", "JP", "KR", "IN", "CN", "IT",
)  # fmt: skip
_BEGIN_OTHERWISE = ("US", "IN", "BR", "MX", "ES", "IT", "PL", "RU", "CN")

_FEWEST, _MOST = 7, 15
_FEWEST_NATIONAL, _MOST_NATIONAL = 8, 13

_SEPARATOR = r"[ \t\u00a0\u2007\u2009\u202f./()\-\u2010-\u2015\u2212]"
_RUN = re.compile(rf"[0-9]+(?:{_SEPARATOR}{{1,3}}[0-9]+)*")
_GROUP = re.compile(r"[0-9]+")
_ESCAPE = re.compile(r"\\[nrtbf]\Z")
_ATTACHED = re.compile(r"[^\W_]|(?<=[^\W_])[.-]")
_GOES_ON = re.compile(r"[^\W_]|\.[0-9]|-[0-9A-Fa-f]{3,12}(?![^\W_])")
_EXTENSION = re.compile(r"[ ,;]{0,2}(?:x|ext\.?|#)[ .]{0,2}[0-9]{1,6}(?![^\W_])", re.IGNORECASE)
_DATE = re.compile(
    r"(?:19|20)[0-9]{2}[-/. ](?:0?[1-9]|1[0-2])[-/. ][0-3]?[0-9](?![0-9])"
    r"|[0-3]?[0-9]([-/.])[0-3]?[0-9]\1(?:19|20)[0-9]{2}"
)
_CONTEXT = re.compile(r"(?:phone|\b(?:tel|mobile|cell|fax|sms|whatsapp)(?![a-z]))[^0-9]{0,24}\Z", re.IGNORECASE)
_LONGEST_CONTEXT = 48
_PLUS_IN_ADDRESSES = re.compile("%2[Bb]")
_SSN = (3, 2, 4)
_AMERICAN = frozenset({(3, 3, 4), (1, 3, 3, 4), (1, 10)})


def phone_library() -> Any:
    """The library of numbering plans; ``None`` where it is not installed."""
    try:
        with _late_imports.undisturbed():
            import phonenumbers
    except ImportError:
        return None
    return phonenumbers


class Phone(NamedTuple):
    """A place in a text, and the digits of the number there, with its country's where it is known."""

    start: int
    end: int
    digits: str


def find_phones(text: str, library: Any) -> Iterator[Phone]:
    """The telephone numbers in ``text``; without ``library`` (phonenumbers), all that looks like one. They may overlap:
    where one ends and the next begins, only people know.

    Digits in one row are one only where a ``+`` stands before them, or the words say so: order numbers and times are
    as long.
    """
    judge = _Judge(library)
    for run in _RUN.finditer(text):
        if run.end() - run.start() < _FEWEST:
            continue
        groups = [group.span() for group in _GROUP.finditer(text, *run.span())]
        sizes = list(accumulate((end - start for start, end in groups), initial=0))
        if sizes[-1] < _FEWEST:
            continue
        for first in range(len(groups)):
            begin = _begin(text, groups[first][0])
            candidates = list(_candidates(text, begin, groups, sizes, first)) if begin is not None else []
            found = next((each for each in candidates if judge.is_real(each)), None) or next(
                (each for each in candidates if judge.may_be_real(each)), None
            )
            if found is not None:
                extension = _EXTENSION.match(text, found.end)
                yield Phone(found.begin, extension.end() if extension else found.end, judge.digits(found))


class _Candidate(NamedTuple):
    """Groups of digits that may be one number. ``spelled``: what it looks like, with its plus; ``told``: the words say
    that it is one."""

    begin: int
    end: int
    spelled: str
    sizes: tuple[int, ...]
    told: bool


def _candidates(
    text: str, begin: int, groups: list[tuple[int, int]], sizes: list[int], first: int
) -> Iterator[_Candidate]:
    """What has the shape of a number and begins with the group ``first``; the longest comes first."""
    last = first
    while last + 2 < len(sizes) and sizes[last + 2] - sizes[first] <= _MOST:
        last += 1
    while last >= first and sizes[last + 1] - sizes[first] >= _FEWEST:
        end = groups[last][1]
        told = first == last and _CONTEXT.search(text, max(0, begin - _LONGEST_CONTEXT), begin) is not None
        own = tuple(end - start for start, end in groups[first : last + 1])
        if _has_shape(text, begin, end, told, own):
            yield _Candidate(begin, end, _PLUS_IN_ADDRESSES.sub("+", text[begin:end]), own, told)
        last -= 1


def _begin(text: str, start: int) -> int | None:
    """Where a number whose digits begin at ``start`` begins itself; ``None`` where they are part of something else."""
    if text[start - 3 : start].upper() == "%2B":
        return start - 3
    begin = start
    while begin > max(0, start - 2) and text[begin - 1] in "+(":
        begin -= 1
    before = _ATTACHED.match(text, begin - 1) if begin else None
    if before is None or _ESCAPE.search(text, max(0, begin - 2), begin):
        return begin
    return None


def _has_shape(text: str, begin: int, end: int, told: bool, sizes: tuple[int, ...]) -> bool:
    if _GOES_ON.match(text, end) and not _EXTENSION.match(text, end):
        return False
    spelled = text[begin:end]
    if told or "+" in spelled or spelled.startswith("%"):
        return True
    whole, point, rest = spelled.partition(".")
    is_fraction = bool(point) and whole.isdigit() and rest.isdigit()
    return len(sizes) > 1 and sizes != _SSN and not is_fraction and not _DATE.match(spelled)


class _Judge:
    """Says which candidates are numbers; asks ``library`` as long as the text does not wear it out."""

    def __init__(self, library: Any) -> None:
        self._library = library
        self._left = MAX_JUDGED

    def is_real(self, candidate: _Candidate) -> bool:
        """Whether such a number can be called."""
        self._left -= 1
        if self._library is None or self._left < 0 or candidate.told:
            return True
        return self._number(candidate) is not None

    def may_be_real(self, candidate: _Candidate) -> bool:
        """Whether it is as long as numbers are there: with a plus, or as Americans write, also those of fiction."""
        if not ("+" in candidate.spelled or candidate.sizes in _AMERICAN):
            return False
        return _read(candidate.spelled, ("US",), "POSSIBLE", self._library) is not None

    def digits(self, candidate: _Candidate) -> str:
        """The number's digits, with its country's where that is known."""
        known = None if self._library is None or self._left < 0 or candidate.told else self._number(candidate)
        return known or "".join(_GROUP.findall(candidate.spelled))

    def _number(self, candidate: _Candidate) -> str | None:
        if "+" in candidate.spelled:
            return _read(candidate.spelled, (None,), "STRICT_GROUPING", self._library)
        if not _FEWEST_NATIONAL <= sum(candidate.sizes) <= _MOST_NATIONAL:
            return None
        zero = candidate.spelled.lstrip("(").startswith("0")
        regions = _BEGIN_WITH_ZERO if zero else _BEGIN_OTHERWISE
        return _read(candidate.spelled, regions, "STRICT_GROUPING", self._library)


@lru_cache(maxsize=4096)
def _read(spelled: str, regions: tuple[str | None, ...], leniency: str, library: Any) -> str | None:
    for region in regions:
        for match in library.PhoneNumberMatcher(spelled, region, leniency=getattr(library.Leniency, leniency)):
            if match.end == len(spelled) and not any(map(str.isdigit, spelled[: match.start])):
                return str(library.format_number(match.number, library.PhoneNumberFormat.E164)).lstrip("+")
    return None
