"""The examples as users run them. Those with LangChain have a file of their own."""

from __future__ import annotations

import ast
import asyncio
import importlib
import socket
import struct
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from example_programs import EXAMPLES, Service, given, got, run, said
from old_sdk import old_names
from stored import words


def test_the_support_agent_is_one_whole_session() -> None:
    printed, (session,) = run("01_support_agent.py")
    question = "I was charged twice for order 1042. Can I have my money back?"
    answer = "You were indeed charged twice, I am sorry. The second payment of 49.00 is on its way back to you."
    assert printed == [f"User:  {question}", f"Agent: {answer}", ""]
    assert session.outline == [
        "invoke_agent support-agent",
        "  chat gpt-4o",
        "  execute_tool look_up_order",
        "  decision support-agent",
        "  execute_tool refund",
        "  chat gpt-4o",
    ]
    summary = session.summary
    assert (summary.agent, summary.user, summary.conversation) == ("support-agent", "user_123", "conv_456")
    assert (summary.status, summary.llm_calls, summary.tool_calls, summary.decisions) == ("completed", 2, 2, 1)
    assert said(session) == ([question], [answer])
    first, second = session.named("chat gpt-4o")
    looked_up = session.one("execute_tool look_up_order")
    assert given(looked_up) == {"order_id": "1042"}
    assert [(link.trace_id, link.span_id) for link in looked_up.links] == [(first.trace_id, first.span_id)]
    assert session.one("decision support-agent").attributes["sentrial.decision.chosen"] == "refund_the_second_payment"
    assert words(second, "gen_ai.output.messages") == [answer]
    costs = [float(call.attributes["sentrial.estimated_cost"]) for call in (first, second)]
    assert min(costs) > 0
    assert summary.cost == pytest.approx(sum(costs))


def test_decorated_functions_are_a_session_with_its_tools_and_a_decision() -> None:
    printed, (session,) = run("02_tools_and_decisions.py")
    assert printed == ["We will replace it."]
    assert session.outline == [
        "invoke_agent warranty-agent",
        "  execute_tool look_up_order",
        "  execute_tool look_up_order",
        "  execute_tool search_terms",
        "  execute_tool summarize",
        "    chat gpt-4o",
        "  decision warranty-agent",
    ]
    summary = session.summary
    assert (summary.user, summary.conversation, summary.status) == ("ann", "conv_7", "completed")
    assert said(session) == (["My lamp broke after a year."], ["We will replace it."])
    assert session.root.attributes["sentrial.metadata.words"] == 6
    failed, found = session.named("execute_tool look_up_order")
    assert given(failed) == given(found) == {"order_id": "1042", "password": "[masked]"}
    assert (failed.status, failed.attributes["error.type"]) == ("ERROR", "TimeoutError")
    assert "gen_ai.tool.call.result" not in failed.attributes
    assert (found.status, got(found)["price"]) == ("UNSET", 49.0)
    terms = session.one("execute_tool search_terms")
    assert terms.attributes["gen_ai.tool.description"] == "Passages of the terms that fit a question"
    assert given(terms) == {"question": "My lamp broke after a year.", "limit": 2}
    assert got(terms) == {"result": "Warranty lasts two years. Broken parts are replaced."}
    assert given(session.one("execute_tool summarize")) == {
        "text": "Warranty lasts two years. Broken parts are replaced."
    }
    decision = session.one("decision warranty-agent").attributes
    assert decision["sentrial.decision.chosen"] == "replace_it"
    assert tuple(decision["sentrial.decision.alternatives"]) == ("replace_it", "refuse", "ask_a_human")
    assert decision["sentrial.decision.confidence"] == 0.8
    assert str(decision["sentrial.decision.reasoning"]).startswith("Bought on 2025-03-01.")


