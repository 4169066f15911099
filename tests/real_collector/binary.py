"""Where the collector is, and how it comes there."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "collector-config"
CONFIGS = sorted(path.name for path in FOLDER.glob("*.yaml") if path.name != "builder.yaml")
"""The names of the files that a collector runs with."""


class BinaryMissingError(Exception):
    """There is no collector, and none can be built. The words say what is missing."""


def collector_binary() -> Path:
    """The collector that ``make collector`` builds; built now if it is missing or older than its manifest.

    Raises:
        BinaryMissingError: without Go or make, and no collector built before.
        AssertionError: the build failed.
    """
    binary = ROOT / ".collector" / "otelcol"
    if binary.exists() and binary.stat().st_mtime >= (FOLDER / "builder.yaml").stat().st_mtime:
        return binary
    tools = [name for name in ("go", "make") if shutil.which(name) is None]
    if not tools:
        built = subprocess.run(["make", "collector"], cwd=ROOT, capture_output=True, text=True, check=False)
        assert built.returncode == 0, f"make collector failed\n{built.stdout}\n{built.stderr}"
    if not binary.exists():
        raise BinaryMissingError(f"needs {binary}, which `make collector` builds; {' and '.join(tools)} not on PATH")
    return binary
