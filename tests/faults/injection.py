"""Every function of a module, and how it is made to raise."""

from __future__ import annotations

import functools
import importlib
import inspect
import types
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

HOLDS_A_GUARD = ("_guard.failed(", "_guard.note(")

NOBODY_ELSE_CAN = (
    "_session.Activation.leave",  # makes a context current no longer
    "_patch.streams._Bytes.close",  # closes what the client reads from
    "_patch.streams._AsyncBytes.aclose",
    "_patch.streams._Chunks._self_wait",  # asks the client for the next chunk
    "_patch.streams._AsyncChunks._self_wait",
    "_export.queue.Outlet._run",  # is what a thread of ours runs
    "_export.provider.Ids.generate_span_id",  # makes what has to be another one each time
    "_export.provider.Ids.generate_trace_id",
)


class FaultError(Exception):
    """A failure of our own."""


@dataclass(frozen=True)
class Piece:
    """One function of ours."""

    name: str
    function: types.FunctionType


def pieces_of(module_name: str) -> list[Piece]:
    """The functions and methods of a module of ours, but those that hold a guard: without it, they are another program.

    Of a function that is decorated with a guard, what the guard is put around. Constructors of plain data are left out,
    which compute nothing, and what stands in for something that nobody else can do.
    """
    module = importlib.import_module(f"sentrial.{module_name}")
    found: dict[str, types.FunctionType] = {}
    for name, value in vars(module).items():
        if isinstance(value, type) and value.__module__ == module.__name__:
            for attribute, each in vars(value).items():
                if not attribute.startswith("__"):
                    found[f"{module_name}.{name}.{attribute}"] = _function_in(each)
        elif getattr(value, "__module__", None) == module.__name__:
            found[f"{module_name}.{name}"] = _function_in(value)
    return [
        Piece(name, function)
        for name, function in found.items()
        if isinstance(function, types.FunctionType)
        and function.__module__ == module.__name__
        and name not in NOBODY_ELSE_CAN
        and not function.__code__.co_freevars
        and not any(guard in inspect.getsource(function) for guard in HOLDS_A_GUARD)
    ]


def _function_in(value: Any) -> Any:
    if isinstance(value, property):
        value = value.fget
    if isinstance(value, functools.cached_property):
        value = value.func
    if isinstance(value, classmethod | staticmethod):
        value = value.__func__
    return inspect.unwrap(value) if callable(value) else value


@contextmanager
def broken(piece: Piece) -> Iterator[list[int]]:
    """While the block runs, ``piece`` raises, by whatever name it is called. Gives the calls of it, one entry each."""
    calls: list[int] = []
    code = piece.function.__code__
    piece.function.__code__ = _fault.__code__.replace(co_name=code.co_name, co_filename=code.co_filename)
    _NOW.append(calls)
    try:
        yield calls
    finally:
        piece.function.__code__ = code
        _NOW.pop()


_NOW: list[list[int]] = []


def _fault(*args: Any, **kwargs: Any) -> Any:
    from faults import injection

    injection._NOW[-1].append(1)
    raise injection.FaultError("a fault of our own")
