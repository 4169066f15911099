"""The commands of ``sentrial`` and their options."""

from __future__ import annotations

from pathlib import Path

import click

from sentrial._cli import sessions as recorded
from sentrial._store.failures import StoreError
from sentrial._version import __version__

_STORE = click.option(
    "--store",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="The store's file. Default: SENTRIAL_STORE where it is a path, else the usual place.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="sentrial")
def sentrial() -> None:
    """Look at what your agents did."""


@sentrial.group()
def sessions() -> None:
    """Sessions in the local store."""


@sessions.command("list")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="At most so many.")
@_STORE
def list_command(limit: int, store: Path | None) -> None:
    """List the newest sessions."""
    try:
        recorded.list_sessions(store, limit)
    except StoreError as error:
        raise click.ClickException(str(error)) from error


@sessions.command("show")
@click.argument("session_id", metavar="ID")
@_STORE
@click.option("--full", is_flag=True, help="Whole texts, all messages, stack traces.")
def show_command(session_id: str, store: Path | None, full: bool) -> None:
    """Show a session and its events.

    ID is the start of a session's id, as long as only one starts so, or `last`.
    """
    try:
        recorded.show_session(store, session_id, full=full)
    except (StoreError, recorded.NotFoundError) as error:
        raise click.ClickException(str(error)) from error
