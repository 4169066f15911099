"""Our handler in every callback manager that LangChain makes, without a line of the program's."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sentrial._frameworks.langchain import ambient

if TYPE_CHECKING:
    from sentrial._frameworks.langchain.handler import RunHandler

_registered = False


def install(register: Callable[..., Any]) -> None:
    """Add the handler. ``register``: ``langchain_core.tracers.context.register_configure_hook``."""
    global _registered
    if not _registered:
        from sentrial._frameworks.langchain.handler import RunHandler

        # Where the program has given a handler of its own, that one records.
        register(_Variable(), inheritable=True, handle_class=RunHandler)
        _registered = True
    ambient.recorder().silent = False


def uninstall() -> None:
    """Let the handler fall silent: what is registered with LangChain stays. Runs that are open are recorded whole."""
    ambient.recorder().silent = True


class _Variable:
    """Stands for the context variable that LangChain asks whenever it makes a callback manager.

    It has the same handler for every context. The handler is made when it is first asked for: this module is called in
    the middle of LangChain's import, where older releases have no callback managers yet.
    """

    def get(self) -> RunHandler:
        return self._handler

    @cached_property
    def _handler(self) -> RunHandler:
        from sentrial._frameworks.langchain import giving_way
        from sentrial._frameworks.langchain.handler import RunHandler

        giving_way.give_way(RunHandler)
        return RunHandler(ambient.recorder())
