"""A checked-in list of what is recorded of a client, and of what is not, with the reason."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple


class Listed(NamedTuple):
    """One line. ``*`` in ``pattern`` is one segment of a path, ``**`` is all that follows; ``said``: the operation that
    it is recorded as, or the reason why it is not."""

    recorded: bool
    pattern: str
    said: str

    def covers(self, path: str) -> bool:
        """Whether ``path`` is meant, in which ``*`` stands for what differs by call."""
        expression = re.escape(self.pattern).replace(r"/\*\*", "(/.*)?").replace(r"\*", "[^/.]+")
        return re.fullmatch(expression, path) is not None


def read_list(name: str) -> list[Listed]:
    """The lines of ``tests/surface/NAME.txt``, below its headings ``recorded:`` and ``not recorded:``."""
    lines = []
    recorded = False
    for line in (Path(__file__).parent / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if line.endswith(":") and not line.startswith(" "):
            recorded = line == "recorded:"
        elif line.strip() and not line.startswith("#"):
            pattern, _, said = line.strip().partition("  ")
            lines.append(Listed(recorded, pattern, said.strip()))
    return lines
