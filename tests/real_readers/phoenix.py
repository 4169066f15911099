"""Arize Phoenix: its server as a process, and what its API says of what it was sent."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any

from real_collector.collector import free_ports

ROOT = Path(__file__).parents[2]
PATIENCE = 180.0
"""Seconds: its first start makes a database, and on two busy cores takes more than one of these minutes."""


class PhoenixMissingError(Exception):
    """There is no environment with Phoenix in it."""


class Phoenix:
    """A context manager. The server has ports of its own; what it stores and says is in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.program = ROOT / ".readers" / "phoenix" / "bin" / "phoenix"
        if not self.program.exists():
            raise PhoenixMissingError(f"needs {self.program}, which `make readers` installs")
        self.folder = folder
        self.port, self.grpc_port = free_ports(2)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its pages, its API, and what an OTLP/HTTP exporter is given."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """Everything it has said."""
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    def __enter__(self) -> Phoenix:
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [self.program, "serve"],
                env={
                    "PATH": os.environ["PATH"],
                    "HOME": str(self.folder),
                    "PHOENIX_WORKING_DIR": str(self.folder),
                    "PHOENIX_HOST": "127.0.0.1",
                    "PHOENIX_PORT": str(self.port),
                    "PHOENIX_GRPC_PORT": str(self.grpc_port),
                    "PHOENIX_TELEMETRY_ENABLED": "false",
                    "PHOENIX_ALLOW_EXTERNAL_RESOURCES": "false",
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + PATIENCE
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._end()
                raise AssertionError(f"it did not get ready\n{self.log}")
            time.sleep(0.25)  # nothing tells when it is ready
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def ask(self, query: str) -> dict[str, Any]:
        """What its GraphQL interface answers. Raises AssertionError if it answers with errors."""
        request = urllib.request.Request(
            f"{self.url}/graphql", json.dumps({"query": query}).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            said: dict[str, Any] = json.load(answer)
        assert not said.get("errors"), said["errors"]
        data: dict[str, Any] = said["data"]
        return data

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def _end(self) -> None:
        assert self._process is not None
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
