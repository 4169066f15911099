"""Our handler of every run gives way to one that the program has given to some.

LangChain's managers inherit ours from the chain around, and tell it first: the program's own, given to a model or an
agent inside, would find its runs recorded. So ours goes wherever the program's comes. To be registered as one that is
not inherited would not do: LangGraph asks nobody who else is to hear of its nodes.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from sentrial import _guard

if TYPE_CHECKING:
    from langchain_core.callbacks import BaseCallbackHandler, BaseCallbackManager

_MARK = "_sentrial_gives_way"


@_guard.guarded("letting the program's handlers go before ours", _guard.nothing)
def give_way(ours: type[BaseCallbackHandler]) -> None:
    """Take handlers of the class ``ours`` out of each callback manager that has one of a class below.

    A second time does nothing.
    """
    from langchain_core.callbacks import BaseCallbackManager

    for name in ("__init__", "add_handler"):
        if not hasattr(getattr(BaseCallbackManager, name), _MARK):
            setattr(BaseCallbackManager, name, _giving_way(getattr(BaseCallbackManager, name), ours))


def _giving_way(original: Any, ours: type[BaseCallbackHandler]) -> Any:
    @functools.wraps(original)
    def method(self: BaseCallbackManager, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        _take_out(self, ours)

    setattr(method, _MARK, True)
    return method


@_guard.guarded("letting a handler of the program's go before ours", _guard.nothing)
def _take_out(manager: BaseCallbackManager, ours: type[BaseCallbackHandler]) -> None:
    # In lists of their own: what is under way may share the old ones.
    manager.handlers = _without(manager.handlers, ours)
    manager.inheritable_handlers = _without(manager.inheritable_handlers, ours)


def _without(handlers: list[BaseCallbackHandler], ours: type[BaseCallbackHandler]) -> list[BaseCallbackHandler]:
    if any(isinstance(handler, ours) and type(handler) is not ours for handler in handlers):
        return [handler for handler in handlers if type(handler) is not ours]
    return handlers
