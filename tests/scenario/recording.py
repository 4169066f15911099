"""A scenario being recorded: a session of ours, a collector it is exported to, and what has to be found there."""

from __future__ import annotations

import difflib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import sentrial
from receivers import OtlpHttpReceiver
from scenario.outline import attributes_in, outline_of

EXPECTED = Path(__file__).parents[1] / "scenarios" / "expected"


def attributes_expected(names: str, operations: set[str]) -> set[str]:
    """What all the spans of ``operations`` have, in all the lists whose names match the pattern ``names``."""
    outlines = [file.read_text(encoding="utf-8") for file in EXPECTED.glob(f"{names}.txt")]
    spans = [span for outline in outlines for span in attributes_in(outline)]
    return {key for span in spans if span.get("gen_ai.operation.name", "").strip('"') in operations for key in span}


def violations_in(file: Path, checker: Path) -> list[dict[str, Any]]:
    """What of the spans in ``file``, OTLP/JSON, goes against the conventions."""
    done = subprocess.run(
        [sys.executable, str(checker), "--json", "--min-spans", "1", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    found = [finding for finding in json.loads(done.stdout)["findings"] if finding["level"] == "violation"]
    assert found or done.returncode == 0
    return found


class Recording:
    """Call it with a scenario's name, and do in its block what a program does.

    Afterwards what was exported is what ``tests/scenarios/expected/NAME.txt`` says (``UPDATE_GOLDEN=1`` writes it), and
    has no violation of the conventions. ``CONFORMANCE_DIR``: a folder that also gets each scenario as OTLP/JSON.

    Attributes:
        ports: what stands for each port that differs by run; put the servers' ports in.
        words: what stands for each text that differs by the client's version; put its error messages in.
        spans: of the last scenario, the session's own among them, in the receivers' normal form.
    """

    def __init__(self, collector: OtlpHttpReceiver, checker: Path, folder: Path) -> None:
        self.ports: dict[int, str] = {}
        self.words: dict[str, str] = {}
        self.spans: list[dict[str, Any]] = []
        self._collector = collector
        self._checker = checker
        self._folder = folder

    @contextmanager
    def __call__(self, name: str, *, session: bool = True, conversation: str | None = None) -> Iterator[None]:
        """Record one scenario; an exception that leaves the block is the test's.

        Args:
            name: of the list that it is held against.
            session: whether the block gets a session; it makes one of its own otherwise.
            conversation: the id of the one that the application says it serves.
        """
        assert not self._collector.requests, "one scenario a test"
        with sentrial.begin("user_1", "support-agent", convo_id=conversation) if session else nullcontext():
            yield
        assert sentrial.flush(60)
        self.spans = self._collector.spans
        lines = self._collector.otlp_json()
        self._check(name, lines)
        outline = outline_of(self.spans, self.ports, self.words)
        file = EXPECTED / f"{name}.txt"
        if os.environ.get("UPDATE_GOLDEN"):
            file.write_text(outline, encoding="utf-8")
        expected = file.read_text(encoding="utf-8")
        changes = difflib.unified_diff(expected.splitlines(), outline.splitlines(), str(file), "exported", lineterm="")
        assert outline == expected, "\n".join(changes)

    def _check(self, name: str, lines: str) -> None:
        folder = Path(os.environ.get("CONFORMANCE_DIR") or self._folder)
        file = folder / f"{name}.jsonl"
        file.write_text(lines, encoding="utf-8")
        assert violations_in(file, self._checker) == []
