"""Decorated functions of all kinds, for type checkers to read: each reveals what it would be undecorated.

Never run. What mypy and pyright say of it is in ``tests/golden/typing.txt``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping
from typing import Any, Generic, TypeVar, overload

from typing_extensions import reveal_type

from sentrial.decorators import decision, get_session_entry_points, session, tool
from sentrial.session_context import SessionContext

T = TypeVar("T")

# --- functions: undecorated, bare, called --------------------------------------------------------------------------


def plain(a: int, /, b: str = "b", *rest: float, c: bool, **others: object) -> list[int]: ...


@tool
def plain_bare(a: int, /, b: str = "b", *rest: float, c: bool, **others: object) -> list[int]: ...


@session("agent", metadata={"tier": 1}, convo_id_param="thread")
def plain_called(a: int, /, b: str = "b", *rest: float, c: bool, **others: object) -> list[int]: ...


reveal_type(plain)
reveal_type(plain_bare)
reveal_type(plain_called)
reveal_type(plain_bare(1, "x", 0.5, c=True, d=1))


async def coroutine(a: int) -> str: ...


@tool
async def coroutine_bare(a: int) -> str: ...


@decision(name="route")
async def coroutine_called(a: int) -> str: ...


reveal_type(coroutine)
reveal_type(coroutine_bare)
reveal_type(coroutine_called)


def generator(a: int) -> Generator[int, str, bytes]: ...


@session
def generator_bare(a: int) -> Generator[int, str, bytes]: ...


@tool("numbers", description="Counts")
def generator_called(a: int) -> Generator[int, str, bytes]: ...


reveal_type(generator)
reveal_type(generator_bare)
reveal_type(generator_called)


async def async_generator(a: int) -> AsyncIterator[str]:
    yield ""


@decision
async def async_generator_bare(a: int) -> AsyncIterator[str]:
    yield ""


@session()
async def async_generator_called(a: int) -> AsyncIterator[str]:
    yield ""


reveal_type(async_generator)
reveal_type(async_generator_bare)
reveal_type(async_generator_called)


# --- generic and overloaded ----------------------------------------------------------------------------------------


def first(items: Iterator[T], default: T) -> T: ...


@tool
def first_bare(items: Iterator[T], default: T) -> T: ...


@tool("first")
def first_called(items: Iterator[T], default: T) -> T: ...


reveal_type(first(iter([1]), 2))
reveal_type(first_bare(iter([1]), 2))
reveal_type(first_called(iter([1]), 2))


@overload
def double(a: int) -> int: ...
@overload
def double(a: str) -> str: ...
@tool
def double(a: Any) -> Any: ...


reveal_type(double(1))
reveal_type(double("a"))


# --- methods -------------------------------------------------------------------------------------------------------


class Agent(Generic[T]):
    @session
    def answer(self, message: T) -> list[T]: ...

    @tool("look")
    async def look(self, query: str) -> T: ...

    @tool
    @classmethod
    def above(cls, a: int) -> Agent[str]: ...

    @classmethod
    @tool("below")
    def below(cls, a: int) -> Agent[str]: ...

    @tool
    @staticmethod
    def static_above(a: int) -> str: ...

    @staticmethod
    @decision
    def static_below(a: int) -> str: ...

    @property
    @tool
    def state(self) -> T: ...


def methods(agent: Agent[bytes]) -> None:
    reveal_type(agent.answer)
    reveal_type(agent.look)
    reveal_type(Agent.above)
    reveal_type(agent.below)
    reveal_type(agent.static_above)
    reveal_type(agent.static_below)
    reveal_type(agent.state)


# --- what else there is --------------------------------------------------------------------------------------------


def metadata_of(arguments: Mapping[str, Any]) -> dict[str, str]: ...


decorate: Callable[[Callable[[int], str]], Callable[[int], str]] = session("agent", metadata=metadata_of)
reveal_type(get_session_entry_points())


async def blocks() -> None:
    async with SessionContext("u", "agent", client=None) as context:
        reveal_type(context)
        reveal_type(context.session_id)
        reveal_type(context.interaction)


# --- mistakes ------------------------------------------------------------------------------------------------------

plain_bare("a", c=True)
coroutine_called(b=1)


@tool(nam="search")
def wrong_keyword() -> None: ...


@session(user_param="user")
def another_wrong_keyword() -> None: ...


@decision(7)
def wrong_name() -> None: ...
