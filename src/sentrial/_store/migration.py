"""From the tables of an older version to those of this one, in place.

Steps only add: a process of the older version that has the file open goes on writing into what it knows.
"""

from __future__ import annotations

import sqlite3

from sentrial._store.schema import NEW_ID, PROPERTIES, VERSION

# What leads from the version to the next one.
STEPS: dict[int, tuple[str, ...]] = {
    1: (
        "ALTER TABLE sessions ADD COLUMN opening TEXT",
        "ALTER TABLE sessions ADD COLUMN heard_ns INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE sessions ADD COLUMN owner TEXT",
        # Of a session without an end the last event is the last word.
        "UPDATE sessions SET heard_ns = end_ns WHERE status = 'running'",
        PROPERTIES,
        NEW_ID,
    ),
}


def migrate(connection: sqlite3.Connection, version: int) -> None:
    """Bring the tables of ``version`` to :data:`VERSION`, inside the caller's transaction: wholly or not at all."""
    while version < VERSION:
        for statement in STEPS[version]:
            connection.execute(statement)
        version += 1
    connection.execute(f"PRAGMA user_version = {VERSION}")
