"""Runs a program of a defect as a process of its own, with either package, against a server of its own."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from types import ModuleType

from defects.arrived import sessions_at
from defects.seen import Seen, Verdict
from receivers import OldRestApi, SentrialStandIn

HERE = Path(__file__).parent
KEY, OTHER_KEY = "sentrial_test_key", "sentrial_other_key"
TIME_LIMIT = 120
"""Seconds after which a program is ended by force."""


def names() -> list[str]:
    """The defects, by number."""
    return sorted(path.stem for path in HERE.glob("defect_*.py"))


def defect(name: str) -> ModuleType:
    return importlib.import_module(f"defects.{name}")


def title(name: str) -> str:
    """The row's title: the first line of the file."""
    return (defect(name).__doc__ or "").splitlines()[0].rstrip(".")


def number(name: str) -> str:
    """Its number in the list of defects, such as ``2b``."""
    return name.split("_")[1].lstrip("0")


def run_with_ours(name: str) -> Seen:
    """The program with the package of this very interpreter."""
    with SentrialStandIn([KEY, OTHER_KEY]) as receiver:
        return _run(name, sys.executable, receiver)


def run_with_old(name: str, python: str) -> Seen:
    """The program with the old package, which ``python`` has."""
    with OldRestApi([KEY, OTHER_KEY]) as receiver:
        return _run(name, python, receiver)


def judge(name: str, seen: Seen) -> Verdict:
    found: Verdict = defect(name).judge(seen)
    return found


def right(name: str) -> Seen:
    """What is seen of that program under ours. Raises AssertionError unless its judge finds it right."""
    seen = run_with_ours(f"defect_{name}")
    verdict = judge(f"defect_{name}", seen)
    assert verdict.ok, verdict.words
    return seen


def _run(name: str, python: str, receiver: OldRestApi | SentrialStandIn) -> Seen:
    """Raises AssertionError where the program itself does not get to its end."""
    module = defect(name)
    url = receiver.url
    if hasattr(module, "scene"):
        module.scene(receiver)
    with tempfile.TemporaryDirectory() as home:
        variables = {
            "PATH": os.environ["PATH"],
            "HOME": home,
            "PYTHONPATH": str(HERE.parent),
            "PYTHONDONTWRITEBYTECODE": "1",
            "SENTRIAL_API_URL": url,
            "SENTRIAL_API_KEY": KEY,
            # A slow machine under load loses nothing; programs whose server never answers have a bound of their own.
            "SENTRIAL_FLUSH_TIMEOUT": "60",
            **getattr(module, "VARIABLES", {}),
        }
        ended = subprocess.run(
            [python, "-m", "defects", name],
            env=variables,
            capture_output=True,
            text=True,
            timeout=TIME_LIMIT,
            check=False,
        )
        files = [str(path.relative_to(home)) for path in sorted(Path(home).rglob("*")) if path.is_file()]
    assert ended.returncode == 0, f"{name} ended with {ended.returncode}\n{ended.stdout}\n{ended.stderr}"
    requests = receiver.requests
    return Seen(
        printed=json.loads(ended.stdout.splitlines()[-1]),
        log=ended.stderr,
        sessions=sessions_at(receiver),
        sent="\n".join(request.body.decode() for request in requests),
        bytes=sum(len(request.body) for request in requests),
        requests=len(requests),
        home=files,
    )
