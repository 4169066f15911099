"""Runs the shop's program as its user would."""

from __future__ import annotations

from pathlib import Path

from running import run_program

SPANS = 14
"""How many spans its three sessions have."""


def run_shop(endpoint: str) -> dict[str, str]:
    """The ids of its sessions, ``refund``, ``follow_up`` and ``failed``, once all is delivered to ``endpoint``."""
    tests = str(Path(__file__).parents[1])
    done = run_program(
        f"import sys; sys.path.insert(0, {tests!r})\nfrom real_readers.shop import main; main({endpoint!r})"
    )
    assert done.err == ""
    (ids,) = done.printed
    return dict(ids)
