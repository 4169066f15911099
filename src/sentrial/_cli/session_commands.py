"""The commands of ``sentrial sessions`` and their options."""

from __future__ import annotations

from pathlib import Path

import click

from sentrial._cli import sessions as recorded
from sentrial._cli.chosen import Wanted
from sentrial._cli.session_options import JSON, STORE, filters, telling_failures
from sentrial._cli.time_words import Lasting, Size

_IDS = click.argument("ids", metavar="[ID]...", nargs=-1)
_ALL = click.option("--all", "every", is_flag=True, help="Every session in the store.")


@click.group()
def sessions() -> None:
    """Sessions in the local store.

    ID is the start of a session's id, as long as only one starts so, or `last`.
    """


@sessions.command("list")
@filters
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="At most so many.")
@JSON
@STORE
@telling_failures
def list_command(wanted: Wanted, limit: int, as_json: bool, store: Path | None) -> None:
    """List the newest sessions."""
    recorded.list_sessions(store, wanted, limit, as_json=as_json)


@sessions.command("show")
@click.argument("session_id", metavar="ID")
@click.option("--full", is_flag=True, help="Whole texts, all messages, stack traces.")
@JSON
@STORE
@telling_failures
def show_command(session_id: str, full: bool, as_json: bool, store: Path | None) -> None:
    """Show a session and its events.

    ID is the start of a session's id, as long as only one starts so, or `last`.
    """
    recorded.show_session(store, session_id, full=full, as_json=as_json)


@sessions.command("tail")
@click.option("--agent", metavar="NAME", help="Of that agent only.")
@click.option("--user", metavar="ID", help="Of that user only.")
@click.option("--json", "as_json", is_flag=True, help="A JSON document a line, for programs.")
@STORE
@telling_failures
def tail_command(agent: str | None, user: str | None, as_json: bool, store: Path | None) -> None:
    """Watch sessions as they begin, go on and end. Ctrl-C stops.

    Those that are running already stand at the top.
    """
    from sentrial._cli.tail import tail

    tail(store, agent, user, as_json=as_json)


@sessions.command("export")
@_IDS
@filters
@_ALL
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Not to stdout.")
@click.option("--force", is_flag=True, help="Replace FILE where it is there already.")
@STORE
@telling_failures
def export_command(
    ids: tuple[str, ...], wanted: Wanted, every: bool, output: Path | None, force: bool, store: Path | None
) -> None:
    """Write sessions as OTLP/JSON.

    One request a line, as collectors read it. Name the sessions by their ids or by filters.
    """
    from sentrial._cli.carry import export_sessions

    export_sessions(store, ids, wanted, every=every, output=output, force=force)


@sessions.command("send")
@_IDS
@filters
@_ALL
@click.option(
    "--file",
    type=click.Path(path_type=Path, allow_dash=True),
    metavar="FILE",
    help="What an OTLP/JSON file holds; - reads stdin.",
)
@click.option(
    "--to", "target", type=click.Choice(["sentrial", "collector", "store"]), help="Default: the one that is configured."
)
@click.option("--endpoint", metavar="URL", help="The collector's address, instead of OTEL_EXPORTER_OTLP_ENDPOINT.")
@click.option(
    "--patience",
    type=Lasting(),
    default="30s",
    show_default=True,
    metavar="TIME",
    help="Try so long while nobody answers.",
)
@STORE
@telling_failures
def send_command(
    ids: tuple[str, ...],
    wanted: Wanted,
    every: bool,
    file: Path | None,
    target: str | None,
    endpoint: str | None,
    patience: float,
    store: Path | None,
) -> None:
    """Send sessions or a file.

    To Sentrial, a collector or, from a file, the store. Name sessions by their ids or by filters. Exits with 1 unless
    all was taken.
    """
    from sentrial._cli.carry import send_file, send_sessions

    if file is not None:
        if ids or every or not wanted.is_every:
            raise click.UsageError("give --file or sessions, not both")
        send_file(store, file, target, endpoint, patience)
    else:
        send_sessions(store, ids, wanted, target, endpoint, patience, every=every)


@sessions.command("delete")
@_IDS
@filters
@_ALL
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@STORE
@telling_failures
def delete_command(ids: tuple[str, ...], wanted: Wanted, every: bool, yes: bool, store: Path | None) -> None:
    """Delete sessions for good. One that is running stays."""
    from sentrial._cli.removal import delete_sessions

    delete_sessions(store, ids, wanted, every=every, is_sure=yes)


@sessions.command("prune")
@click.option(
    "--max-size", type=Size(), metavar="SIZE", help="Down to so much. Default: SENTRIAL_STORE_MAX_SIZE, 1GiB."
)
@click.option("--max-age", type=Lasting(), metavar="TIME", help="What ended earlier. Default: SENTRIAL_STORE_MAX_AGE.")
@STORE
@telling_failures
def prune_command(max_size: int | None, max_age: float | None, store: Path | None) -> None:
    """Remove the oldest sessions, as recording programs do it. One that is running stays."""
    from sentrial._cli.removal import prune_store

    prune_store(store, max_size, max_age)


@sessions.command("index")
@STORE
@telling_failures
def index_command(store: Path | None) -> None:
    """Bring the index of --search up to date, for large stores.

    Searches do it by themselves, a little at a time, and read what is not in it yet.
    """
    from sentrial._cli.removal import index_store

    index_store(store)
