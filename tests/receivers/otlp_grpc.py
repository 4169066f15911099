"""A collector's OTLP/gRPC receiver, on a real gRPC server."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any

from receivers.certificates import Certificates
from receivers.normal_form import document_of
from receivers.ports import free_ports
from receivers.received import Fault, Received, Request

_SERVICE = "opentelemetry.proto.collector.trace.v1.TraceService"


class OtlpGrpcReceiver(Received):
    """Answers ``TraceService/Export``. Headers of a request are its metadata."""

    def __init__(
        self,
        tls: Certificates | None = None,
        *,
        client_certificate: bool = False,
        longest_message: int = 4 * 1024 * 1024,
    ) -> None:
        """With ``client_certificate``, clients have to show one that the same authority signed."""
        super().__init__()
        self._tls = tls
        self._client_certificate = client_certificate
        self._options = [("grpc.max_receive_message_length", longest_message), ("grpc.so_reuseport", 0)]
        self._server: Any = None
        # One that nobody else is given while it is closed.
        (self.port,) = free_ports(1)

    @property
    def target(self) -> str:
        """``host:port``."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://{self.target}"

    def __enter__(self) -> OtlpGrpcReceiver:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Listens; after ``close``, on the same port again."""
        import grpc

        self._closing.clear()
        handler = grpc.method_handlers_generic_handler(
            _SERVICE, {"Export": grpc.unary_unary_rpc_method_handler(self._export)}
        )
        self._server = grpc.server(ThreadPoolExecutor(8), handlers=[handler], options=self._options)
        if self._tls is None:
            self.port = self._server.add_insecure_port(self.target)
        else:
            authority = self._tls.authority.read_bytes() if self._client_certificate else None
            pair = (self._tls.server_key.read_bytes(), self._tls.server_certificate.read_bytes())
            credentials = grpc.ssl_server_credentials([pair], authority, self._client_certificate)
            self.port = self._server.add_secure_port(self.target, credentials)
        self._server.start()

    def close(self) -> None:
        """Stops listening and breaks off every call."""
        self._release()
        self._server.stop(None).wait(5)

    def fail(self, code: Any, details: str = "", metadata: Mapping[str, Any] | None = None, *, times: int = 1) -> None:
        """The next calls get this ``grpc.StatusCode``, with ``metadata`` trailing."""
        self._faults.extend(Fault("fail", code, dict(metadata or {}), details.encode()) for _ in range(times))

    def respond(self, body: bytes) -> None:
        """The next call is stored and gets this reply."""
        self._faults.append(Fault("respond", body=body))

    def _export(self, body: bytes, context: Any) -> bytes:
        import grpc
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

        request = Request(f"/{_SERVICE}/Export", dict(context.invocation_metadata()), body)
        fault = self._arrived(request)
        if fault is not None and fault.kind == "drop":
            context.abort(grpc.StatusCode.UNAVAILABLE, "dropped")
        if fault is not None and fault.kind == "fail":
            context.set_trailing_metadata(tuple(fault.headers.items()))
            context.abort(fault.status, fault.body.decode())
        self._stored(request, document_of(ExportTraceServiceRequest.FromString(body)))
        return fault.body if fault is not None else b""
