"""The tables of the store, and which version of them a file holds. How an older file becomes one of this version:
:mod:`sentrial._store.migration`.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sentrial._store.failures import StoreUnusableError

VERSION = 2
# "SENT": tells a store from any other SQLite file that somebody's SENTRIAL_STORE may point to.
APPLICATION_ID = 0x53454E54

# Row ids are never reused (AUTOINCREMENT), so that a reader may remember the last one it saw.
#
# sessions   one summary each; ``tally`` is what the writer needs to keep the row right when spans come late or twice,
#            ``opening`` what its start has said, ``heard_ns`` when it was last written to, ``owner`` the process that
#            runs it, while it is running. Each index by a filter holds the other filters too: a list by two of them
#            reads the index alone.
# spans      the skeleton of each event: ids, names, times, short attributes; a long text stands there as a reference.
#            ``session_row`` is NULL for a span outside every session; such a span keeps its texts in itself.
# texts      each distinct text once, found by its hash.
# fragments  which session refers to which text. A list of messages is its last message and the list before it
#            (``before_row``; 0 is the empty list), so that a history resent at each turn costs one row a message.
# properties ``id`` tells this store from another one that stood, or will stand, at the same path.
PROPERTIES = "CREATE TABLE properties (name TEXT PRIMARY KEY, value TEXT NOT NULL)"
NEW_ID = "INSERT INTO properties VALUES ('id', lower(hex(randomblob(16))))"
TABLES = (
    """CREATE TABLE sessions (
        row_id INTEGER PRIMARY KEY AUTOINCREMENT,
        session_id TEXT NOT NULL UNIQUE,
        trace_id TEXT NOT NULL,
        root_span_id TEXT,
        name TEXT,
        agent TEXT,
        user TEXT,
        conversation TEXT,
        status TEXT NOT NULL,
        start_ns INTEGER NOT NULL,
        end_ns INTEGER NOT NULL,
        input_tokens INTEGER,
        output_tokens INTEGER,
        total_tokens INTEGER,
        cost REAL,
        llm_calls INTEGER NOT NULL,
        tool_calls INTEGER NOT NULL,
        decisions INTEGER NOT NULL,
        errors INTEGER NOT NULL,
        events INTEGER NOT NULL,
        failure_reason TEXT,
        tally TEXT NOT NULL,
        opening TEXT,
        heard_ns INTEGER NOT NULL DEFAULT 0,
        owner TEXT
    )""",
    "CREATE INDEX sessions_by_start ON sessions (start_ns, row_id, agent, user, status)",
    "CREATE INDEX sessions_by_agent ON sessions (agent, start_ns, row_id, user, status)",
    "CREATE INDEX sessions_by_user ON sessions (user, start_ns, row_id, agent, status)",
    "CREATE INDEX sessions_by_status ON sessions (status, start_ns, row_id, agent, user)",
    "CREATE INDEX sessions_by_root_span ON sessions (root_span_id) WHERE root_span_id IS NOT NULL",
    """CREATE TABLE spans (
        row_id INTEGER PRIMARY KEY AUTOINCREMENT,
        session_row INTEGER REFERENCES sessions (row_id),
        trace_id BLOB NOT NULL,
        span_id BLOB NOT NULL,
        parent_span_id BLOB,
        event_type TEXT,
        name TEXT NOT NULL,
        start_ns INTEGER NOT NULL,
        end_ns INTEGER NOT NULL,
        status TEXT NOT NULL,
        skeleton TEXT NOT NULL,
        UNIQUE (trace_id, span_id)
    )""",
    "CREATE INDEX spans_by_session ON spans (session_row, start_ns)",
    """CREATE TABLE texts (
        row_id INTEGER PRIMARY KEY AUTOINCREMENT,
        hash BLOB NOT NULL UNIQUE,
        body TEXT NOT NULL
    )""",
    """CREATE TABLE fragments (
        row_id INTEGER PRIMARY KEY AUTOINCREMENT,
        session_row INTEGER NOT NULL REFERENCES sessions (row_id),
        before_row INTEGER NOT NULL,
        position INTEGER NOT NULL,
        text_row INTEGER NOT NULL REFERENCES texts (row_id),
        UNIQUE (session_row, before_row, text_row)
    )""",
    "CREATE INDEX fragments_by_text ON fragments (text_row, session_row)",
    PROPERTIES,
    NEW_ID,
)


def read_version(connection: sqlite3.Connection, path: Path) -> int:
    """Which version's tables the file holds, up to :data:`VERSION`; 0 for an empty file.

    Raises:
        StoreUnusableError: the file belongs to a newer version or to another program.
    """
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    mark = int(connection.execute("PRAGMA application_id").fetchone()[0])
    has_tables = connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is not None
    if version == 0 and mark == 0 and not has_tables:
        return 0
    if mark != APPLICATION_ID or version < 1:
        raise StoreUnusableError(
            f"local store {path}: this is a database of another program, and is left alone; "
            "set SENTRIAL_STORE to another path"
        )
    if version > VERSION:
        raise StoreUnusableError(
            f"local store {path}: its format has version {version}, this sentrial knows versions up to {VERSION}; "
            "upgrade with: pip install --upgrade sentrial-otel (or set SENTRIAL_STORE to another path)"
        )
    return version


def create_tables(connection: sqlite3.Connection) -> None:
    """Make the tables, inside the caller's transaction."""
    for statement in TABLES:
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {VERSION}")
