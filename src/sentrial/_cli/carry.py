"""``sentrial sessions export`` and ``send``: sessions out of the store, and files on their way."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import sqlite3
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import click

from sentrial import _config
from sentrial._cli import figures
from sentrial._cli.chosen import Wanted, choose
from sentrial._cli.safe_text import safe_line
from sentrial._cli.store_file import place_of, reading
from sentrial._export.collector import collector
from sentrial._export.destination import Destination
from sentrial._export.local import LocalDestination
from sentrial._export.otlp_file import FILE_BYTES, LINE_BYTES, FileRefusedError, read_spans, write_spans
from sentrial._export.pii import build_pii_masker
from sentrial._export.redact import SecretMasker
from sentrial._export.resend import Outcome, resend
from sentrial._export.sentrial_api import sentrial
from sentrial._export.whole_sessions import WholeSessions
from sentrial._setting_values import PARENT_INHERIT
from sentrial._store import read
from sentrial._store.bounds import Bounds
from sentrial._store.span_row import SpanRow
from sentrial._store.summary import RUNNING, SessionSummary

SENTRIAL, COLLECTOR, STORE = "sentrial", "collector", "store"

_SPANS_AT_ONCE = 512
# Letters of no string of JSON stand outside ASCII, so that escaping them changes nothing.
_NOT_PLAIN = re.compile(r"[^\x20-\x7e\n]")
_COPIED_AT_ONCE = 1024 * 1024


def export_sessions(
    store: Path | None, ids: Sequence[str], wanted: Wanted, *, every: bool, output: Path | None, force: bool
) -> None:
    """Write the sessions that are meant to ``output``, or to standard output.

    Raises:
        NotFoundError, NothingChosenError: it is not clear which.
        StoreError: the store cannot be read.
    """
    if output is not None and output.exists() and not force:
        raise click.ClickException(f"{safe_line(output)} is there already; --force replaces it")
    with reading(store) as (path, connection):
        found = choose(connection, path, ids, wanted, every=every)
        with _written(output) as file:
            spans, longest = _export(connection, found, file)
    running = sum(each.status == RUNNING for each in found)
    told = f"exported {figures.count(len(found), 'session')}, {figures.count(spans, 'span')}"
    if running:
        told += f"; {running} of them still {'run' if running > 1 else 'runs'}, and what has not ended is missing"
    if longest > LINE_BYTES:
        told += f"; the longest line has {longest / 1024**2:.1f} MiB: raise max_log_size of the collector's receiver"
    click.echo(told, err=True)


def send_sessions(
    store: Path | None,
    ids: Sequence[str],
    wanted: Wanted,
    target: str | None,
    endpoint: str | None,
    patience_s: float,
    *,
    every: bool,
) -> None:
    """Send the sessions that are meant, those that have ended.

    Raises:
        NotFoundError, NothingChosenError: it is not clear which.
        StoreError: the store cannot be read.
    """
    config = _config.read_config({})
    to, destination = _destination(config, None, target, endpoint)
    if to == STORE:
        raise click.UsageError("sessions of the store are in the store; --to store is for --file")
    with reading(store) as (path, connection):
        found = choose(connection, path, ids, wanted, every=every)
        running = [each for each in found if each.status == RUNNING]
        if running and ids:
            raise click.ClickException(f"{running[0].session_id} is running; send it once it has ended")
        ended = [each for each in found if each.status != RUNNING]
        masker = _masker(config) if config.pii is not None else None
        with _quiet_log():
            outcome = resend(_batches(connection, ended, to, config), destination, masker, patience_s)
    left = f"; {figures.count(len(running), 'session')} that run stay" if running else ""
    _tell(outcome, f"sent {figures.count(len(ended), 'session')}, ", destination, left)


def send_file(store: Path | None, file: Path, target: str | None, endpoint: str | None, patience_s: float) -> None:
    """Send what ``file`` holds, once all of it has been looked through.

    Raises:
        StoreError: the store cannot be written.
    """
    config = _config.read_config({})
    to, destination = _destination(config, store, target, endpoint)
    try:
        with _opened(file) as stream:
            sessions = WholeSessions(share_traces=config.session_parent == PARENT_INHERIT)
            seen = 0
            for rows in read_spans(stream):
                sessions.learn(rows)
                seen += len(rows)
            if not seen:
                raise FileRefusedError("the file holds no spans")
            stream.seek(0)
            batches: Iterator[Sequence[SpanRow]] = _in_batches(_once(read_spans(stream)))
            if to == SENTRIAL:
                batches = (list(sessions.for_sentrial(batch)) for batch in batches)
            with _quiet_log():
                outcome = resend(batches, destination, _masker(config), patience_s)
    except FileRefusedError as refused:
        raise click.ClickException(f"{safe_line(file)}: {safe_line(refused)}. Nothing was sent.") from refused
    except OSError as error:
        raise click.ClickException(f"{safe_line(file)}: {error.strerror or error}") from error
    _tell(outcome, "sent ", destination, "")


def _export(connection: sqlite3.Connection, found: Sequence[SessionSummary], file: BinaryIO) -> tuple[int, int]:
    spans = longest = 0
    for each in found:
        rows = read.read_spans(connection, each.session_id)
        spans += len(rows)
        for line in write_spans(rows):
            longest = max(longest, len(line))
            file.write(line)
    return spans, longest


def _batches(
    connection: sqlite3.Connection, found: Sequence[SessionSummary], to: str, config: _config.Config
) -> Iterator[Sequence[SpanRow]]:
    for each in found:
        rows = read.read_spans(connection, each.session_id)
        if to == SENTRIAL:
            sessions = WholeSessions(share_traces=config.session_parent == PARENT_INHERIT)
            sessions.learn(rows)
            rows = list(sessions.for_sentrial(rows))
        yield from (rows[start : start + _SPANS_AT_ONCE] for start in range(0, len(rows), _SPANS_AT_ONCE))


def _once(documents: Iterator[list[SpanRow]]) -> Iterator[SpanRow]:
    """Each span once: a file to which a program has written twice says some of them twice."""
    seen: set[int] = set()
    for rows in documents:
        for row in rows:
            identity = int(row.trace_id + row.span_id, 16)
            if identity not in seen:
                seen.add(identity)
                yield row


def _in_batches(rows: Iterator[SpanRow]) -> Iterator[Sequence[SpanRow]]:
    batch: list[SpanRow] = []
    for row in rows:
        batch.append(row)
        if len(batch) == _SPANS_AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def _destination(
    config: _config.Config, store: Path | None, target: str | None, endpoint: str | None
) -> tuple[str, Destination]:
    """Where to send: what ``target`` says, else the one that is configured."""
    has_collector = endpoint is not None or config.collector
    if target is None:
        if endpoint is None and config.api_key is not None and config.collector:
            raise click.UsageError("Sentrial and a collector are configured; say --to sentrial or --to collector")
        target = COLLECTOR if has_collector else SENTRIAL
    if target == STORE:
        bounds = Bounds(config.store_max_size, config.store_max_age, config.session_timeout)
        return target, LocalDestination(place_of(store), bounds=bounds)
    if target == COLLECTOR:
        if not has_collector:
            raise click.UsageError("no collector is set: give --endpoint, or set OTEL_EXPORTER_OTLP_ENDPOINT")
        return target, collector(endpoint or config.otlp_endpoint)
    if config.api_key is None:
        raise click.UsageError("nothing is set to send to: set SENTRIAL_API_KEY, or name a collector by --endpoint")
    return target, sentrial(config.api_url, config.api_key)


def _masker(config: _config.Config) -> SecretMasker:
    return SecretMasker(config.mask, build_pii_masker(config.pii, config.pii_key))


def _tell(outcome: Outcome, sent: str, destination: Destination, left: str) -> None:
    told = f"{sent}{figures.count(outcome.stored, 'span')} to {destination.name}{left}"
    if outcome.is_whole:
        click.echo(told)
        return
    lost = ", ".join(f"{number:,} {reason}" for reason, number in outcome.lost.items())
    words = "".join(f"\n  {safe_line(each)}" for each in outcome.words[:5])
    raise click.ClickException(f"not all was taken: {safe_line(told)}; lost: {lost}{words}")


@contextlib.contextmanager
def _quiet_log() -> Iterator[None]:
    """What the queue says in the log, a program's user would have to hear; here the outcome says it."""
    logger = logging.getLogger("sentrial")
    level = logger.level
    # gRPC writes to the terminal by itself.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


