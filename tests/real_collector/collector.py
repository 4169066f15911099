"""One collector: a process with ports of its own, which can be killed and started again."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType

from receivers.ports import free_ports

READY = "Everything is ready"


class Collector:
    """Runs ``binary`` with ``configs``: names of files in collector-config/, or paths.

    Its ports are free ones, chosen here and kept when it is started again; what it stores is in ``folder``.
    """

    def __init__(
        self, binary: Path, *configs: str | Path, folder: Path, variables: Mapping[str, str] | None = None
    ) -> None:
        self.binary = binary
        self.configs = [binary.parents[1] / "collector-config" / name for name in configs]
        self.grpc_port, self.http_port, self.health_port, self.metrics_port = free_ports(4)
        self.variables = {
            "COLLECTOR_GRPC_PORT": str(self.grpc_port),
            "COLLECTOR_HTTP_PORT": str(self.http_port),
            "COLLECTOR_HEALTH_PORT": str(self.health_port),
            "COLLECTOR_METRICS_PORT": str(self.metrics_port),
            "COLLECTOR_FOLDER": str(folder),
            "COLLECTOR_FLUSH": "100ms",
            **(variables or {}),
        }
        self._log: list[str] = []
        self._logged = threading.Condition()
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None

    @property
    def http_url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def grpc_url(self) -> str:
        return f"http://127.0.0.1:{self.grpc_port}"

    @property
    def log(self) -> str:
        """Everything it has said."""
        with self._logged:
            return "\n".join(self._log)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def __enter__(self) -> Collector:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Raises AssertionError with its log unless it gets ready."""
        said = len(self._log)
        self._process = subprocess.Popen(
            [self.binary, *(f"--config={path}" for path in self.configs)],
            env={"PATH": os.environ["PATH"], **self.variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self.wait_for_log(READY, since=said)
        except AssertionError:
            self.kill()
            raise

    def stop(self) -> None:
        """Asks it to end, as an orderly stop of the machine does."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL: it cannot do anything about it."""
        self._end(signal.SIGKILL)

    def wait_for_log(self, words: str, *, since: int = 0, timeout: float = 30.0) -> str:
        """The first line with ``words`` in it, from line ``since`` on. Raises AssertionError without one."""
        found: list[str] = []

        def said() -> bool:
            found[:] = [line for line in self._log[since:] if words in line]
            return bool(found) or not self._running()

        with self._logged:
            self._logged.wait_for(said, timeout)
        assert found, f"it never said {words!r}\n{self.log}"
        return found[0]

    def metric(self, name: str, **labels: str) -> float:
        """The sum over the samples of its own metric ``otelcol_<name>`` that carry ``labels``; 0 without any."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=20) as answer:
            text = answer.read().decode()
        wanted = {f'{label}="{value}"' for label, value in labels.items()}
        return sum(
            float(value)
            for given, value in re.findall(rf"^otelcol_{name}(?:\{{(.*)\}})? (\S+)$", text, re.MULTILINE)
            if wanted <= set(given.split(","))
        )

    def wait_for_metric(self, name: str, at_least: float, *, timeout: float = 30.0, **labels: str) -> float:
        """The metric, once it has got there. Raises AssertionError after ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        while (value := self.metric(name, **labels)) < at_least:
            assert time.monotonic() < deadline, f"{name} is {value} after {timeout:g} s, not {at_least}\n{self.log}"
            time.sleep(0.05)  # nothing tells when a metric changes
        return value

    def _running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _read(self) -> None:
        assert self._process is not None
        assert self._process.stderr is not None
        for line in self._process.stderr:
            with self._logged:
                self._log.append(line.rstrip("\n"))
                self._logged.notify_all()
        self._process.wait()
        with self._logged:
            self._logged.notify_all()

    def _end(self, number: signal.Signals) -> None:
        if self._process is None or self._reader is None:
            return
        self._process.send_signal(number)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise AssertionError(f"it did not end\n{self.log}") from None
        finally:
            self._reader.join(5)
            if self._process.stderr is not None:
                self._process.stderr.close()
            self._process = None


StartCollector = Callable[..., Collector]
"""``start(*configs, **variables)``: starts one, which the test's end stops."""
