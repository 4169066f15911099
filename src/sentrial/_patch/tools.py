"""Tools that a client runs by itself, because a model has asked for them: each run is a tool call of the session."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any

from opentelemetry.context import get_current

from sentrial import _ambient, _guard
from sentrial._patch.call import is_suppressed
from sentrial._patch.method import callable_of
from sentrial._patch.spec import Provider, Target, ToolRun
from sentrial._patch.switch import Switch
from sentrial._session import Session
from sentrial._spans import tool_request
from sentrial._spans.tool import ToolCall


def build_tool(provider: Provider, target: Target, original: Any, switch: Switch) -> Callable[..., Any]:
    """The function or method that runs a tool, recorded."""
    run = callable_of(original)
    build = _build_async if inspect.iscoroutinefunction(inspect.unwrap(original)) else _build_sync
    return functools.update_wrapper(build(provider, target.method, run, switch), original)


def _build_sync(provider: Provider, method: str, run: Callable[..., Any], switch: Switch) -> Callable[..., Any]:
    def traced(*args: Any, **kwargs: Any) -> Any:
        call = _begin(provider, switch, method, args, kwargs) if switch.on else None
        if call is None:
            return run(*args, **kwargs)
        with _Telling(provider, call):
            result = run(*args, **kwargs)
            _take(provider, call, result)
        return result

    return traced


def _build_async(provider: Provider, method: str, run: Callable[..., Any], switch: Switch) -> Callable[..., Any]:
    async def traced(*args: Any, **kwargs: Any) -> Any:
        call = _begin(provider, switch, method, args, kwargs) if switch.on else None
        if call is None:
            return await run(*args, **kwargs)
        with _Telling(provider, call):
            result = await run(*args, **kwargs)
            _take(provider, call, result)
        return result

    return traced


class _Telling:
    """The block of ``call``. What the tool raised is told, not what the client makes of it: that may hold content."""

    __slots__ = ("_call", "_provider")

    def __init__(self, provider: Provider, call: ToolCall) -> None:
        self._provider = provider
        self._call = call

    def __enter__(self) -> None:
        self._call.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        cause = None if error is None else _raised_by_tool(self._provider, error)
        self._call.__exit__(kind, cause, trace)


def _raised_by_tool(provider: Provider, error: BaseException) -> BaseException:
    try:
        return provider.read_tool_error(error)
    except Exception as failure:  # noqa: BLE001 - the program must get its own exception, not ours
        _guard.failed(f"reading a tool's error of {provider.name}", failure)
        return error


def _begin(
    provider: Provider, switch: Switch, method: str, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> ToolCall | None:
    """The run that is about to begin; ``None`` outside sessions, where a tool call belongs nowhere."""
    try:
        session = _ambient.session_for_event()
        if session is None or is_suppressed(get_current()):
            return None
        run = provider.read_tool(method, args, kwargs)
        if run is None or _ambient.records_itself(run.function) or not _is_of_recorded(switch, session, run):
            return None
        return ToolCall(session, run.name, run.arguments, call_id=run.call_id, description=run.description)
    except Exception as error:  # noqa: BLE001 - nothing of ours may keep the client from running the tool
        _guard.failed(f"beginning a tool of {provider.name}", error)
        return None


def _is_of_recorded(switch: Switch, session: Session, run: ToolRun) -> bool:
    """Whether the client that runs the tool is recorded; if nobody knows which it is, whether one that is has asked."""
    if switch.for_all or run.client is not None:
        return switch.takes(run.client)
    return tool_request.is_asked_for(session, run.name)


def _take(provider: Provider, call: ToolCall, result: Any) -> None:
    try:
        outcome = provider.read_tool_result(result)
        call.set_output(outcome.output)
        if outcome.error is not None:
            call.set_error(outcome.error)
    except Exception as error:  # noqa: BLE001 - a run without its result is better than a broken program
        _guard.failed(f"reading a tool of {provider.name}", error)
