"""The runs of LangChain that are under way, each where it stands in the tree: by their ids, never by what is current.

What LangChain runs in parallel, it tells of in any context; a run's parent is the one that LangChain names, or what is
current inside that one: a tool's body that passes on the config which it was given names what is around the tool, and
one in a task of Python 3.10's names nothing.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from uuid import UUID

from opentelemetry import context as otel_context
from opentelemetry.context import Context

from sentrial import _runtime, _session
from sentrial._frameworks.langchain import kinds, others
from sentrial._session import Activation, Session

if TYPE_CHECKING:
    from sentrial._frameworks.langchain.counters import Counters
    from sentrial._frameworks.langchain.recorder import Opened, Recorder

MAX_OPEN = 100_000
"""Runs of one handler that are kept until their end comes: far more than a program has under way at once. LangChain
tells no end of some that are cancelled."""

_LOOKED_AT = 100
"""Among how many of the first begun the one is chosen that is given up for a new one."""

_RUN = otel_context.create_key("sentrial-langchain-run")

# Of all handlers, held for an instant. Reentrant: what runs inside a garbage collection may come here while this very
# thread holds it.
_lock = threading.RLock()
_recorded: weakref.WeakValueDictionary[UUID, Run] = weakref.WeakValueDictionary()
"""The open runs of all handlers: a run that several of ours are told of is recorded by the first of them."""


class Start(NamedTuple):
    """What LangChain says of any run that starts. ``name``: the program's for it, or that of its type."""

    run_id: UUID
    parent_run_id: UUID | None = None
    name: str | None = None
    tags: Sequence[str] | None = None
    metadata: Mapping[str, Any] | None = None


class Span(Protocol):
    """What a run is on the timeline."""

    def end(self, error: BaseException | None = None, end_time: int | None = None) -> None:
        """End it; a second time does nothing."""


class Run:
    """One run, from LangChain's first word of it to its last.

    ``recorder``: who keeps it. ``session``: where it belongs, ``None`` outside of all. ``context``: the parent of what
    it contains. ``span``: ``None`` where it is none of its own on the timeline. ``opened``: the session that began with
    it. ``paused``: whether it waits for a person. ``told``: who else makes its spans. ``watch``: what ends it where
    LangChain does not, and how to call that off. ``over_at``: when LangChain told its end, in nanoseconds since the
    epoch, where that is put aside. ``kept``: sessions around it that do not end before it does.
    """

    __slots__ = (
        "__weakref__", "actions", "activation", "appear", "children", "context", "given", "given_late", "id", "kept",
        "kind", "name", "opened", "over_at", "parent", "paused", "place", "recorder", "since", "span", "told", "watch",
    )  # fmt: skip

    def __init__(self, recorder: Recorder, start: Start, parent: Run | None, context: Context, kind: str) -> None:
        self.recorder = recorder
        self.id = start.run_id
        self.parent = parent
        self.name = start.name
        self.place = kinds.place_of(start.metadata)
        self.kind = kind
        self.context = context
        self.span: Span | None = None
        self.appear: Callable[[Run], None] | None = None
        self.opened: Opened | None = None
        self.kept: Sequence[Opened] = ()
        self.activation: Activation | None = None
        self.children: set[Run] = set()
        self.actions: list[Any] = []
        self.given: object = None
        self.given_late: object = None
        self.paused = False
        self.watch: tuple[object, Callable[[], None]] | None = None
        self.over_at: int | None = None
        self.since = time.time_ns()
        self.told: str | None = None

    @property
    def only_counts(self) -> bool:
        """Whether another handler of ours records it."""
        return self.told == others.OURS

    @property
    def session(self) -> Session | None:
        """The session that the run belongs to."""
        return _session.current(self.context)

    @property
    def outermost(self) -> Run:
        """The run that the program itself began."""
        run = self
        while run.parent is not None:
            run = run.parent
        return run

    @property
    def counters(self) -> Counters:
        """Where the run counts: where nobody has given it a handler, in that of the run around it."""
        run = self
        while run.recorder.for_nobody and run.parent is not None:
            run = run.parent
        return run.recorder.counters

    def is_below(self, outer: Run) -> bool:
        """Whether ``outer`` contains the run."""
        run = self.parent
        while run is not None and run.id != outer.id:
            run = run.parent
        return run is not None

    def share_sessions(self) -> list[Opened]:
        """A share in each session that began with the run or around it: the innermost comes first."""
        shares = []
        run: Run | None = self
        while run is not None:
            if run.opened is not None:
                shares.append(run.opened.share())
            run = run.parent
        return shares

    def show(self) -> None:
        """Make its span, if it is still to be made: it is no graph, or one without nodes."""
        appear, self.appear = self.appear, None
        if appear is not None:
            appear(self)

    def contain(self, context: Context) -> None:
        """What the run contains has its parent in ``context`` from now on."""
        self.context = otel_context.set_value(_RUN, self.id, context)

    def enter(self) -> None:
        """Make the run current where its body is about to run: LangChain runs the body where it tells of the start."""
        if self.only_counts:
            return
        if self.context.get(_RUN) != self.id:
            # One of its own: a context that is left in another task reads from then on as what was before it.
            self.contain(self.context)
        self.activation = Activation(self.context)

    def leave(self) -> None:
        """Make it current no longer; a second time does nothing."""
        activation, self.activation = self.activation, None
        if activation is not None:
            activation.leave()


