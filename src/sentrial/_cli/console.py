"""The terminal: how wide it is, whether it shows colour, and which signs it can draw."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

# Beyond this, figures at the right edge stand too far from the names at the left one.
_WIDEST = 140
_LINES_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Signs:
    """The signs of the display; each of ``agent`` to ``other`` marks a kind of event."""

    branch: str = "├─ "
    last: str = "└─ "
    line: str = "│  "
    ellipsis: str = "…"
    agent: str = "○"
    llm: str = "◆"
    tool: str = "▸"
    decision: str = "◇"
    error: str = "✗"
    other: str = "·"
    done: str = "✓"
    failed: str = "✗"
    open: str = "○"


ASCII = Signs(
    branch="|- ",
    last="`- ",
    line="|  ",
    ellipsis="...",
    agent="o",
    llm="*",
    tool=">",
    decision="?",
    error="x",
    other="-",
    done="+",
    failed="x",
    open="o",
)


def open_console() -> Console:
    """Standard output. No colour where it is no terminal or ``NO_COLOR`` is set."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # What the terminal's encoding lacks becomes a question mark instead of an exception.
        sys.stdout.reconfigure(errors="replace")
    console = Console(markup=False, emoji=False, highlight=False)
    console.width = min(console.width, _WIDEST)
    return console


def signs_of(console: Console) -> Signs:
    """The signs that the console's encoding holds."""
    signs = Signs()
    try:
        "".join(getattr(signs, name) for name in Signs.__slots__).encode(console.encoding)
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return signs


def print_lines(console: Console, lines: Iterable[Text]) -> None:
    """Print lines that are made to fit; what is wider all the same is left to the terminal to break."""
    waiting: list[Text] = []
    for line in lines:
        line.rstrip()
        waiting.append(line)
        if len(waiting) == _LINES_AT_ONCE:
            _print(console, waiting)
            waiting = []
    _print(console, waiting)


def _print(console: Console, lines: Sequence[Text]) -> None:
    if lines:
        console.print(Text("\n").join(lines), soft_wrap=True)
