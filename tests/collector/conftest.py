"""The collector's binary, collectors that are stopped again, and the checker of the conventions."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

import sentrial
from real_collector import (
    KEY,
    BinaryMissingError,
    Collector,
    SentrialBehindCollector,
    StartCollector,
    collector_binary,
)


@pytest.fixture(scope="session")
def otelcol() -> Path:
    """The collector of collector-config/builder.yaml; the first run builds it, which takes minutes."""
    try:
        return collector_binary()
    except BinaryMissingError as missing:
        pytest.skip(str(missing))


@pytest.fixture
def far_end() -> Iterator[SentrialBehindCollector]:
    """Where collectors send what is for Sentrial."""
    with SentrialBehindCollector([KEY]) as stand_in:
        yield stand_in


@pytest.fixture
def start_collector(otelcol: Path, far_end: SentrialBehindCollector, tmp_path: Path) -> Iterator[StartCollector]:
    """Starts one with a file of collector-config/, ``far_end`` for Sentrial, and whatever variables are given."""
    with ExitStack() as running:

        def start(*configs: str | Path, **variables: object) -> Collector:
            given = {"SENTRIAL_API_KEY": KEY, "SENTRIAL_API_URL": far_end.url, **variables}
            collector = Collector(
                otelcol,
                *configs,
                folder=tmp_path / f"queue-{len(list(tmp_path.iterdir()))}",
                variables={name: str(value) for name, value in given.items()},
            )
            return running.enter_context(collector)

        yield start
        sentrial.shutdown(5)


@pytest.fixture
def violations(shared: Path, tmp_path: Path) -> Callable[..., list[dict[str, Any]]]:
    """What the checker of the GenAI conventions says against OTLP/JSON lines with at least so many spans."""

    def check(lines: str | Path, spans: int) -> list[dict[str, Any]]:
        file = lines if isinstance(lines, Path) else tmp_path / "arrived.jsonl"
        if isinstance(lines, str):
            file.write_text(lines, encoding="utf-8")
        command = [sys.executable, str(shared / "semconv" / "check_otlp.py"), "--json", "--min-spans", str(spans)]
        done = subprocess.run([*command, str(file)], capture_output=True, text=True, check=False)
        found = json.loads(done.stdout)["findings"]
        return [finding for finding in found if finding["level"] == "violation"]

    return check
