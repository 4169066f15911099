"""The asynchronous names: the same sessions as the others make, and an event loop that waits for nothing."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator

import pytest

import sentrial
from receivers import SentrialStandIn
from running import arrived, is_current, session_of
from sentrial import AsyncSentrialClient, Interaction, SentrialClient

KEY = "sentrial_test_key"


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        sentrial.configure(api_key=KEY, api_url=stand_in.url, flush_interval=0.01)
        yield stand_in
        sentrial.shutdown()


async def test_sessions_by_id(server: SentrialStandIn) -> None:
    async with AsyncSentrialClient(server.url, KEY, True) as client:
        session_id = await client.create_session("n", "agent", "u", None, "c", {"k": 1})
        assert is_current(None)
        assert (await client.track_tool_call(session_id, "t", {"a": 1}, {"b": 2}))["eventType"] == "tool_call"
        assert (await client.track_decision(session_id, "why", ["x"], 0.5))["eventType"] == "llm_decision"
        assert (await client.track_llm_call(session_id, "m", prompt_tokens=3))["eventType"] == "llm_call"
        assert (await client.track_error(session_id, "what"))["eventType"] == "error"
        with client.attach(session_id):
            client.update_state("step", 1)
            assert client.current_state == {"step": 1}
        answer = await client.complete_session(session_id, True, prompt_tokens=5)
        assert answer == {"id": session_id, "status": "completed", "success": True}
    # The client's end delivers: nothing is waited for here.
    assert {span["name"] for span in server.spans} == {
        "invoke_agent agent", "execute_tool t", "decision agent", "chat m", "error",
    }  # fmt: skip
    assert {session_of(span) for span in server.spans} == {session_id}


async def test_defect_24_what_happens_in_the_block_belongs_to_the_session(server: SentrialStandIn) -> None:
    client = AsyncSentrialClient()
    async with await client.begin("u", "agent", "hello", metadata={"k": 1}) as session:
        assert is_current(session.session_id)
        assert (session.client, session.user_id, session.event, session.user_input) == (client, "u", "agent", "hello")
        async with session.tool("live") as call:
            call.set_output(1)
        await session.track_tool_call("told", {}, {})
        with session.llm("m", provider="test"), session.decision("why"):
            pass
        session.set_output("bye")
    assert is_current(None)
    spans = arrived(server)
    assert set(spans) == {"invoke_agent agent", "execute_tool live", "execute_tool told", "chat m", "decision agent"}
    attributes = spans["invoke_agent agent"]["attributes"]
    assert (attributes["input.value"], attributes["output.value"]) == ("hello", "bye")


async def test_tokens_that_are_added_up_are_what_finish_says(server: SentrialStandIn) -> None:
    async with await sentrial.begin_async("u", "agent") as session:
        session.add_tokens(10, 5, 0.25)
        session.add_tokens(prompt_tokens=1, cost=0.5)
        assert (session.total_prompt_tokens, session.total_completion_tokens, session.total_tokens) == (11, 5, 16)
        assert session.total_cost == 0.75
        await session.track_llm_call("m", prompt_tokens=1_000)
    explicit = await sentrial.begin_async("u", "explicit")
    explicit.add_tokens(10, 5, 0.25)
    assert (await explicit.finish(output="x", estimated_cost=0.0, prompt_tokens=1))["status"] == "completed"
    assert await explicit.finish() == {}
    spans = arrived(server)
    summed, said = spans["invoke_agent agent"]["attributes"], spans["invoke_agent explicit"]["attributes"]
    assert (summed["gen_ai.usage.input_tokens"], summed["gen_ai.usage.output_tokens"]) == (11, 5)
    assert (summed["sentrial.usage.total_tokens"], summed["sentrial.estimated_cost"]) == (16, 0.75)
    assert (said["gen_ai.usage.input_tokens"], said["gen_ai.usage.output_tokens"]) == (1, 5)
    assert said["sentrial.estimated_cost"] == 0.0


async def test_a_failure_and_a_cancellation_leave_the_block_as_they_are(server: SentrialStandIn) -> None:
    with pytest.raises(LookupError):
        async with await sentrial.begin_async("u", "failing"):
            raise LookupError("none left")

    async def waits() -> None:
        async with await sentrial.begin_async("u", "cancelled"):
            await asyncio.sleep(60)

    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(waits(), 0.05)
    spans = arrived(server)
    outcomes = {name: span["attributes"]["sentrial.session.outcome"] for name, span in spans.items()}
    assert outcomes == {"invoke_agent failing": "failed", "invoke_agent cancelled": "cancelled"}


async def test_begun_in_another_task_it_is_current_in_its_block_all_the_same(server: SentrialStandIn) -> None:
    session = await asyncio.create_task(sentrial.begin_async("u", "agent"))
    assert is_current(None)
    async with session:
        assert is_current(session.session_id)
    assert is_current(None)
    assert set(arrived(server)) == {"invoke_agent agent"}


async def test_the_loop_goes_on_while_a_client_waits_for_a_server_that_hangs(server: SentrialStandIn) -> None:
    server.silence()
    await sentrial.configure_async(KEY, server.url)
    sentrial.configure(KEY, server.url, flush_timeout=30)

    async def tick() -> None:
        while not server.requests:
            await asyncio.sleep(0.01)
        for _ in range(10):
            await asyncio.sleep(0.01)
        server.speak()

    ticking = asyncio.create_task(tick())
    async with AsyncSentrialClient() as client, await client.begin("u", "agent"):
        pass
    assert ticking.done()  # or the loop stood still until the client gave up
    assert [span["name"] for span in server.spans] == ["invoke_agent agent"]  # the client did wait for the answer
    await ticking


async def test_configure_async_changes_the_account_alone(server: SentrialStandIn) -> None:
    sentrial.configure(KEY, server.url, flush_interval=0.01, capture_content=False)
    await sentrial.configure_async("another_key", server.url)
    async with await sentrial.begin_async("u", "agent", "hello"):
        pass
    with SentrialStandIn(["another_key"]) as other:
        await sentrial.configure_async(api_url=other.url)
        async with await sentrial.begin_async("u", "second", "hello"):
            pass
        assert sentrial.flush(10)
        (root,) = other.spans
    assert root["name"] == "invoke_agent second"
    assert "input.value" not in root["attributes"]
    assert server.spans == []


@pytest.mark.parametrize(
    ("ours", "behind"), [(AsyncSentrialClient, SentrialClient), (sentrial.AsyncInteraction, Interaction)]
)
def test_each_door_looks_like_what_it_leads_to(ours: type, behind: type) -> None:
    doors = [
        name
        for name, found in vars(ours).items()
        if not name.startswith("_") and inspect.isfunction(found) and hasattr(behind, name) and name != "begin"
    ]
    assert "track_tool_call" in doors
    for name in doors:
        assert inspect.signature(getattr(ours, name)) == inspect.signature(getattr(behind, name)), name
        assert inspect.getdoc(getattr(ours, name)), name
