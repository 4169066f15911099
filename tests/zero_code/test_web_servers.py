"""Web servers that know nothing of us, started by ``opentelemetry-instrument``: each request that calls a model is one
session, of the right user, and nothing is lost when the server is told to stop.
"""

from __future__ import annotations

import json
import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any
from urllib.parse import quote

import pytest
from packaging.version import Version

from by_themselves import CALL
from fake_provider import FakeProvider
from receivers import SentrialStandIn
from zero_code import Service, variables

ROOT = "invoke_agent shop"
INSTRUMENT = "opentelemetry-instrument"
DJANGO = {"DJANGO_SETTINGS_MODULE": "django_settings"}
UVICORN_UP, GUNICORN_UP = "Application startup complete", "Booting worker"
GUNICORN = ["gunicorn", "-b", "127.0.0.1:0"]
UVICORN = ["uvicorn", "--port", "0"]

SERVERS: dict[str, dict[str, Any]] = {
    # uvicorn sends itself the signal again, once it has shut down.
    "fastapi uvicorn": {"command": [*UVICORN, "fastapi_app:app"], "ready": "Uvicorn running", "code": -signal.SIGTERM},
    "fastapi uvicorn workers": {
        # Its workers are killed where they do not answer in the time for that, 5 s unless it is told otherwise.
        "command": [*UVICORN, "--workers", "2", "--timeout-worker-healthcheck", "60", "fastapi_app:app"],
        "ready": UVICORN_UP,
        "workers": 2,
    },
    "fastapi gunicorn": {
        "command": [*GUNICORN, "-w", "2", "-k", "uvicorn_worker.UvicornWorker", "fastapi_app:app"],
        "ready": UVICORN_UP,
        "workers": 2,
    },
    "flask gunicorn": {"command": [*GUNICORN, "-w", "2", "flask_app:app"], "ready": GUNICORN_UP, "workers": 2},
    "flask gunicorn preload threads": {
        "command": [*GUNICORN, "-w", "2", "-k", "gthread", "--threads", "4", "--preload", "flask_app:app"],
        "ready": GUNICORN_UP,
        "workers": 2,
    },
    # Its workers put greenlets in the place of threads: after the fork, and after all that was imported for us.
    "flask gunicorn gevent": {
        "command": [*GUNICORN, "-w", "2", "-k", "gevent", "flask_app:app"],
        "ready": GUNICORN_UP,
        "workers": 2,
    },
    "flask gunicorn gevent preload": {
        "command": [*GUNICORN, "-w", "2", "-k", "gevent", "--preload", "flask_app:app"],
        "ready": GUNICORN_UP,
        "workers": 2,
    },
    "django gunicorn preload": {
        "command": [*GUNICORN, "-w", "2", "--preload", "django_app:app"],
        "ready": GUNICORN_UP,
        "workers": 2,
    },
    "django uvicorn": {
        "command": [*UVICORN, "django_app:asgi_app"], "ready": "Uvicorn running", "code": -signal.SIGTERM,
    },
}  # fmt: skip

# Before, it kept itself from being run in the programs that a program starts.
if Version(version("opentelemetry-instrumentation")) < Version("0.63b1"):
    del SERVERS["fastapi uvicorn workers"]


@dataclass(frozen=True)
class Session:
    """One session as it arrived: its root's attributes, and what the model was asked in it."""

    root: dict[str, Any]
    asked: list[str]
    users: set[str]
    names: list[str]

    @property
    def end(self) -> tuple[str, str | None]:
        return self.root["sentrial.session.outcome"], self.root.get("sentrial.session.failure_reason")


@pytest.fixture
def model() -> Iterator[FakeProvider]:
    with FakeProvider() as provider:
        yield provider


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn() as stand_in:
        yield stand_in


def start(name: str, model: FakeProvider, server: SentrialStandIn, **more: str) -> Service:
    about = {**SERVERS[name]}
    command = [INSTRUMENT, *about.pop("command")]
    return Service(command, variables(model, server, **DJANGO, **more), **about)


def sessions_of(server: SentrialStandIn) -> list[Session]:
    """All that arrived; each span has its place below its session's root."""
    traces: dict[str, list[dict[str, Any]]] = {}
    for span in server.spans:
        traces.setdefault(span["trace_id"], []).append(span)
    found = []
    for spans in traces.values():
        (root,) = [span for span in spans if span["parent_span_id"] is None]
        ids = {span["span_id"] for span in spans}
        assert all(span is root or span["parent_span_id"] in ids for span in spans), [span["name"] for span in spans]
        calls = [span for span in spans if span["name"] == CALL]
        asked = [json.loads(call["attributes"]["gen_ai.input.messages"])[0]["parts"][0]["content"] for call in calls]
        users = {span["attributes"].get("user.id") for span in spans}
        names = sorted(span["name"] for span in spans if span["name"] != "POST")
        found.append(Session(root["attributes"], sorted(asked), users, names))
    return found


