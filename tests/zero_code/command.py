"""One command, from its start to its end."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fake_provider import FakeProvider
from receivers import SentrialStandIn

BIN = Path(sys.executable).parent
PROGRAMS = Path(__file__).parent / "programs"
DISTRO = Path(__file__).parent / "distro"
PATIENCE = 60


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str


def variables(model: FakeProvider, sentrial: SentrialStandIn, **more: str) -> dict[str, str]:
    """All that the program's environment holds. Nothing leaves before its end, unless it is asked for."""
    return {
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "HOME": os.environ["HOME"],
        "OPENAI_API_KEY": "not-needed-offline",
        "OPENAI_BASE_URL": model.base_url,
        "SENTRIAL_API_KEY": "sentrial_test_key",
        "SENTRIAL_API_URL": sentrial.url,
        "SENTRIAL_FLUSH_INTERVAL": "60",
        "SENTRIAL_FLUSH_TIMEOUT": "30",
        "OTEL_SERVICE_NAME": "shop",
        **more,
    }


def run(command: Sequence[str], environment: dict[str, str], folder: Path = PROGRAMS, stdin: str = "") -> Outcome:
    """Run ``command``, whose first word is looked for beside this Python first, to its end."""
    program = str(BIN / command[0]) if (BIN / command[0]).exists() else command[0]
    done = subprocess.run(
        [program, *command[1:]],
        env=environment,
        cwd=folder,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)
