"""What a receiver keeps of what it got, and the faults it is told to play."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from receivers.normal_form import spans_in


@dataclass
class Request:
    """One request as it came: names of headers in lower case, the body raw.

    Once it is stored, ``document`` is its OTLP/JSON and ``spans`` what is in there, in normal form.
    """

    path: str
    headers: Mapping[str, str]
    body: bytes
    document: dict[str, Any] | None = None
    spans: list[dict[str, Any]] = field(default_factory=list)
    method: str = "POST"


@dataclass
class Fault:
    """What to do with one request instead of storing it and saying so.

    ``kind``: ``respond``, ``hang`` (then answer as if nothing was), ``drop``.
    """

    kind: str
    status: Any = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    seconds: float | None = None


class Received:
    """The memory and the script of a receiver."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._requests: list[Request] = []
        self._faults: deque[Fault] = deque()
        self._silent = False
        self._closing = threading.Event()

    @property
    def requests(self) -> list[Request]:
        """Every request so far, refused ones too, in the order of arrival."""
        with self._changed:
            return list(self._requests)

    @property
    def spans(self) -> list[dict[str, Any]]:
        """Every span stored so far, in normal form."""
        return [span for request in self.requests for span in request.spans]

    def otlp_json(self) -> str:
        """Everything stored, one OTLP/JSON ExportTraceServiceRequest a line."""
        documents = [request.document for request in self.requests if request.document is not None]
        return "".join(json.dumps(document, ensure_ascii=False) + "\n" for document in documents)

    def wait_for_spans(self, count: int, timeout: float = 30.0) -> list[dict[str, Any]]:
        """The spans, once there are at least ``count``. Raises AssertionError after ``timeout`` seconds."""
        with self._changed:
            done = self._changed.wait_for(lambda: sum(len(each.spans) for each in self._requests) >= count, timeout)
        spans = self.spans
        assert done, f"{len(spans)} of {count} spans after {timeout:g} s: {[span['name'] for span in spans]}"
        return spans

    def wait_for_requests(self, count: int, timeout: float = 30.0) -> list[Request]:
        """The requests, once there are at least ``count``. Raises AssertionError after ``timeout`` seconds."""
        with self._changed:
            done = self._changed.wait_for(lambda: len(self._requests) >= count, timeout)
        requests = self.requests
        assert done, f"{len(requests)} of {count} requests after {timeout:g} s"
        return requests

    def hang(self, seconds: float | None = None) -> None:
        """The next request waits: ``seconds`` long and is then stored, or, without, until the receiver closes."""
        self._faults.append(Fault("hang", seconds=seconds))

    def drop(self, times: int = 1) -> None:
        """The next requests get no answer: the connection is closed, after the request was read."""
        self._faults.extend(Fault("drop") for _ in range(times))

    def silence(self) -> None:
        """From now on requests are read and never answered, until ``speak``; then they are stored."""
        with self._changed:
            self._silent = True

    def speak(self) -> None:
        """Ends ``silence``."""
        with self._changed:
            self._silent = False
            self._changed.notify_all()

    def _arrived(self, request: Request) -> Fault | None:
        """Keeps ``request`` and gives the fault to play, after any waiting."""
        with self._changed:
            self._requests.append(request)
            fault = self._faults.popleft() if self._faults else None
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._silent or self._closing.is_set())
        if fault is not None and fault.kind == "hang":
            self._closing.wait(fault.seconds)
            return Fault("drop") if self._closing.is_set() else None
        return Fault("drop") if self._closing.is_set() else fault

    def _stored(self, request: Request, document: dict[str, Any]) -> None:
        spans = spans_in(document)
        with self._changed:
            request.document, request.spans = document, spans
            self._changed.notify_all()

    def _release(self) -> None:
        """Lets every waiting request go, for closing."""
        self._closing.set()
        with self._changed:
            self._changed.notify_all()
