"""Graphs that wait at a breakpoint of theirs: ``interrupt_before``, ``interrupt_after``.

Their end is told like any other. LangGraph 1.0 has no word for it. Later releases have one, for handlers of a class of
theirs that stand in the config: where the program gives no handler, ours does not. So the loop that runs a graph is
asked how it has ended.
"""

from __future__ import annotations

import functools
import sys
import weakref
from typing import Any
from uuid import UUID

from sentrial import _guard

_LOOPS = "langgraph.pregel._loop"
_MARK = "_sentrial_knows_it"
_AT_ONE = ("interrupt_before", "interrupt_after")

_loops: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()
"""Those of the graphs that run, by the number of the run: nothing of ours keeps a loop, or the id of its run, which may
be all that shows that the program has let go of it."""


@_guard.guarded("learning of LangGraph's loops", _guard.nothing)
def watch() -> None:
    """Know the loops that begin from now on, where LangGraph is there; a second time does nothing."""
    loop = getattr(sys.modules.get(_LOOPS), "PregelLoop", None)
    if loop is None or hasattr(loop.__init__, _MARK):
        return
    original = loop.__init__

    @functools.wraps(original)
    def begin(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        _know(self)

    setattr(begin, _MARK, True)
    loop.__init__ = begin


@_guard.guarded("learning of a loop of LangGraph's", _guard.nothing)
def _know(loop: Any) -> None:
    if loop.manager is not None:
        _loops[loop.manager.run_id.int] = loop


def is_at_one(run_id: UUID) -> bool:
    """Whether the run of that id, which has just ended, is a graph that waits at a breakpoint."""
    return getattr(_loops.get(run_id.int), "status", None) in _AT_ONE
