"""``@session`` and ``SessionContext``: whose session it is, and what goes in."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from typing import Any

import pytest

import sentrial
from decorated import arguments_of, in_order, said_in
from receivers import SentrialStandIn
from running import arrived, id_of, is_current, links_of, session_of
from sentrial import SentrialClient
from sentrial.decorators import get_session_entry_points, session, tool
from sentrial.session_context import SessionContext

KEY = "sentrial_test_key"
OTHER_KEY = "sentrial_other_key"


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY, OTHER_KEY]) as stand_in:
        sentrial.configure(api_key=KEY, api_url=stand_in.url, flush_interval=0.01)
        yield stand_in
        sentrial.shutdown()


def test_all_forms_of_session_name_the_agent(server: SentrialStandIn) -> None:
    @session
    def bare() -> None: ...

    @session("first")
    def given() -> None: ...

    @session(agent_name="second")
    def named() -> None: ...

    for function in (bare, given, named):
        function()
    roots = arrived(server)
    assert set(roots) == {"invoke_agent bare", "invoke_agent first", "invoke_agent second"}
    for root in roots.values():
        assert root["parent_span_id"] is None
        assert root["attributes"]["sentrial.session.outcome"] == "completed"
        assert "user.id" not in root["attributes"]


def test_a_session_takes_user_conversation_and_input_from_the_arguments(server: SentrialStandIn) -> None:
    @session("support")
    def answer(user_id: int, message: list[dict[str, str]], convo_id: str | None = None) -> str:
        assert is_current(sentrial.get_current_session_id())
        return f"hello {user_id}"

    assert answer(7, [{"role": "user", "content": "hi"}], convo_id="c7") == "hello 7"
    assert sentrial.get_current_session_id() is None
    root = arrived(server)["invoke_agent support"]
    attributes = root["attributes"]
    assert (attributes["user.id"], attributes["gen_ai.conversation.id"]) == ("7", "c7")
    assert (attributes["sentrial.session.outcome"], attributes["sentrial.session.success"]) == ("completed", True)
    assert said_in(root, "input") == ("user", "hi")
    assert said_in(root, "output") == ("assistant", "hello 7")


@pytest.mark.parametrize(
    ("arguments", "recorded"),
    [
        ({"input": "i", "message": "m", "query": "q"}, "i"),
        ({"input": None, "message": "m", "text": "t"}, "m"),
        ({"text": "t", "prompt": "p", "query": "q"}, "q"),
        ({"text": "t", "prompt": "p"}, "p"),
        ({"text": "t" * 2_000}, "t" * 2_000),
        ({"input": {"q": [1, 2]}}, '{"q":[1,2]}'),
    ],
)
def test_the_first_parameter_that_holds_an_input_is_the_input(
    server: SentrialStandIn, arguments: dict[str, Any], recorded: str
) -> None:
    @session
    def agent(user_id: str, **given: Any) -> None: ...

    agent("u", **arguments)
    assert said_in(arrived(server)["invoke_agent agent"], "input") == ("user", recorded)


def test_the_parameters_of_a_session_can_have_other_names(server: SentrialStandIn) -> None:
    @session(
        "support",
        user_id_param="customer",
        input_param="question",
        convo_id_param="thread",
        metadata=lambda arguments: {"plan": arguments["plan"], "thread": arguments["thread"]},
    )
    def answer(customer: str, question: str, *, thread: str, plan: str = "free") -> None: ...

    answer("u1", "why?", thread="t1")
    root = arrived(server)["invoke_agent support"]
    attributes = root["attributes"]
    assert (attributes["user.id"], attributes["gen_ai.conversation.id"]) == ("u1", "t1")
    assert (attributes["sentrial.metadata.plan"], attributes["sentrial.metadata.thread"]) == ("free", "t1")
    assert said_in(root, "input") == ("user", "why?")


def test_metadata_may_be_a_mapping_and_a_function_of_it_that_fails_costs_no_session(
    server: SentrialStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    def failing(arguments: Any) -> dict[str, Any]:
        raise KeyError("tenant")

    @session(metadata={"tier": 2})
    def first() -> str:
        return "ran"

    @session(metadata=failing)
    def second() -> str:
        return "ran"

    assert (first(), second(), second()) == ("ran", "ran", "ran")
    spans = in_order(server)
    assert [span["attributes"].get("sentrial.metadata.tier") for span in spans] == [2, None, None]
    assert [record.getMessage() for record in caplog.records if "metadata=" in record.getMessage()] == [
        "sentrial: metadata= of @session('second') raised KeyError: 'tenant'. Such calls are recorded without it."
    ]


def test_an_agent_inside_another_is_its_sub_agent_unless_it_has_another_user(server: SentrialStandIn) -> None:
    @session
    def helper(text: str) -> None: ...

    @session
    def same(user_id: str | None) -> None: ...

    @session
    def other(user_id: str) -> None: ...

    @session
    def lead(user_id: str) -> None:
        helper("x")
        same(None)
        other("bob")

    lead("ann")
    helper("alone")
    spans = in_order(server)
    helped, asked, stranger, root, alone = spans
    assert {helped["name"], alone["name"]} == {"invoke_agent helper"}
    for sub in (helped, asked):
        assert (sub["parent_span_id"], session_of(sub)) == (root["span_id"], id_of(root))
        assert sub["attributes"]["user.id"] == "ann"
    assert stranger["parent_span_id"] is None
    assert links_of(stranger) == [("caller", id_of(root))]
    assert stranger["attributes"]["user.id"] == "bob"
    assert alone["parent_span_id"] is None
    assert "user.id" not in alone["attributes"]


def test_a_forgotten_begin_adopts_no_agent_and_lends_no_user(server: SentrialStandIn) -> None:
    @session
    def agent() -> None: ...

    forgotten = sentrial.begin("ann", "forgotten")
    agent()
    forgotten.finish()
    root = arrived(server)["invoke_agent agent"]
    assert root["parent_span_id"] is None
    assert "user.id" not in root["attributes"]


def test_each_session_goes_to_the_account_of_its_client(server: SentrialStandIn) -> None:
    client = SentrialClient(api_key=OTHER_KEY, api_url=server.url)

    @session
    def helper() -> None: ...

    @session(client=client)
    def tenant(user_id: str) -> None:
        helper()

    @session
    def ours(user_id: str) -> None: ...

    tenant("u")
    ours("u")
    assert sentrial.flush(10)
    assert {span["name"] for span in server.spans_of(OTHER_KEY)} == {"invoke_agent tenant", "invoke_agent helper"}
    assert [span["name"] for span in server.spans_of(KEY)] == ["invoke_agent ours"]


def test_defect_03_everything_inside_an_async_agent_lands_in_its_session(server: SentrialStandIn) -> None:
    @tool
    async def search(query: str) -> str:
        await asyncio.sleep(0)
        return query

    @session("async-agent")
    async def agent(user_id: str, input: str) -> str:  # noqa: A002 - the name that the decorator looks for
        await asyncio.gather(*(search(f"{input} {n}") for n in range(3)))
        return "done"

    async def serve() -> None:
        await asyncio.gather(*(agent(f"u{n}", f"question {n}") for n in range(5)))
        assert sentrial.get_current_session_id() is None

    asyncio.run(serve())
    spans = in_order(server)
    roots = {span["attributes"]["user.id"]: span for span in spans if span["name"] == "invoke_agent async-agent"}
    assert {said_in(root, "input") for root in roots.values()} == {("user", f"question {n}") for n in range(5)}
    tools = [span for span in spans if span["name"] == "execute_tool search"]
    assert len(tools) == 15
    for call in tools:
        root = roots[call["attributes"]["user.id"]]
        assert call["parent_span_id"] == root["span_id"]
        assert arguments_of(call)["query"].startswith(said_in(root, "input")[1])


def test_session_context_is_a_session_in_a_block(server: SentrialStandIn) -> None:
    context = SessionContext("u", "agent", "hello")
    assert (context.session_id, context.interaction) == (None, None)
    with context:
        assert context.session_id == sentrial.get_current_session_id()
        assert context.interaction is sentrial.get_current_interaction()
        context.set_output("bye")
    with pytest.raises(ValueError, match="no"):
        failing(SessionContext("u", "failing", client=SentrialClient(api_key=OTHER_KEY, api_url=server.url)))
    assert sentrial.flush(10)
    (root,) = server.spans_of(KEY)
    assert (said_in(root, "input"), said_in(root, "output")) == (("user", "hello"), ("assistant", "bye"))
    (failed,) = server.spans_of(OTHER_KEY)
    assert failed["attributes"]["sentrial.session.outcome"] == "failed"


def failing(context: SessionContext) -> None:
    with context:
        raise ValueError("no")


def test_defect_24_tools_inside_an_async_block_are_recorded(server: SentrialStandIn) -> None:
    @tool
    async def search() -> str:
        return "found"

    async def run() -> None:
        async with SessionContext("u", "first"):
            await search()
        async with await sentrial.begin_async("u", "second"):
            await search()

    asyncio.run(run())
    first, root, second, other = in_order(server)
    assert [root["name"], other["name"]] == ["invoke_agent first", "invoke_agent second"]
    assert (first["parent_span_id"], second["parent_span_id"]) == (root["span_id"], other["span_id"])


def test_defect_22_the_list_of_entry_points_keeps_nothing_alive() -> None:
    def decorate() -> Any:
        @session
        def agent() -> None: ...

        return agent

    before = get_session_entry_points()
    kept = decorate()
    for _ in range(100):
        decorate()
    gc.collect()
    assert get_session_entry_points() == [*before, kept]
    del kept
    gc.collect()
    assert get_session_entry_points() == before
