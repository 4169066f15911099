"""The canned replies of tests/replies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "replies"


def read_reply(name: str) -> dict[str, Any]:
    """A fresh copy of the reply of that name."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
