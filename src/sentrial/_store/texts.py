"""Long texts: written once however often they are said, and the one resolver that reads them back.

In a span's skeleton a long text stands as a reference, a small mapping (see :func:`shorten`). A list of messages is
kept item by item, so that the history an agent resends at each turn shares its items with the turn before.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from typing import Any

from sentrial import semconv
from sentrial._store.span_row import Attributes, Value, from_json, is_bytes

SHORT = 256
"""Up to so many characters a text stands in the skeleton itself: a reference would take as much room."""

GONE = "[removed from the store]"

_TEXT = "text"
_ITEMS = "items"
_COMMA = "comma"
_MAPPING = "mapping"
_EMPTY_LIST = 0

_LISTS = frozenset(
    {
        semconv.GEN_AI_INPUT_MESSAGES,
        semconv.GEN_AI_OUTPUT_MESSAGES,
        semconv.GEN_AI_SYSTEM_INSTRUCTIONS,
        semconv.GEN_AI_TOOL_DEFINITIONS,
    }
)
_SCANNER = json.JSONDecoder()


def shorten(connection: sqlite3.Connection, session_row: int | None, attributes: Attributes) -> dict[str, Value]:
    """``attributes`` with each long string stored apart and replaced by a reference to it.

    References are mappings of ``text`` or ``items`` to a row of ``fragments``; an attribute that is itself a mapping
    is wrapped, so that none is taken for a reference. Without a session nothing is replaced.
    """
    short: dict[str, Value] = {}
    for key, value in attributes.items():
        if isinstance(value, str) and len(value) > SHORT and session_row is not None:
            short[key] = _refer(connection, session_row, key, value)
        elif isinstance(value, dict):
            short[key] = {_MAPPING: value}
        else:
            short[key] = value
    return short


def resolve(connection: sqlite3.Connection, value: Value) -> Value:
    """What :func:`shorten` was given for ``value``: the text behind a reference, anything else as it is."""
    if not isinstance(value, dict) or is_bytes(value):
        return from_json(value)
    if _MAPPING in value:
        return from_json(value[_MAPPING])
    if _TEXT in value:
        return _text(connection, value[_TEXT])
    items = _items(connection, value[_ITEMS])
    return GONE if items is None else f"[{value[_COMMA].join(items)}]"


def resolve_last_item(connection: sqlite3.Connection, value: Value) -> tuple[Any, int]:
    """Last item of a JSON array, parsed, and how many items stand before it; (None, 0) for anything else.

    Reads a stored array's last item alone, not the history before it.
    """
    if isinstance(value, dict) and _ITEMS in value:
        row = connection.execute(
            "SELECT body, position FROM fragments JOIN texts ON texts.row_id = text_row WHERE fragments.row_id = ?",
            (value[_ITEMS],),
        ).fetchone()
        return (None, 0) if row is None else (json.loads(row[0]), int(row[1]))
    items = _parsed(resolve(connection, value))
    return (items[-1], len(items) - 1) if isinstance(items, list) and items else (None, 0)


def _parsed(text: Value) -> Any:
    try:
        return json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None


def _refer(connection: sqlite3.Connection, session_row: int, key: str, text: str) -> dict[str, Any]:
    split = _split(text) if key in _LISTS else None
    if split is None:
        return {_TEXT: _fragment(connection, session_row, _EMPTY_LIST, 0, text)}
    items, comma = split
    last = _EMPTY_LIST
    for position, item in enumerate(items):
        last = _fragment(connection, session_row, last, position, item)
    return {_ITEMS: last, _COMMA: comma}


def _split(text: str) -> tuple[list[str], str] | None:
    """The items of a JSON array as they are written, and the comma between them; None if they do not join to it."""
    if not text.startswith("["):
        return None
    items: list[str] = []
    comma = ""
    position = 1
    while text[position : position + 1] not in ("]", ""):
        try:
            _, end = _SCANNER.raw_decode(text, position)
        except (ValueError, RecursionError):
            return None
        items.append(text[position:end])
        if len(items) == 1:
            comma = ", " if text.startswith(", ", end) else ","
        position = end + (len(comma) if text.startswith(comma, end) else 0)
    whole = f"[{comma.join(items)}]"
    return (items, comma) if items and whole == text else None


def _fragment(connection: sqlite3.Connection, session_row: int, before_row: int, position: int, text: str) -> int:
    text_row = _text_row(connection, text)
    key = (session_row, before_row, text_row)
    found = connection.execute(
        "SELECT row_id FROM fragments WHERE session_row = ? AND before_row = ? AND text_row = ?", key
    ).fetchone()
    if found is not None:
        return int(found[0])
    added = connection.execute(
        "INSERT INTO fragments (session_row, before_row, text_row, position) VALUES (?, ?, ?, ?)", (*key, position)
    )
    return _new_row(added)


def _text_row(connection: sqlite3.Connection, text: str) -> int:
    # Not a secret's hash but an address; 20 bytes keep two different texts apart.
    address = hashlib.blake2b(text.encode("utf-8"), digest_size=20).digest()
    found = connection.execute("SELECT row_id FROM texts WHERE hash = ?", (address,)).fetchone()
    if found is not None:
        return int(found[0])
    return _new_row(connection.execute("INSERT INTO texts (hash, body) VALUES (?, ?)", (address, text)))


def _new_row(added: sqlite3.Cursor) -> int:
    if added.lastrowid is None:
        raise sqlite3.DatabaseError("an inserted row has no id")
    return added.lastrowid


def _text(connection: sqlite3.Connection, fragment_row: int) -> str:
    row = connection.execute(
        "SELECT body FROM fragments JOIN texts ON texts.row_id = text_row WHERE fragments.row_id = ?", (fragment_row,)
    ).fetchone()
    return GONE if row is None else str(row[0])


def _items(connection: sqlite3.Connection, last_row: int) -> list[str] | None:
    rows = connection.execute(
        """WITH RECURSIVE chain (before_row, text_row, position) AS (
               SELECT before_row, text_row, position FROM fragments WHERE row_id = ?
               UNION ALL
               SELECT earlier.before_row, earlier.text_row, earlier.position
               FROM chain JOIN fragments AS earlier ON earlier.row_id = chain.before_row
           )
           SELECT body FROM chain JOIN texts ON texts.row_id = text_row ORDER BY position""",
        (last_row,),
    ).fetchall()
    return [str(row[0]) for row in rows] or None
