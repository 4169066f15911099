"""LangChain's handler: `finish(success=False)`, and `finish()` once more by a `finally`. How the session ended"""

from __future__ import annotations

from typing import Any

from defects.langchain_runs import client_and_handler
from defects.seen import Seen, Verdict


def program() -> dict[str, Any]:
    _, handler = client_and_handler()
    handler.finish(success=False, failure_reason="no such parcel")
    handler.finish()
    return {}


def judge(seen: Seen) -> Verdict:
    status = seen.of_user("alice").status
    return Verdict(status == "failed", status)
