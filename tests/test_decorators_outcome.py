"""What an agent gives, and how its session ends, however its function is left."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

import sentrial
from decorated import in_order, result_of, said_in
from receivers import SentrialStandIn
from running import arrived
from sentrial import SentrialClient
from sentrial.decorators import session, tool

KEY = "sentrial_test_key"


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        sentrial.configure(api_key=KEY, api_url=stand_in.url, flush_interval=0.01)
        yield stand_in
        sentrial.shutdown()


@pytest.mark.parametrize(
    ("result", "output"),
    [
        ("text", "text"),
        ({"response": "r", "output": "o"}, "r"),
        ({"output": "o", "x": 1}, "o"),
        ({"x": 1}, '{"x":1}'),
        (["a", 1], '["a",1]'),
    ],
)
def test_what_an_agent_returns_is_the_output(server: SentrialStandIn, result: Any, output: str) -> None:
    @session
    def agent(user_id: str) -> Any:
        return result

    assert agent("u") is result
    assert said_in(arrived(server)["invoke_agent agent"], "output") == ("assistant", output)


def test_what_the_function_itself_says_of_its_session_counts(server: SentrialStandIn) -> None:
    @session
    def speaking() -> str:
        interaction = sentrial.get_current_interaction()
        assert interaction is not None
        interaction.set_output("said")
        return "returned"

    @session
    def finishing() -> str:
        interaction = sentrial.get_current_interaction()
        assert interaction is not None
        interaction.finish("finished", success=False, failure_reason="no")
        assert sentrial.get_current_session_id() is None
        return "returned"

    @session
    def erring() -> str:
        interaction = sentrial.get_current_interaction()
        assert interaction is not None
        interaction.track_error("went wrong")
        return "returned"

    assert [speaking(), finishing(), erring()] == ["returned"] * 3
    spans = arrived(server)
    outcomes = {
        name: (span["attributes"]["sentrial.session.outcome"], said_in(span, "output"))
        for name, span in spans.items()
        if name != "error"
    }
    assert outcomes == {
        "invoke_agent speaking": ("completed", ("assistant", "said")),
        "invoke_agent finishing": ("failed", ("assistant", "finished")),
        "invoke_agent erring": ("failed", ("assistant", "returned")),
    }


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, asyncio.CancelledError])
def test_defect_11_whatever_leaves_a_function_ends_its_session(
    server: SentrialStandIn, error: type[BaseException]
) -> None:
    @tool
    def step() -> None:
        raise error

    @session
    def agent(user_id: str) -> None:
        step()

    with pytest.raises(error):
        agent("u")
    assert sentrial.get_current_session_id() is None
    spans = arrived(server)
    root = spans["invoke_agent agent"]
    assert (root["attributes"]["sentrial.session.outcome"], root["status_code"]) == ("cancelled", 0)
    assert (spans["execute_tool step"]["status_code"], spans["execute_tool step"]["events"]) == (0, [])
    assert spans["execute_tool step"]["attributes"]["sentrial.stream.end"] == "cancelled"


def test_pain_b4_a_cancelled_task_is_no_error(server: SentrialStandIn) -> None:
    @tool
    async def wait() -> None:
        await asyncio.Event().wait()

    @session
    async def agent(user_id: str) -> None:
        await wait()

    async def run() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(agent("u"), 0.01)
        assert sentrial.get_current_session_id() is None

    asyncio.run(run())
    spans = arrived(server)
    assert [(span["status_code"], span["events"]) for span in spans.values()] == [(0, []), (0, [])]
    assert spans["invoke_agent agent"]["attributes"]["sentrial.session.outcome"] == "cancelled"
    assert spans["execute_tool wait"]["attributes"]["sentrial.stream.end"] == "cancelled"


def test_a_failed_agent_raises_its_own_exception(server: SentrialStandIn) -> None:
    error = RuntimeError("out of stock")

    @session
    async def agent(user_id: str) -> None:
        raise error

    with pytest.raises(RuntimeError) as caught:
        asyncio.run(agent("u"))
    assert caught.value is error
    assert [entry.name for entry in caught.traceback][-2:] == ["call", "agent"]
    root = arrived(server)["invoke_agent agent"]
    attributes = root["attributes"]
    assert (attributes["sentrial.session.outcome"], attributes["sentrial.session.failure_reason"]) == (
        "failed",
        "RuntimeError: out of stock",
    )
    assert (root["status_code"], attributes["error.type"]) == (2, "RuntimeError")


def test_a_coroutine_that_a_plain_function_makes_is_part_of_its_call(server: SentrialStandIn) -> None:
    async def work(text: str) -> str:
        await asyncio.sleep(0)
        sentrial.get_current_interaction().track_error("seen")  # type: ignore[union-attr]  # there is one
        return text

    @tool
    def passing_on(text: str) -> Any:
        return work(text)

    async def run() -> str:
        with sentrial.begin("u", "agent"):
            waiting = passing_on("a")
            assert (waiting.__name__, waiting.__qualname__) == ("work", work.__qualname__)
            answer: str = await waiting
            return answer

    assert asyncio.run(run()) == "a"
    spans = arrived(server)
    assert result_of(spans["execute_tool passing_on"]) == {"result": "a"}
    assert spans["error"]["parent_span_id"] == spans["execute_tool passing_on"]["span_id"]


def test_switched_off_a_decorated_function_just_runs(server: SentrialStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    sentrial.configure(api_key=KEY, api_url=server.url, enabled=False)

    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("there is nothing to ask")

    monkeypatch.setattr("sentrial._decorated.arguments.Arguments.by_name", refuse)

    @session
    def agent(user_id: str) -> str:
        assert sentrial.get_current_interaction() is None
        return search("x")

    @tool
    def search(query: str) -> str:
        return query

    assert agent("u") == "x"
    assert in_order(server) == []


def test_a_client_that_does_not_fail_silently_raises_before_the_function_runs(server: SentrialStandIn) -> None:
    ran: list[str] = []
    metadata: Any = ["no mapping"]
    loud = SentrialClient(server.url, KEY, fail_silently=False)

    @session(client=loud, metadata=metadata)
    def agent() -> None:
        ran.append("agent")

    with pytest.raises(ValueError, match="metadata"):
        agent()
    assert ran == []


def test_a_client_that_is_none_is_refused_by_name() -> None:
    client: Any = KEY
    with pytest.raises(TypeError, match="takes a SentrialClient, and got a str: make one"):
        session(client=client)
