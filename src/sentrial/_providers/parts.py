"""Parts of messages, as far as the APIs agree: binary content, addresses, and what only the API itself can read."""

from __future__ import annotations

import base64
import contextlib
from typing import Any

from sentrial.types import Part

_MODALITIES = ("image", "video", "audio")
# What only the API itself can read, and what tells its cache what to do.
_OPAQUE = frozenset(("signature", "cache_control", "encrypted_content", "encrypted_index", "encrypted_stdout"))


def modality_of(mime_type: str | None) -> str:
    """The conventions' word for content of that type."""
    family = (mime_type or "").partition("/")[0]
    return family if family in _MODALITIES else "document"


def readable(value: Any) -> Any:
    """A snapshot without what is opaque in it, or not said."""
    if isinstance(value, dict):
        return {key: readable(item) for key, item in value.items() if item is not None and key not in _OPAQUE}
    return [readable(item) for item in value] if isinstance(value, list) else value


def blob(modality: str, mime_type: str, data: Any) -> Part:
    """Binary content. As bytes: whoever writes it decides whether it stays, or is replaced by size and hash."""
    with contextlib.suppress(TypeError, ValueError):
        data = base64.b64decode(data, validate=True)
    return Part("blob", {"modality": modality, "mime_type": mime_type, "content": data})


def uri(address: Any, modality: str) -> Part:
    """Content by its address, or in it: a ``data:`` URL."""
    head, _, data = address.partition(",") if isinstance(address, str) else ("", "", "")
    if head.startswith("data:") and head.endswith(";base64"):
        return blob(modality, head[len("data:") :].partition(";")[0], data)
    return Part("uri", {"modality": modality, "uri": address})
