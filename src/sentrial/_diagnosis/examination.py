"""The whole examination: one document, in a form that stays (``docs/doctor.md``)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sentrial._diagnosis import installation
from sentrial._diagnosis.finding import PROBLEM, Finding, note, problem

FORMAT = 1
"""Raised when a field of the document changes its meaning or goes; new fields may come at any time."""


class Examination:
    """Collects the parts of the document. A part that fails costs itself, and is a finding."""

    def __init__(self, *, own_process: bool) -> None:
        self.own_process = own_process
        self.findings: list[Finding] = []
        self.document: dict[str, Any] = {"process": "own" if own_process else "program"}

    def part(self, name: str, read: Callable[[], Any], judge: Callable[[Any], list[Finding]]) -> Any:
        """Put ``read()`` into the document under ``name``, and what ``judge`` finds in it beside it."""
        try:
            self.document[name] = found = read()
            self.findings += judge(found)
        except Exception as error:  # noqa: BLE001 - the other parts are worth the more
            self.document.setdefault(name, None)
            self.findings.append(_failed(name, error))
            return None
        return found

    def result(self) -> dict[str, Any]:
        """The document, findings first, problems before notes."""
        findings = sorted(dict.fromkeys(self.findings), key=lambda each: each.level != PROBLEM)
        return {
            "format": FORMAT,
            "ok": all(each.level != PROBLEM for each in findings),
            "findings": [each.to_json() for each in findings],
            **self.document,
        }


def examine(*, send: bool, timeout: float, own_process: bool) -> dict[str, Any]:
    """Look at everything, and send a test session where sessions go.

    Args:
        send: whether the test session is sent; without it nothing leaves this process.
        timeout: seconds that all destinations together may take.
        own_process: whether this process is the doctor's own; else it is the program's, whose state stays as it is.
    """
    examination = Examination(own_process=own_process)
    found = examination.part("installation", installation.read_installation, installation.findings_of)
    if found is not None:
        examination.document["installation"] = found.to_json()
    try:
        with _log_lines(examination) if own_process else _nothing():
            _examine_the_rest(examination, send=send, timeout=timeout)
    except Exception as error:  # noqa: BLE001 - where files of ours are gone, anything may fail
        damaged = found is not None and found.is_damaged
        examination.findings.append(_UNSEEN if damaged else _failed("the rest", error))
    return examination.result()


def _examine_the_rest(examination: Examination, *, send: bool, timeout: float) -> None:
    # What needs the rest of this package: it may be missing.
    from sentrial import _config, _setup
    from sentrial._diagnosis import clients, destinations, local_store, others, remedies, settings, tracing, versions
    from sentrial._known_clients import known_libraries

    own = examination.own_process
    config = _config.active if _setup.is_set_up() else _config.survey({})
    names = {library.name for library in known_libraries()}
    part = examination.part
    part("versions", versions.read_versions, lambda _found: versions.findings_of(config))
    part("configuration", lambda: settings.read_settings(config), lambda _found: settings.findings_of(config, names))
    provider = part("tracing", lambda: tracing.read_tracing(config), lambda each: tracing.findings_of(each, config))
    known = part(
        "clients",
        lambda: clients.read_clients(known_libraries(), config, own_process=own),
        lambda each: clients.findings_of(each, own_process=own),
    )
    part("others", others.read_others, lambda each: others.findings_of(each, known or []))
    places = destinations.places(config, (provider or {}).get("kind", tracing.NONE))
    in_use = any(place.kind == destinations.STORE for place in places)
    tries: dict[str, Any] = {}

    def send_to_places() -> list[dict[str, Any]]:
        documents, trials = destinations.read_destinations(places, config, send=send, timeout=timeout)
        tries.update(trials)
        return documents

    part("destinations", send_to_places, lambda each: remedies.findings_of(each, tries, config))
    part("store", lambda: local_store.read_store(config, in_use=in_use), local_store.findings_of)
    if not own:
        part("delivery", _setup.stats, _lost)


def _lost(stats: dict[str, dict[str, int]]) -> list[Finding]:
    found = []
    for destination, counts in stats.items():
        lost = {reason: count for reason, count in counts.items() if reason != "stored"}
        if lost:
            reasons = ", ".join(f"{count} ({reason})" for reason, count in lost.items())
            found.append(
                problem(
                    "spans-lost",
                    f"spans for {destination} were lost in this process: {reasons}",
                    "The log says why, once for each reason.",
                )
            )
    return found


def _failed(name: str, error: Exception) -> Finding:
    return problem(
        "doctor-failed",
        f"{name} could not be looked at: {type(error).__name__}: {error}",
        "If nothing above explains it, it is a defect of sentrial-otel: please report it.",
    )


_UNSEEN = note("not-examined", "nothing else can be looked at before that is mended")


@contextmanager
def _log_lines(examination: Examination) -> Iterator[None]:
    """Findings instead of log lines: what we would log of bad settings, a person reads here."""
    lines: list[str] = []

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage().removeprefix("sentrial: "))

    logger, handler = logging.getLogger("sentrial"), Lines(logging.WARNING)
    propagate = logger.propagate
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagate
        examination.findings += [note("logged", line) for line in dict.fromkeys(lines)]


@contextmanager
def _nothing() -> Iterator[None]:
    yield
