"""Where sessions go as things are configured, and a test session sent there."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from opentelemetry import trace

from sentrial import _setup
from sentrial._config import Config
from sentrial._diagnosis import tracing
from sentrial._diagnosis.settings import hidden
from sentrial._export.destination import Destination
from sentrial._export.trial import FILE, GRPC, Trial, build_trial_session, describe, send_to_all
from sentrial._export.verdict import RetryLater, Stored
from sentrial._session import Account
from sentrial._setting_values import CAPTURE_OFF, STORE_OFF

SENTRIAL = "sentrial"
COLLECTOR = "collector"
STORE = "store"

STORED = "stored"
PARTLY = "partly stored"
REFUSED = "refused"
NOT_NOW = "not now"
NOT_REACHED = "not reached"
NO_ANSWER = "no answer"

_IN_TIME = re.compile(r" within [\d.]+ s$")
_STATUS = re.compile(r"([A-Z_]{2,}|[1-5]\d\d)\b")


@dataclass(frozen=True, slots=True)
class Place:
    """One destination as it is configured. ``key``: the end of the account's key."""

    kind: str
    name: str
    make: Callable[[], Destination]
    key: str | None = None


def places(config: Config, kind_of_provider: str) -> list[Place]:
    """Where sessions go: what the pipeline would open, by the same rules.

    A provider of the application's exports to its collector by itself, so that none of ours is in use there.
    """
    if not config.enabled:
        return []
    accounts = list(_setup.accounts())
    if config.api_key is not None and Account(config.api_url, config.api_key) not in accounts:
        accounts.append(Account(config.api_url, config.api_key))
    found = [_of_account(account, accounts) for account in accounts]
    theirs = kind_of_provider in (tracing.JOINED, tracing.NOT_JOINED)
    if config.collector and not theirs:
        found.append(Place(COLLECTOR, "collector", lambda: _setup.makers.collector(config)))
    wanted = not found and (config.asked_for or not theirs) if config.store is None else config.store != STORE_OFF
    if wanted:
        found.append(Place(STORE, "local store", lambda: _setup.makers.store(config)))
    return found


def read_destinations(
    found: list[Place], config: Config, *, send: bool, timeout: float
) -> tuple[list[dict[str, Any]], dict[str, Trial]]:
    """Each place as it stands in the doctor's document, and the tries. ``timeout``: seconds for all of them."""
    session = build_trial_session(_resource(), content=config.capture_content != CAPTURE_OFF)
    if send:
        trials = send_to_all({place.name: place.make for place in found}, session, timeout)
    else:
        trials = {place.name: _described(place) for place in found}
    return [_document(place, trials[place.name], session.id if send else None) for place in found], trials


def clock_skew(trial: Trial) -> float | None:
    """How many seconds our clock is ahead of the server's, by the ``Date`` of its answer."""
    date = trial.answer.headers.get("date") if trial.answer is not None else None
    try:
        return trial.at - parsedate_to_datetime(date).timestamp() if date else None
    except (TypeError, ValueError, OverflowError):
        return None


def _of_account(account: Account, accounts: list[Account]) -> Place:
    name = f"Sentrial {account.api_url}"
    same = [other for other in accounts if other.api_url == account.api_url]
    if same.index(account):
        name += f" (account {same.index(account) + 1})"
    return Place(SENTRIAL, name, lambda: _setup.makers.sentrial(account), hidden(account.api_key))


def _resource() -> Any:
    """The program's resource, so that a reader finds the test session under its service."""
    return getattr(trace.get_tracer_provider(), "resource", None)


def _described(place: Place) -> Trial:
    return Trial() if place.kind == STORE else describe(place.make())


def _document(place: Place, trial: Trial, session_id: str | None) -> dict[str, Any]:
    verdict = trial.verdict
    words = "" if verdict is None else verdict.words
    outcome = None if session_id is None else _outcome(trial)
    skew = clock_skew(trial)
    return {
        "kind": place.kind,
        "name": place.name,
        "endpoint": trial.endpoint or None,
        "protocol": trial.protocol or None,
        "proxy": trial.proxy,
        "key": place.key,
        "outcome": outcome,
        "status": _status(trial),
        "words": words,
        "rejected": verdict.rejected if isinstance(verdict, Stored) else 0,
        "seconds": None if verdict is None else round(trial.seconds, 3),
        "clock_ahead_seconds": None if skew is None else round(skew, 1),
        "session_id": session_id,
    }


def _outcome(trial: Trial) -> str:
    verdict, status = trial.verdict, _status(trial)
    if verdict is None or status == "DEADLINE_EXCEEDED":
        return NO_ANSWER
    if isinstance(verdict, Stored):
        return PARTLY if verdict.rejected else STORED
    if not isinstance(verdict, RetryLater):
        return REFUSED
    if trial.protocol != FILE and status in (None, "UNAVAILABLE"):
        return NO_ANSWER if _IN_TIME.search(verdict.words) else NOT_REACHED
    return NOT_NOW


def _status(trial: Trial) -> str | None:
    """The HTTP status, or gRPC's code, which its words begin with."""
    if trial.answer is not None:
        return str(trial.answer.status)
    verdict = trial.verdict
    if trial.protocol != GRPC or verdict is None:
        return None
    if isinstance(verdict, Stored):
        return "OK"
    found = _STATUS.match(verdict.words)
    return found[1] if found is not None else None
