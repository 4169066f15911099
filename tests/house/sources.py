"""Rules about one file's text: names, strings, length, what is left for later, what is switched off."""

from __future__ import annotations

import ast
import io
import re
import tokenize

MAX_LINES = 350
NO_NAMES = frozenset({"utils", "util", "helpers", "helper", "common", "base", "core", "manager"})
# In pieces, so that this file does not complain of itself.
LATER = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK")) + r")\b")
OF_SEMCONV = ("gen_ai.", "sentrial.")
_SWITCHED_OFF = re.compile(r"#\s*(noqa|type:\s*ignore|pragma)")
_WITH_REASON = re.compile(r"#\s*(noqa: [A-Z0-9, ]+ -|type: ignore\[[a-z-]+(, ?[a-z-]+)*\]\s+#) \S")


def bad_name(stem: str) -> str | None:
    """A complaint about a file or folder that is called after nothing in particular."""
    words = set(stem.lower().strip("_").split("_"))
    return f"{stem}: {', '.join(sorted(words & NO_NAMES))} says nothing of what is in it" if words & NO_NAMES else None


def too_long(source: str) -> str | None:
    """A complaint about a file in which there must be a second noun."""
    lines = len(source.splitlines())
    return f"{lines} lines, at most {MAX_LINES}: is there a second noun in it?" if lines > MAX_LINES else None


def stray_names(source: str) -> list[str]:
    """String literals, parts of f-strings included, that belong into semconv.py. Docstrings may say them."""
    tree = ast.parse(source)
    prose = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    return [
        f"line {node.lineno}: {node.value!r}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.startswith(OF_SEMCONV)
        and id(node) not in prose
    ]


def left_for_later(source: str) -> list[str]:
    """Marks of work that somebody put off."""
    return [f"line {number}: {line.strip()}" for number, line in _lines(source) if LATER.search(line)]


def without_reason(source: str) -> list[str]:
    """Switched-off checks without a word why: ``# noqa: CODE - reason``, ``# type: ignore[code]  # reason``."""
    comments = [
        token for token in tokenize.generate_tokens(io.StringIO(source).readline) if token.type == tokenize.COMMENT
    ]
    return [
        f"line {token.start[0]}: {token.string}"
        for token in comments
        if _SWITCHED_OFF.search(token.string) and not _WITH_REASON.search(token.string)
    ]


def _lines(source: str) -> list[tuple[int, str]]:
    return list(enumerate(source.splitlines(), start=1))