def test_a_client_that_hangs_up_is_no_error_of_the_offline_model(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(EXAMPLES)
    offline_model = importlib.import_module("offline_model")
    body = b'{"messages": [], "stream": true}'
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
    with offline_model.offline_model(offline_model.says("Hello"), pause=0) as url:
        for awaited in (b"data: ", b"0\r\n\r\n"):  # in the middle of an answer, and after it
            with socket.create_connection(("127.0.0.1", urlsplit(url).port)) as connection:
                connection.sendall(head + body)
                found = b""
                while awaited not in found:
                    found += connection.recv(1)
                # Closed so, a reset is what the other side hears.
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        serving = [thread for thread in threading.enumerate() if "process_request_thread" in thread.name]
        for thread in serving:
            thread.join(10)
    assert capsys.readouterr().err == ""


# --- the web service -------------------------------------------------------------------------------------------------


@pytest.fixture
def service() -> Iterator[Service]:
    running = Service("03_web_service:app")
    yield running
    running.kill()


@pytest.fixture
def slow_service() -> Iterator[Service]:
    """Who goes away after the first word has seconds until the last."""
    running = Service("03_web_service:app", OFFLINE_MODEL_PAUSE="2")
    yield running
    running.kill()


def question(number: int) -> dict[str, str]:
    order = "1042" if number % 2 else "1043"
    return {"user_id": f"user{number}", "text": f"Where is order {order}, asks {number}?", "convo_id": f"c{number}"}


def state_of(number: int) -> str:
    return "delivered" if number % 2 else "on its way"


async def test_a_web_service_keeps_many_users_apart(service: Service) -> None:
    numbers = range(40)
    async with httpx.AsyncClient(base_url=service.address, timeout=60) as client:

        async def ask(number: int) -> Any:
            return (await client.post("/ask" if number < 20 else "/stream", json=question(number))).read()

        answers = await asyncio.gather(*map(ask, numbers))
    for number in numbers:
        assert f"Your order is {state_of(number)}.".encode() in answers[number]
    sessions = {session.summary.user: session for session in await asyncio.to_thread(service.stop)}
    assert set(sessions) == {f"user{number}" for number in numbers}
    assert len({session.summary.trace_id for session in sessions.values()}) == 40
    for number in numbers:
        session = sessions[f"user{number}"]
        agent = "support-agent" if number < 20 else "streaming-agent"
        assert session.outline == [f"invoke_agent {agent}", "  execute_tool find_order", "  chat gpt-4o"]
        text = question(number)["text"]
        assert said(session) == ([text], [f"Your order is {state_of(number)}."])
        assert session.summary.status == "completed"
        assert session.summary.total_tokens == session.summary.input_tokens + session.summary.output_tokens > 0
        assert session.summary.cost > 0
        assert given(session.one("execute_tool find_order")) == {"text": text}
        assert words(session.one("chat gpt-4o"), "gen_ai.input.messages")[-1] == text
        assert {span.attributes["user.id"] for span in session.spans} == {f"user{number}"}
        if number < 20:
            assert session.summary.conversation == f"c{number}"
            assert session.summary.session_id.encode() in answers[number]


async def test_a_session_goes_on_after_the_response_and_ends_there(service: Service) -> None:
    async with httpx.AsyncClient(base_url=service.address, timeout=60) as client:
        asked = {"user_id": "cy", "text": "Order 1042 came broken.", "convo_id": "c9"}
        responses = await asyncio.gather(*(client.post("/refund", json=asked) for _ in range(5)))
    assert [response.json()["answer"] for response in responses] == ["We will pay 49.00 back."] * 5
    sessions = await asyncio.to_thread(service.stop)
    assert {session.summary.session_id for session in sessions} == {
        response.json()["session_id"] for response in responses
    }
    for session in sessions:
        assert session.outline == [
            "invoke_agent refund-agent",
            "  execute_tool find_order",
            "  decision refund-agent",
            "  execute_tool pay_back",
            "  session completed",
        ]
        assert (session.summary.status, session.summary.tool_calls, session.summary.decisions) == ("completed", 2, 1)
        assert session.root.attributes["sentrial.session.outcome"] == "continued"
        assert got(session.one("execute_tool pay_back")) == {"paid": 49.0}
        end = session.one("session completed").attributes
        assert (end["output.value"], end["user.id"], end["session.id"]) == ("49.00 paid back.", "cy", "c9")


async def test_an_error_reaches_the_handler_and_the_session_says_why(service: Service) -> None:
    asked = {"user_id": "dan", "text": "Where is order 9?"}
    async with httpx.AsyncClient(base_url=service.address, timeout=60) as client:
        response = await client.post("/ask", json=asked)
    assert (response.status_code, response.json()) == (404, {"answer": "There is no order 9."})
    (session,) = await asyncio.to_thread(service.stop)
    assert session.outline == ["invoke_agent support-agent", "  execute_tool find_order"]
    assert (session.summary.status, session.summary.failure_reason) == (
        "failed",
        "OrderNotFoundError: There is no order 9.",
    )
    assert session.one("execute_tool find_order").status == "ERROR"


async def test_readers_who_go_away_leave_cancelled_sessions_with_what_was_sent(slow_service: Service) -> None:
    async with httpx.AsyncClient(base_url=slow_service.address, timeout=60) as client:

        async def read_a_word(number: int) -> str:
            async with client.stream("POST", "/stream", json=question(2 * number)) as response:
                return await anext(response.aiter_text())

        first_words = await asyncio.gather(*map(read_a_word, range(10)))
    assert first_words == ["Your "] * 10
    sessions = await asyncio.to_thread(slow_service.stop)
    assert len(sessions) == 10
    for session in sessions:
        (answer,) = said(session)[1]
        assert "Your order is on its way.".startswith(answer)
        # On a machine that is busy enough, the last word may be sent before the server hears of it.
        assert session.summary.status == "completed" or answer != "Your order is on its way."
        assert session.root.status == session.one("chat gpt-4o").status == "UNSET"
        assert session.one("chat gpt-4o").attributes["sentrial.stream.end"] in ("cancelled", "closed", "drained")
    assert "cancelled" in {session.summary.status for session in sessions}


# --- threads, accounts, the older SDK --------------------------------------------------------------------------------


def test_work_on_threads_belongs_to_the_session_that_asked_for_it() -> None:
    printed, sessions = run("04_threads.py")
    questions = {"ann": "Is the service up?", "bob": "What changed last week?"}
    assert printed == [f"{user}: Six sources agree on: {asked}" for user, asked in questions.items()]
    assert {session.summary.user for session in sessions} == {"ann", "bob"}
    for session in sessions:
        asked = questions[str(session.summary.user)]
        assert said(session) == ([asked], [f"Six sources agree on: {asked}"])
        assert Counter(session.outline) == {
            "invoke_agent research-agent": 1,
            "  execute_tool read": 5,
            "  execute_tool read_later": 1,
            "  chat gpt-4o": 1,
        }
        sources = {given(span)["source"]: got(span) for span in session.spans if span.name.startswith("execute_tool")}
        assert sources == {
            source: {"result": f"what {source} says"}
            for source in ("the handbook", "the changelog", "the status page", "the wiki", "the archive", "the tickets")
        }
        assert (session.summary.status, session.summary.tool_calls, session.summary.llm_calls) == ("completed", 6, 1)


def test_each_account_gets_its_sessions_and_no_other() -> None:
    printed, sessions = run("05_several_accounts.py", SENTRIAL_STORE="on")
    assert printed == [
        "sentrial_live_shop got chat gpt-4o",
        "sentrial_live_shop got invoke_agent shop-agent",
        "sentrial_live_bank got decision auditor",
        "sentrial_live_bank got execute_tool read_account",
        "sentrial_live_bank got invoke_agent auditor",
        "sentrial_live_bank got invoke_agent bank-agent",
    ]
    shop, bank, audit = sessions
    assert shop.outline == ["invoke_agent shop-agent", "  chat gpt-4o"]
    assert bank.outline == ["invoke_agent bank-agent", "  execute_tool read_account"]
    assert audit.outline == ["invoke_agent auditor", "  decision auditor"]
    assert len({session.summary.trace_id for session in sessions}) == 3
    assert [session.summary.user for session in sessions] == ["ann", "ann", "system"]
    assert [session.summary.status for session in sessions] == ["completed"] * 3
    assert words(shop.root, "gen_ai.output.messages") == ["Your parcel is on its way."]
    assert words(bank.root, "gen_ai.output.messages") == ["Yes."]
    assert audit.summary.name == "Nightly check"
    assert audit.one("decision auditor").attributes["sentrial.decision.confidence"] == 0.98


def test_a_program_for_the_older_sdk_is_recorded_as_it_stands() -> None:
    printed, sessions = run("06_moving_over.py")
    assert printed == ["Take the train.", "1 result, 21 degrees"]
    chat, travel, support, async_chat = sessions
    assert chat.outline == ["invoke_agent chat", "  chat gpt-4o"]
    assert travel.outline == ["invoke_agent travel-agent", "  execute_tool search_web", "  execute_tool get_weather"]
    assert support.outline == ["invoke_agent support-agent", "  execute_tool look_up_order", "  decision support-agent"]
    assert async_chat.outline == ["invoke_agent async-chat", "  execute_tool search_web"]
    assert [session.summary.user for session in sessions] == ["ann", "ann", "bob", "cy"]
    assert [session.summary.status for session in sessions] == ["completed"] * 4
    assert said(chat) == (["How do I get to Lisbon?"], ["Take the train."])
    assert said(travel) == (["What is on in Lisbon?"], ["1 result, 21 degrees"])
    assert said(async_chat) == (["Is there a night train?"], ["Nothing found."])
    assert chat.summary.conversation == "conv_1"
    assert got(travel.one("execute_tool get_weather")) == {"city": "Lisbon", "degrees": 21}
    assert (support.summary.name, support.summary.cost) == ("Refund request", 0.001)
    assert support.root.attributes["sentrial.metadata.ticket_id"] == "TKT-789"
    assert support.root.attributes["sentrial.metric.satisfaction"] == 4.5
    assert support.one("execute_tool look_up_order").attributes["sentrial.reasoning"] == "The user asked for it"
    assert (async_chat.summary.total_tokens, async_chat.summary.cost) == (25, 0.002)


def test_the_program_for_the_older_sdk_uses_its_names_alone() -> None:
    tree = ast.parse((EXAMPLES / "06_moving_over.py").read_text(encoding="utf-8"))
    used = {
        f"sentrial.{node.attr}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "sentrial"
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "sentrial":
            used |= {f"sentrial.{each.name}" for each in node.names}
    assert used >= {"sentrial.begin", "sentrial.configure", "sentrial.SentrialClient", "sentrial.tool"}
    assert used - set(old_names()) == set()
