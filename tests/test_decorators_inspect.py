"""What others see of a decorated function: its kind, signature, names and pickle are those of the undecorated one."""

from __future__ import annotations

import abc
import asyncio
import copy
import functools
import inspect
import pickle
import types
import typing
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

import sentrial
from running import is_current
from sentrial.decorators import decision, session, tool

DECORATORS: list[Callable[[Any], Any]] = [
    tool, tool("named"), decision, decision(name="named"), session, session("named", metadata={"a": 1})
]  # fmt: skip
NAMES = ["tool", "named tool", "decision", "named decision", "session", "named session"]
ASKED = (
    inspect.isfunction, inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction,
    inspect.ismethod, inspect.isroutine, inspect.isawaitable, callable,
)  # fmt: skip


def plain(a: int, /, b: str = "b", *rest: float, c: bool, **others: object) -> list[int]:
    """Plain words."""
    return [a]


async def coroutine(a: int) -> int:
    """Words of a coroutine."""
    return a


def generator(a: int) -> Iterator[int]:
    """Words of a generator."""
    yield a


async def async_generator(a: int) -> AsyncIterator[int]:
    """Words of an async generator."""
    yield a


def described(function: Any) -> dict[str, Any]:
    return {
        **{ask.__name__: ask(function) for ask in ASKED},
        "signature": inspect.signature(function),
        "hints": typing.get_type_hints(function),
        "source": inspect.getsource(function),
        "file": inspect.getsourcefile(inspect.unwrap(function)),
        **{name: getattr(function, name) for name in ("__name__", "__qualname__", "__doc__", "__module__")},
        "type": type(function),
        "attributes": {key: value for key, value in vars(function).items() if key != "__wrapped__"},
    }


@pytest.mark.parametrize("decorator", DECORATORS, ids=NAMES)
@pytest.mark.parametrize("function", [plain, coroutine, generator, async_generator], ids=lambda each: each.__name__)
def test_a_decorated_function_describes_itself_as_undecorated(decorator: Any, function: Any) -> None:
    function.mark = "the program's own"
    decorated = decorator(function)
    assert decorated is not function
    assert described(decorated) == described(function)
    assert decorated.__wrapped__ is function
    assert copy.deepcopy(decorated) is decorated
    assert described(functools.partial(decorated, 1).func) == described(function)


@tool
def pickled() -> str:
    return "by name"


@session("pickled")
async def pickled_too() -> str:
    return "by name"


class Agent:
    """Methods of all kinds."""

    @session
    def answer(self, user_id: str) -> str:
        """Answers."""
        return f"{type(self).__name__} {user_id}"

    @tool
    async def look(self) -> str:
        return type(self).__name__

    @tool
    @classmethod
    def above(cls, text: str) -> str:
        """Above."""
        return f"{cls.__name__} {text}"

    @classmethod
    @tool
    def below(cls, text: str) -> str:
        return f"{cls.__name__} {text}"

    @tool
    @staticmethod
    def static_above(text: str) -> str:
        return text

    @staticmethod
    @tool
    def static_below(text: str) -> str:
        return text


class SpecialAgent(Agent):
    """Inherits them."""


@pytest.mark.parametrize("thing", [pickled, pickled_too, Agent.answer, Agent.above, Agent().answer, Agent.static_above])
def test_a_decorated_function_is_pickled_by_its_name(thing: Any) -> None:
    loaded = pickle.loads(pickle.dumps(thing))
    assert type(loaded) is type(thing)
    assert getattr(loaded, "__func__", loaded) is getattr(thing, "__func__", thing)


def test_methods_are_bound_inherited_and_looked_up_as_ever() -> None:
    special = SpecialAgent()
    assert special.answer("u") == Agent.answer(special, "u") == "SpecialAgent u"
    assert asyncio.run(special.look()) == "SpecialAgent"
    assert (special.above("x"), SpecialAgent.above("x"), Agent.above("x")) == (
        "SpecialAgent x",
        "SpecialAgent x",
        "Agent x",
    )
    assert (special.below("x"), Agent.below("x")) == ("SpecialAgent x", "Agent x")
    assert (special.static_above("x"), Agent.static_below("x")) == ("x", "x")
    assert type(vars(Agent)["above"]) is classmethod
    assert type(vars(Agent)["static_above"]) is staticmethod
    assert (Agent.above.__doc__, str(inspect.signature(Agent.above))) == ("Above.", "(text: 'str') -> 'str'")
    assert special.answer.__self__ is special


def test_an_abstract_method_stays_abstract() -> None:
    class Abstract(abc.ABC):
        @tool
        @abc.abstractmethod
        def look(self) -> str: ...

    with pytest.raises(TypeError, match="abstract"):
        Abstract()  # type: ignore[abstract]  # that is what is shown


def test_a_callable_object_stays_callable_as_it_was() -> None:
    class Search:
        """Searches."""

        def __init__(self) -> None:
            self.index = "kb"

        def __call__(self, query: str) -> str:
            return f"{self.index} {query}"

    decorated: Any = tool(Search())
    assert decorated("x") == "kb x"
    assert (decorated.index, decorated.__doc__, str(inspect.signature(decorated))) == (
        "kb",
        "Searches.",
        "(query: 'str') -> 'str'",
    )
    partly: Any = tool(functools.partial(coroutine, 7))
    assert inspect.iscoroutinefunction(partly)
    assert asyncio.run(partly()) == 7


@pytest.mark.parametrize("inside", [True, False], ids=["in a session", "outside"])
def test_a_coroutine_of_the_old_kind_can_still_be_awaited(inside: bool) -> None:
    @types.coroutine
    def old() -> Any:
        yield from asyncio.sleep(0).__await__()
        return "waited"

    async def run() -> list[Any]:
        if not inside:
            return [await tool(old)(), await tool(lambda: old())()]
        with sentrial.begin("u", "agent") as around:
            answers = [await tool(old)(), await tool(lambda: old())()]
            assert is_current(around.session_id)
            return answers

    assert asyncio.run(run()) == ["waited", "waited"]


def test_decorators_can_be_stacked() -> None:
    @session("outer")
    @tool("inner")
    @decision
    def function(user_id: str) -> str:
        return user_id

    assert function("u") == "u"
    assert str(inspect.signature(function)) == "(user_id: 'str') -> 'str'"


def test_a_coroutine_that_is_never_awaited_is_warned_of_by_its_own_name() -> None:
    with pytest.warns(RuntimeWarning, match=r"^coroutine 'coroutine' was never awaited"):
        tool(coroutine)(1)
