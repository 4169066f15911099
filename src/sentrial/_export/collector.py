"""A collector as a destination: the protocol is the environment's choice."""

from __future__ import annotations

import logging
import os

from sentrial._export.destination import OtlpDestination
from sentrial._export.encode_json import encode_json
from sentrial._export.encode_proto import encode_proto
from sentrial._export.otlp_settings import endpoint_port, read_grpc_settings, read_http_settings
from sentrial._export.send_grpc import GrpcSender
from sentrial._export.send_http import collector_sender
from sentrial._export.text import without_password

_log = logging.getLogger(__name__)

_PROTOCOLS = ("grpc", "http/protobuf", "http/json")
_DEFAULT_PROTOCOL = "http/protobuf"


def collector(endpoint: str | None = None) -> OtlpDestination:
    """The collector that the standard ``OTEL_EXPORTER_OTLP_*`` variables describe.

    ``endpoint`` beats their endpoint: over HTTP it is a base URL (``/v1/traces`` is added unless it ends so), over
    gRPC a URL or ``host:port``. Where no variable chooses a protocol, it is ``http/protobuf``, and on port 4317, which
    is gRPC's, ``grpc``. The variables are read now; connections, and certificate files, when the first batch
    is sent. Never raises: with settings that cannot work, every batch is refused with words that name them.
    """
    protocol = _protocol(endpoint)
    if protocol == "grpc":
        grpc = read_grpc_settings(endpoint)
        return OtlpDestination(f"collector {without_password(grpc.endpoint)}", encode_proto, GrpcSender(grpc))
    http = read_http_settings(endpoint)
    name = f"collector {without_password(http.endpoint)}"
    if protocol == "http/json":
        return OtlpDestination(name, encode_json, collector_sender(http, "application/json"))
    return OtlpDestination(name, encode_proto, collector_sender(http, "application/x-protobuf"))


def _protocol(endpoint: str | None) -> str:
    for variable in ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"):
        value = os.environ.get(variable, "").strip().lower()
        if value in _PROTOCOLS:
            return value
        if value:
            _log.warning(
                "%s is %r; set it to one of: %s. Using %s.", variable, value, ", ".join(_PROTOCOLS), _DEFAULT_PROTOCOL
            )
            return _DEFAULT_PROTOCOL
    # Port 4317 is registered for OTLP over gRPC, and no HTTP request is answered there.
    return "grpc" if endpoint_port(endpoint) == 4317 else _DEFAULT_PROTOCOL
