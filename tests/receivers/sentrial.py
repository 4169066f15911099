"""A stand-in for Sentrial's OTLP endpoint, as strict as its documentation allows."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from receivers.certificates import Certificates
from receivers.http_receiver import Answer, HttpReceiver
from receivers.received import Request
from receivers.strict_json import complaints

PATH = "/api/otel/v1/traces"


class SentrialStandIn(HttpReceiver):
    """404 off its path, 415 unless JSON, 401 without a key, 403 with an unknown one, 400 for what is no strict OTLP."""

    def __init__(self, keys: Iterable[str] = ("sentrial_test_key",), tls: Certificates | None = None) -> None:
        super().__init__(tls)
        self.keys = frozenset(keys)

    @property
    def traces_url(self) -> str:
        return self.url + PATH

    def spans_of(self, key: str) -> list[dict[str, Any]]:
        """The spans stored for the account of ``key``."""
        return [span for request in self.requests if key_of(request) == key for span in request.spans]

    def answer(self, request: Request) -> Answer:
        if request.path != PATH:
            return _refusal(404, f"no such path: {request.path}")
        if request.headers.get("content-type") != "application/json":
            return _refusal(415, f"send application/json, not {request.headers.get('content-type')}")
        if "content-encoding" in request.headers:
            return _refusal(415, "send it uncompressed")
        key = key_of(request)
        if not key:
            return _refusal(401, "no API key")
        if key not in self.keys:
            return _refusal(403, "unknown API key")
        try:
            document = json.loads(request.body)
        except ValueError as error:
            return _refusal(400, f"not JSON: {error}")
        if wrong := complaints(document):
            return _refusal(400, wrong[0])
        self._stored(request, document)
        return 200, {"Content-Type": "application/json"}, b'{"partialSuccess":{}}'


def key_of(request: Request) -> str:
    """The API key of ``request``; empty without one."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token if scheme == "Bearer" else request.headers.get("x-sentrial-api-key", "")


def _refusal(status: int, words: str) -> Answer:
    return status, {"Content-Type": "application/json"}, json.dumps({"error": words}).encode()
