"""The ``sentrial`` command in a process of its own, its output in a pipe."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from opentelemetry.sdk.trace import ReadableSpan

from sentrial._export.local import LocalDestination
from sentrial._export.verdict import Stored
from sentrial._store.connection import open_for_writing
from sentrial._store.span_row import SpanRow
from sentrial._store.write import write_spans


def run(*arguments: str | Path, columns: int = 80, **environ: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "sentrial.cli", *map(str, arguments)],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        env={**kept, "TZ": "UTC", "PYTHONIOENCODING": "utf-8", "COLUMNS": str(columns), **environ},
    )


def printed(*arguments: str | Path, columns: int = 80, **environ: str) -> str:
    ran = run(*arguments, columns=columns, **environ)
    assert (ran.returncode, ran.stderr) == (0, "")
    return ran.stdout


def failed(*arguments: str | Path, **environ: str) -> str:
    ran = run(*arguments, **environ)
    assert (ran.returncode, ran.stdout) == (1, "")
    return ran.stderr


def store(path: Path, spans: Sequence[ReadableSpan]) -> Path:
    destination = LocalDestination(path)
    assert destination.send(destination.encode(spans)) == Stored()
    destination.close()
    return path


def write(path: Path, rows: Sequence[SpanRow]) -> Path:
    connection = open_for_writing(path, patience_s=5)
    write_spans(connection, rows)
    connection.close()
    return path
