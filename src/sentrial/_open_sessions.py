"""Sessions that nobody ends by hand: those that begin by themselves, and those that were forgotten."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import PurePath

from opentelemetry.context import Context

from sentrial import _ambient, _config, _guard, _registry, _setting_values, semconv
from sentrial._ambient import Told
from sentrial._config import Config
from sentrial._export import provider as providers
from sentrial._export.auto_sessions import AutoSessions, Roots
from sentrial._export.pipeline import Pipeline
from sentrial._handle import read_handle, write_handle
from sentrial._session import Account, Session
from sentrial._spans import auto_root, root, source
from sentrial._spans.root import Opening

RUN = "SENTRIAL_RUN_SESSION"
"""The variable that tells programs which this one starts that they are a part of its run."""

_auto: AutoSessions | None = None
_stopped = False


@_guard.guarded("beginning sessions by themselves", _guard.nothing)
def watch(config: Config, pipeline: Pipeline, account: Callable[[], Account | None]) -> None:
    """Let sessions begin by themselves as ``config`` says, for ``account()`` as it is when they do."""
    global _auto
    modes = config.auto_session if config.enabled else ()
    if _auto is not None and _auto.modes == frozenset(modes):
        return
    stop()
    if not modes:
        return
    run = read_handle(os.environ.get(RUN)) if _setting_values.AUTO_PROCESS in modes else None
    outer = _registry.remember_foreign(run, account()) if run is not None else None
    if outer is not None:
        outer.auto = True
    _auto = pipeline.watcher = AutoSessions(modes, pipeline, _roots(account), outer)
    _ambient.set_finder(_auto)
    if _setting_values.AUTO_CALL in modes:
        _ambient.set_opener(lambda opening: open_around(opening, account()))
    if providers.find_provider() is not None:
        source.tracer()  # a request is seen by its beginning: the provider is joined before the first one


def stop() -> None:
    """Let none begin any more."""
    global _auto
    _ambient.set_finder(None)
    _ambient.set_opener(None)
    if _auto is not None:
        _auto.finish(_end_of_run())
        _auto.stop()
        _auto = None
        os.environ.pop(RUN, None)


def end_all() -> None:
    """End whatever is open: what has come to its end as that says, the rest as forgotten."""
    if _auto is not None:
        _auto.finish(_end_of_run())
    for session in _registry.open_sessions():
        try:
            root.end_forgotten(session)
        except Exception as error:  # noqa: BLE001 - the others have to end too, and all be delivered
            _guard.failed("ending what is open", error)


def stopped_by_signal() -> None:
    """The program is about to end, because somebody stops it."""
    global _stopped
    _stopped = True


def open_around(opening: Opening, account: Account | None) -> Session:
    """Open a session around a run of a framework's that belongs to none: named as the run is, if that has a name."""
    root.end_idle(_config.active.session_timeout)
    opening = replace(
        opening,
        agent_name=opening.agent_name or _agent_name(),
        user_id=opening.user_id or _config.active.user_id,
        account=account,
    )
    return root.open_session(opening, nested=True)


def _roots(account: Callable[[], Account | None]) -> Roots:
    def open_root(context: Context, since: int, user_id: str | None, is_run: bool) -> Session:
        opening = Opening(agent_name=_agent_name(), user_id=user_id, account=account())
        session = auto_root.open_root(opening, context, since)
        if is_run:
            os.environ[RUN] = write_handle(session)
        return session

    return Roots(open_root, auto_root.end_root)


def _agent_name() -> str:
    """``SENTRIAL_AGENT_NAME``, else the service's name, else the program's."""
    if _config.active.agent_name is not None:
        return _config.active.agent_name
    resource = getattr(source.tracer(), "resource", None)
    service = str(resource.attributes.get(semconv.SERVICE_NAME, "")) if resource is not None else ""
    return service if service and not service.startswith(semconv.SERVICE_NAME_UNKNOWN) else _program_name()


def _program_name() -> str:
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    if spec is not None:
        return str(spec.name).removesuffix(".__main__")
    name = PurePath(sys.argv[0] if sys.argv else "").stem
    return name if name not in ("", "-", "-c", "-m") else "python"


def _end_of_run() -> Told:
    # What Python prints before it calls the handlers of atexit, it keeps: 3.12 and later under the first name.
    error = getattr(sys, "last_exc", None) or getattr(sys, "last_value", None)
    return Told(cancelled=_stopped, error=error if isinstance(error, BaseException) else None)


def _after_fork() -> None:
    if _auto is not None:
        _auto.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
