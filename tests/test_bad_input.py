"""Every parameter of every call, with every odd value: no exception, nothing lost, and a word about what is no use."""

from __future__ import annotations

import inspect
import logging
import types
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import sentrial
from odd_values import ODD
from receivers import SentrialStandIn
from sentrial import Interaction, SentrialClient, _guard
from sentrial._spans import decision, llm_by_hand, tool

KEY = "sentrial_test_key"

USUAL: dict[str, Any] = {
    "agent_name": "agent", "chosen": "c", "error_message": "e", "event": "agent", "model": "m", "name": "n",
    "output": "o", "reasoning": "why", "tool_input": {"a": 1}, "tool_name": "t", "tool_output": {"b": 2},
    "user_id": "u",
}  # fmt: skip
"""What a call is given for the parameters that it needs and that are not what is tried."""


class Trial:
    """A client, an open session of its, and what arrives."""

    def __init__(self, server: SentrialStandIn, *, loud: bool) -> None:
        self.server = server
        self.client = SentrialClient(fail_silently=not loud)
        self.session = self.client.begin("u", "host")
        sentrial.clear_session_context()
        self.id = self.session.session_id

    def live(self, event: Any, then: Callable[[Any], object] | None = None) -> None:
        with event as entered:
            if then is not None:
                then(entered)

    def begun(self, finish: dict[str, Any], **begin: Any) -> None:
        try:
            self.client.begin(**{"user_id": "u", "event": "agent", **begin}).finish(**finish)
        finally:
            sentrial.clear_session_context()

    def completed(self, method: str, finish: dict[str, Any], **create: Any) -> None:
        session_id = self.client.create_session(**{"name": "n", "agent_name": "agent", "user_id": "u", **create})
        getattr(self.client, method)(session_id, **finish)

    def added_up(self, **tokens: Any) -> None:
        session = self.client.begin("u", "agent")
        try:
            session.add_tokens(**tokens)
        finally:
            session.finish()

    def given_out(self, **output: Any) -> None:
        session = self.client.begin("u", "agent")
        session.set_output(**output)
        session.finish()

    def kept(self, **state: Any) -> None:
        with self.client.begin("u", "agent"):
            self.client.update_state(**{"key": "k", "value": 1, **state})


def call(method: Any, run: Callable[[Trial, dict[str, Any]], object], *leave_out: str) -> Any:
    """A row of the table: what is called, how, and which of its parameters are tried elsewhere."""
    return pytest.param(method, run, {"self", *leave_out}, id=f"{method.__qualname__}")


def live(event: type, make: Callable[[Trial], Any], *setters: str) -> list[Any]:
    def row(setter: str) -> Any:
        method = getattr(event, setter)
        return call(method, lambda trial, given: trial.live(make(trial), lambda entered: method(entered, **given)))

    return [row(setter) for setter in setters]


CALLS = [
    call(SentrialClient.track_tool_call, lambda t, given: t.client.track_tool_call(t.id, **given), "session_id"),
    call(SentrialClient.track_decision, lambda t, given: t.client.track_decision(t.id, **given), "session_id"),
    call(SentrialClient.track_llm_call, lambda t, given: t.client.track_llm_call(t.id, **given), "session_id"),
    call(SentrialClient.track_error, lambda t, given: t.client.track_error(t.id, **given), "session_id"),
    call(Interaction.track_tool_call, lambda t, given: t.session.track_tool_call(**given)),
    call(Interaction.track_decision, lambda t, given: t.session.track_decision(**given)),
    call(Interaction.track_llm_call, lambda t, given: t.session.track_llm_call(**given)),
    call(Interaction.track_error, lambda t, given: t.session.track_error(**given)),
    call(Interaction.tool, lambda t, given: t.live(t.session.tool(**given))),
    call(Interaction.llm, lambda t, given: t.live(t.session.llm(**given))),
    call(Interaction.decision, lambda t, given: t.live(t.session.decision(**given))),
    call(SentrialClient.begin, lambda t, given: t.begun({}, **given)),
    call(Interaction.finish, lambda t, given: t.begun(given)),
    call(Interaction.set_output, lambda t, given: t.given_out(**given)),
    call(Interaction.add_tokens, lambda t, given: t.added_up(**given)),
    call(SentrialClient.create_session, lambda t, given: t.completed("complete_session", {}, **given)),
    call(SentrialClient.complete_session, lambda t, given: t.completed("complete_session", given), "session_id"),
    call(SentrialClient.close_session, lambda t, given: t.completed("close_session", given), "session_id"),
    call(SentrialClient.update_state, lambda t, given: t.kept(**given)),
    *live(tool.ToolCall, lambda t: t.session.tool("t"), "set_output", "set_cost", "set_error"),
    *live(llm_by_hand.LlmEvent, lambda t: t.session.llm("m"), "set_output", "set_usage", "set_error"),
    *live(decision.Decision, lambda t: t.session.decision(), "set_reasoning", "choose", "set_usage"),
]


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        sentrial.configure(api_key=KEY, api_url=stand_in.url, flush_interval=0.01, queue_size=1 << 30)
        yield stand_in
        sentrial.shutdown(60)


