"""Any calls of the SDK, over any values, by any tasks and threads in any order: the traces are well-formed.

Longer: ``HYPOTHESIS_PROFILE=long make test TESTS=tests/test_properties_of_sessions.py`` (other programs at each run).
"""

from __future__ import annotations

import contextvars
import logging
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.util._once import Once

import sentrial
from drawn import drawn
from odd_values import ODD
from receivers import SentrialStandIn
from sentrial import _registry, _session, _setup
from sentrial._export.provider import Ids
from sequences import STEPS, Actor, Seen, Step, World, check, play

KEY = "sentrial_test_key"

PROFILE = settings(drawn(400), suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])

VALUES = sorted(set(ODD) - {"long text", "many keys", "huge integer"})
EXPLAINED = (
    "is not usable", "has to be a mapping", "has ended already", "is completed already", "after the end of its block",
)  # fmt: skip
"""Words that the program's own values and doings explain."""

OFTEN = ("begin", "begin", "enter", "leave", "start_event", "start_event", "enter_event", "enter_event", "leave_event")
STEP = st.builds(
    Step,
    st.sampled_from([*STEPS, *OFTEN]),
    which=st.integers(0, 5),
    odd=st.sampled_from(VALUES),
    how=st.integers(0, 11),
)
ACTORS = st.lists(
    st.builds(Actor, st.booleans(), st.lists(STEP, min_size=8, max_size=20).map(tuple)), min_size=1, max_size=4
).map(tuple)
TURNS = st.lists(st.integers(0, 3), min_size=16, max_size=60).map(tuple)


@pytest.fixture(scope="module")
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        yield stand_in


class Words(logging.Handler):
    """Everything that anybody logs as a warning or worse."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(f"{record.name}: {record.getMessage()}")


def alone(*steps: Step) -> tuple[Actor, ...]:
    return (Actor(False, steps),)


# A session that has ended is attached to, inside an event that was added to it after its end.
ATTACHED_LATE = alone(
    Step("begin", 2), Step("enter"), Step("leave"), Step("start_event"), Step("enter_event"), Step("begin"),
    Step("attach", 1), Step("begin", 2), Step("start_event"),
)  # fmt: skip
# The same, where the event is left elsewhere.
LEFT_ELSEWHERE = (
    Actor(True, (Step("begin"), Step("leave", 1), Step("start_event", 1, how=2), Step("leave_event"))),
    Actor(True, (Step("begin"), Step("enter_event"), Step("set_context", 1), Step("track", 1))),
)


@PROFILE
@given(ACTORS, TURNS)
@example(ATTACHED_LATE, ())
@example(LEFT_ELSEWHERE, (0, 1, 0, 0, 1, 1, 0, 1))
def test_any_program_leaves_well_formed_traces_and_nothing_current(
    server: SentrialStandIn, actors: tuple[Actor, ...], turns: tuple[int, ...]
) -> None:
    contextvars.copy_context().run(run, server, actors, turns)


def run(server: SentrialStandIn, actors: tuple[Actor, ...], turns: tuple[int, ...]) -> None:
    before = len(server.spans)
    trace._TRACER_PROVIDER, trace._TRACER_PROVIDER_SET_ONCE = None, Once()
    seen, words = Seen(), Words()
    provider = TracerProvider(shutdown_on_exit=False, id_generator=Ids())  # Hypothesis seeds the usual one
    provider.add_span_processor(seen)
    trace.set_tracer_provider(provider)
    logging.getLogger().addHandler(words)
    try:
        sentrial.configure(api_key=KEY, api_url=server.url, flush_interval=0.01)
        world = World(provider)
        play(actors, turns, world)
        assert otel_context.get_current() == otel_context.Context()
        end_what_is_left(world)
        sentrial.shutdown(20)
    finally:
        logging.getLogger().removeHandler(words)
        sentrial.shutdown(20)
        _setup._joined.clear()
    assert _session.current() is None
    assert not trace.get_current_span().get_span_context().is_valid
    assert _registry.open_sessions() == []
    check(world, seen, server.spans[before:])
    unexplained = [said for said in words.said if not any(each in said for each in EXPLAINED)]
    assert unexplained == []


def end_what_is_left(world: World) -> None:
    """Blocks are left at last, whatever became of their session; who never leaves one has no span of it."""
    for event in world.events:
        event.__exit__(None, None, None)
    for span in world.open_spans:
        span.end()
