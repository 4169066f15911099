"""Celery's workers, which end without the handlers of ``atexit``: each task that calls models is one session."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fake_provider import FakeProvider
from receivers import SentrialStandIn
from zero_code import Service, run, variables
from zero_code.test_web_servers import sessions_of

WORKER = [
    "opentelemetry-instrument",
    "celery",
    "-A",
    "celery_app",
    "worker",
    "-l",
    "INFO",
    "-c",
    "2",
    "--without-gossip",
]
SEND = "import celery_app\nfor user in ('ann', 'bob', 'joe'): celery_app.answer.delay(user, f'{user} asks')"


@pytest.fixture
def model() -> Iterator[FakeProvider]:
    with FakeProvider() as provider:
        yield provider


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn() as stand_in:
        yield stand_in


@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_each_task_is_one_session_and_none_is_lost(
    model: FakeProvider, server: SentrialStandIn, tmp_path: Path, pool: str
) -> None:
    folder = tmp_path / "broker"
    folder.mkdir()
    given = variables(model, server, BROKER_FOLDER=str(folder))
    # Before there is a worker, which would read files of the broker's that are half written.
    assert run(["python", "-c", SEND], given).code == 0
    with Service([*WORKER, "-P", pool], given, ready="ready.$") as service:
        service.wait_for("(succeeded in|raised unexpected)", times=3)
    found = {each.root["user.id"]: each for each in sessions_of(server)}
    assert found, service.output
    assert {user: each.asked for user, each in found.items()} == {
        user: [f"{user} asks", f"{user} asks, again"] for user in ("ann", "bob", "joe")
    }
    assert {user: each.end for user, each in found.items()} == {
        "ann": ("completed", None),
        "bob": ("completed", None),
        "joe": ("failed", "ValueError: no such order"),
    }
