"""``sentrial sessions list`` and ``sentrial sessions show``."""

from __future__ import annotations

import shlex
import sqlite3
from pathlib import Path

from rich.text import Text

from sentrial._cli.chosen import NotFoundError, Wanted, meant, no_sessions_yet
from sentrial._cli.console import Signs, open_console, print_lines, signs_of
from sentrial._cli.event_texts import EventTexts
from sentrial._cli.event_tree import build_tree
from sentrial._cli.machine import print_document, session_fields, span_fields
from sentrial._cli.paragraph import Paragraphs
from sentrial._cli.safe_text import safe_line
from sentrial._cli.session_header import build_header
from sentrial._cli.session_table import build_table
from sentrial._cli.store_file import reading
from sentrial._store import read
from sentrial._store.connection import snapshot
from sentrial._store.summary import SessionSummary


def list_sessions(store: Path | None, wanted: Wanted, limit: int, *, as_json: bool) -> None:
    """Print the newest ``limit`` sessions that are ``wanted``.

    Raises:
        StoreError: the store cannot be read.
    """
    with reading(store) as (path, connection):
        sessions = wanted.find(connection, path, limit)
        nothing = no_sessions_yet(connection, path) if wanted.is_every else f"no session matches in {safe_line(path)}"
        short_ids = [] if as_json else read.short_ids(connection, sessions)
    if as_json:
        print_document({"sessions": [session_fields(each) for each in sessions]})
        return
    console = open_console()
    if not sessions:
        print_lines(console, [Text(line) for line in nothing.splitlines()])
        return
    print_lines(console, build_table(sessions, short_ids, console.width, signs_of(console)))
    if console.is_terminal:
        where = f" --store {shlex.quote(str(store))}" if store else ""
        print_lines(console, [Text(), Text(f"look at one: sentrial sessions show {short_ids[0]}{where}", "dim")])


def show_session(store: Path | None, session_id: str, *, full: bool, as_json: bool) -> None:
    """Print the session whose id starts with ``session_id``, or the newest.

    Raises:
        NotFoundError: no session or several are meant.
        StoreError: the store cannot be read.
    """
    console = open_console()
    # All is read before the first line is printed: a pager may keep the printing waiting for hours.
    with reading(store) as (path, connection), snapshot(connection):
        summary = meant(connection, session_id, path)
        if as_json:
            document = _document(connection, summary)
        else:
            lines = _display(connection, summary.session_id, console.width, signs_of(console), full)
    if as_json:
        print_document(document)
    else:
        print_lines(console, lines)


def _document(connection: sqlite3.Connection, summary: SessionSummary) -> dict[str, object]:
    spans = read.read_spans(connection, summary.session_id)
    own = next((each for each in spans if f"{each.trace_id}-{each.span_id}" == summary.session_id), None)
    return {
        "session": session_fields(summary),
        "root": None if own is None else span_fields(own),
        "events": [span_fields(each) for each in spans if each is not own],
    }


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
