"""Importing the package where httpx is not installed."""

from __future__ import annotations

import importlib
import sys
from typing import Any

from defects.seen import Seen, Verdict


def program() -> dict[str, Any]:
    # What `import httpx` finds where it is not installed.
    sys.modules["httpx"] = None
    try:
        sentrial = importlib.import_module("sentrial")
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what the program saw
        return {"raised": f"{type(error).__name__}: {error}"}
    with sentrial.begin("alice", "agent", input="hello"):
        pass
    return {"raised": None}


def judge(seen: Seen) -> Verdict:
    if seen.printed["raised"]:
        return Verdict(False, f"`import sentrial` raises {seen.printed['raised']}")
    return Verdict(len(seen.sessions) == 1, f"it works; {len(seen.sessions)} of 1 session arrived")
