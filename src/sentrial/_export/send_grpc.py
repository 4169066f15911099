"""Sends encoded batches over gRPC and says what became of them."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Callable
from typing import Any

from sentrial import _late_imports
from sentrial._export.http_verdict import read_protobuf_reply
from sentrial._export.otlp_settings import OtlpSettings, SettingError
from sentrial._export.quiet import without_instrumentation
from sentrial._export.send_http import USER_AGENT, load_credentials
from sentrial._export.text import excerpt, secrets_in, without_password
from sentrial._export.verdict import Refused, RetryLater, TooLarge, Verdict

_EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
# Source: OTLP 1.x, "OTLP/gRPC Response", table of retryable codes; RESOURCE_EXHAUSTED is a case of its own.
_RETRYABLE = frozenset({"CANCELLED", "DEADLINE_EXCEEDED", "ABORTED", "OUT_OF_RANGE", "UNAVAILABLE", "DATA_LOSS"})
_HEADER_NAME = re.compile(r"[0-9a-z_.-]+")
_HEADER_VALUE = re.compile(r"[\x20-\x7e]*")
_HEADERS_HINT = "check OTEL_EXPORTER_OTLP_HEADERS (or OTEL_EXPORTER_OTLP_TRACES_HEADERS)"


class GrpcSender:
    """Sends bodies to one collector over one channel.

    For one thread at a time; ``close`` may be called from another, and breaks off a call under way. The channel is
    opened by the first ``send``: one opened before a fork would be dead in the child.
    """

    def __init__(self, settings: OtlpSettings) -> None:
        self.endpoint = without_password(settings.endpoint)
        self._settings = settings
        # gRPC takes the values of binary headers as bytes, and puts them into base64 itself.
        self._metadata = tuple(
            (name.lower(), value.encode() if name.lower().endswith("-bin") else value)
            for name, value in settings.headers.items()
        )
        self._secrets = secrets_in(settings.headers.values())
        self._channel: Any = None
        self._export: Callable[..., bytes] | None = None
        self._pid = 0

    def send(self, body: bytes) -> Verdict:
        """Sends ``body`` once and waits for the answer. Never raises."""
        with without_instrumentation():
            try:
                self._settings.check()
                self._check_headers()
                return self._call(body)
            except SettingError as problem:
                return Refused(str(problem))
            except Exception as error:  # noqa: BLE001 - whatever fails is said by the verdict
                words = excerpt(str(error), self._secrets)
                where = without_password(self._settings.endpoint)
                return Refused(f"cannot be sent to {where}: {type(error).__name__}: {words}")

    def close(self) -> None:
        """Closes the channel. A later ``send`` opens another."""
        channel, self._channel, self._export = self._channel, None, None
        if channel is not None and self._pid == os.getpid():
            channel.close()

    def _check_headers(self) -> None:
        for name, value in self._metadata:
            # What gRPC itself says of these is "Invalid metadata", no more.
            if not _HEADER_NAME.fullmatch(name) or (isinstance(value, str) and not _HEADER_VALUE.fullmatch(value)):
                raise SettingError(
                    f"the header {name!r} cannot be sent over gRPC, which takes ASCII only; {_HEADERS_HINT}"
                )

    def _call(self, body: bytes) -> Verdict:
        with _late_imports.undisturbed():
            import grpc  # type: ignore[import-untyped]  # grpcio ships no types

        export = self._open_channel()
        try:
            reply = export(body, timeout=self._settings.timeout, metadata=self._metadata)
        except grpc.RpcError as error:
            if error.code() is grpc.StatusCode.UNAVAILABLE:
                # A channel that failed waits up to two minutes before it connects again; a new one connects at once.
                self.close()
            return self._read_failure(error)
        return read_protobuf_reply(reply, self._secrets)

    def _open_channel(self) -> Callable[..., bytes]:
        import grpc

        if self._export is None or self._pid != os.getpid():
            settings = self._settings
            compression = grpc.Compression.Gzip if settings.compression == "gzip" else grpc.Compression.NoCompression
            options = (("grpc.primary_user_agent", USER_AGENT),)
            # Without what tracers that know no suppression have put around it (Datadog's).
            if settings.secure:
                open_channel = inspect.unwrap(grpc.secure_channel)
                channel = open_channel(settings.endpoint, _credentials(settings), options, compression)
            else:
                channel = inspect.unwrap(grpc.insecure_channel)(settings.endpoint, options, compression)
            self._channel, self._pid = channel, os.getpid()
            # No serializers: the body is encoded, and the reply is decoded by us.
            self._export = channel.unary_unary(_EXPORT)
        return self._export

    def _read_failure(self, error: Any) -> Verdict:
        code = error.code().name
        details = excerpt(error.details() or "", self._secrets)
        words = f"{code}: {details}" if details else code
        after = _retry_delay(error.trailing_metadata() or ())
        if "WRONG_VERSION_NUMBER" in (error.details() or ""):
            words += "; it seems to speak without TLS: let the endpoint begin with http://"
        if code in _RETRYABLE:
            return RetryLater(words, after)
        if code == "RESOURCE_EXHAUSTED":
            # Both gRPC libraries in use (Go's and the C core) say so in these words when a message exceeds their limit.
            if after is None and "larger than max" in details:
                return TooLarge(words)
            # The specification takes it as final without RetryInfo. Most servers that limit rates send none, though,
            # and another try, of which the queue allows few, costs less than the batch.
            return RetryLater(words, after)
        if code in ("UNAUTHENTICATED", "PERMISSION_DENIED"):
            words += f"; {_HEADERS_HINT}"
        return Refused(words)


def _credentials(settings: OtlpSettings) -> Any:
    import grpc

    if settings.credential_provider:
        provided = load_credentials(settings.credential_provider)
        if not isinstance(provided, grpc.ChannelCredentials):
            raise SettingError(
                f"the credential provider {settings.credential_provider!r} gives no grpc.ChannelCredentials "
                f"but a {type(provided).__name__}"
            )
        return provided
    return grpc.ssl_channel_credentials(
        root_certificates=_content(settings.ca_file),
        private_key=_content(settings.client_key_file),
        certificate_chain=_content(settings.client_certificate_file),
    )


def _content(path: str) -> bytes | None:
    if not path:
        return None
    with open(path, "rb") as file:
        return file.read()


def _retry_delay(metadata: Any) -> float | None:
    """The seconds of a ``RetryInfo``: in the status details, where gRPC has it, or beside them, as some servers do."""
    with _late_imports.undisturbed():
        from google.rpc.error_details_pb2 import RetryInfo  # type: ignore[import-untyped]  # ships no types
        from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]  # ships no types

    values = dict(metadata)
    info = RetryInfo()
    try:
        details = Status.FromString(values.get("grpc-status-details-bin", b"")).details
        if not any(detail.Unpack(info) for detail in details):
            if "google.rpc.retryinfo-bin" not in values:
                return None
            info.ParseFromString(values["google.rpc.retryinfo-bin"])
        return float(info.retry_delay.ToNanoseconds()) / 1e9
    except Exception:  # noqa: BLE001 - the code decides; a garbled detail only loses us the time to wait
        return None
