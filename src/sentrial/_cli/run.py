"""``sentrial run``: starts a program, unchanged, so that it is recorded. It needs neither click nor rich."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import sentrial

USAGE = """\
Usage: sentrial run PROGRAM [ARGUMENTS]...

  Run a program as `python PROGRAM [ARGUMENTS]...` would, and record its model
  calls; nothing in it has to be changed.

      sentrial run app.py --port 80     a file
      sentrial run -m package.module    a module; so all of Python's options
      sentrial run gunicorn app:app     a command that is a Python program

  The run is one session. SENTRIAL_AUTO_SESSION says otherwise (request, call,
  off), SENTRIAL_AGENT_NAME and SENTRIAL_USER_ID name agent and user.
"""

_PATH = "PYTHONPATH"


def run(arguments: Sequence[str]) -> None:
    """Become the program that ``arguments`` name; where that cannot be, run it, and end as it does."""
    if not arguments or arguments[0] in ("-h", "--help"):
        (sys.stdout if arguments else sys.stderr).write(USAGE)
        sys.exit(0 if arguments else 2)
    command = command_of(arguments)
    environment = {**os.environ, _PATH: path_with_us(os.environ.get(_PATH, ""))}
    sys.stdout.flush()
    if os.name == "nt":
        # There, a program that replaces itself is gone for whoever waits for it.
        sys.exit(subprocess.call(command, env=environment))
    os.execve(command[0], command, environment)


def command_of(arguments: Sequence[str]) -> list[str]:
    """What to execute: this Python, unless the program is a command, and no file here."""
    program = arguments[0]
    if not program.startswith("-") and not Path(program).exists() and (found := shutil.which(program)) is not None:
        return [found, *arguments[1:]]
    return [sys.executable, *arguments]


def path_with_us(path: str) -> str:
    """``PYTHONPATH`` with the folder that starts us in front."""
    ours = str(Path(sentrial.__file__).parent / "_startup")
    others = [place for place in path.split(os.pathsep) if place != ours] if path else []
    return os.pathsep.join([ours, *others])
