"""``sentrial sessions list`` and ``sentrial sessions show``."""

from __future__ import annotations

import shlex
import sqlite3
from pathlib import Path

from rich.text import Text

from sentrial._cli import figures
from sentrial._cli.console import Signs, open_console, print_lines, signs_of
from sentrial._cli.event_texts import EventTexts
from sentrial._cli.event_tree import build_tree
from sentrial._cli.paragraph import Paragraphs
from sentrial._cli.safe_text import safe_line
from sentrial._cli.session_header import build_header
from sentrial._cli.session_table import build_table
from sentrial._store import read
from sentrial._store.connection import open_for_reading, snapshot
from sentrial._store.failures import StoreUnusableError
from sentrial._store.location import VARIABLE, store_path
from sentrial._store.sqlite_errors import naming_the_file
from sentrial._store.summary import SessionSummary

LAST = "last"
_CANDIDATES = 10


class NotFoundError(Exception):
    """No session, or more than one, has the id that was asked for."""


def list_sessions(store: Path | None, limit: int) -> None:
    """Print the newest ``limit`` sessions.

    Raises:
        StoreError: the store cannot be read.
    """
    path = _existing(store)
    console = open_console()
    with naming_the_file(path):
        connection = open_for_reading(path)
        try:
            with snapshot(connection):
                sessions = read.list_sessions(connection, limit=limit)
                short_ids = read.short_ids(connection, sessions)
        finally:
            connection.close()
    if not sessions:
        print_lines(console, [Text(f"no sessions yet in {safe_line(path)}")])
        return
    print_lines(console, build_table(sessions, short_ids, console.width, signs_of(console)))
    if console.is_terminal:
        where = f" --store {shlex.quote(str(store))}" if store else ""
        print_lines(console, [Text(), Text(f"look at one: sentrial sessions show {short_ids[0]}{where}", "dim")])


def show_session(store: Path | None, session_id: str, *, full: bool) -> None:
    """Print the session whose id starts with ``session_id``, or the newest.

    Raises:
        NotFoundError: no session or several are meant.
        StoreError: the store cannot be read.
    """
    path = _existing(store)
    console = open_console()
    with naming_the_file(path):
        connection = open_for_reading(path)
        try:
            # All is read before the first line is printed: a pager may keep the printing waiting for hours.
            with snapshot(connection):
                lines = _display(
                    connection, _meant(connection, session_id, path), console.width, signs_of(console), full
                )
        finally:
            connection.close()
    print_lines(console, lines)


def _display(connection: sqlite3.Connection, session_id: str, width: int, signs: Signs, full: bool) -> list[Text]:
    session = read.read_session(connection, session_id)
    if session is None:
        raise NotFoundError(f"the session {safe_line(session_id)} has just been removed")
    texts = EventTexts(connection, full=full)
    paragraphs = Paragraphs(width, signs.ellipsis, full)
    lines = [
        *build_header(session, texts, paragraphs, signs),
        Text(),
        *build_tree(session, texts, paragraphs, signs),
    ]
    if paragraphs.was_cut:
        lines += [Text(), Text("  some texts are cut: --full shows all of them", "dim")]
    return lines


def _meant(connection: sqlite3.Connection, session_id: str, path: Path) -> str:
    if session_id == LAST:
        newest = read.list_sessions(connection, limit=1)
        if not newest:
            raise NotFoundError(f"no sessions yet in {safe_line(path)}")
        return newest[0].session_id
    found = read.find_sessions(connection, session_id.lower(), _CANDIDATES + 1)
    found = found or read.find_sessions(connection, session_id, _CANDIDATES + 1)
    if not found:
        raise NotFoundError(
            f"no session's id starts with {safe_line(session_id)!r} in {safe_line(path)}\n"
            "List them with: sentrial sessions list"
        )
    if len(found) > 1:
        listed = "\n".join(f"  {_candidate(each)}" for each in found[:_CANDIDATES])
        more = "\n  and more" if len(found) > _CANDIDATES else ""
        raise NotFoundError(
            f"the ids of several sessions start with {safe_line(session_id)!r}; give more of the one you mean:\n"
            f"{listed}{more}"
        )
    return found[0].session_id


def _candidate(summary: SessionSummary) -> str:
    words = (summary.session_id, figures.moment(summary.start_ns), summary.agent or "-", summary.status)
    return safe_line("  ".join(words))


def _existing(store: Path | None) -> Path:
    path = store or store_path()
    if not path.exists():
        raise StoreUnusableError(
            f"there is no local store at {path}\n"
            "Sessions are recorded there when no key and no collector are configured, or with "
            f"{VARIABLE}=on; {VARIABLE} or --store name another file."
        )
    return path
