"""Secrets must not leave, whoever wrote them down.

Every text on our road passes here: content, error words, and the attributes of third-party spans.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.trace import Link, Status

from sentrial import _guard
from sentrial._export.item import copy_span
from sentrial._export.secrets import MASK, mask_secrets, names_a_secret

FAILED = "[masking failed]"


class SecretMasker:
    """The built-in mask, then the application's own ``extra`` (text in, text out).

    An ``extra`` that raises costs the text, not the span, and is logged once.
    """

    def __init__(self, extra: Callable[[str], str] | None = None) -> None:
        self._extra = extra

    def mask(self, text: str) -> str:
        """``text`` with what is secret replaced by ``[masked]``."""
        masked = mask_secrets(text)
        if self._extra is None:
            return masked
        try:
            result = self._extra(masked)
            if not isinstance(result, str):
                raise TypeError
        except Exception as error:  # noqa: BLE001 - the application's own code; what it did not mask must not leave
            _guard.say_once(
                "mask",
                "sentrial: the mask given to configure() failed (%s); each text that it fails on is replaced by %s.",
                type(error).__name__,
                FAILED,
            )
            return FAILED
        return result

    def is_secret(self, key: str) -> bool:
        """Whether what stands under ``key`` is secret whatever it is."""
        return names_a_secret(key)


def redact_span(span: ReadableSpan, masker: SecretMasker) -> ReadableSpan:
    """A third-party ``span`` with its texts masked."""
    status = span.status
    return copy_span(
        span,
        name=masker.mask(span.name),
        attributes=_redact(span.attributes, masker),
        events=[
            Event(masker.mask(event.name), _redact(event.attributes, masker), event.timestamp) for event in span.events
        ],
        links=[Link(link.context, _redact(link.attributes, masker)) for link in span.links],
        status=Status(status.status_code, masker.mask(status.description)) if status.description else status,
    )


def _redact(attributes: Mapping[str, Any] | None, masker: SecretMasker) -> dict[str, Any]:
    return {key: _redact_value(str(key), value, masker) for key, value in (attributes or {}).items()}


def _redact_value(key: str, value: Any, masker: SecretMasker) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if masker.is_secret(key):
        # Instrumentations keep a header's values as a list.
        return [MASK] * len(value) if isinstance(value, tuple | list) else MASK
    return _redact_item(value, masker)


def _redact_item(value: Any, masker: SecretMasker) -> Any:
    if isinstance(value, str):
        return masker.mask(value)
    if isinstance(value, tuple | list):
        return [_redact_item(item, masker) for item in value]
    if isinstance(value, Mapping):
        return _redact(value, masker)
    if isinstance(value, bytes):
        text = value.decode("utf-8", "replace")
        masked = masker.mask(text)
        return value if masked == text else masked
    return value
