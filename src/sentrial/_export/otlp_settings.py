"""The standard settings of an OTLP exporter, read from the environment.

Sources: "OpenTelemetry Protocol Exporter" (specification) for the variables, and the stock Python exporters where the
specification and they differ: a timeout is in seconds, and an ``http`` endpoint with ``INSECURE=false`` means TLS over
gRPC. Read here, because the stock exporters keep what they read to themselves and disagree between versions and
transports on what a bad value does. Here it never raises: it becomes ``problem``, which the sender reports.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from opentelemetry.util.re import parse_env_headers

from sentrial._export.text import without_password

_log = logging.getLogger(__name__)

DEFAULT_TIMEOUT = 10.0
_TRACES_PATH = "v1/traces"
_COMPRESSIONS = {"http": ("none", "gzip", "deflate"), "grpc": ("none", "gzip")}


class SettingError(Exception):
    """A setting with which nothing can be sent. Its words name the setting and the remedy."""


@dataclass(frozen=True)
class OtlpSettings:
    """How a collector is reached.

    ``endpoint`` is a URL over HTTP and a gRPC target (``host:port``) over gRPC; ``timeout`` is in seconds.
    ``secure`` is of interest for gRPC only: over HTTP the URL says it. ``problem`` is empty or says what is wrong.
    """

    endpoint: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout: float = DEFAULT_TIMEOUT
    compression: str = "none"
    secure: bool = False
    ca_file: str = ""
    client_certificate_file: str = ""
    client_key_file: str = ""
    credential_provider: str = ""
    problem: str = ""

    def check(self) -> None:
        """Raises SettingError for what is wrong, files that are not there included."""
        if self.problem:
            raise SettingError(self.problem)
        files = {
            "CERTIFICATE": self.ca_file,
            "CLIENT_CERTIFICATE": self.client_certificate_file,
            "CLIENT_KEY": self.client_key_file,
        }
        for name, path in files.items():
            if path and not os.path.exists(path):
                raise SettingError(
                    f"{path!r} is not there; correct OTEL_EXPORTER_OTLP_{name} (or OTEL_EXPORTER_OTLP_TRACES_{name})"
                )


def read_http_settings(endpoint: str | None) -> OtlpSettings:
    """Settings for OTLP over HTTP. ``endpoint``, where given, is a base URL and beats the environment."""
    url = _http_url(endpoint)
    problem = ""
    if not url.lower().startswith(("http://", "https://")):
        problem = f"the collector's endpoint {without_password(url)!r} is no URL; begin it with http:// or https://"
    return _read("http", url, url.lower().startswith("https:"), problem)


def read_grpc_settings(endpoint: str | None) -> OtlpSettings:
    """Settings for OTLP over gRPC. ``endpoint``, where given, is a URL or host:port and beats the environment."""
    url = endpoint or _variable("ENDPOINT") or "http://localhost:4317"
    try:
        parts = urlsplit(url)
    except ValueError:
        return _read(
            "grpc", url, False, f"the collector's endpoint {without_password(url)!r} is neither a URL nor host:port"
        )
    insecure = _variable("INSECURE").lower()
    if parts.scheme == "https":
        secure = True
    elif insecure:
        secure = insecure != "true"
    else:
        secure = parts.scheme != "http"
    return _read("grpc", parts.netloc or url, secure, "")


def endpoint_port(endpoint: str | None) -> int | None:
    """The port of ``endpoint``, or else of the environment's; None where it names none."""
    url = endpoint or _variable("ENDPOINT")
    try:
        return urlsplit(url if "//" in url else f"//{url}").port
    except ValueError:
        return None


def _http_url(endpoint: str | None) -> str:
    if endpoint:
        url = endpoint.rstrip("/")
        return url if url.endswith("/" + _TRACES_PATH) else f"{url}/{_TRACES_PATH}"
    # Only the variable of the signal is a whole URL; the general one is a base that every signal has its path under.
    if whole := os.environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"):
        return whole
    base = os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") or "http://localhost:4318"
    return f"{base.removesuffix('/')}/{_TRACES_PATH}"


def _read(transport: str, endpoint: str, secure: bool, problem: str) -> OtlpSettings:
    compression = (_variable("COMPRESSION") or "none").lower()
    if compression not in _COMPRESSIONS[transport]:
        problem = problem or (
            f"OTEL_EXPORTER_OTLP_COMPRESSION (or OTEL_EXPORTER_OTLP_TRACES_COMPRESSION) is {compression!r}; "
            f"over {transport} it may be one of: {', '.join(_COMPRESSIONS[transport])}"
        )
    return OtlpSettings(
        endpoint=endpoint,
        headers=parse_env_headers(_variable("HEADERS"), liberal=True),
        timeout=_timeout(),
        compression=compression,
        secure=secure,
        ca_file=_variable("CERTIFICATE"),
        client_certificate_file=_variable("CLIENT_CERTIFICATE"),
        client_key_file=_variable("CLIENT_KEY"),
        credential_provider=_credential_provider(transport),
        problem=problem,
    )


def _variable(name: str) -> str:
    """The signal's own variable, else the general one. An empty variable counts as unset."""
    own = os.environ.get(f"OTEL_EXPORTER_OTLP_TRACES_{name}", "").strip()
    return own or os.environ.get(f"OTEL_EXPORTER_OTLP_{name}", "").strip()


def _credential_provider(transport: str) -> str:
    prefix = f"OTEL_PYTHON_EXPORTER_OTLP_{transport.upper()}_"
    own = os.environ.get(prefix + "TRACES_CREDENTIAL_PROVIDER", "")
    return own or os.environ.get(prefix + "CREDENTIAL_PROVIDER", "")


def _timeout() -> float:
    raw = _variable("TIMEOUT")
    if not raw:
        return DEFAULT_TIMEOUT
    try:
        seconds = float(raw)
    except ValueError:
        seconds = 0.0
    # Also refuses NaN and infinity, which no socket takes.
    if 0.0 < seconds < 1e6:
        return seconds
    _log.warning("OTEL_EXPORTER_OTLP_TIMEOUT is %r; write a number of seconds. Using %g.", raw, DEFAULT_TIMEOUT)
    return DEFAULT_TIMEOUT
