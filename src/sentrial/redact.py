"""Personal data: how it is to be masked, and the same masking for texts and values of your own.

``sentrial.configure(pii=True)`` masks all that leaves; nothing else has to be called.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sentrial import _config
from sentrial._export.pii import PiiMasker
from sentrial._pii import LABEL, PartlyUsableError, PiiBuiltinPatterns, PiiConfig, PiiCustomPattern, read_pii

__all__ = [
    "PiiBuiltinPatterns",
    "PiiConfig",
    "PiiCustomPattern",
    "redact_payload",
    "redact_string",
    "redact_value",
]


def redact_string(
    value: str,
    mode: str = LABEL,
    builtin: PiiBuiltinPatterns | None = None,
    custom: Iterable[PiiCustomPattern] | None = None,
) -> str:
    """``value`` with what is personal replaced, as it is in all that leaves.

    Args:
        value: any text; one that is JSON stays JSON.
        mode: ``"label"``, ``"hash"`` or ``"remove"``.
        builtin: which kinds are looked for; all, if not given.
        custom: patterns of your own.

    Raises:
        ValueError: for a mode that is none, or a custom pattern that is no regular expression.
    """
    return _masker(mode, builtin, custom).mask(value)


def redact_value(
    value: Any,
    mode: str = LABEL,
    builtin: PiiBuiltinPatterns | None = None,
    custom: Iterable[PiiCustomPattern] | None = None,
) -> Any:
    """``value`` with what is personal replaced in each text within it: in dicts (keys too), lists, tuples and sets.

    A whole number that is somebody's becomes a text. Objects of other kinds are left as they are; what contains itself
    has ``None`` where it would begin again. The arguments, and what is raised, are those of :func:`redact_string`.
    """
    return _redact(value, _masker(mode, builtin, custom), ())


def redact_payload(payload: Mapping[str, Any], config: PiiConfig) -> dict[str, Any]:
    """``payload`` with what is personal replaced, whatever ``config.fields`` says; as it is, where it is not enabled.

    Raises:
        ValueError: for a mode that is none, or a custom pattern that is no regular expression.
    """
    if not config.enabled:
        return dict(payload)
    masked: dict[str, Any] = _redact(dict(payload), PiiMasker(_read(config), _key()), ())
    return masked


def _masker(mode: str, builtin: PiiBuiltinPatterns | None, custom: Iterable[PiiCustomPattern] | None) -> PiiMasker:
    return PiiMasker(
        _read(PiiConfig(enabled=True, mode=mode, builtin_patterns=builtin, custom_patterns=list(custom or ()))), _key()
    )


def _read(config: PiiConfig) -> PiiConfig:
    try:
        return read_pii(config) or config
    except PartlyUsableError as error:
        raise ValueError(f"a PiiConfig must be {error}.") from None


def _key() -> str | None:
    return _config.active.pii_key or _config.read_config({}).pii_key


def _redact(value: Any, masker: PiiMasker, around: tuple[int, ...]) -> Any:
    if isinstance(value, str):
        return masker.mask(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return masker.mask_number(value)
    if isinstance(value, bytes):
        text = value.decode("utf-8", "surrogateescape")
        masked = masker.mask(text)
        return value if masked == text else masked.encode("utf-8", "surrogateescape")
    if id(value) in around:
        return None
    inside = (*around, id(value))
    if isinstance(value, Mapping):
        return {_redact(key, masker, inside): _redact_named(key, each, masker, inside) for key, each in value.items()}
    if isinstance(value, tuple):
        items = [_redact(each, masker, inside) for each in value]
        return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
    if isinstance(value, list | set | frozenset):
        kind = list if isinstance(value, list) else set if isinstance(value, set) else frozenset
        return kind(_redact(each, masker, inside) for each in value)
    return value


def _redact_named(key: Any, value: Any, masker: PiiMasker, around: tuple[int, ...]) -> Any:
    if (
        isinstance(key, str)
        and isinstance(value, str | int)
        and not isinstance(value, bool)
        and masker.is_personal(key)
    ):
        return masker.mask_named(key, str(value))
    return _redact(value, masker, around)
