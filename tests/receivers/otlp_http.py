"""A collector's OTLP/HTTP receiver: protobuf and JSON, plain, gzip and deflate."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

from receivers.certificates import Certificates
from receivers.http_receiver import Answer, HttpReceiver
from receivers.normal_form import document_of
from receivers.received import Request


class OtlpHttpReceiver(HttpReceiver):
    """Takes traces at ``path``; 404 elsewhere."""

    def __init__(
        self, path: str = "/v1/traces", tls: Certificates | None = None, *, client_certificate: bool = False
    ) -> None:
        super().__init__(tls, client_certificate=client_certificate)
        self.path = path

    @property
    def traces_url(self) -> str:
        return self.url + self.path

    def answer(self, request: Request) -> Answer:
        if request.path != self.path:
            return 404, {"Content-Type": "text/plain"}, b"404 page not found"
        kind = request.headers.get("content-type", "")
        if kind not in ("application/x-protobuf", "application/json"):
            return 415, {"Content-Type": "text/plain"}, b"unsupported media type"
        try:
            body = _plain(request)
            self._stored(request, _document(body) if kind == "application/x-protobuf" else json.loads(body))
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the body is the sender's fault
            return 400, {"Content-Type": "text/plain"}, str(error).encode()
        return 200, {"Content-Type": kind}, b"" if kind == "application/x-protobuf" else b'{"partialSuccess":{}}'


def _plain(request: Request) -> bytes:
    encoding = request.headers.get("content-encoding", "")
    if encoding == "gzip":
        return gzip.decompress(request.body)
    return zlib.decompress(request.body) if encoding == "deflate" else request.body


def _document(body: bytes) -> dict[str, Any]:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    return document_of(ExportTraceServiceRequest.FromString(body))
