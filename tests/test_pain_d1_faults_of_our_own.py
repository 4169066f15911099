"""Pain D1, tracing breaks the call: whichever piece of ours fails, the user's program sees nothing of it."""

from __future__ import annotations

import contextvars
import logging
import time
from collections.abc import Iterator

import pytest
from opentelemetry import context as otel_context

import sentrial
from fake_provider import FakeProvider
from faults import Piece, Player, broken, pieces_of
from receivers import SentrialStandIn
from sentrial import _guard, _registry

KEY = "sentrial_test_key"

ON_THE_USERS_THREAD = [
    *(f"_spans.{name}" for name in (
        "source", "root", "tool", "decision", "llm", "llm_by_hand", "error", "event", "live", "afterwards", "failure",
        "messages", "metadata", "attribute", "amounts", "cost", "metrics", "name",
    )),
    "_snapshot", "_payload", "_session", "_registry", "_handle", "_json", "_setup", "_config",
    "_export.stamp", "_export.pipeline", "_export.queue", "_export.crew", "_export.room", "_export.tally",
    "_export.endpoint", "_export.foreign_usage", "_export.item", "_export.provider", "_export.redact",
    "_patch.call", "_patch.attempts", "_patch.inside", "_patch.doubled",
    "_patch.method", "_known_clients", "_foreign", "_providers.stainless",
    "_patch.streams", "_patch.body", "_patch.abandoned", "_spans.aside", "_patch.install", "_patch.half_imported",
    "_export.tap", "_providers.openai.chat", "_patch.carry",
    *(f"_decorated.{name}" for name in (
        "arguments", "decision", "event", "own_context", "run", "session", "tool", "wrapper", "yielded",
    )),
]  # fmt: skip


@pytest.fixture(scope="module")
def player() -> Iterator[Player]:
    with FakeProvider() as provider:
        player = Player(provider)
        yield player
        player.close()


@pytest.fixture(scope="module")
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        yield stand_in


@pytest.fixture(scope="module")
def without_us(player: Player) -> list[object]:
    """What the program sees where we are switched off."""
    sentrial.configure(enabled=False)
    seen = contextvars.copy_context().run(player.play)
    sentrial.shutdown()
    return seen


@pytest.mark.quiet_guard
@pytest.mark.parametrize("module", ON_THE_USERS_THREAD)
def test_a_fault_in_any_function_changes_nothing_that_the_program_sees(
    module: str, player: Player, server: SentrialStandIn, without_us: list[object], caplog: pytest.LogCaptureFixture
) -> None:
    for piece in pieces_of(module):
        caplog.clear()
        contextvars.copy_context().run(play, piece, player, server, without_us)
        said = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
        assert len(said) == len(set(said)) <= 30, piece.name  # once for each place, however often it fails


def play(piece: Piece, player: Player, server: SentrialStandIn, without_us: list[object]) -> None:
    with broken(piece):
        sentrial.configure(api_key=KEY, api_url=server.url, flush_interval=0.01, instrument=["openai"])
        try:
            seen = player.play()
        except Exception as error:
            raise AssertionError(f"{piece.name} reaches the program") from error
        assert seen == without_us, piece.name
        assert otel_context.get_current() == otel_context.Context(), piece.name
    began = time.monotonic()
    sentrial.shutdown(2)
    assert time.monotonic() - began < 10, piece.name
    assert _registry.open_sessions() == [], piece.name


def test_the_scenario_meets_what_is_broken(player: Player, server: SentrialStandIn, without_us: list[object]) -> None:
    """Of a walk over functions that are never called, nothing could be learned."""
    sentrial.configure(api_key=KEY, api_url=server.url, flush_interval=0.01)
    assert contextvars.copy_context().run(player.play) == without_us
    sentrial.shutdown(20)
    assert {"execute_tool look_up", "invoke_agent sub-agent", "chat gpt-4o", "error", "session completed"} <= {
        span["name"] for span in server.spans
    }
    assert _guard.failures == {}
