"""Each part of ours fails in turn: the program gets the same results and exceptions, and every function runs once."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

import sentrial
from sentrial.decorators import decision, session, tool

PARTS = (
    "sentrial._session.current",
    "sentrial._session.live",
    "sentrial._session.inside",
    "sentrial._setup.settle",
    "sentrial._decorated.arguments.Arguments.by_name",
    "sentrial._decorated.arguments.Arguments.recorded",
    "sentrial._decorated.arguments.Arguments.find",
    "sentrial._decorated.decision.Decision",
    "sentrial._decorated.decision._say",
    "sentrial._decorated.event.Activation",
    "sentrial._decorated.event.AroundFunction.leave",
    "sentrial._decorated.event.AroundFunction.end",
    "sentrial._decorated.event.event.context_of",
    "sentrial._decorated.own_context.copy_context",
    "sentrial._decorated.own_context._current",
    "sentrial._decorated.run.Run.__init__",
    "sentrial._decorated.run.Run.claim",
    "sentrial._decorated.run.Yielded",
    "sentrial._decorated.run.abandoned.watch",
    "sentrial._decorated.run.abandoned.put_aside",
    "sentrial._decorated.run.failure.outcome_of_control_flow",
    "sentrial._decorated.session.AroundAgent.leave",
    "sentrial._decorated.session.AroundAgent.end",
    "sentrial._decorated.session.around",
    "sentrial._decorated.session.client_for",
    "sentrial._decorated.session.read_output",
    "sentrial._decorated.tool.AroundFunction",
    "sentrial._decorated.tool.ToolCall",
    "sentrial._decorated.yielded.Yielded.add",
    "sentrial._decorated.yielded.Yielded.cut",
    "sentrial._decorated.yielded.Yielded.output",
    "sentrial._decorated.yielded.snapshot",
    "sentrial._payload.snapshot",
    "sentrial._spans.decision.Decision.choose",
    "sentrial._spans.event.start_event",
    "sentrial._spans.root.end_session",
    "sentrial._spans.root.end_span",
    "sentrial._spans.root.open_session",
    "sentrial._spans.source.tracer",
    "sentrial._spans.tool.ToolCall.end",
    "sentrial._spans.tool.ToolCall.set_output",
    "sentrial._spans.tool.end_span",
    "sentrial.client.SentrialClient.begin",
    "sentrial.interaction.Interaction.__enter__",
    "sentrial.interaction.Interaction.__exit__",
    "sentrial.interaction.Interaction.set_output",
)


class Failing(SpanProcessor):
    """An application's own part that fails: we run it."""

    def __init__(self, when: str) -> None:
        setattr(self, when, fault)


class FaultError(Exception):
    """What a part raises."""


faults: list[FaultError] = []


def fault(*args: object, **kwargs: object) -> Any:
    faults.append(FaultError("on purpose"))
    raise faults[-1]


class Program:
    """Functions of all kinds, and what running them gives. ``ran`` counts how often each body came to each line."""

    def __init__(self, wrap: Callable[[Callable[[Any], Any], Any], Any]) -> None:
        self.ran: list[str] = []

        def plain(text: str, fail: bool = False) -> str:
            self.ran.append(f"plain {text}")
            if fail:
                raise LookupError(text)
            return text

        async def coroutine(text: str, fail: bool = False) -> str:
            self.ran.append(f"coroutine {text}")
            await asyncio.sleep(0)
            if fail:
                raise LookupError(text)
            return self.tool(text)

        def generator(text: str, fail: bool = False) -> Iterator[Any]:
            try:
                self.ran.append(f"generator {text}")
                sent = yield text
                self.ran.append(f"sent {sent}")
                yield {"sent": sent}
                if fail:
                    raise LookupError(text)
            finally:
                self.ran.append(f"generator left {text}")
            return "returned"

        async def async_generator(text: str, fail: bool = False) -> AsyncIterator[Any]:
            try:
                self.ran.append(f"async generator {text}")
                sent = yield text
                await asyncio.sleep(0)
                yield sent
                if fail:
                    raise LookupError(text)
            finally:
                self.ran.append(f"async generator left {text}")

        self.tool = wrap(tool, plain)
        self.choose = wrap(decision, plain)
        self.agents = [wrap(session, function) for function in (plain, coroutine, generator, async_generator)]
        self.tools = [wrap(tool, function) for function in (plain, coroutine, generator, async_generator)]
        self.later = [wrap(tool, lambda text: coroutine(text)), wrap(tool, lambda text: generator(text))]

    async def run(self) -> list[object]:
        happened: list[object] = []
        for functions in (self.agents, self.tools):
            plain, coroutine, generator, async_generator = functions
            for fail in (False, True):
                happened += [
                    await told(lambda plain=plain, fail=fail: plain("a", fail=fail)),
                    await told(lambda coroutine=coroutine, fail=fail: coroutine("b", fail)),
                    await told(lambda generator=generator, fail=fail: steps(generator("c", fail))),
                    await told(lambda each=async_generator, fail=fail: async_steps(each("d", fail))),
                    await told(lambda plain=plain: plain("a", wrong=1)),
                ]
            for items in (generator("broken off"), generator("dropped")):
                happened.append(next(items))
            items.close()
            del items
            others = async_generator("broken off")
            happened.append(await others.__anext__())
            await others.aclose()
        happened.append(await told(lambda: self.choose("e")))
        happened.append(await told(lambda: self.later[0]("f")))
        happened.append(await told(lambda: list(self.later[1]("g"))))
        gc.collect()
        return [*happened, *self.ran]