def tries(method: Any, leave_out: set[str]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Parameter, name of the odd value, and all arguments of the call: each parameter with each value."""
    parameters = {name: each for name, each in inspect.signature(method).parameters.items() if name not in leave_out}
    needed = {name: USUAL[name] for name, each in parameters.items() if each.default is each.empty and name in USUAL}
    for parameter in parameters:
        for odd, make in ODD.items():
            yield parameter, odd, {**needed, parameter: make()}


def words_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize(("method", "run", "leave_out"), CALLS)
def test_an_odd_value_costs_the_program_nothing_and_the_event_arrives(
    method: Any,
    run: Callable[[Trial, dict[str, Any]], object],
    leave_out: set[str],
    server: SentrialStandIn,
    caplog: pytest.LogCaptureFixture,
) -> None:
    trial = Trial(server, loud=False)
    made = 0
    said: Counter[str] = Counter()
    for parameter, odd, given in tries(method, leave_out):
        caplog.clear()
        try:
            run(trial, given)
        except Exception as error:
            raise AssertionError(f"{parameter} = {odd}") from error
        said[parameter] += len(words_of(caplog))
        made += 1
    assert sentrial.flush(60)
    assert sentrial.stats()[f"Sentrial {server.url}"] == {"stored": made}
    assert len(server.spans) == made
    # A word for each way in which a value can be of no use, and not one for each value.
    assert max(said.values()) <= 3, said
    assert sentrial.get_current_session_id() is None


def refusal(run: Callable[[Trial, dict[str, Any]], object], trial: Trial, given: dict[str, Any]) -> str | None:
    """What a loud client raises, in words."""
    try:
        run(trial, given)
    except _guard.RefusedError as error:
        return str(error)
    return None


@pytest.mark.parametrize(("method", "run", "leave_out"), CALLS)
def test_a_loud_client_raises_words_that_name_the_parameter_and_records_what_is_good(
    method: Any,
    run: Callable[[Trial, dict[str, Any]], object],
    leave_out: set[str],
    server: SentrialStandIn,
    caplog: pytest.LogCaptureFixture,
) -> None:
    trial = Trial(server, loud=True)
    made = 0
    for parameter, odd, given in tries(method, leave_out):
        refused = refusal(run, trial, given)
        assert refused is None or parameter in refused, (parameter, odd)
        made += 1
    sentrial.shutdown(60)
    assert sentrial.stats()[f"Sentrial {server.url}"] == {"stored": made + 1}  # and the session around
    assert words_of(caplog) == []


def test_every_call_that_takes_a_value_is_in_the_table() -> None:
    listed = {param.values[0].__qualname__.rpartition(".")[2] for param in CALLS}
    takes_none_or_an_id = {"attach", "resume", "export", "flush", "shutdown", "close", "end", "make_current", "of"}
    for owner in (SentrialClient, Interaction, tool.ToolCall, llm_by_hand.LlmEvent, decision.Decision):
        functions = {
            name for name, each in inspect.getmembers(owner) if isinstance(each, types.FunctionType) and name[0] != "_"
        }
        helpers = {name for name in functions if name.startswith("calculate_")}
        assert functions - helpers - listed <= takes_none_or_an_id, owner
