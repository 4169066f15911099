"""Sentrial as a collector meets it, and what arrived there."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from receivers import SentrialStandIn
from receivers.http_receiver import Answer
from receivers.normal_form import spans_in
from receivers.received import Request

KEY = "sentrial_test_key"
Span = dict[str, Any]


class SentrialBehindCollector(SentrialStandIn):
    """As strict as ever, but for what every collector writes: a status that is unset has no code."""

    def answer(self, request: Request) -> Answer:
        raw = request.body
        request.body = raw.replace(b'"status":{}', b'"status":{"code":0}')
        try:
            return super().answer(request)
        finally:
            request.body = raw

    def wait_until(self, done: Callable[[], bool], timeout: float = 30.0) -> None:
        """Returns once ``done``, asked whenever something arrives. Raises AssertionError after ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        while not done():
            assert time.monotonic() < deadline, f"{len(self.spans)} spans after {timeout:g} s"
            with self._changed:
                self._changed.wait(0.1)


def spans_in_file(path: Path) -> list[Span]:
    """The spans of a file of OTLP/JSON lines, in normal form."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [span for line in lines for span in spans_in(json.loads(line))]


def by_session(spans: Iterable[Span]) -> dict[str, list[str]]:
    """The names of the spans of each session, sorted: a span that came twice is there twice."""
    names: dict[str, list[str]] = defaultdict(list)
    for span in spans:
        names[span["attributes"]["sentrial.session.id"]].append(span["name"])
    return {session: sorted(found) for session, found in names.items()}


def span_keys(spans: Iterable[Span]) -> list[tuple[str, str]]:
    """What tells spans apart, sorted: two that are the same came twice."""
    return sorted((span["trace_id"], span["span_id"]) for span in spans)