async def told(make: Callable[[], Any]) -> object:
    try:
        result = make()
        return await result if asyncio.iscoroutine(result) else result
    except Exception as error:  # noqa: BLE001 - that is the question
        return type(error), str(error), type(error.__context__), error.__cause__


def steps(items: Any) -> list[Any]:
    return [next(items), items.send("x"), *items]


async def async_steps(items: Any) -> list[Any]:
    return [await items.__anext__(), await items.asend("x"), *[item async for item in items]]


def undecorated(decorator: Any, function: Any) -> Any:
    return function


def decorated(decorator: Any, function: Any) -> Any:
    return decorator(function)


def run(wrap: Callable[[Callable[[Any], Any], Any], Any], inside: bool, part: str | None = None) -> list[object]:
    """What becomes of the program, with each call of ``part`` failing."""
    program = Program(wrap)

    async def main() -> list[object]:
        with (
            sentrial.begin("u", "around") if inside else contextlib.nullcontext(),
            pytest.MonkeyPatch.context() as patch,
        ):
            if part is not None:
                patch.setattr(part, fault)
            return await program.run()

    return asyncio.run(main())


@pytest.fixture
def provider() -> TracerProvider:
    """An application's own pipeline."""
    provider = TracerProvider(shutdown_on_exit=False)
    trace.set_tracer_provider(provider)
    return provider


@pytest.mark.parametrize("inside", [True, False], ids=["in a session", "outside"])
def test_nothing_fails_and_nothing_differs(provider: TracerProvider, inside: bool) -> None:
    assert run(decorated, inside) == run(undecorated, inside)


@pytest.mark.quiet_guard
@pytest.mark.parametrize("part", PARTS)
def test_pain_d1_a_part_of_ours_that_fails_changes_nothing(
    provider: TracerProvider, part: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    faults.clear()
    for inside in (True, False):
        assert run(decorated, inside, part) == run(undecorated, inside)
    assert faults, "nothing came there: the test shows nothing"
    lines = [record.getMessage().split(" (")[0] for record in caplog.records if record.name == "sentrial"]
    assert sorted(set(lines)) == sorted(lines), "each place says so once"


@pytest.mark.quiet_guard
@pytest.mark.parametrize("when", ["on_start", "on_end"])
def test_pain_d1_a_span_processor_that_fails_changes_nothing(provider: TracerProvider, when: str) -> None:
    provider.add_span_processor(Failing(when))
    for inside in (True, False):
        assert run(decorated, inside) == run(undecorated, inside)


def test_defect_05_a_result_that_cannot_be_recorded_is_still_the_result(provider: TracerProvider) -> None:
    class Odd(dict[str, Any]):
        def get(self, *args: Any) -> Any:
            raise RuntimeError("not for you")

        def __repr__(self) -> str:
            raise RuntimeError("not for you")

    odd = Odd()

    @session
    def agent(user_id: Any) -> Odd:
        return search(odd)

    @tool
    def search(query: Any) -> Odd:
        return odd

    @decision
    def choose(options: Any) -> Odd:
        return odd

    assert agent(odd) is odd
    with sentrial.begin("u", "around"):
        assert choose(odd) is odd