class Runs:
    """Those of one handler."""

    def __init__(self) -> None:
        self._open: dict[UUID, Run] = {}

    def find(self, run_id: UUID | None) -> Run | None:
        """The run of that id, while it is open."""
        return None if run_id is None else self._open.get(run_id)

    def add(self, run: Run) -> None:
        """Keep ``run`` until it is taken."""
        with _lock:
            self._open[run.id] = run
            if not run.only_counts:
                _recorded[run.id] = run
            if run.parent is not None:
                run.parent.children.add(run)

    def one_too_many(self) -> Run | None:
        """A run to give up, where there are too many: one that nothing below waits for, of those begun first."""
        with _lock:
            if len(self._open) <= MAX_OPEN:
                return None
            first = list(islice(self._open.values(), _LOOKED_AT))
        return next((run for run in first if not run.children), first[0])

    def note_end(self, run_id: UUID) -> None:
        """The run of that id is over now, though it stays open until its end is told again."""
        run = self.find(run_id)
        if run is not None:
            run.over_at = time.time_ns()

    def take(self, run_id: UUID) -> Run | None:
        """The run of that id, which is over."""
        with _lock:
            run = self._open.pop(run_id, None)
            if run is None:
                return None
            if run.watch is not None:
                run.watch[1]()
            if not run.only_counts:
                _recorded.pop(run_id, None)
            if run.parent is not None:
                run.parent.children.discard(run)
            return run

    def keep_sessions(self, run: Run) -> None:
        """Let no session that began around ``run`` end before it, while it is open."""
        with _lock:
            if run.id in self._open and run.parent is not None:
                run.kept = run.parent.share_sessions()

    def open(self) -> list[Run]:
        """All of them."""
        with _lock:
            return list(self._open.values())


def recorded(run_id: UUID | None) -> Run | None:
    """The run of that id, while it is open, whichever handler of ours records it."""
    return None if run_id is None else _recorded.get(run_id)


def find_again(run: Run) -> None:
    """Let :func:`recorded` find ``run``, which is over, until it is lost."""
    if not run.only_counts:
        run.contain(run.context)  # a copy: the one that was current may read as what was before it from now on
        with _lock:
            _recorded[run.id] = run


def lose(run: Run) -> None:
    """Let nobody find ``run`` any more."""
    if not run.only_counts:
        with _lock:
            _recorded.pop(run.id, None)


def marked_here() -> Run | None:
    """The open run that is current here, whoever records it."""
    mark = _session.live().get(_RUN)
    return _recorded.get(mark) if isinstance(mark, UUID) else None


def body_here() -> Run | None:
    """The run of a tool, a node or a lambda whose body runs here, whoever records it."""
    run = marked_here()
    return run if run is not None and run.kind in (kinds.TOOL, kinds.NODE, kinds.CHAIN) else None


def inside(parent: Run) -> Context:
    """The context in which a run below ``parent`` starts: what is current in its body, if that is here."""
    here = _session.live()
    mark = parent.context.get(_RUN)
    if here.get(_RUN) == mark and (mark is not None or _session.current(here) is parent.session is not None):
        return here
    return parent.context


def inside_of_session(session: Session) -> Context:
    """The context in which a run starts that is below no other in ``session``."""
    context = _session.parent_in(session)
    # What is current here may be a run in another session.
    return context if _session.current() is session else otel_context.set_value(_RUN, None, context)


class current:  # noqa: N801 - read as a word of the language: `with current(context):`
    """``context`` is current in the block, for spans that are started there: nothing of the program's runs in it."""

    __slots__ = ("_before", "_context")

    def __init__(self, context: Context) -> None:
        self._context = context

    def __enter__(self) -> None:
        self._before = _runtime.get_current()
        _runtime.attach(self._context)

    def __exit__(self, *exception: object) -> None:
        _runtime.attach(self._before)


def _after_fork() -> None:
    """A thread of the parent may have held it, and does not exist here."""
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
