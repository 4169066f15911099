"""Session and user on every span, whoever made it: sessions of many users at once, in one loop and in ten threads."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import openai
import pytest
from opentelemetry import trace

import sentrial
from fake_provider import Answer, FakeProvider
from receivers import SentrialStandIn
from running import Span, session_of

KEY = "sentrial_test_key"

EACH = {"invoke_agent agent": 1, "execute_tool ask": 2, "chat gpt-4o": 2, "chat model": 1, "SELECT": 2, "ChatModel": 1}


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        sentrial.configure(api_key=KEY, api_url=stand_in.url)
        yield stand_in
        sentrial.shutdown()


def others(user: str) -> None:
    """What instrumentations that know nothing of us do: a query, and a framework's span of a model."""
    tracer = trace.get_tracer("others")
    with tracer.start_as_current_span("ChatModel", attributes={"openinference.span.kind": "LLM", "user": user}):
        tracer.start_span("SELECT", attributes={"user": user}).end()


async def run_in_loop(model: openai.AsyncOpenAI, user: str) -> None:
    with sentrial.begin(user, "agent", input=user, convo_id=f"convo of {user}") as session:

        async def ask() -> None:
            async with session.tool("ask", {"user": user}):
                await model.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": user}])

        await asyncio.gather(ask(), ask())
        session.track_llm_call("model", provider="test", input=user)
        await asyncio.to_thread(others, user)
        trace.get_tracer("others").start_span("SELECT", attributes={"user": user}).end()


def run_in_thread(model: openai.OpenAI, together: threading.Barrier, user: str) -> None:
    with sentrial.begin(user, "agent", input=user, convo_id=f"convo of {user}") as session:
        together.wait(60)
        for _ in range(2):
            with session.tool("ask", {"user": user}):
                model.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": user}])
        together.wait(60)
        session.track_llm_call("model", provider="test", input=user)
        others(user)
        trace.get_tracer("others").start_span("SELECT", attributes={"user": user}).end()


def test_pain_b3_a_hundred_sessions_at_once_say_on_every_span_whose_they_are(server: SentrialStandIn) -> None:
    with FakeProvider() as provider, ThreadPoolExecutor(11) as pool:
        provider.queue(*[Answer.reply() for _ in range(200)])

        async def all_in_loop() -> None:
            async with openai.AsyncOpenAI(api_key="sk-test", base_url=provider.base_url, max_retries=0) as model:
                await asyncio.gather(*[run_in_loop(model, f"loop-{n:02d}") for n in range(50)])

        together = threading.Barrier(10)

        def all_in_thread(thread: int) -> None:
            with openai.OpenAI(api_key="sk-test", base_url=provider.base_url, max_retries=0) as model:
                for n in range(5):
                    run_in_thread(model, together, f"thread-{thread}-{n}")

        running = [pool.submit(asyncio.run, all_in_loop()), *[pool.submit(all_in_thread, n) for n in range(10)]]
        for each in running:
            each.result(120)
    assert sentrial.flush(60)
    by_session: dict[str, list[Span]] = {}
    for span in server.spans:
        by_session.setdefault(session_of(span), []).append(span)
    assert len(by_session) == 100
    users = {check(session_id, spans) for session_id, spans in by_session.items()}
    assert users == {f"loop-{n:02d}" for n in range(50)} | {f"thread-{m}-{n}" for m in range(10) for n in range(5)}


def check(session_id: str, spans: list[Span]) -> str:
    """The user of a session that is whole, and holds what is its own."""
    assert Counter(span["name"] for span in spans) == EACH
    (user,) = {span["attributes"]["user.id"] for span in spans}
    ids = {span["span_id"]: span["name"] for span in spans}
    above = {
        "chat gpt-4o": "execute_tool ask",
        "execute_tool ask": "invoke_agent agent",
        "chat model": "invoke_agent agent",
        "ChatModel": "invoke_agent agent",
    }
    for span in spans:
        attributes = span["attributes"]
        assert span["trace_id"] == session_id[:32]
        assert attributes["session.id"] == f"convo of {user}"
        if span["name"] in above:
            assert ids[span["parent_span_id"]] == above[span["name"]]
        assert attributes.get("user", user) == user
        if span["name"].startswith("chat"):
            assert user in attributes["gen_ai.input.messages"]
    return str(user)
