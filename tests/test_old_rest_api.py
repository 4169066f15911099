"""The stand-in for the old package's server: it takes what that one documents, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from receivers import OldRestApi

SESSION = {"name": "n", "agentName": "a", "userId": "u"}


def call(
    server: OldRestApi, method: str, path: str, body: Any = None, key: str = "sentrial_test_key"
) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {key}"}
    answer = requests.request(method, server.url + path, json=body, headers=headers, timeout=5)
    return answer.status_code, answer.json()


def test_a_session_is_created_gets_events_and_is_completed() -> None:
    with OldRestApi() as server:
        assert call(server, "POST", "/api/sdk/sessions", SESSION) == (
            200,
            {"id": "sess_1", "status": "active", **SESSION},
        )
        event = {"sessionId": "sess_1", "eventType": "error"}
        assert call(server, "POST", "/api/sdk/events", event) == (200, {"id": "evt_1", **event})
        assert call(server, "PATCH", "/api/sdk/sessions/sess_1", {"success": True})[0] == 200
        (session,) = server.sessions
        assert (session.created, session.events, session.completed) == (SESSION, [event], [{"success": True}])
        assert server.events == [event]
        assert [(each.method, each.path) for each in server.requests] == [
            ("POST", "/api/sdk/sessions"),
            ("POST", "/api/sdk/events"),
            ("PATCH", "/api/sdk/sessions/sess_1"),
        ]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/api/sdk/sessions", {"name": "n", "agentName": "a"}, 400),
        ("POST", "/api/sdk/events", {"sessionId": "sess_1"}, 400),
        ("POST", "/api/sdk/events", {"sessionId": "sess_1", "eventType": "error"}, 404),
        ("PATCH", "/api/sdk/sessions/None", {"success": True}, 404),
        ("POST", "/api/otel/v1/traces", {}, 404),
    ],
)
def test_what_is_not_right_is_refused(method: str, path: str, body: dict[str, Any], status: int) -> None:
    with OldRestApi() as server:
        assert call(server, method, path, body)[0] == status
        assert (server.sessions, server.events) == ([], [])
        assert call(server, method, path, body, key="another")[0] == 401


def test_it_answers_as_it_is_told() -> None:
    with OldRestApi() as server:
        server.pii_config = {"enabled": True, "mode": "hash"}
        assert call(server, "GET", "/api/sdk/pii-config") == (200, {"config": {"enabled": True, "mode": "hash"}})
        server.respond(503, {"Content-Type": "application/json"}, b"{}")
        assert call(server, "POST", "/api/sdk/sessions", SESSION) == (503, {})
        server.status = 500
        assert call(server, "POST", "/api/sdk/sessions", SESSION)[0] == 500
        server.status, server.delay = None, 30.0
        with pytest.raises(requests.ReadTimeout):
            requests.post(server.url + "/api/sdk/sessions", json=SESSION, timeout=0.2)
        assert server.sessions == []
