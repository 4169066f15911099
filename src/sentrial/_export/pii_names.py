"""Names under which stands personal data that has no shape of its own: ``{"phone": 4155552671}``."""

from __future__ import annotations

import re
from functools import lru_cache

from sentrial._pii import PiiBuiltinPatterns

_NUMBER = r"_?(?:number|num|no|nr)"
_PHONES = re.compile(
    rf"(?:^|_)(?:(?:tele)?phone(?:{_NUMBER})?|(?:mobile|cell|fax|tel|whatsapp){_NUMBER}|msisdn|fax|whatsapp)$"
)
_SSNS = re.compile(rf"(?:^|_)(?:ssn|social_?security(?:{_NUMBER})?)$")
_CARDS = re.compile(rf"(?:^|_)(?:card{_NUMBER}|cc{_NUMBER}|(?:credit|debit)card{_NUMBER}|cvv2?|cvc2?)$")
_NEW_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+")
_LONGEST_NAME = 64


def names_personal_data(name: str, wanted: PiiBuiltinPatterns) -> bool:
    """Whether what stands under ``name`` is somebody's, whatever it is: ``phone``, ``customer_ssn``, ``cardNumber``."""
    return _kind(name[-_LONGEST_NAME:]) in (
        wanted.phones and "phone",
        wanted.ssns and "ssn",
        wanted.credit_cards and "card",
    )


@lru_cache(maxsize=4096)
def _kind(end_of_name: str) -> str | None:
    words = _NEW_WORD.sub("_", end_of_name).strip("_").lower()
    for kind, pattern in (("phone", _PHONES), ("ssn", _SSNS), ("card", _CARDS)):
        if pattern.search(words):
            return kind
    return None
