"""``sentrial sessions delete``, ``prune`` and ``index``: what changes the store, or what lies beside it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from sentrial import _config
from sentrial._cli import figures
from sentrial._cli.chosen import Wanted, choose
from sentrial._cli.safe_text import safe_line
from sentrial._cli.store_file import reading, silence_s, writing
from sentrial._store.prune import expire, prune
from sentrial._store.remove import remove_sessions
from sentrial._store.search import build_index
from sentrial._store.search_index import remove_index
from sentrial._store.summary import RUNNING, SessionSummary

_FOR_AS_LONG_AS_IT_TAKES_S = 3600.0
_INDEXING_S = 2.0


def delete_sessions(store: Path | None, ids: Sequence[str], wanted: Wanted, *, every: bool, is_sure: bool) -> None:
    """Delete the sessions that are meant, after asking.

    Raises:
        NotFoundError, NothingChosenError: it is not clear which.
        StoreError: the store cannot be written.
    """
    with writing(store) as (path, connection):
        found = choose(connection, path, ids, wanted, every=every)
        running = [each for each in found if each.status == RUNNING]
        ended = [each for each in found if each.status != RUNNING]
        if running and ids:
            raise click.ClickException(f"{_named(running[0])} is running; it can be deleted once it has ended")
        if not ended:
            click.echo(f"nothing to delete{_left(running)}")
            return
        if not is_sure:
            _ask(ended, path)
        # Traces of what goes stand in the index too; it is made anew by the next search.
        remove_index(path)
        removed = remove_sessions(connection, [each.row_id for each in ended])
        click.echo(f"deleted {figures.count(removed.sessions, 'session')}{_left(running)}")


def prune_store(store: Path | None, max_bytes: int | None, max_age_s: float | None) -> None:
    """Bring the store within its bounds: those given, else those of the settings.

    Raises:
        StoreError: the store cannot be written.
    """
    config = _config.read_config({})
    # Where one bound is named, the other one is not meant.
    if max_bytes is None and max_age_s is None:
        max_bytes, max_age_s = config.store_max_size, config.store_max_age
    with writing(store) as (path, connection):
        remove_index(path)
        patience = _FOR_AS_LONG_AS_IT_TAKES_S
        old = None if max_age_s is None else expire(connection, max_age_s, silence_s(), patience)
        oldest = None if max_bytes is None else prune(connection, max_bytes, silence_s(), patience)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    told = [str(each) for each in (old, oldest) if each is not None]
    click.echo("\n".join(told) or "nothing to remove")


def index_store(store: Path | None) -> None:
    """Bring the index of searches up to date, however long it takes.

    Raises:
        StoreError: the store cannot be read.
    """
    with reading(store) as (path, connection):
        while left := build_index(connection, path, _INDEXING_S):
            click.echo(f"{left:,} texts and events to go", err=True)
        if left is None:
            raise click.ClickException(
                f"there can be no index beside {safe_line(path)}: the folder is not writable, or this Python's SQLite "
                "has no full-text search. Searches read everything instead."
            )
    click.echo("the index is up to date")


def _ask(ended: Sequence[SessionSummary], path: Path) -> None:
    question = f"Delete {figures.count(len(ended), 'session')} from {safe_line(path)}?"
    if len(ended) == 1:
        question = f"Delete {_named(ended[0])}?"
    if not sys.stdin.isatty():
        raise click.UsageError(f"{question} Say --yes, since nobody can be asked here")
    click.confirm(question, abort=True)


def _named(session: SessionSummary) -> str:
    words = (session.session_id, figures.moment(session.start_ns), session.agent or "-", session.status)
    return safe_line("  ".join(words))


def _left(running: Sequence[SessionSummary]) -> str:
    return f"; {figures.count(len(running), 'session')} that run stay" if running else ""
