"""``sentrial sessions tail``: what happens, as it happens."""

from __future__ import annotations

import sqlite3
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.text import Text

from sentrial._cli import figures
from sentrial._cli.console import Signs, open_console, print_lines, signs_of
from sentrial._cli.event_words import event_figures, event_title
from sentrial._cli.machine import event_fields, print_line, session_fields
from sentrial._cli.safe_text import safe_line
from sentrial._cli.session_table import STATUS_STYLES, status_mark
from sentrial._cli.store_file import place_of, tidy
from sentrial._cli.wrapping import shorten
from sentrial._store import read
from sentrial._store.connection import open_for_reading
from sentrial._store.failures import StoreEmptyError
from sentrial._store.follow import Change, Follower, Kind
from sentrial._store.sqlite_errors import naming_the_file
from sentrial._store.summary import SessionSummary

BETWEEN_LOOKS_S = 0.25
_BETWEEN_TIDYING_S = 5.0
_STOPPED = 130
"""What a shell says of a program that Ctrl-C has stopped."""

_SHORT_ID = 8
_FIGURES = (7, 11, 8)


def tail(store: Path | None, agent: str | None, user: str | None, *, as_json: bool) -> None:
    """Print what happens in the store until somebody stops it.

    Raises:
        StoreError: the store cannot be read.
    """
    path = place_of(store)
    console = open_console()
    try:
        for connection, changes in _watch(path):
            wanted = [each for each in changes if _is_of(each.session, agent, user)]
            if as_json:
                for change in wanted:
                    print_line(_document(connection, change))
            else:
                print_lines(console, (_line(connection, change, console, signs_of(console)) for change in wanted))
                console.file.flush()
    except KeyboardInterrupt:
        sys.exit(_STOPPED)


def _watch(path: Path) -> Iterator[tuple[sqlite3.Connection, list[Change]]]:
    """What happens in the store at ``path``, which may not be there yet, or be replaced by another one."""
    follower: Follower | None = None
    while True:
        connection = _opened(path)
        if connection is None:
            if follower is None:
                sys.stderr.write(f"there is no local store at {safe_line(path)} yet; waiting for one\n")
            # All that will be in it is new.
            follower = Follower()
            time.sleep(BETWEEN_LOOKS_S)
            continue
        state = _state(path)
        with naming_the_file(path):
            try:
                tidy(connection, path)
                if follower is None:
                    follower = Follower()
                    yield connection, follower.begin(connection)
                next_tidying = time.monotonic() + _BETWEEN_TIDYING_S
                while state == _state(path):
                    changes = follower.next(connection)
                    if changes:
                        yield connection, changes
                    else:
                        time.sleep(BETWEEN_LOOKS_S)
                    if time.monotonic() > next_tidying:
                        tidy(connection, path)
                        next_tidying = time.monotonic() + _BETWEEN_TIDYING_S
            finally:
                connection.close()
        if _state(path)[:2] != state[:2]:
            follower = Follower()


def _opened(path: Path) -> sqlite3.Connection | None:
    """The store; None where there is none, or where somebody is just about to make one."""
    if not path.exists():
        return None
    try:
        return open_for_reading(path)
    except StoreEmptyError:
        return None


def _state(path: Path) -> tuple[int, int, bool]:
    """What has to stay the same for an open connection to see what is written: the file, and whether it has a -wal."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return 0, 0, False
    return found.st_dev, found.st_ino, Path(f"{path}-wal").exists()


def _is_of(session: SessionSummary, agent: str | None, user: str | None) -> bool:
    return agent in (None, session.agent) and user in (None, session.user)


def _document(connection: sqlite3.Connection, change: Change) -> dict[str, object]:
    document: dict[str, object] = {"change": change.kind.value, "session": session_fields(change.session)}
    if change.event is not None:
        document["event"] = event_fields(connection, change.event)
    return document


def _line(connection: sqlite3.Connection, change: Change, console: Console, signs: Signs) -> Text:
    session, event = change.session, change.event
    at = session.end_ns if change.kind is Kind.ENDED else session.start_ns
    if event is not None:
        at = event.end_ns
    (short_id,) = read.short_ids(connection, [session], _SHORT_ID)
    line = Text.assemble((figures.moment(at, "%H:%M:%S"), "dim"), "  ", (short_id, "bold"), "  ")
    if event is None:
        return line.append_text(_state_of(change, console.width - line.cell_len, signs))
    cells = event_figures(event, session.start_ns)[1:]
    right = "".join(f"  {cell:>{width}}" for cell, width in zip(cells, _FIGURES, strict=True))
    line.append("  ").append_text(event_title(event, console.width - line.cell_len - 2 - len(right), signs))
    return line.append(right)


def _state_of(change: Change, width: int, signs: Signs) -> Text:
    session = change.session
    if change.kind is not Kind.ENDED:
        word = "started" if change.kind is Kind.STARTED else "running"
        mark, style, said = signs.open, "cyan", [session.agent, session.user, session.name]
    else:
        word, style = session.status, STATUS_STYLES.get(session.status, "")
        mark = status_mark(word, signs)
        said = [session.agent, figures.duration(session.end_ns - session.start_ns), *_totals(session)]
    label = f"{mark} {safe_line(word):<9}  "
    words = "  ".join(safe_line(each) for each in said if each)
    return Text.assemble((label, style), shorten(words, max(width - len(label), 10), signs.ellipsis))


def _totals(session: SessionSummary) -> Iterator[str | None]:
    if session.total_tokens is not None:
        yield f"{figures.tokens(session.total_tokens)} tokens"
    yield None if session.cost is None else figures.dollars(session.cost)
    yield figures.count(session.events, "event")
    yield session.failure_reason
