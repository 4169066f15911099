"""Secrets that must not leave, whoever wrote them: keys, tokens, passwords, connection strings.

Every text on our road passes here: content, error words, and the attributes of third-party spans.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.trace import Status

from sentrial import _guard
from sentrial._export.item import copy_span

MASK = "[masked]"
FAILED = "[masking failed]"

# Each pattern keeps what tells the reader which kind of secret it was. Sources: the key formats that the providers
# document; anything that names itself a secret before a colon or an equals sign.
_SECRETS = re.compile(
    r"""
      (?P<url>[a-z][a-z0-9+.-]*://[^\s:/@"']*:)[^\s/@"']+(?=@)
    | (?P<prefix>\b(?:sk-ant-|sk-proj-|sk-|rk_live_|sk_live_|sk_test_|sentrial_live_|sentrial_test_|ghp_|gho_|ghs_
        |github_pat_|glpat-|xox[abprs]-|AIza|hf_|npm_|pypi-|AKIA|ASIA))[A-Za-z0-9_-]{12,}
    | (?P<jwt>\beyJ)[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}
    | (?P<auth>\b(?:Bearer|Basic)\s+)[A-Za-z0-9._~+/=-]{12,}
    | (?P<pem>-----BEGIN\ [A-Z ]*PRIVATE\ KEY-----).*?(?:-----END\ [A-Z ]*PRIVATE\ KEY-----|\Z)
    | (?P<named>\b(?:password|passwd|pwd|secret|api[_-]?key|access[_-]?token|auth[_-]?token|client[_-]?secret)
        ["']?\s*[:=]\s*["']?)(?!\[masked)[^\s"',;&}]{4,}
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)

_SECRET_KEYS = frozenset(
    {
        "password", "passwd", "pwd", "secret", "clientsecret", "apikey", "xapikey", "apitoken", "accesstoken",
        "refreshtoken", "authtoken", "idtoken", "authorization", "proxyauthorization", "privatekey", "secretkey",
        "secretaccesskey", "awssecretaccesskey", "sessiontoken", "cookie", "setcookie", "connectionstring", "credential",
        "credentials", "passphrase",
    }
)  # fmt: skip
_NOT_A_LETTER = re.compile(r"[^a-z0-9]")


class SecretMasker:
    """The built-in mask, then the application's own ``extra`` (text in, text out).

    An ``extra`` that raises costs the text, not the span, and is logged once.
    """

    def __init__(self, extra: Callable[[str], str] | None = None) -> None:
        self._extra = extra

    def mask(self, text: str) -> str:
        """``text`` with what is secret replaced by ``[masked]``."""
        masked = _SECRETS.sub(_replace, text) if len(text) > 7 else text
        if self._extra is None:
            return masked
        try:
            result = self._extra(masked)
            if not isinstance(result, str):
                raise TypeError(f"mask gave {type(result).__name__}, not str")
        except Exception as error:  # noqa: BLE001 - the application's own code; what it did not mask must not leave
            _guard.say_once(
                "mask",
                "sentrial: the mask given to configure() failed (%r); the text is replaced by %s.",
                error,
                FAILED,
            )
            return FAILED
        return result

    def is_secret(self, key: str) -> bool:
        """Whether what stands under ``key`` is secret whatever it is."""
        return _NOT_A_LETTER.sub("", key.lower()) in _SECRET_KEYS


def redact_span(span: ReadableSpan, masker: SecretMasker) -> ReadableSpan:
    """A third-party ``span`` with its texts masked."""
    return copy_span(
        span,
        attributes=_redact(span.attributes, masker),
        events=[Event(event.name, _redact(event.attributes, masker), event.timestamp) for event in span.events],
        status=Status(span.status.status_code, masker.mask(span.status.description))
        if span.status.description
        else span.status,
    )


def _redact(attributes: Any, masker: SecretMasker) -> dict[str, Any]:
    return {key: _redact_value(key, value, masker) for key, value in (attributes or {}).items()}


def _redact_value(key: str, value: Any, masker: SecretMasker) -> Any:
    if isinstance(value, str):
        return MASK if masker.is_secret(key.rsplit(".", 1)[-1]) else masker.mask(value)
    if isinstance(value, tuple | list):
        return [masker.mask(item) if isinstance(item, str) else item for item in value]
    return value


def _replace(match: re.Match[str]) -> str:
    kind = match.lastgroup
    return f"{match.group(kind) if kind else ''}{MASK}"
