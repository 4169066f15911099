"""Breaking text into lines that fit, and saying how much was left out."""

from __future__ import annotations

from collections.abc import Iterator

from rich.cells import cell_len


def wrap(text: str, width: int) -> Iterator[tuple[str, int]]:
    """The lines of ``text`` at most ``width`` cells wide, each with the place in ``text`` behind it.

    Lazy, so that the first lines of a megabyte cost no more than those of a sentence.
    """
    width = max(width, 2)
    start = 0
    while start < len(text):
        stop = text.find("\n", start, start + width + 1)
        if stop >= 0 and cell_len(text[start:stop]) <= width:
            yield text[start:stop].rstrip(" "), stop + 1
            start = stop + 1
            continue
        stop = _fitting(text, start, width)
        if stop < len(text):
            stop = _at_a_space(text, start, stop)
        yield text[start:stop].rstrip(" "), stop
        start = stop


def shorten(text: str, width: int, ellipsis: str) -> str:
    """``text`` in at most ``width`` cells, with ``ellipsis`` where something is missing."""
    if len(text) <= width and cell_len(text) <= width:
        return text
    return text[: _fitting(text, 0, max(width - len(ellipsis), 0))].rstrip(" ") + ellipsis


def cut(text: str, width: int, lines: int | None, ellipsis: str) -> tuple[list[str], int]:
    """The first ``lines`` lines of ``text``, and how many characters are missing; None: all of them."""
    shown: list[str] = []
    for line, end in wrap(text, width):
        if lines is not None and len(shown) == lines:
            break
        shown.append(line)
        reached = end
    if not shown:
        return [], 0
    missing = len(text) - reached
    if missing <= 0:
        return shown, 0
    # The last line makes room for the note, and what it gives up is missing too.
    room = max(width - len(_note(missing + width, ellipsis)), 0)
    last = shown[-1]
    if cell_len(last) > room:
        kept = last[: _fitting(last, 0, room)]
        kept = kept.rpartition(" ")[0] or kept
        missing += len(last) - len(kept)
        last = kept
    shown[-1] = last + _note(missing, ellipsis)
    return shown, missing


def _note(missing: int, ellipsis: str) -> str:
    return f" {ellipsis} +{missing:,} characters"


def _fitting(text: str, start: int, width: int) -> int:
    """Up to where ``text`` from ``start`` on fits ``width`` cells."""
    stop = min(start + width, len(text))
    while stop > start and cell_len(text[start:stop]) > width:
        # A wide character takes two cells, so the surplus is at least half as many characters.
        stop -= max((cell_len(text[start:stop]) - width) // 2, 1)
    return stop


def _at_a_space(text: str, start: int, stop: int) -> int:
    """The end of the last whole word before ``stop``, with the space behind it; ``stop`` inside one long word."""
    if text[stop] == " ":
        return stop + 1
    space = text.rfind(" ", start, stop)
    return space + 1 if space > start and text[start:space].strip(" ") else stop
