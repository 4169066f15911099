"""The far end of a peer: a server on this machine that takes whatever the peer sends, and keeps the spans in it."""

from __future__ import annotations

import json

from receivers.http_receiver import Answer, HttpReceiver
from receivers.otlp_http import _document, _plain
from receivers.received import Request

PROJECT = {"project_name": "shop", "project_url": "http://127.0.0.1/shop"}
"""What Logfire asks for before it sends."""


class Vendor(HttpReceiver):
    """Takes OTLP over HTTP at any path that ends in ``v1/traces``, and says yes to everything else."""

    def answer(self, request: Request) -> Answer:
        kind = request.headers.get("content-type", "")
        if not request.path.rstrip("/").endswith("v1/traces") or request.path.startswith("/v0"):
            return 200, {"Content-Type": "application/json"}, json.dumps(PROJECT).encode()
        body = _plain(request)
        is_protobuf = kind == "application/x-protobuf"
        self._stored(request, _document(body) if is_protobuf else json.loads(body))
        return 200, {"Content-Type": kind}, b"" if is_protobuf else b"{}"
