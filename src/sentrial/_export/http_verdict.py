"""What an OTLP server's answer over HTTP means.

Source: OTLP 1.x, "OTLP/HTTP Response". Beyond it, 408 and 500 are worth another try (the stock exporters lose the
batch), and so are the numbers that proxies use for a server behind them that is away or full.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from math import isfinite
from typing import Any

from sentrial import _late_imports
from sentrial._export.text import excerpt, without_markup
from sentrial._export.verdict import Refused, RetryLater, Stored, TooLarge, Verdict

_RETRYABLE = frozenset({408, 429, 500, 502, 503, 504, *range(520, 525), 529})


@dataclass(frozen=True)
class HttpAnswer:
    """One answer; the names of ``headers`` in lower case. ``secrets`` are starred out of what it says."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    secrets: frozenset[str]

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


def read_verdict(answer: HttpAnswer, key_hint: str) -> Verdict:
    """The verdict in ``answer``. ``key_hint`` names the setting to look at when a key was refused."""
    if 200 <= answer.status < 300:
        return _stored(answer)
    title = _title(answer.status)
    if 300 <= answer.status < 400:
        location = answer.headers.get("location")
        if not location:
            return Refused(title)
        address = excerpt(location, answer.secrets)
        return Refused(f"{title}: redirects to {address}; set the endpoint to that address")
    if answer.status in (401, 403):
        title += f": the key was refused; check {key_hint}"
    own_words = excerpt(_error_words(answer), answer.secrets)
    words = f"{title}: {own_words}" if own_words else title
    if answer.status in (404, 405):
        words += "; is this the address of an OTLP server?"
    if answer.status in _RETRYABLE:
        return RetryLater(words, _seconds(answer.headers.get("retry-after", "")))
    return TooLarge(words) if answer.status == 413 else Refused(words)


def read_protobuf_reply(body: bytes, secrets: frozenset[str]) -> Stored:
    """What an ``ExportTraceServiceResponse`` in protobuf says of partial success."""
    with _late_imports.undisturbed():
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

    partial = ExportTraceServiceResponse.FromString(body).partial_success
    return Stored(partial.rejected_spans, excerpt(partial.error_message, secrets))


def _stored(answer: HttpAnswer) -> Stored:
    if not answer.body.strip():
        return Stored()
    try:
        # By the answer's own type, not the request's: some servers answer JSON with protobuf.
        if answer.content_type in ("application/x-protobuf", "application/protobuf"):
            return read_protobuf_reply(answer.body, answer.secrets)
        return _json_reply(answer)
    except Exception:  # noqa: BLE001 - the batch is stored, whatever the reply looks like
        words = excerpt(_error_words(answer), answer.secrets, 100)
        return Stored(
            words=f"{_title(answer.status)}, but the reply is not OTLP ({answer.content_type or 'no type'}): {words}; "
            "is this the address of an OTLP server?"
        )


def _json_reply(answer: HttpAnswer) -> Stored:
    reply = json.loads(answer.body)
    partial = reply.get("partialSuccess") or reply.get("partial_success") or {}
    rejected = partial.get("rejectedSpans") or partial.get("rejected_spans") or 0
    words = partial.get("errorMessage") or partial.get("error_message") or ""
    return Stored(int(rejected), excerpt(str(words), answer.secrets))


def _title(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _error_words(answer: HttpAnswer) -> str:
    if answer.content_type in ("application/x-protobuf", "application/protobuf"):
        return _status_message(answer.body)
    text = answer.body.decode("utf-8", "replace")
    if answer.content_type == "text/html" or text.lstrip()[:1] == "<":
        return without_markup(text)
    try:
        return _message_in(json.loads(text)) or text
    except ValueError:
        return text


def _status_message(body: bytes) -> str:
    with _late_imports.undisturbed():
        from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]  # ships no types

    try:
        return str(Status.FromString(body).message)
    except Exception:  # noqa: BLE001 - a type that has no place here; the status is said without it
        return ""


def _message_in(document: Any) -> str:
    """The sentence in a JSON error, in the shapes in use: google.rpc.Status, ``{"error": ...}``, problem details."""
    if isinstance(document, str):
        return document
    if isinstance(document, dict):
        for name in ("message", "error", "detail", "title"):
            if words := _message_in(document.get(name)):
                return words
    return ""


def _seconds(retry_after: str) -> float | None:
    """Seconds to wait by a ``Retry-After`` header, which holds a number or a date; None where it holds neither."""
    text = retry_after.strip()
    try:
        seconds = float(text)
    except ValueError:
        return _seconds_until(text)
    return max(seconds, 0.0) if isfinite(seconds) else None


def _seconds_until(date: str) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
    except (TypeError, ValueError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return max((moment - datetime.now(timezone.utc)).total_seconds(), 0.0)
