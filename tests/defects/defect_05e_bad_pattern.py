"""A custom PII pattern that is no regular expression: what is raised, and what arrives."""

from __future__ import annotations

from typing import Any

from defects.attempts import raised_by, told
from defects.seen import Seen, Verdict


def program() -> dict[str, Any]:
    import sentrial
    from sentrial.redact import PiiConfig, PiiCustomPattern

    def work() -> None:
        sentrial.configure(pii=PiiConfig(enabled=True, custom_patterns=[PiiCustomPattern(pattern="(", label="X")]))
        with sentrial.begin("alice", "agent", input="hello"):
            pass

    return {"raised": raised_by({"begin": work})}


def judge(seen: Seen) -> Verdict:
    raised = seen.printed["raised"]
    return Verdict(
        not raised and len(seen.sessions) == 1,
        f"{told(raised) or 'nothing is raised'}; {len(seen.sessions)} of 1 session arrived",
    )
