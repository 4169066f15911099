"""Recorded text made safe for a terminal.

What an agent was sent may hold escape sequences that would colour, move, retitle or answer the terminal, and marks
that reorder what the eye reads. They are shown as what they are, ``\\x1b`` for one, instead of being obeyed.
"""

from __future__ import annotations

import re

# C0 and C1 controls but newline, line and paragraph separators, the marks that turn the direction of writing,
# halves of surrogate pairs, and the invisible copies of ASCII.
_UNSAFE = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
_READABLE = {"\t": "    ", "\u2028": "\n", "\u2029": "\n", "\x0b": "\n", "\x0c": "\n", "\x85": "\n"}


def safe_text(text: str) -> str:
    """``text`` with every control character but newline made visible."""
    return _UNSAFE.sub(_shown, text.replace("\r\n", "\n"))


def safe_line(value: object) -> str:
    """``value`` as one line."""
    return " ".join(safe_text(str(value)).split("\n"))


def _shown(found: re.Match[str]) -> str:
    character = found[0]
    if character in _READABLE:
        return _READABLE[character]
    code = ord(character)
    if 0xD800 <= code <= 0xDFFF:
        return "\ufffd"
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
