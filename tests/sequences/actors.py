"""Tasks and threads that take turns: one step at a time, in an order that is given."""

from __future__ import annotations

import asyncio
import queue
import threading
from dataclasses import dataclass

from sequences.steps import Step
from sequences.world import World


@dataclass(frozen=True)
class Actor:
    """A task of one event loop, or a thread, and what it does."""

    is_thread: bool
    script: tuple[Step, ...]


def play(actors: tuple[Actor, ...], turns: tuple[int, ...], world: World) -> None:
    """Let ``actors`` act: ``turns`` says whose turn it is, and whoever is left over comes in order.

    Raises:
        BaseException: what the first step that failed has raised.
    """
    asyncio.run(_play(actors, turns, world))


async def _play(actors: tuple[Actor, ...], turns: tuple[int, ...], world: World) -> None:
    stages = [_Thread(actor, world) if actor.is_thread else _Task(actor, world) for actor in actors]
    left = [len(actor.script) for actor in actors]
    order = [turn % len(actors) for turn in turns]
    order += [index for index, count in enumerate(left) for _ in range(count)]
    try:
        for index in order:
            if left[index]:
                left[index] -= 1
                await stages[index].step()
    finally:
        for stage in stages:
            await stage.end()


class _Task:
    def __init__(self, actor: Actor, world: World) -> None:
        self._turns: asyncio.Queue[bool] = asyncio.Queue()
        self._done: asyncio.Queue[BaseException | None] = asyncio.Queue()
        self._task = asyncio.ensure_future(self._run(actor, world))

    async def _run(self, actor: Actor, world: World) -> None:
        for step in actor.script:
            if not await self._turns.get():
                return
            try:
                step.take(world)
            except BaseException as error:  # noqa: BLE001 - the one who waits for the step gets it
                self._done.put_nowait(error)
            else:
                self._done.put_nowait(None)

    async def step(self) -> None:
        self._turns.put_nowait(True)
        error = await self._done.get()
        if error is not None:
            raise error

    async def end(self) -> None:
        self._turns.put_nowait(False)
        await self._task


class _Thread:
    def __init__(self, actor: Actor, world: World) -> None:
        self._turns: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, args=(actor, world))
        self._thread.start()

    def _run(self, actor: Actor, world: World) -> None:
        for step in actor.script:
            if not self._turns.get():
                return
            try:
                step.take(world)
            except BaseException as error:  # noqa: BLE001 - the one who waits for the step gets it
                self._done.put(error)
            else:
                self._done.put(None)

    async def step(self) -> None:
        # Nothing else is to happen meanwhile.
        self._turns.put(True)
        error = self._done.get()
        if error is not None:
            raise error

    async def end(self) -> None:
        self._turns.put(False)
        self._thread.join()
