"""Metadata that is no dict: what is raised, and what arrives."""

from __future__ import annotations

from typing import Any

from defects.attempts import raised_by, told
from defects.seen import Seen, Verdict

_METADATA: dict[str, Any] = {"text": "from the web", "list": ["a", "b"], "number": 7}


def program() -> dict[str, Any]:
    import sentrial

    def work(name: str) -> None:
        with sentrial.begin(name, "agent", metadata=_METADATA[name]):
            pass

    return {"raised": raised_by({name: lambda name=name: work(name) for name in _METADATA})}


def judge(seen: Seen) -> Verdict:
    raised = seen.printed["raised"]
    return Verdict(
        not raised and len(seen.sessions) == len(_METADATA),
        f"{told(raised) or 'nothing is raised'}; {len(seen.sessions)} of {len(_METADATA)} sessions arrived",
    )