@contextlib.contextmanager
def _written(output: Path | None) -> Iterator[BinaryIO]:
    """A file that is whole or not there at all, for the user alone: its content is private."""
    if output is None:
        with _safe_stdout() as file:
            yield file
        return
    try:
        handle, name = tempfile.mkstemp(dir=output.parent, prefix=f".{output.name}.")
    except OSError as error:
        raise click.ClickException(f"{safe_line(output)}: {error.strerror or error}") from error
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        os.replace(name, output)
    except BaseException:
        os.unlink(name)
        raise


@contextlib.contextmanager
def _safe_stdout() -> Iterator[BinaryIO]:
    if not sys.stdout.isatty():
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with tempfile.TemporaryFile() as held:
        yield held
        held.seek(0)
        for line in held:
            # The same JSON in plain letters: what was recorded must not reach a terminal as it is.
            sys.stdout.write(_NOT_PLAIN.sub(_escaped, line.decode("utf-8")))


def _escaped(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be")
    return "".join(f"\\u{units[place]:02x}{units[place + 1]:02x}" for place in range(0, len(units), 2))


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    """The file, so that it can be read twice: what is no file of a disk is copied first."""
    with sys.stdin.buffer if str(file) == "-" else file.open("rb") as stream:
        if stream.seekable() and str(file) != "-":
            yield stream
            return
        with tempfile.TemporaryFile() as copy:
            while copy.tell() <= FILE_BYTES and (piece := stream.read(_COPIED_AT_ONCE)):
                copy.write(piece)
            copy.seek(0)
            yield copy