@pytest.mark.parametrize("name", SERVERS)
def test_each_request_is_one_session_of_its_own_user_and_none_is_lost(
    model: FakeProvider, server: SentrialStandIn, name: str
) -> None:
    asks = [(f"user{number % 5}", f"question {number}") for number in range(20)]
    paths = [path for user, text in asks for path in (f"/ask/{user}?text={quote(text)}", "/health")]
    with start(name, model, server) as service:
        assert set(service.get_all(paths)) == {200}
    found = sessions_of(server)
    assert sorted((each.root["user.id"], each.asked) for each in found) == sorted(
        (user, [text, f"{text}, again"]) for user, text in asks
    )
    assert Counter(each.root["gen_ai.agent.name"] for each in found) == {"shop": 20}
    assert all(each.users == {each.root["user.id"]} for each in found)
    assert {each.end for each in found} == {("completed", None)}
    assert "Traceback" not in service.output


@pytest.mark.parametrize("name", ["fastapi uvicorn", "flask gunicorn", "django gunicorn preload", "django uvicorn"])
def test_a_streamed_answer_and_a_failure_are_one_session_each(
    model: FakeProvider, server: SentrialStandIn, name: str
) -> None:
    with start(name, model, server) as service:
        for user in ("ann", "bob"):
            assert service.get(f"/stream/{user}?text=stream")[0] == 200
            assert service.get(f"/fail/{user}?text=fail")[0] == 500
    found = sorted((each.root["user.id"], *each.asked, *each.end) for each in sessions_of(server))
    assert found == [
        ("ann", "fail", "failed", "ValueError: no such order"),
        ("ann", "stream", "completed", None),
        ("bob", "fail", "failed", "ValueError: no such order"),
        ("bob", "stream", "completed", None),
    ]


@pytest.mark.parametrize("name", ["flask gunicorn", "django gunicorn preload"])
def test_a_request_without_a_span_does_not_book_on_the_one_before(
    model: FakeProvider, server: SentrialStandIn, name: str
) -> None:
    excluded = {"OTEL_PYTHON_EXCLUDED_URLS": "ask", "OTEL_PYTHON_DJANGO_EXCLUDED_URLS": "ask"}
    with start(name, model, server, **excluded) as service:
        for _ in range(2):
            service.get("/stream/ann?text=stream")
            service.get("/ask/bob?text=ask")
    found = Counter((each.root.get("user.id"), *each.asked) for each in sessions_of(server))
    assert found == {("ann", "stream"): 2, (None, "ask"): 2, (None, "ask, again"): 2}


def test_work_in_threads_tasks_and_the_background_is_the_requests(model: FakeProvider, server: SentrialStandIn) -> None:
    paths = [
        "/sync/ann?text=a", "/many/bob?text=b", "/pool/carl?text=c", "/sync-stream/dora?text=d", "/refuse/eve?text=e",
        "/background/fay?text=f",
    ]  # fmt: skip
    with start("fastapi uvicorn", model, server) as service:
        assert [service.get(path)[0] for path in paths] == [200, 200, 200, 200, 404, 200]
        while len(model.requests) < 11:
            assert service.get("/health")[0] == 200
    found = {each.root["user.id"]: each for each in sessions_of(server)}
    assert {user: each.asked for user, each in found.items()} == {
        "ann": ["a"],
        "bob": ["b 0", "b 1", "b 2"],
        "carl": ["c 0", "c 1", "c 2"],
        "dora": ["d"],
        "eve": ["e"],
        "fay": ["f, afterwards", "f, and after that"],
    }
    assert {each.end for each in found.values()} == {("completed", None)}
    assert [user for user, each in found.items() if each.users != {user}] == []


def test_spans_of_the_request_are_in_its_session_and_those_of_the_server_are_not(
    model: FakeProvider, server: SentrialStandIn
) -> None:
    with start("fastapi uvicorn", model, server) as service:
        service.get("/ask/ann?text=a")
    (session,) = sessions_of(server)
    assert session.names == ["SELECT orders", CALL, CALL, ROOT, "plan the answer"]


def test_a_session_of_the_applications_own_wins(model: FakeProvider, server: SentrialStandIn) -> None:
    with start("fastapi uvicorn", model, server) as service:
        _, answer = service.get("/explicit/ann?text=a")
    (session,) = sessions_of(server)
    assert session.root["sentrial.session.id"] == json.loads(answer)
    assert session.names == ["SELECT orders", CALL, "invoke_agent explicit-agent"]


def test_a_client_that_goes_away_leaves_one_cancelled_session(model: FakeProvider, server: SentrialStandIn) -> None:
    gate = model.hold(after=3)
    with start("fastapi uvicorn", model, server) as service:
        service.get_and_hang_up("/stream/ann?text=a")
        assert service.get("/sync/bob?text=b")[0] == 200
    gate.set()
    found = {each.root["user.id"]: each for each in sessions_of(server)}
    assert (found["ann"].asked, found["ann"].end) == (["a"], ("cancelled", None))
    assert (found["bob"].asked, found["bob"].end) == (["b"], ("completed", None))


def test_only_sampled_requests_are_sessions(model: FakeProvider, server: SentrialStandIn) -> None:
    with start("fastapi uvicorn", model, server, SENTRIAL_SAMPLE_RATE="0.5") as service:
        service.get_all([f"/sync/user{number}?text={number}" for number in range(40)])
    found = sessions_of(server)
    assert 5 < len(found) < 35
    assert {each.names[0] for each in found} == {CALL}
    assert all(each.root["user.id"] == f"user{each.asked[0]}" for each in found)
