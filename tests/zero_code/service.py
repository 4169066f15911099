"""A server that runs until it is told to stop."""

from __future__ import annotations

import http.client
import re
import signal
import subprocess
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType

from zero_code.command import BIN, PATIENCE, PROGRAMS


class Service:
    """A context manager: inside, the server takes requests; afterwards it has ended, by SIGTERM.

    ``workers``: how many have to be there first, each saying a line that ``is_ready`` finds. ``code``: how it has to
    end. ``output``: what it said, both streams.
    """

    def __init__(
        self, command: Sequence[str], environment: dict[str, str], *, workers: int = 1, ready: str, code: int = 0
    ) -> None:
        self._command = [str(BIN / command[0]), *command[1:]]
        self._environment = environment
        self._workers = workers
        self._ready = re.compile(ready)
        self._code = code
        self.output = ""
        self.port = 0

    def __enter__(self) -> Service:
        self._process = subprocess.Popen(
            self._command,
            env=self._environment,
            cwd=PROGRAMS,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._is_up = threading.Event()
        self._said = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        assert self._is_up.wait(PATIENCE), f"it did not come up:\n{self.output}"
        assert self._process.poll() is None, f"it ended:\n{self.output}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            code = self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise
        finally:
            self._reader.join(PATIENCE)
            assert self._process.stdout is not None
            self._process.stdout.close()
        assert error is not None or code == self._code, f"ended with {code}:\n{self.output}"

    def _read(self) -> None:
        ready = 0
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._said:
                self.output += line
                self._said.notify_all()
            if found := re.search(r"http://127\.0\.0\.1:(\d+)", line):
                self.port = self.port or int(found[1])
            ready += self._ready.search(line) is not None
            if ready >= self._workers:
                self._is_up.set()
        self._is_up.set()

    def wait_for(self, words: str, *, times: int) -> None:
        """Wait until the server has said ``words`` so often."""
        with self._said:
            done = self._said.wait_for(lambda: len(re.findall(words, self.output)) >= times, PATIENCE)
        assert done, f"it did not say {words!r}:\n{self.output}"

    def get(self, path: str) -> tuple[int, str]:
        """The status and the body of the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def get_and_hang_up(self, path: str) -> None:
        """Ask, and go away after the first byte of the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read(1)
        answer.close()
        connection.close()

    def get_all(self, paths: Sequence[str], at_a_time: int = 8) -> list[int]:
        """The statuses of the answers, several asked at a time."""
        with ThreadPoolExecutor(at_a_time) as clients:
            return [status for status, _ in clients.map(self.get, paths)]
