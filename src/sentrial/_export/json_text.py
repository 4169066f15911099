"""A text that is itself JSON, with its strings and numbers rewritten and every other character as it was."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

_STRING = r'"[^"\\]*(?:\\.[^"\\]*)*"'
_NUMBER = r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
_TOKEN = re.compile(
    rf"(?P<key>{_STRING})(?P<colon>\s*:\s*)(?P<named>{_STRING}|{_NUMBER})?|(?P<string>{_STRING})|(?P<number>{_NUMBER})"
)
_OPENS, _CLOSES = frozenset('{["'), frozenset('}]"')


def rewrite_json(text: str, rewrite: Callable[[str], str], rewrite_named: Callable[[str, str], str]) -> str | None:
    """``text`` with each string, key and whole number given to ``rewrite``; ``None`` where it is no JSON text.

    ``rewrite_named``: takes the key and the value, for strings and whole numbers that stand under a key. A number that
    is rewritten becomes a string, so that the text stays JSON.
    """
    if not _may_be_json(text):
        return None
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return None

    def replace(match: re.Match[str]) -> str:
        string, number, key, named = match.group("string", "number", "key", "named")
        if string is not None or number is not None:
            return _rewrite_value(string or number, rewrite)
        name = _read(key)
        value = "" if named is None else _rewrite_value(named, lambda words: rewrite_named(name, words))
        return _rewrite_value(key, rewrite) + match["colon"] + value

    return _TOKEN.sub(replace, text)


def _may_be_json(text: str) -> bool:
    stripped = text.strip()
    return len(stripped) > 1 and stripped[0] in _OPENS and stripped[-1] in _CLOSES


def _rewrite_value(token: str, rewrite: Callable[[str], str]) -> str:
    quoted = token.startswith('"')
    if not quoted and not token.lstrip("-").isdigit():
        return token  # a fraction: measured, not given to anybody
    words = _read(token) if quoted else token
    rewritten = rewrite(words)
    return token if rewritten == words else json.dumps(rewritten, ensure_ascii=token.isascii())


def _read(token: str) -> str:
    return str(json.loads(token)) if "\\" in token else token[1:-1]
