"""The environments of the peers: one each, for their pins clash. Made once, and again when their ingredients change."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PINS = Path(__file__).parent / "pins"
FOLDER = ROOT / ".peers"
HOME = os.environ["HOME"]
"""Where pip's cache is: tests have a home of their own."""
IN_EVERY_RUN = "otel"
"""The one environment that `make test` makes too. What needs another is marked ``every_peer``: `make living-with`."""


@cache
def python_of(name: str) -> Path:
    """The Python of the environment ``name``, a file of pins/. Made now, if need be: ten seconds or more."""
    pins = PINS / f"{name}.txt"
    folder = FOLDER / name
    python = folder / "bin" / "python"
    ingredients = pins.read_bytes() + (ROOT / "pyproject.toml").read_bytes() + sys.version.encode()
    made, digest = folder / "made", hashlib.sha256(ingredients).hexdigest()
    if not made.exists() or made.read_text() != digest:
        shutil.rmtree(folder, ignore_errors=True)
        # Our own pip, and only what is imported gets compiled: a fifth of the time.
        run("venv", "--without-pip", str(folder))
        run(
            *("pip", "--python", str(folder), "install", "--quiet", "--no-compile"),
            *("--editable", f"{ROOT}[all]", "--requirement", str(pins)),
        )
        made.write_text(digest)
    return python


def run(*module: str) -> None:
    environment = {**os.environ, "HOME": HOME}
    command = [sys.executable, "-m", *module]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)} failed\n{done.stdout}\n{done.stderr}"


def marks_of(name: str, *, is_needed: bool = True) -> tuple[pytest.MarkDecorator, ...]:
    """The marks of a test that needs the environment ``name``; and of one that others in `make test` stand for."""
    return () if name == IN_EVERY_RUN and is_needed else (pytest.mark.every_peer,)
