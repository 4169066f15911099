"""Runs a small program as a user would, and says what became of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_KEPT = ("PATH", "HOME", "LD_LIBRARY_PATH", "SYSTEMROOT", "COVERAGE_PROCESS_START")
_FORK_WARNING = "This process:DeprecationWarning"


@dataclass(frozen=True)
class Finished:
    """How a program ended. ``printed`` is each line of its output, read as JSON; ``seconds`` is all of its life."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def printed(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def log(self) -> list[str]:
        """What we said, line by line."""
        return [line for line in self.err.splitlines() if "sentrial" in line]


def running_program(
    source: str, variables: Mapping[str, str] | None = None, *, file: Path | None = None
) -> subprocess.Popen[str]:
    """The program under way; its environment holds ``variables`` and next to nothing else.

    ``file``: where to write it, for a program that has to be found again.
    """
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    program = textwrap.dedent(source)
    if file is not None:
        file.write_text(program, encoding="utf-8")
    return subprocess.Popen(
        # From 3.12 on Python warns of forks where there are threads.
        [
            sys.executable,
            "-W",
            "error",
            "-W",
            f"ignore:{_FORK_WARNING}",
            *(["-c", program] if file is None else [file]),
        ],
        env={**environment, "SENTRIAL_FLUSH_INTERVAL": "0.05", "SENTRIAL_FLUSH_TIMEOUT": "30", **(variables or {})},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run_program(
    source: str, variables: Mapping[str, str] | None = None, *, code: int = 0, file: Path | None = None
) -> Finished:
    """Run the program to its end. Raises AssertionError unless it ends with ``code``."""
    began = time.monotonic()
    process = running_program(source, variables, file=file)
    try:
        out, err = process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        raise AssertionError(f"it did not end\n{out}\n{err}") from None
    assert process.returncode == code, f"ended with {process.returncode}, not {code}\n{out}\n{err}"
    return Finished(process.returncode, out, err, time.monotonic() - began)
