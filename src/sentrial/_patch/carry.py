"""Carries OpenTelemetry's context into other threads: what runs there belongs to the session that asked for it.

Python gives a new thread an empty context, and a pool's worker keeps its own. While a session is current where work is
handed to a thread, the context goes with it (OpenTelemetry's alone, no other context variable of the program), and is
taken off when the work is done. ``ThreadPoolExecutor.map``, ``loop.run_in_executor`` and ``asyncio.to_thread`` go
through ``submit``. Without a session nothing differs from an unpatched Python; a request that is one, should a model be
called in it, counts as a session.
"""

from __future__ import annotations

import functools
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from opentelemetry.context import Context

from sentrial import _ambient, _guard, _runtime, _session
from sentrial._patch.method import PatchedMethod, callable_of
from sentrial._patch.switch import Switch

_OURS = __name__.partition(".")[0]

SERVE_OTHERS = (
    # A pool's threads, and those that feed them: they live on, and take whatever comes later.
    "anyio._backends",
    "concurrent.futures",
    "multiprocessing",
    "psycopg_pool",
    # Servers, event loops and schedulers: they serve whoever asks.
    "apscheduler",
    "asyncio.base_events.BaseEventLoop.run_forever",
    "asyncio.unix_events",
    "asyncio.windows_events",
    "grpc._server",
    "socketserver",
    "uvicorn",
    "werkzeug.serving",
    # A connection that many share, or what watches over it.
    "aiosqlite",
    "grpc._cython",
    "pymongo.periodic_executor",
    # They report on everybody's work; what they send is nobody's.
    "langsmith._internal",
    "logging.handlers",
    "opentelemetry.exporter",
    "opentelemetry.sdk",
    "posthog",
    f"{_OURS}._export",
    f"{_OURS}._patch.half_imported",
    f"{_OURS}._spans",
    "sentry_sdk",
)
"""Whose threads get no context: they outlive the work that started them, and would book foreign work on its session.

Names of modules with all that is in them, or of one function: where a thread's target is defined, or its own ``run``.
"""

_OTHERS = tuple(f"{name}." for name in SERVE_OTHERS)

# From there on a thread runs in a context object of its own, which start() makes unless the program gave it one.
_HAS_OWN_CONTEXT = sys.version_info >= (3, 14)

_switch = Switch()

_starting: dict[int, Context] = {}
"""By the id of a thread object, what it is to run in: from start() until the new thread has taken it."""


def install() -> None:
    """Carry from now on; a second time does nothing."""
    _switch.on = True
    for owner, method in _PATCHES:
        method.put(owner)


def uninstall() -> None:
    """Carry no longer, and put the original methods back unless somebody else has patched on top of us."""
    _switch.on = False
    for owner, method in _PATCHES:
        method.take_back(owner)


class Carried:
    """Work on its way to a worker. Called, it runs in ``context``, and leaves the worker as it was."""

    __slots__ = ("context", "work")

    def __init__(self, work: Callable[..., Any], context: Context) -> None:
        self.work = work
        self.context = context

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        # By a token, here: it comes and goes in one call, and puts back what was, whatever the work leaves behind.
        token = _runtime.attach(self.context)
        try:
            return self.work(*args, **kwargs)
        finally:
            _runtime.detach(token)

    def __getattr__(self, name: str) -> Any:
        # Its name, say, for whoever else looks at the work that is submitted.
        return getattr(self.work, name)

    def __reduce__(self) -> tuple[Any, ...]:
        # Pools with workers elsewhere (InterpreterPoolExecutor, say) pickle it: a context stays in its process.
        return functools.partial, (self.work,)


def _build_submit(original: Callable[..., Any]) -> Callable[..., Any]:
    def submit(self: Any, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        context = _context_here() if _switch.on and callable(fn) else None
        return original(self, fn if context is None else Carried(fn, context), *args, **kwargs)

    return submit


def _build_start(original: Callable[..., Any]) -> Callable[..., Any]:
    def start(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        # Where the program has given the thread a context of its own, that is what it is to run in.
        free = _switch.on and not (_HAS_OWN_CONTEXT and getattr(self, "_context", None) is not None)
        context = _context_here(self) if free else None
        if context is None:
            return original(self, *args, **kwargs)
        _starting[id(self)] = context
        try:
            return original(self, *args, **kwargs)
        finally:
            # It returns when the thread runs. Where it raises instead, there is none.
            _starting.pop(id(self), None)

    return start


def _build_bootstrap(original: Callable[..., Any]) -> Callable[..., Any]:
    # The one place in the new thread that no subclass overrides; all that follows in it is the thread's own work.
    def bootstrap(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        context = _starting.pop(id(self), None)
        if context is not None:
            try:
                _attach_in_thread(self, context)
            except Exception as error:  # noqa: BLE001 - raised here, it would keep start() waiting for ever
                _guard.note("carrying a context into a thread", error)
        return original(self, *args, **kwargs)

    return bootstrap


def _attach_in_thread(thread: Any, context: Context) -> None:
    if _HAS_OWN_CONTEXT:
        thread._context.run(_runtime.attach, context)
    else:
        _runtime.attach(context)


def _context_here(thread: threading.Thread | None = None) -> Context | None:
    """What work that is handed over here is to run in; ``None`` where that is not ours to say."""
    try:
        if not _ambient.is_session_here(run=False) or (thread is not None and _serves_others(thread)):
            return None
        return _session.live()
    except Exception as error:  # noqa: BLE001 - the program's work must run, with or without us
        _guard.failed("carrying a context", error)
        return None


def _serves_others(thread: threading.Thread) -> bool:
    work: Any = type(thread).run
    if work.__module__ == threading.__name__:
        work = thread.function if isinstance(thread, threading.Timer) else getattr(thread, "_target", None)
    while isinstance(work, functools.partial):
        work = work.func
    name = getattr(work, "__qualname__", None) or type(work).__qualname__
    return f"{getattr(work, '__module__', None)}.{name}.".startswith(_OTHERS)


def _wrapper(build: Callable[[Callable[..., Any]], Callable[..., Any]], original: Any) -> Callable[..., Any]:
    return functools.update_wrapper(build(callable_of(original)), original)


def _defining(method: str) -> type:
    # gevent puts a subclass that inherits it in the place of Python's own class.
    return next(each for each in threading.Thread.__mro__ if method in vars(each))


_PATCHES: tuple[tuple[type, PatchedMethod], ...] = (
    (ThreadPoolExecutor, PatchedMethod("submit", functools.partial(_wrapper, _build_submit))),
    (_defining("_bootstrap_inner"), PatchedMethod("_bootstrap_inner", functools.partial(_wrapper, _build_bootstrap))),
    (_defining("start"), PatchedMethod("start", functools.partial(_wrapper, _build_start))),
)

if hasattr(os, "register_at_fork"):
    # The threads that the parent was about to start do not exist in the child, where their ids come up again.
    os.register_at_fork(after_in_child=_starting.clear)
