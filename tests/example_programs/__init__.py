"""The examples, run as users run them: each a process; and what is in the store then.

Nothing is set but PATH and HOME, and time for a slow machine to deliver at the end.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from sentrial._store.location import store_path
from sentrial._store.span_row import SpanRow
from stored import Stored, content, sessions_in, words

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(name: str, **variables: str) -> tuple[list[str], list[Stored]]:
    """What the example prints, and the sessions in the store afterwards."""
    done = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / name)],
        env=_environment(**variables),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    store = store_path({})
    notes = done.stderr.splitlines()
    if not variables:
        assert notes.pop(0).startswith("sentrial: no Sentrial key and no collector is set, so sessions are kept in ")
    assert (done.returncode, notes) == (0, [])
    return done.stdout.splitlines(), sessions_in(store)


def said(session: Stored) -> tuple[list[str], list[str]]:
    """What the user said, and what the agent answered."""
    return words(session.root, "gen_ai.input.messages"), words(session.root, "gen_ai.output.messages")


def given(tool: SpanRow) -> Any:
    """What a tool was given."""
    return content(tool, "gen_ai.tool.call.arguments")


def got(tool: SpanRow) -> Any:
    """What a tool gave."""
    return content(tool, "gen_ai.tool.call.result")


class Service:
    """An example as a server of its own process, by ``app``, such as ``03_web_service:app``.

    ``address`` is where it listens. ``variables`` are set besides.
    """

    def __init__(self, app: str, **variables: str) -> None:
        command = [sys.executable, "-W", "error", "-m", "uvicorn", app, "--port", "0"]
        environment = _environment(**variables)
        self._process = subprocess.Popen(command, cwd=EXAMPLES, env=environment, stderr=subprocess.PIPE, text=True)
        self._log: list[str] = []
        self.address = self._wait_for_address()

    def _wait_for_address(self) -> str:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._log.append(line)
            if match := re.search(r"running on (http://[\d.:]+)", line):
                return match[1]
        raise AssertionError("".join(self._log))

    def stop(self) -> list[Stored]:
        """End it as a container's host does; gives the sessions that are in the store then."""
        self._process.send_signal(signal.SIGTERM)
        _, rest = self._process.communicate(timeout=60)
        log = [*self._log, *rest.splitlines()]
        assert [line for line in log if line.startswith(("ERROR", "Traceback"))] == []
        return sessions_in(store_path({}))

    def kill(self) -> None:
        """End it, whatever it does; nothing happens where it has ended."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()


def _environment(**variables: str) -> dict[str, str]:
    given = {name: os.environ[name] for name in ("PATH", "HOME")}
    return {**given, "SENTRIAL_FLUSH_TIMEOUT": "60", **variables}
