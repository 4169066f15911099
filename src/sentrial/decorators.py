"""Decorators: a function as a tool, as a decision, or as an agent of which each call is a session.

A decorated function is what it was: same kind, signature, type, result and exception. It may be a function or a
method, plain, ``async``, a generator or both, a ``classmethod`` or ``staticmethod``, or a callable such as a partial.
"""

from __future__ import annotations

import functools
import inspect
import weakref
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, overload

from sentrial import _ambient, _guard
from sentrial._decorated.arguments import Arguments
from sentrial._decorated.decision import Decider
from sentrial._decorated.session import INPUTS, Agent
from sentrial._decorated.tool import Tool
from sentrial._decorated.wrapper import wrap
from sentrial.client import SentrialClient

F = TypeVar("F", bound="Callable[..., Any] | classmethod[Any, ..., Any]")
"""What is decorated: its type goes through as it is."""


@overload
def tool(name_or_func: F, *, name: str | None = None, description: str | None = None) -> F: ...
@overload
def tool(
    name_or_func: str | None = None, *, name: str | None = None, description: str | None = None
) -> Callable[[F], F]: ...
def tool(name_or_func: Any = None, *, name: str | None = None, description: str | None = None) -> Any:
    """Record each call of a function inside a session as a tool call: ``@tool``, ``@tool("search")``.

    Outside of sessions the function just runs. Recorded are its arguments by name, without ``self`` and ``cls``, what
    it returns or yields, and the exception that leaves it; what is named like a secret is masked.

    Args:
        name_or_func: the function, or the tool's name.
        name: the tool's name, low in cardinality; the function's, if not given.
        description: what the tool does.

    Raises:
        TypeError: when it decorates what is no function: a class, say.
    """

    def wrap_tool(function: Callable[..., Any], tool_name: str) -> Callable[..., Any]:
        wrapped = wrap(function, Tool(tool_name, _name_of(function), description, Arguments(function)))
        _ambient.remember_tool(wrapped)
        return wrapped

    return _decorate("tool", name_or_func, name, wrap_tool)


@overload
def decision(name_or_func: F, *, name: str | None = None) -> F: ...
@overload
def decision(name_or_func: str | None = None, *, name: str | None = None) -> Callable[[F], F]: ...
def decision(name_or_func: Any = None, *, name: str | None = None) -> Any:
    """Record each call of a function inside a session as a decision: ``@decision``, ``@decision("route")``.

    What the function returns is what was chosen; or it returns a mapping with any of ``chosen``, ``reasoning``,
    ``alternatives`` and ``confidence`` (from 0 to 1). What its parameter ``alternatives`` or ``options`` holds is
    recorded as what else was possible. Outside of sessions the function just runs.

    Args:
        name_or_func: the function, or the decision's name.
        name: the decision's name; the function's, if not given.

    Raises:
        TypeError: when it decorates what is no function: a class, say.
    """

    def wrap_decision(function: Callable[..., Any], decision_name: str) -> Callable[..., Any]:
        return wrap(function, Decider(decision_name, Arguments(function)))

    return _decorate("decision", name_or_func, name, wrap_decision)


