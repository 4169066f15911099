"""Secrets must not leave, whoever wrote them down.

Every text on our road passes here: content, error words, and the attributes of third-party spans.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.trace import Link, Status

from sentrial import _guard, semconv
from sentrial._export.item import copy_span
from sentrial._export.pii import FAILED, PiiMasker
from sentrial._export.secrets import MASK, mask_secrets, names_a_secret

# What we stamp on the spans of others, and what our own have as it is: by these they are found together.
_IDS = frozenset({semconv.SENTRIAL_SESSION_ID, semconv.SESSION_ID, semconv.USER_ID, semconv.GEN_AI_CONVERSATION_ID})


class SecretMasker:
    """The built-in mask, then that of personal data where it is asked for, then the application's own ``extra`` (text
    in, text out).

    An ``extra`` that raises costs the text, not the span, and is logged once.
    """

    def __init__(self, extra: Callable[[str], str] | None = None, personal: PiiMasker | None = None) -> None:
        self._extra = extra
        self._personal = personal

    def mask(self, text: str) -> str:
        """``text`` with what is secret replaced by ``[masked]``, and what is personal as the configuration says."""
        masked = mask_secrets(text)
        if self._personal is not None:
            try:
                masked = self._personal.mask(masked)
            except Exception as error:  # noqa: BLE001 - what a library failed on is not masked, and must not leave
                _guard.note("masking personal data", error)
                return FAILED
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
        """Whether what stands under ``key`` is secret, or personal, whatever it is."""
        return names_a_secret(key) or (self._personal is not None and self._personal.is_personal(key))

    def mask_number(self, value: int) -> int | str:
        """``value``, or the text that takes its place where it is personal."""
        return value if self._personal is None else self._personal.mask_number(value)


def redact_span(span: ReadableSpan, masker: SecretMasker) -> ReadableSpan:
    """A third-party ``span`` with its texts masked."""
    status = span.status
    return copy_span(
        span,
        name=_redact_name(span.name, masker),
        attributes=_redact(span.attributes, masker),
        events=[
            Event(_redact_name(event.name, masker), _redact(event.attributes, masker), event.timestamp)
            for event in span.events
        ],
        links=[Link(link.context, _redact(link.attributes, masker)) for link in span.links],
        status=Status(status.status_code, masker.mask(status.description)) if status.description else status,
    )


def _redact(attributes: Mapping[str, Any] | None, masker: SecretMasker) -> dict[str, Any]:
    return {
        _redact_name(str(key), masker): _redact_value(str(key), value, masker)
        for key, value in (attributes or {}).items()
    }


def _redact_name(name: str, masker: SecretMasker) -> str:
    # A span or an attribute without a name is refused, and all that is sent with it.
    return masker.mask(name) or MASK


def _redact_value(key: str, value: Any, masker: SecretMasker) -> Any:
    if value is None or isinstance(value, bool) or key in _IDS:
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
    if isinstance(value, int) and not isinstance(value, bool):
        return masker.mask_number(value)
    if isinstance(value, bytes):
        text = value.decode("utf-8", "replace")
        masked = masker.mask(text)
        return value if masked == text else masked
    return value
