"""Tools that a client runs by itself: each run is a tool call of the session, and runs as it would without us."""

from __future__ import annotations

import dataclasses
import inspect
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from weakref import WeakSet

import pytest
from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, attach, detach, set_value
from opentelemetry.trace import SpanContext, StatusCode

import sentrial
from own_client import OPERATION, describe
from recorder import Recorder
from recorder.fixtures import record_with
from sentrial import _guard, _session
from sentrial._patch.spec import Role, Target, ToolOutcome, ToolRun
from sentrial._patch.switch import Switch
from sentrial._patch.tools import build_tool
from sentrial._patch.wrapper import build_wrapper
from sentrial._spans import tool_request
from sentrial.types import Deferred, LlmResponse, Message, Part

TARGET = Target("own", "Runner", "run", Role.TOOL)


def read_tool(method: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> ToolRun | None:
    name = args[1]
    return None if name == "elsewhere" else ToolRun(name, {"number": 1}, "call_1", "what it does")


def runner(function: Callable[..., Any], switch: Switch | None = None, **changes: Any) -> Any:
    """An object whose method ``run`` is ``function``, patched."""
    if switch is None:
        switch = Switch()
        switch.on = True
    provider = describe("own", TARGET, **{"read_tool": read_tool, **changes})
    return type("Runner", (), {"run": build_tool(provider, TARGET, function, switch), "switch": switch})()


class Client:
    """One that can be chosen."""


def only(client: Client) -> Switch:
    """A switch for this client and no other."""
    switch = Switch(lambda client: client, WeakSet([client]))
    switch.on = True
    return switch


def ask_for(name: str) -> None:
    """A recorded call of the current session asks for a tool."""
    session, message = _session.current(), Message("assistant", [Part.tool_call(name, "call_1", {"number": 1})])
    assert session is not None
    output = Deferred([message.to_json()], lambda _copy: [message])
    tool_request.remember(session, LlmResponse(tool_call_ids=["call_1"], output=output), SpanContext(1, 2, False))


def run_now(self: Any, name: str) -> Any:
    if name == "fails":
        raise LookupError(name)
    return {"ran": name}


async def run_soon(self: Any, name: str) -> Any:
    return run_now(self, name)


async def result_of(running: Any) -> Any:
    return await running if inspect.isawaitable(running) else running


def spans_of(recorder: Recorder) -> dict[str, Any]:
    return {span.name: span for span in recorder.spans}


@pytest.fixture
def session(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    sentrial.configure(instrument=[], store=False)
    record_with(recorder, monkeypatch)
    with sentrial.begin("user_1", "agent") as session:
        yield session


both = pytest.mark.parametrize("function", [run_now, run_soon])


@both
async def test_a_run_is_a_tool_call_of_the_session(function: Any, session: Any, recorder: Recorder) -> None:
    assert await result_of(runner(function).run("find")) == {"ran": "find"}
    span = spans_of(recorder)["execute_tool find"]
    attributes = dict(span.attributes or {})
    assert attributes["gen_ai.tool.call.id"] == "call_1"
    assert attributes["gen_ai.tool.description"] == "what it does"
    assert recorder.content(span) == {
        "gen_ai.tool.call.arguments": {"number": 1},
        "gen_ai.tool.call.result": {"ran": "find"},
    }


@both
async def test_a_tool_that_raises_is_a_failed_run_and_raises(function: Any, session: Any, recorder: Recorder) -> None:
    with pytest.raises(LookupError, match="fails"):
        await result_of(runner(function).run("fails"))
    span = spans_of(recorder)["execute_tool fails"]
    assert span.status.status_code is StatusCode.ERROR
    assert (span.attributes or {})["error.type"] == "LookupError"


@both
async def test_a_result_that_is_an_exception_is_a_failed_run(function: Any, session: Any, recorder: Recorder) -> None:
    told = runner(function, read_tool_result=lambda result: ToolOutcome(result, ValueError("not found")))
    assert await result_of(told.run("find")) == {"ran": "find"}
    assert spans_of(recorder)["execute_tool find"].status.status_code is StatusCode.ERROR


@both
async def test_outside_of_sessions_it_only_runs(function: Any, recorder: Recorder) -> None:
    assert await result_of(runner(function).run("find")) == {"ran": "find"}
    assert recorder.started == 0


@both
async def test_a_tool_that_is_recorded_elsewhere_only_runs(function: Any, session: Any, recorder: Recorder) -> None:
    assert await result_of(runner(function).run("elsewhere")) == {"ran": "elsewhere"}
    assert "execute_tool elsewhere" not in spans_of(recorder)


@both
@pytest.mark.parametrize("key", [_SUPPRESS_INSTRUMENTATION_KEY, "suppress_instrumentation"])
async def test_suppressed_it_only_runs(function: Any, key: str, session: Any, recorder: Recorder) -> None:
    token = attach(set_value(key, True))
    try:
        assert await result_of(runner(function).run("find")) == {"ran": "find"}
    finally:
        detach(token)
    assert "execute_tool find" not in spans_of(recorder)


@both
async def test_of_a_client_that_is_not_chosen_it_only_runs(function: Any, session: Any, recorder: Recorder) -> None:
    ours, theirs = Client(), Client()
    for client in (theirs, ours):

        def read(*_: Any, client: Client = client) -> ToolRun:
            return ToolRun("find" if client is ours else "leave", client=client)

        assert await result_of(runner(function, only(ours), read_tool=read).run("find")) == {"ran": "find"}
    assert list(spans_of(recorder)) == ["execute_tool find"]


@both
async def test_of_a_client_that_is_not_told_it_is_recorded_where_a_recorded_call_has_asked_for_it(
    function: Any, session: Any, recorder: Recorder
) -> None:
    ours = runner(function, only(Client()))
    assert await result_of(ours.run("find")) == {"ran": "find"}
    ask_for("find")
    for name in ("lose", "find", "find"):
        assert await result_of(ours.run(name)) == {"ran": name}
    assert [span.name for span in recorder.spans] == ["execute_tool find"]


@both
async def test_switched_off_it_only_runs(function: Any, session: Any, recorder: Recorder) -> None:
    off = runner(function)
    off.switch.on = False
    assert await result_of(off.run("find")) == {"ran": "find"}
    assert "execute_tool find" not in spans_of(recorder)


@pytest.mark.quiet_guard
@pytest.mark.parametrize("reader", ["read_tool", "read_tool_result"])
@both
async def test_a_reader_that_raises_costs_the_tool_nothing(
    function: Any, reader: str, session: Any, recorder: Recorder
) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("this reader is broken")

    assert await result_of(runner(function, **{reader: broken}).run("find")) == {"ran": "find"}
    assert sum(_guard.failures.values()) == 1


def test_a_run_on_a_thread_just_as_the_stream_that_asked_for_it_ends_is_linked_to_it(
    session: Any, recorder: Recorder
) -> None:
    tool = threading.Thread(target=runner(run_now).run, args=("find",))

    def read_response(answer: list[str]) -> LlmResponse:
        # First at the end of the stream, then by the thread of the tool.
        if tool.ident is None:
            tool.start()
            tool.join(30)
        return LlmResponse(tool_call_ids=answer[:1])

    def ask(self: Any, model: str, *, stream: bool) -> Iterator[str]:
        yield from ("call_1", "end")

    operation, recognise = dataclasses.replace(OPERATION, read_response=read_response), describe().recognise
    own = describe(recognise=lambda *call: recognise(*call)._replace(operation=operation))
    switch = Switch()
    switch.on = True
    chat: Any = type("Chat", (), {"ask": build_wrapper(own, ask, switch)})()
    assert list(chat.ask("m", stream=True)) == ["call_1", "end"]
    spans = spans_of(recorder)
    (link,) = spans["execute_tool find"].links
    assert link.context.span_id == spans["chat m"].context.span_id


@both
def test_it_looks_like_the_original(function: Any) -> None:
    ours = type(runner(function)).run
    assert inspect.signature(ours) == inspect.signature(function)
    assert inspect.iscoroutinefunction(ours) == inspect.iscoroutinefunction(function)
    assert ours.__qualname__ == function.__qualname__
