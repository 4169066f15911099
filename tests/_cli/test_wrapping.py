"""Lines that fit, and notes that say how much is missing."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from sentrial._cli.wrapping import cut, shorten, wrap

TEXT = "The quick brown fox jumps over the lazy dog, and then over the 狐狸 too.\n\n  indented\n" + "x" * 50


@pytest.mark.parametrize("width", [2, 3, 10, 17, 80])
def test_no_line_is_wider_and_no_word_is_lost(width: int) -> None:
    lines = list(wrap(TEXT, width))
    assert max(cell_len(line) for line, _ in lines) <= width
    assert "".join(line for line, _ in lines).replace(" ", "") == TEXT.replace(" ", "").replace("\n", "")
    assert lines[-1][1] == len(TEXT)


def test_lines_break_between_words_and_at_line_breaks() -> None:
    assert [line for line, _ in wrap("one two three\nfour\n\nfive", 9)] == ["one two", "three", "four", "", "five"]
    assert [line for line, _ in wrap("one two", 7)] == ["one two"]
    assert [line for line, _ in wrap("abcdefghij kl", 4)] == ["abcd", "efgh", "ij", "kl"]
    assert [line for line, _ in wrap("    code\n  more", 20)] == ["    code", "  more"]
    assert list(wrap("", 10)) == []


def test_what_is_cut_is_counted() -> None:
    text = "word " * 100
    lines, missing = cut(text, 40, 2, "…")
    assert lines == ["word word word word word word word word", "word word word word … +440 characters"]
    assert missing == 440
    assert text.startswith(lines[0] + " word word word word")
    assert cut(text, 40, None, "…")[1] == 0
    assert cut("short", 40, 2, "…") == (["short"], 0)
    assert cut("", 40, 2, "…") == ([], 0)


def test_a_cut_line_still_fits() -> None:
    for width in (20, 24, 33, 60):
        lines, missing = cut("狐 " * 500, width, 3, "…")
        assert len(lines) == 3
        assert missing > 0
        assert max(map(cell_len, lines)) <= max(width, 24)


def test_a_name_is_shortened_by_cells() -> None:
    assert shorten("support-agent", 13, "…") == "support-agent"
    assert shorten("support-agent", 8, "…") == "support…"
    assert shorten("日本のユーザー", 7, "...") == "日本..."
    assert shorten("two words", 5, "…") == "two…"
