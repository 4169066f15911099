"""What the doctor found, made in the test's own process as ``sentrial doctor`` makes it."""

from __future__ import annotations

from typing import Any

from sentrial._diagnosis.examination import examine


def look(*, send: bool = True, timeout: float = 10.0) -> dict[str, Any]:
    """The document."""
    return examine(send=send, timeout=timeout, own_process=True)


def problems(document: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """By code, the words and the remedy of each problem. Raises AssertionError where a code stands for two of them."""
    found = [each for each in document["findings"] if each["level"] == "problem"]
    assert document["ok"] == (not found)
    assert all(each["remedy"] for each in found)
    assert len({each["code"] for each in found}) == len(found)
    return {each["code"]: (each["words"], each["remedy"]) for each in found}


def notes(document: dict[str, Any]) -> dict[str, str]:
    """By code, the words of each note."""
    return {each["code"]: each["words"] for each in document["findings"] if each["level"] == "note"}
