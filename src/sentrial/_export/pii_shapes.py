"""What personal data looks like: shapes of ours, judged by libraries that know which of them are real.

A library that is not installed judges nothing: then everything of its shape counts.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

EMAIL = "EMAIL"
PHONE = "PHONE"
SSN = "SSN"
CREDIT_CARD = "CREDIT_CARD"
IP_ADDRESS = "IP_ADDRESS"


class Found(NamedTuple):
    """A place in a text, what stands there, and the same in the one spelling in which all others compare."""

    start: int
    end: int
    label: str
    value: str


# Also as in an address bar. What stands before it may be the end of an escape: ``\nada@...``, ``%3Cada@...``.
_EMAIL = re.compile(
    r"(?<![\w.+-])(?:(?<=\\)(?:[nrtbf]|u[0-9a-fA-F]{4})|(?<=%)[0-9A-F]{2})?"
    r"(?P<found>[\w.+-]+(?:@|%40)(?:[\w-]+\.)+(?:xn--[a-z0-9-]+|[^\W\d_]{2,63}))"
)


def find_emails(text: str) -> Iterator[Found]:
    """E-mail addresses."""
    if "@" in text or "%40" in text:
        for match in _EMAIL.finditer(text):
            yield Found(*match.span("found"), EMAIL, match["found"].replace("%40", "@").lower())


_IPV4 = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![^\W_]|\.[0-9])")
_IPV6 = re.compile(
    r"[0-9A-Fa-f:](?:(?<![\w:.].)|(?<=\\[nrtbf].))[0-9A-Fa-f:]{1,40}(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3})?(?![\w:]|\.[0-9])"
)
_ESCAPED = re.compile(r"\\[nrtbf]\Z")


def find_addresses(text: str) -> Iterator[Found]:
    """IP addresses. ``x.0.0.0`` is a version or a network, and nobody's address; ``a[1::2]`` is a slice."""
    for match in _IPV4.finditer(text):
        start = match.start()
        before = text[max(0, start - 2) : start]
        if (before[-1:].isalnum() and not _ESCAPED.match(before)) or before[-1:] == ".":
            continue
        address = _read_address(".".join(str(int(part)) for part in match.group().split(".")))
        if address is not None and not address.endswith(".0.0.0"):
            yield Found(*match.span(), IP_ADDRESS, address)
    if "::" in text or text.count(":") >= 7:
        for match in _IPV6.finditer(text):
            address = _read_address(match.group())
            if address is not None and ":" in address and _is_spelled_out(match.group()):
                yield Found(*match.span(), IP_ADDRESS, address)


def _read_address(text: str) -> str | None:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None


def _is_spelled_out(text: str) -> bool:
    groups = [group for group in text.split(":") if group]
    return any(map(str.isdigit, text)) and (len(groups) > 2 or any(len(group) > 2 for group in groups))


# Seven digits near each other: without them there is no card, telephone or social security number.
_DIGITS = re.compile(r"[0-9](?:[^0-9\n]{0,3}[0-9]){6}")


def has_numbers(text: str) -> bool:
    """Whether there is a number in ``text`` that is long enough to be somebody's."""
    return _DIGITS.search(text) is not None


_GAP = r"[ \u00a0.\-\u2010-\u2015]"
_CARD = re.compile(rf"[0-9](?:{_GAP}?[0-9]){{12,}}")
_GROUP = re.compile(r"[0-9]+")
_SHORTEST_CARD, _LONGEST_CARD = 13, 19
# How the digits are grouped on cards, and by people who type them.
_EMBOSSED = frozenset(
    {(4, 4, 4, 4), (4, 4, 4, 4, 3), (4, 6, 5), (4, 6, 4), (6, 13), (4, 3, 3, 3), (8, 8), (4, 4, 8), (4, 8, 4), (4, 12)}
)
_MOST_GROUPS = 5
_WORD = re.compile(r"[0-9A-Za-z-]*")
_HEX_ID = re.compile(r"(?=.*[A-Fa-f])[0-9A-Fa-f-]{24,}")


def find_cards(text: str, luhn: Any) -> Iterator[Found]:
    """Numbers of payment cards, in one row or in the groups that are embossed. ``luhn``: the library's check."""
    for match in _CARD.finditer(text):
        groups = [(match.start() + each.start(), each.group()) for each in _GROUP.finditer(match.group())]
        first = 0
        while first < len(groups):
            last = _end_of_card(groups, first, luhn)
            if last is None:
                first += 1
                continue
            start, end = groups[first][0], groups[last][0] + len(groups[last][1])
            if first != last or not (_is_fraction(text, start) or _is_hex_id(text, start, end)):
                yield Found(start, end, CREDIT_CARD, "".join(group for _, group in groups[first : last + 1]))
            first = last + 1


def _end_of_card(groups: list[tuple[int, str]], first: int, luhn: Any) -> int | None:
    """The last of the ``groups`` that are one card number, if one begins with ``first``."""
    best = None
    for last in range(first, min(len(groups), first + _MOST_GROUPS)):
        own = [group for _, group in groups[first : last + 1]]
        digits = "".join(own)
        if (last > first and tuple(map(len, own)) not in _EMBOSSED) or not _is_issued(digits):
            continue
        if luhn is None or luhn.is_valid(digits):
            best = last
    return best


def _is_issued(digits: str) -> bool:
    # Those of 13 digits are Visa's alone; as many are milliseconds since 1970, and goods.
    first = "4" if len(digits) == _SHORTEST_CARD else "23456"
    return _SHORTEST_CARD <= len(digits) <= _LONGEST_CARD and digits[0] in first


def _is_fraction(text: str, start: int) -> bool:
    return start > 1 and text[start - 1] == "." and text[start - 2].isdigit()


def _is_hex_id(text: str, start: int, end: int) -> bool:
    before = _WORD.match(text[max(0, start - 40) : start][::-1])
    after = _WORD.match(text, end, end + 40)
    word = (before.group()[::-1] if before else "") + text[start:end] + (after.group() if after else "")
    return _HEX_ID.fullmatch(word) is not None


_DASH = r"[- \u00a0\u2010-\u2015]"
_SSN = re.compile(rf"[0-9](?<![0-9].)(?<![0-9]-.)[0-9]{{2}}({_DASH})[0-9]{{2}}\1[0-9]{{4}}(?![0-9]|-[0-9])")
_BARE_SSN = re.compile(r"[0-9](?<![0-9+.-].)[0-9]{8}(?![0-9]|[.-][0-9])")
_SSN_CONTEXT = re.compile(r"(?:ssn|social[ _-]?security)[^0-9]{0,24}\Z", re.IGNORECASE)
_LONGEST_CONTEXT = 48


def find_ssns(text: str, library: Any) -> Iterator[Found]:
    """Social security numbers of the United States; nine digits in one row where the words say what they are."""
    for match in _SSN.finditer(text):
        digits = "".join(_GROUP.findall(match.group()))
        if library is None or library.is_valid(digits):
            yield Found(*match.span(), SSN, digits)
    for match in _BARE_SSN.finditer(text):
        if _SSN_CONTEXT.search(text, max(0, match.start() - _LONGEST_CONTEXT), match.start()):
            yield Found(*match.span(), SSN, match.group())
