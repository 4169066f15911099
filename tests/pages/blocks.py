"""Reads pages, and makes a program of each."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from pages.uses import AFTERWARDS, BEFORE

ROOT = Path(__file__).parents[2]
PAGES = [
    str(page.relative_to(ROOT))
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), ROOT / "benchmarks" / "README.md"]
]

_FIRST = """
import os as _os
import sentrial as _sentrial
from sentrial import _guard
_guard.strict = True
"""
_LAST = """
assert _sentrial.get_current_session_id() is None, "the block leaves a session current"
_sentrial.shutdown(30)
"""


def blocks_of(page: str) -> list[str]:
    """The Python blocks of a page, as they stand."""
    return re.findall(r"^```python\n(.*?)^```$", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def program_of(page: str, store_of: Callable[[int], Path]) -> str:
    """The page as a program: its blocks one after the other, the sessions of each in a store of its own."""
    pieces = [_FIRST, BEFORE.get(page, "")]
    for number, block in enumerate(blocks_of(page)):
        after = AFTERWARDS.get((page, number), "")
        pieces += [f'_os.environ["SENTRIAL_STORE"] = {str(store_of(number))!r}\n', block, after, _LAST]
    return "".join(pieces)
