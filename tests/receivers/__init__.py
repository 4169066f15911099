"""Servers that tests send to: Sentrial's stand-in, its old REST API and OTLP receivers, real sockets on 127.0.0.1.

All are context managers with ``requests``, ``spans`` (one normal form for every way, see ``normal_form``),
``wait_for_spans(n)``, ``otlp_json()`` and faults to script: ``respond``, ``hang``, ``drop``, ``silence``.
"""

from receivers.certificates import Certificates, make_certificates
from receivers.normal_form import spans_in
from receivers.old_rest_api import OldRestApi
from receivers.otlp_grpc import OtlpGrpcReceiver
from receivers.otlp_http import OtlpHttpReceiver
from receivers.received import Request
from receivers.relay import Relay
from receivers.sentrial import SentrialStandIn
from receivers.strict_json import complaints

__all__ = [
    "Certificates",
    "OldRestApi",
    "OtlpGrpcReceiver",
    "OtlpHttpReceiver",
    "Relay",
    "Request",
    "SentrialStandIn",
    "complaints",
    "make_certificates",
    "spans_in",
]