@overload
def session(
    name_or_func: F,
    *,
    agent_name: str | None = None,
    user_id_param: str = "user_id",
    input_param: str = "input",
    message_param: str = "message",
    convo_id_param: str = "convo_id",
    metadata: Mapping[str, Any] | Callable[[Mapping[str, Any]], Mapping[str, Any] | None] | None = None,
    client: SentrialClient | None = None,
) -> F: ...
@overload
def session(
    name_or_func: str | None = None,
    *,
    agent_name: str | None = None,
    user_id_param: str = "user_id",
    input_param: str = "input",
    message_param: str = "message",
    convo_id_param: str = "convo_id",
    metadata: Mapping[str, Any] | Callable[[Mapping[str, Any]], Mapping[str, Any] | None] | None = None,
    client: SentrialClient | None = None,
) -> Callable[[F], F]: ...
def session(
    name_or_func: Any = None,
    *,
    agent_name: str | None = None,
    user_id_param: str = "user_id",
    input_param: str = "input",
    message_param: str = "message",
    convo_id_param: str = "convo_id",
    metadata: Mapping[str, Any] | Callable[[Mapping[str, Any]], Mapping[str, Any] | None] | None = None,
    client: SentrialClient | None = None,
) -> Any:
    """Make each call of a function a session: ``@session``, ``@session("support")``.

    It is current while the function runs, and ends with it: completed with what the function returns or yields (of a
    dict its ``response`` or ``output``), failed by an exception, cancelled where it is left in another way. Where the
    function itself says ``finish`` or ``set_output`` to :func:`get_current_interaction`, that counts instead. Sessions
    inside, for the same user, are sub-agents.

    Args:
        name_or_func: the function, or the agent's name.
        agent_name: the agent's name, low in cardinality; the function's, if not given.
        user_id_param: the parameter that holds the user. Without one, a sub-agent has the user of the session around.
        input_param: the parameter that holds what the user said.
        message_param: the same, where that is absent or ``None``; then ``query``, ``prompt`` and ``text``.
        convo_id_param: the parameter that holds the conversation.
        metadata: anything else; or a function that makes it from the call's arguments, which it gets by name.
        client: whose account the sessions go to; else that of the session around, else the process's.

    Raises:
        TypeError: when it decorates what is no function: a class, say; or for a ``client`` that is none.
    """
    if not isinstance(client, SentrialClient | None):
        # Not shown: it may be a key.
        raise TypeError(
            f"@sentrial.session(client=...) takes a SentrialClient, and got a {type(client).__name__}: "
            f"make one with SentrialClient(api_key=...)."
        )

    def wrap_agent(function: Callable[..., Any], name: str) -> Callable[..., Any]:
        agent = Agent(
            name=name,
            arguments=Arguments(function),
            user_id_param=user_id_param,
            input_params=(input_param, message_param, *INPUTS),
            convo_id_param=convo_id_param,
            metadata=metadata,
            client=client,
        )
        wrapper = wrap(function, agent)
        _entry_points.append(weakref.ref(wrapper, _entry_points.remove))
        return wrapper

    return _decorate("session", name_or_func, agent_name, wrap_agent)


_entry_points: list[weakref.ref[Callable[..., Any]]] = []


def get_session_entry_points() -> list[Callable[..., Any]]:
    """The functions that ``@session`` decorates, in the order of decoration, as far as they are still there."""
    return [function for entry in tuple(_entry_points) if (function := entry()) is not None]


def _decorate(
    decorator: str, given: object, name: str | None, wrap_named: Callable[[Callable[..., Any], str], Callable[..., Any]]
) -> Any:
    if given is None or isinstance(given, str):
        return lambda function: _decorate_one(decorator, function, given or name, wrap_named)
    return _decorate_one(decorator, given, name, wrap_named)


def _decorate_one(
    decorator: str, given: Any, name: str | None, wrap_named: Callable[[Callable[..., Any], str], Callable[..., Any]]
) -> Any:
    if isinstance(given, classmethod | staticmethod):
        return type(given)(_decorate_one(decorator, given.__func__, name, wrap_named))
    if inspect.isclass(given):
        raise TypeError(
            f"@sentrial.{decorator} decorates a function, and {given.__qualname__!r} is a class: decorate the method "
            f"that does the work, its __call__ or run, say."
        )
    if not callable(given):
        raise TypeError(
            f"@sentrial.{decorator} decorates a function, and {_guard.shown(given)} is none: write @{decorator} or "
            f'@{decorator}("name") above a def.'
        )
    return wrap_named(given, name or _name_of(given))


def _name_of(function: Any) -> str:
    while isinstance(function, functools.partial):
        function = function.func
    name = getattr(function, "__name__", None)
    return name if isinstance(name, str) else type(function).__name__
