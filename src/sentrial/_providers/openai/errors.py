"""What went wrong, where the API says it in an answer of its own, and not by the status of HTTP."""

from __future__ import annotations

from typing import Any

from sentrial._providers.values import all_fields, string

_UNNAMED = "failed"


def read_error(error: Any, *, failed: bool = False) -> dict[str, Any] | None:
    """The ``error`` of an answer, as spans tell it; ``None`` where there is none.

    Gateways may send nothing but words. ``failed``: whether the answer says that it has failed, in any case.
    """
    if not (error or failed):
        return None
    fields = all_fields(error)
    kind = fields.get("code") or fields.get("type") or _UNNAMED
    return {"type": str(kind), "message": string(fields.get("message")) or string(error) or ""}
