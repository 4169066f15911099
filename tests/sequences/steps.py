"""What an actor can do in one step. A step that finds nothing to work on does nothing."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sentrial
from odd_values import make
from sequences.world import USERS, World

ERRORS: tuple[type[BaseException] | None, ...] = (None, None, None, LookupError, asyncio.CancelledError, GeneratorExit)


@dataclass(frozen=True)
class Step:
    """One step. ``which`` chooses among what there is; ``odd`` names the value that is given; ``how`` chooses a way."""

    name: str
    which: int = 0
    odd: str = "none"
    how: int = 0

    def take(self, world: World) -> None:
        """Take it, here and now."""
        STEPS[self.name](self, world)

    @property
    def value(self) -> Any:
        return make(self.odd)

    def of(self, pool: list[Any]) -> Any:
        """One of ``pool``: the last that was made, or one before it."""
        return pool[-1 - self.which % len(pool)] if pool else None

    @property
    def error(self) -> BaseException | None:
        kind = ERRORS[self.how % len(ERRORS)]
        return kind("mine") if kind is not None else None


def begin(step: Step, world: World) -> None:
    user = USERS[step.which % len(USERS)]
    session = world.client.begin(user, "agent", step.value, convo_id="c" if step.how % 2 else None, metadata=step.value)
    world.sessions.append(session)
    world.opened(session.session_id, user)


def enter(step: Step, world: World) -> None:
    if (session := step.of(world.sessions)) is not None:
        assert session.__enter__() is session


def leave(step: Step, world: World) -> None:
    if (session := step.of(world.sessions)) is not None:
        error = step.error
        session.__exit__(type(error) if error else None, error, None)


def finish(step: Step, world: World) -> None:
    if (session := step.of(world.sessions)) is not None:
        success = (None, True, False)[step.how % 3]
        session.finish(step.value, success, step.value, step.value, step.value, prompt_tokens=step.value)


def adjust(step: Step, world: World) -> None:
    if (session := step.of(world.sessions)) is not None:
        session.set_output(step.value)
        session.add_tokens(step.value, step.value, step.value)


def create(step: Step, world: World) -> None:
    user = USERS[step.which % len(USERS)]
    parent = step.of(world.ids) if step.how % 2 else None
    world.opened(world.client.create_session("n", "created", user, parent, metadata=step.value), user)


def complete(step: Step, world: World) -> None:
    if (session_id := step.of(world.ids)) is not None:
        world.client.complete_session(session_id, step.how % 2 == 0, step.value, step.value, step.value)


def start_event(step: Step, world: World) -> None:
    if (session := step.of(world.sessions)) is not None:
        event = (
            lambda: session.tool("live", step.value, metadata=step.value),
            lambda: session.llm("live", input=step.value, metadata=step.value),
            lambda: session.decision("live", step.value, step.value, metadata=step.value),
        )[step.how % 3]()
        world.events.append(event)
        world.owners[event.span.get_span_context().span_id] = session.session_id


def enter_event(step: Step, world: World) -> None:
    if (event := step.of(world.events)) is not None:
        assert event.__enter__() is event


def tell_event(step: Step, world: World) -> None:
    if (event := step.of(world.events)) is not None:
        for setter in ("set_output", "set_error", "set_cost", "set_reasoning", "choose"):
            if hasattr(event, setter):
                getattr(event, setter)(step.value)


def leave_event(step: Step, world: World) -> None:
    if (event := step.of(world.events)) is not None:
        error = step.error
        event.__exit__(type(error) if error else None, error, None)


def track(step: Step, world: World) -> None:
    if (session := step.of(world.sessions)) is not None:
        world.told(_track(session, (), step), session.session_id)


def track_by_id(step: Step, world: World) -> None:
    if (session_id := step.of(world.ids)) is not None:
        world.told(_track(world.client, (session_id,), step), session_id)


def _track(target: Any, first: tuple[str, ...], step: Step) -> dict[str, Any]:
    value = step.value
    answers: tuple[Callable[[], dict[str, Any]], ...] = (
        lambda: target.track_tool_call(*first, "told", value, value, estimated_cost=value, tool_error=value),
        lambda: target.track_decision(*first, value, value, value, metadata=value),
        lambda: target.track_llm_call(*first, "told", input=value, output=value, prompt_tokens=value, error=value),
        lambda: target.track_error(*first, value, metadata=value),
    )
    return answers[step.how % 4]()


def attach(step: Step, world: World) -> None:
    if (session_id := step.of(world.ids)) is not None:
        world.attachments.append(world.client.attach(session_id).__enter__())


def detach(step: Step, world: World) -> None:
    if (attachment := step.of(world.attachments)) is not None:
        attachment.__exit__(None, None, None)


def set_context(step: Step, world: World) -> None:
    if (session_id := step.of(world.ids)) is not None:
        sentrial.set_session_context(session_id, world.client)


def clear_context(step: Step, world: World) -> None:
    sentrial.clear_session_context()
    assert sentrial.get_current_session_id() is None


def export(step: Step, world: World) -> None:
    if (session := step.of(world.sessions)) is not None:
        world.handles.append(session.export())


def resume(step: Step, world: World) -> None:
    if (handle := step.of(world.handles)) is not None:
        world.sessions.append(world.client.resume(handle))


def update_state(step: Step, world: World) -> None:
    if sentrial.get_current_session_id() is not None:
        world.client.update_state("key", step.value)


def plain(step: Step, world: World) -> None:
    with world.plain_span():
        pass


def plain_around(step: Step, world: World) -> None:
    """Somebody else's span, with an event of ours inside."""
    with world.plain_span("around"):
        track(step, world)


def start_plain(step: Step, world: World) -> None:
    here = sentrial.get_current_session_id()
    span = world.tracer.start_span("open")
    world.owners[span.get_span_context().span_id] = here
    world.open_spans.append(span)


def end_plain(step: Step, world: World) -> None:
    if world.open_spans:
        world.open_spans.pop(step.which % len(world.open_spans)).end()


def on_a_thread(step: Step, world: World) -> None:
    """A thread of its own, which makes a span, and goes."""
    failed: list[BaseException] = []

    def work() -> None:
        try:
            plain(step, world)
            track(step, world)
        except BaseException as error:  # noqa: BLE001 - looked at below
            failed.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert failed == []


def flush(step: Step, world: World) -> None:
    assert world.client.flush(20)


def pause(step: Step, world: World) -> None:
    """Nothing."""


STEPS: dict[str, Callable[[Step, World], None]] = {
    each.__name__: each
    for each in (
        pause, begin, enter, leave, finish, adjust, create, complete, start_event, enter_event, tell_event, leave_event,
        track, track_by_id, attach, detach, set_context, clear_context, export, resume, update_state, plain,
        plain_around, start_plain, end_plain, on_a_thread, flush,
    )
}  # fmt: skip
