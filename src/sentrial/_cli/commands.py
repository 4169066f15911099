"""The commands of ``sentrial`` and their options."""

from __future__ import annotations

import click

from sentrial._cli import run as run_program
from sentrial._cli.session_commands import sessions
from sentrial._diagnosis import DEFAULT_TIMEOUT
from sentrial._version import __version__


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="sentrial")
def sentrial() -> None:
    """Look at what your agents did."""


sentrial.add_command(sessions)


@sentrial.command("run", add_help_option=False, context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def run_command(arguments: tuple[str, ...]) -> None:
    """Run a program, and record what it does."""
    run_program.run(arguments)


@sentrial.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="One JSON document, for scripts.")
@click.option("--send/--no-send", default=True, show_default=True, help="Send a marked test session, or nothing.")
@click.option(
    "--timeout",
    type=click.FloatRange(0.1, 600),
    default=DEFAULT_TIMEOUT,
    show_default=True,
    metavar="S",
    help="Seconds that all destinations together may take.",
)
def doctor_command(as_json: bool, send: bool, timeout: float) -> None:
    """Look at settings, versions and destinations, and say what is wrong.

    Exits with 0 where all is well, with 1 where something is wrong.
    """
    from sentrial._cli.doctor import run_doctor  # it needs more of us than the store's commands do

    if not run_doctor(send=send, timeout=timeout, as_json=as_json):
        raise click.exceptions.Exit(1)
