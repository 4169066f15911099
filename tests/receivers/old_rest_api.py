"""A stand-in for the REST API that the old SDK (`sentrial` 0.6.0) speaks: sessions and events as JSON, one by one."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from receivers.http_receiver import Answer, HttpReceiver
from receivers.received import Request

SESSIONS, EVENTS, PII = "/api/sdk/sessions", "/api/sdk/events", "/api/sdk/pii-config"


@dataclass
class OldSession:
    """One session as the old server knows it: bodies as they came."""

    id: str
    created: dict[str, Any]
    events: list[dict[str, Any]] = field(default_factory=list)
    completed: list[dict[str, Any]] = field(default_factory=list)


class OldRestApi(HttpReceiver):
    """401 without a key that it knows, 400 for a body with a field missing, 404 for a session it did not make.

    To script: ``delay`` (seconds before each answer), ``status`` (the answer to everything, while it is set),
    ``pii_config`` (what it says about PII), and ``respond``, ``hang``, ``drop``, ``silence`` as every receiver has.
    """

    def __init__(self, keys: Iterable[str] = ("sentrial_test_key",)) -> None:
        super().__init__()
        self.keys = frozenset(keys)
        self.delay = 0.0
        self.status: int | None = None
        self.pii_config: dict[str, Any] = {"enabled": True, "mode": "label", "fields": None}
        self._sessions: dict[str, OldSession] = {}
        self._events: list[dict[str, Any]] = []

    @property
    def sessions(self) -> list[OldSession]:
        """Every session created, in the order of arrival."""
        with self._changed:
            return list(self._sessions.values())

    @property
    def events(self) -> list[dict[str, Any]]:
        """Every event stored, in the order of arrival; ``sessionId`` says whose it is."""
        with self._changed:
            return list(self._events)

    def answer(self, request: Request) -> Answer:
        if self.delay:
            self._closing.wait(self.delay)
        if self.status is not None:
            return _reply(self.status, {"error": "scripted", "message": f"told to answer {self.status}"})
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.keys:
            return _reply(401, {"error": "unauthorized", "message": "unknown API key"})
        if (request.method, request.path) == ("GET", PII):
            return _reply(200, {"config": self.pii_config})
        try:
            body = json.loads(request.body)
        except ValueError as error:
            return _reply(400, {"error": "bad request", "message": f"not JSON: {error}"})
        if (request.method, request.path) == ("POST", SESSIONS):
            return self._create(body)
        if (request.method, request.path) == ("POST", EVENTS):
            return self._add(body)
        if request.method == "PATCH" and request.path.startswith(SESSIONS + "/"):
            return self._complete(request.path.removeprefix(SESSIONS + "/"), body)
        return _reply(404, {"error": "not found", "message": f"no such path: {request.method} {request.path}"})

    def _create(self, body: dict[str, Any]) -> Answer:
        if missing := [name for name in ("name", "agentName", "userId") if not body.get(name)]:
            return _missing(missing)
        with self._changed:
            made = OldSession(f"sess_{len(self._sessions) + 1}", body)
            self._sessions[made.id] = made
        return _reply(200, {"id": made.id, "status": "active", **body})

    def _add(self, body: dict[str, Any]) -> Answer:
        if missing := [name for name in ("sessionId", "eventType") if not body.get(name)]:
            return _missing(missing)
        with self._changed:
            found = self._sessions.get(body["sessionId"])
            if found is None:
                return _no_session(body["sessionId"])
            found.events.append(body)
            self._events.append(body)
        return _reply(200, {"id": f"evt_{len(self._events)}", "sessionId": found.id, "eventType": body["eventType"]})

    def _complete(self, session_id: str, body: dict[str, Any]) -> Answer:
        with self._changed:
            found = self._sessions.get(session_id)
            if found is None:
                return _no_session(session_id)
            found.completed.append(body)
        return _reply(200, {"id": found.id, **body})


def _reply(status: int, document: dict[str, Any]) -> Answer:
    return status, {"Content-Type": "application/json"}, json.dumps(document).encode()


def _missing(names: list[str]) -> Answer:
    return _reply(400, {"error": "bad request", "message": f"missing: {', '.join(names)}"})


def _no_session(session_id: str) -> Answer:
    return _reply(404, {"error": "not found", "message": f"no such session: {session_id}"})
