"""Sends encoded batches over HTTP and says what became of them."""

from __future__ import annotations

import functools
import gzip
import inspect
import os
import zlib
from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from sentrial import _late_imports
from sentrial._export.http_verdict import HttpAnswer, read_verdict
from sentrial._export.otlp_settings import DEFAULT_TIMEOUT, OtlpSettings, SettingError
from sentrial._export.quiet import without_instrumentation
from sentrial._export.text import excerpt, secrets_in, without_password
from sentrial._export.verdict import Refused, RetryLater, Verdict
from sentrial._version import __version__

if TYPE_CHECKING:
    import requests

USER_AGENT = f"sentrial-otel/{__version__}"
# No OTLP reply comes near; a page of HTML that is larger is not worth the memory.
_LONGEST_ANSWER = 65536


class HttpSender:
    """Sends bodies to one URL over one kept-alive connection.

    For one thread at a time; ``close`` may be called from another. Opens nothing before the first ``send``, and
    opens anew in a forked child, whose parent goes on using the old connection.
    """

    def __init__(self, settings: OtlpSettings, *, content_type: str, key_hint: str) -> None:
        """``settings.headers`` beat the headers set here. ``key_hint`` names the setting that holds the key.

        ``watch``, once it is set, is shown each answer, for who wants more of it than the verdict.
        """
        self.endpoint = without_password(settings.endpoint)
        self.watch: Callable[[HttpAnswer], None] | None = None
        self._settings = settings
        self._key_hint = key_hint
        self._secrets = secrets_in(settings.headers.values())
        headers = {"content-type": content_type, "user-agent": USER_AGENT}
        if settings.compression != "none":
            headers["content-encoding"] = settings.compression
        headers.update({name.lower(): value for name, value in settings.headers.items()})
        # As text, requests takes Latin-1 only; as bytes, instrumentations of it fail on names that they look at.
        self._headers = {
            name: value if value.isascii() else value.encode("utf-8", "replace") for name, value in headers.items()
        }
        self._session: requests.Session | None = None
        self._pid = 0
        self._was_answered = False

    def send(self, body: bytes) -> Verdict:
        """Sends ``body`` once and waits for the answer. Never raises."""
        with without_instrumentation():
            try:
                self._settings.check()
                answer = self._post(body)
                if self.watch is not None:
                    self.watch(answer)
                return read_verdict(answer, self._key_hint)
            except SettingError as problem:
                return Refused(str(problem))
            except Exception as error:  # noqa: BLE001 - whatever fails is said by the verdict
                return self._read_failure(error)

    def close(self) -> None:
        """Closes the connection. A later ``send`` opens another."""
        session, self._session = self._session, None
        if session is not None and self._pid == os.getpid():
            session.close()

    def _post(self, body: bytes) -> HttpAnswer:
        with _late_imports.undisturbed():
            import encodings.idna  # noqa: F401 - what a connection imports by itself
            import netrc  # noqa: F401 - and a request

            import requests

        session = self._open_session()
        data = _COMPRESS[self._settings.compression](body)
        try:
            answer = self._post_once(session, data)
        except requests.ConnectionError as error:
            # A server may close an idle connection in the very moment in which we use it again.
            if not self._was_answered or isinstance(error, requests.Timeout):
                raise
            self._was_answered = False
            answer = self._post_once(session, data)
        self._was_answered = True
        return answer

    def _post_once(self, session: requests.Session, data: bytes) -> HttpAnswer:
        import requests

        settings = self._settings
        key = settings.client_key_file
        request = session.prepare_request(
            requests.Request(
                "POST",
                settings.endpoint,
                headers=self._headers,
                data=data,
                # Without one, requests puts what a .netrc says in the place of our header.
                auth=_keep_headers if "authorization" in self._headers else None,
            )
        )
        # Per request: requests lets REQUESTS_CA_BUNDLE beat the session's own.
        verify = settings.ca_file or True
        certificate = (settings.client_certificate_file, key) if key else settings.client_certificate_file or None
        found = session.merge_environment_settings(settings.endpoint, {}, True, verify, certificate)
        with _send_of(session)(request, timeout=settings.timeout, allow_redirects=False, **found) as response:
            headers = {name.lower(): value for name, value in response.headers.items()}
            return HttpAnswer(response.status_code, headers, _read_body(response), self._secrets)

    def _open_session(self) -> requests.Session:
        import requests

        if self._session is None or self._pid != os.getpid():
            provider = self._settings.credential_provider
            self._session = _provided_session(provider) if provider else requests.Session()
            self._pid = os.getpid()
            self._was_answered = False
        return self._session

    def _read_failure(self, error: Exception) -> Verdict:
        import requests

        where = without_password(self._settings.endpoint)
        if isinstance(error, requests.ConnectTimeout):
            return RetryLater(f"no connection to {where} within {self._settings.timeout:g} s")
        if isinstance(error, requests.Timeout):
            return RetryLater(f"no answer from {where} within {self._settings.timeout:g} s")
        if isinstance(error, requests.exceptions.InvalidHeader):
            # Its words hold the header's value.
            return Refused(f"a header holds a line break or begins with a space; check {self._key_hint}")
        if isinstance(error, (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
            return RetryLater(f"no answer from {where}: {excerpt(str(_cause(error)), self._secrets)}")
        return Refused(f"cannot be sent to {where}: {type(error).__name__}: {excerpt(str(error), self._secrets)}")


def _send_of(session: requests.Session) -> Callable[..., requests.Response]:
    """``send`` of ``session``, without what tracers that know no suppression have put around it (Datadog's)."""
    import requests

    if type(session) is not requests.Session:
        return session.send
    return functools.partial(inspect.unwrap(requests.Session.send), session)


def sentrial_sender(url: str, api_key: str, timeout: float = DEFAULT_TIMEOUT) -> HttpSender:
    """A sender of OTLP/JSON to Sentrial's ``url``, the whole of it. ``timeout`` is in seconds.

    Not compressed: whether Sentrial's endpoint takes compressed bodies is unknown.
    """
    key = api_key.strip()
    problem = "" if key else "there is no API key; set SENTRIAL_API_KEY"
    if not url.lower().startswith(("http://", "https://")):
        address = without_password(url)
        problem = f"the address {address!r} is no URL; set SENTRIAL_API_URL to one that begins with http:// or https://"
    headers = {"authorization": f"Bearer {key}"}
    settings = OtlpSettings(endpoint=url, headers=headers, timeout=timeout, problem=problem)
    return HttpSender(settings, content_type="application/json", key_hint="SENTRIAL_API_KEY")


def collector_sender(settings: OtlpSettings, content_type: str) -> HttpSender:
    """A sender to a collector. ``content_type`` is that of the bodies it will be given."""
    hint = "OTEL_EXPORTER_OTLP_HEADERS (or OTEL_EXPORTER_OTLP_TRACES_HEADERS)"
    return HttpSender(settings, content_type=content_type, key_hint=hint)


def _provided_session(name: str) -> requests.Session:
    """The session of a credential provider, as the stock exporters find it."""
    import requests

    session = load_credentials(name)
    if not isinstance(session, requests.Session):
        raise SettingError(f"the credential provider {name!r} gives no requests.Session but a {type(session).__name__}")
    return session


def load_credentials(name: str) -> object:
    """What the credential provider ``name`` gives. Raises SettingError if there is none of that name."""
    found = list(entry_points(group="opentelemetry_otlp_credential_provider", name=name))
    if not found:
        raise SettingError(f"the credential provider {name!r} is not installed (OTEL_PYTHON_EXPORTER_OTLP_*)")
    return found[0].load()()


def _keep_headers(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _read_body(response: requests.Response) -> bytes:
    import requests

    body = bytearray()
    try:
        for chunk in response.iter_content(16384):
            body += chunk
            if len(body) >= _LONGEST_ANSWER:
                break
    except requests.RequestException:
        # The status has come, and it decides; half a body tells nothing.
        return b""
    return bytes(body)


def _cause(error: BaseException) -> BaseException:
    """The error that says what happened: requests and urllib3 wrap it three deep."""
    inner: Any = error
    while True:
        below = getattr(inner, "reason", None) or (inner.args[-1] if inner.args else None)
        if not isinstance(below, BaseException):
            return inner if str(inner) else error
        inner = below


_COMPRESS: Mapping[str, Callable[[bytes], bytes]] = {
    "none": bytes,
    "gzip": lambda body: gzip.compress(body, 6),
    "deflate": zlib.compress,
}
