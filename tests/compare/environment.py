"""The environments of the peers: one each, for what they need clashes. Made once; ``make clean`` forgets them."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LISTS = Path(__file__).parent / "environments"
FOLDER = ROOT / ".compare"
NOT_BESIDE_US = "sentrial_0_6"
"""The old SDK has our import name."""


def python_of(name: str) -> Path:
    """The Python of the environment ``name``, a file of environments/: the newest of everything, when it is made."""
    listed = LISTS / f"{name}.txt"
    folder = FOLDER / name
    made = folder / "made"
    digest = hashlib.sha256(listed.read_bytes()).hexdigest()
    if not made.exists() or made.read_text(encoding="utf-8") != digest:
        print(f"making the environment {name}", file=sys.stderr)
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
        ours = [] if name == NOT_BESIDE_US else ["--editable", str(ROOT)]
        pip = [sys.executable, "-m", "pip", "--python", str(folder), "install", "--quiet", "--no-compile"]
        subprocess.run([*pip, *ours, "--requirement", str(listed)], check=True)
        made.write_text(digest, encoding="utf-8")
    return folder / "bin" / "python"


def environment() -> dict[str, str]:
    """The variables that a program of the comparison runs with: nothing of OpenTelemetry's or ours from outside."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "SENTRIAL_"))}
    return {**kept, "PYTHONPATH": str(ROOT / "tests"), "SENTRIAL_LOCAL": "off"}
