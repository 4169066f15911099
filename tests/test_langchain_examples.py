"""The examples with LangChain, as users run them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator

import httpx
import pytest

from example_programs import Service, given, got, run, said
from stored import Stored, content, words


def test_the_agent_with_tools_is_one_whole_session() -> None:
    printed, (session,) = run("07_langchain_agent.py")
    question = "I pay in dollars. What does the lamp cost me, and when does it come?"
    answer = "The lamp costs 50.00 USD, and is with you in two days."
    summary = session.summary
    assert printed == [
        f"User:  {question}",
        f"Agent: {answer}",
        "",
        f"2 calls, {summary.total_tokens} tokens, {summary.cost:.4f} USD",
    ]
    assert Counter(session.outline) == Counter(
        [
            "invoke_agent sales-agent",
            "  chat gpt-4o",
            "  execute_tool price_of",
            "    execute_tool exchange_rate",
            "  execute_tool delivery_of",
            "  chat gpt-4o",
        ]
    )
    assert (summary.name, summary.user, summary.conversation) == ("Price of a lamp", "user_123", "conv_456")
    assert (summary.status, summary.llm_calls, summary.tool_calls) == ("completed", 2, 3)
    assert session.root.attributes["sentrial.metric.satisfaction"] == 4.5
    asked, answered = session.named("chat gpt-4o")
    price, delivery = session.one("execute_tool price_of"), session.one("execute_tool delivery_of")
    assert (given(price), got(price)) == ({"article": "lamp", "currency": "USD"}, {"result": "50.00 USD"})
    assert (given(delivery), got(delivery)) == ({"article": "lamp"}, {"result": "two days"})
    for tool, call_id in ((price, "call_1"), (delivery, "call_2")):
        assert tool.attributes["gen_ai.tool.call.id"] == call_id
        assert [(link.trace_id, link.span_id) for link in tool.links] == [(asked.trace_id, asked.span_id)]
    assert words(asked, "gen_ai.input.messages")[-1] == question
    assert words(answered, "gen_ai.output.messages") == [answer]


def test_the_graph_pauses_for_the_approval_and_goes_on_in_the_same_conversation() -> None:
    printed, (paused, done) = run("08_langgraph_approval.py")
    plan = "Twenty chairs from the warehouse."
    assert printed == [f"Shall we? {plan}", f"Order 1042: {plan}"]
    assert Counter(paused.outline) == Counter(
        [
            "invoke_agent purchase",
            "  invoke_workflow purchase",
            *(f"    node {source}" for source in ("warehouse", "maker", "shop")),
            *["      chat gpt-4o"] * 4,
            "    plan purchase",
            "    node approval",
        ]
    )
    for source in ("warehouse", "maker", "shop"):
        (call,) = below(paused, f"node {source}")
        assert words(call, "gen_ai.input.messages") == [f"You speak for the {source}.", "We need twenty chairs."]
    assert done.outline == [
        "invoke_agent purchase",
        "  invoke_workflow purchase",
        "    node approval",
        "    node buy",
        "      execute_tool order",
    ]
    for session, outcome in ((paused, "paused"), (done, "completed")):
        assert session.summary.status == session.root.attributes["sentrial.session.outcome"] == outcome
        assert (session.summary.user, session.summary.conversation) == ("user_123", "conv_456")
        assert {span.status for span in session.spans} == {"UNSET"}
    assert paused.one("node approval").attributes["sentrial.outcome"] == "paused"
    assert "sentrial.outcome" not in done.one("node approval").attributes
    assert said(done)[0] == ["yes"]


def below(session: Stored, name: str) -> list:
    """The spans right below the one of that name."""
    return [span for span in session.spans if span.parent_span_id == session.one(name).span_id]


# --- the streaming endpoint ------------------------------------------------------------------------------------------


@pytest.fixture
def service() -> Iterator[Service]:
    running = Service("09_streaming_endpoint:app")
    yield running
    running.kill()


@pytest.fixture
def slow_service() -> Iterator[Service]:
    """Who goes away after the first word has seconds until the last."""
    running = Service("09_streaming_endpoint:app", OFFLINE_MODEL_PAUSE="2")
    yield running
    running.kill()


def question(number: int) -> dict[str, str]:
    order = "1042" if number % 2 else "1043"
    return {"user_id": f"user{number}", "text": f"Where is order {order}, asks {number}?", "convo_id": f"c{number}"}


async def test_a_streaming_endpoint_keeps_many_users_apart(service: Service) -> None:
    numbers = range(20)
    async with httpx.AsyncClient(base_url=service.address, timeout=60) as client:
        answers = await asyncio.gather(*(client.post("/chat", json=question(number)) for number in numbers))
    sessions = {session.summary.user: session for session in await asyncio.to_thread(service.stop)}
    assert len(sessions) == len({session.summary.trace_id for session in sessions.values()}) == 20
    for number in numbers:
        answer = f"Your order is {'delivered' if number % 2 else 'on its way'}."
        session = sessions[f"user{number}"]
        assert answers[number].text == answer
        assert session.outline == ["invoke_agent support-agent", "  retrieval orders", "  chat gpt-4o"]
        assert said(session) == ([question(number)["text"]], [answer])
        assert (session.summary.status, session.summary.conversation) == ("completed", f"c{number}")
        assert {span.attributes["user.id"] for span in session.spans} == {f"user{number}"}
        (order,) = content(session.one("retrieval orders"), "gen_ai.retrieval.documents")
        assert (order["id"], order["content"]) == (("1042", "delivered") if number % 2 else ("1043", "on its way"))
        call = session.one("chat gpt-4o").attributes
        assert (call["sentrial.stream.end"], float(call["gen_ai.response.time_to_first_chunk"]) > 0) == (
            "drained",
            True,
        )
        assert session.summary.total_tokens == session.summary.input_tokens + session.summary.output_tokens > 0


async def test_readers_of_it_who_go_away_leave_cancelled_sessions_with_what_was_said(slow_service: Service) -> None:
    async with httpx.AsyncClient(base_url=slow_service.address, timeout=60) as client:

        async def read_a_word(number: int) -> str:
            async with client.stream("POST", "/chat", json=question(2 * number)) as response:
                return await anext(response.aiter_text())

        first_words = await asyncio.gather(*map(read_a_word, range(5)))
    assert first_words == ["Your "] * 5
    sessions = await asyncio.to_thread(slow_service.stop)
    assert len(sessions) == 5
    for session in sessions:
        assert {span.status for span in session.spans} == {"UNSET"}
        call = session.one("chat gpt-4o")
        (answer,) = words(call, "gen_ai.output.messages")
        assert "Your order is on its way.".startswith(answer)
        # On a machine that is busy enough, the last word may be sent before the server hears of it.
        assert session.summary.status == "completed" or call.attributes["sentrial.stream.end"] == "cancelled"
    assert "cancelled" in {session.summary.status for session in sessions}
