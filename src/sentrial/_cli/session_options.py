"""The options that several commands about sessions share."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from sentrial._cli.chosen import NotFoundError, NothingChosenError, Wanted
from sentrial._cli.time_words import Lasting, Moment
from sentrial._store.failures import StoreError
from sentrial._store.session_filter import SessionFilter
from sentrial._store.summary import STATUSES

Command = Callable[..., Any]

STORE = click.option(
    "--store",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="The store's file. Default: SENTRIAL_STORE where it is a path, else the usual place.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="One JSON document, for programs.")

_FILTERS = (
    click.option(
        "--since", type=Moment(), metavar="TIME", help="Begun at or after: 2026-11-20, '2026-11-20 14:03', 2h."
    ),
    click.option("--until", type=Moment(end=True), metavar="TIME", help="Begun at or before; a day counts as a whole."),
    click.option("--last", type=Lasting(), metavar="TIME", help="Begun in the last 30min, 12h, 7d, 2w."),
    click.option("--agent", metavar="NAME", help="Of that agent."),
    click.option("--user", metavar="ID", help="Of that user."),
    click.option("--status", type=click.Choice(STATUSES), help="With that outcome, or running."),
    click.option("--search", metavar="TEXT", help="That hold TEXT, anywhere; upper and lower case are the same."),
)


def filters(command: Command) -> Command:
    """Give ``command`` the options that choose sessions; it gets them as ``wanted``."""

    @functools.wraps(command)
    def with_wanted(
        since: int | None,
        until: int | None,
        last: float | None,
        agent: str | None,
        user: str | None,
        status: str | None,
        search: str | None,
        **given: Any,
    ) -> Any:
        if last is not None:
            if since is not None:
                raise click.UsageError("give --since or --last, not both")
            since = time.time_ns() - int(last * 1e9)
        if search is not None and not search.strip():
            raise click.UsageError("--search needs a text")
        return command(wanted=Wanted(SessionFilter(agent, user, status, since, until), search), **given)

    for option in reversed(_FILTERS):
        with_wanted = option(with_wanted)
    return with_wanted


def telling_failures(command: Command) -> Command:
    """Have the failures of ``command`` told in words, with exit code 1; what is asked wrongly with 2."""

    @functools.wraps(command)
    def told(*args: Any, **given: Any) -> Any:
        try:
            return command(*args, **given)
        except NothingChosenError as error:
            raise click.UsageError(str(error)) from error
        except (StoreError, NotFoundError) as error:
            raise click.ClickException(str(error)) from error

    return told
