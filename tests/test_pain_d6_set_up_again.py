"""Pain D6, not idempotent, not reversible: set up as often as you like, and once taken back nothing of us is left."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from openai import AsyncOpenAI, OpenAI
from openai._base_client import AsyncAPIClient, BaseClient, SyncAPIClient
from opentelemetry import trace

import sentrial
from fake_provider import FakeProvider
from receivers import SentrialStandIn
from running import run_program
from sentrial import SentrialClient

KEY = "sentrial_test_key"
PATCHED: list[tuple[type, str]] = [
    (SyncAPIClient, "request"), (AsyncAPIClient, "request"), (BaseClient, "_build_request"),
    (ThreadPoolExecutor, "submit"), (threading.Thread, "start"), (threading.Thread, "_bootstrap_inner"),
]  # fmt: skip

ORIGINALS = [vars(owner)[name] for owner, name in PATCHED]


def in_place() -> list[Any]:
    return [vars(owner)[name] for owner, name in PATCHED]


def originals_are_back() -> bool:
    return all(now is original for now, original in zip(in_place(), ORIGINALS, strict=True))


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    with FakeProvider() as provider:
        yield provider


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        yield stand_in
        sentrial.shutdown(20)


def a_session(provider: FakeProvider) -> None:
    """One model call, one tool, and one span of somebody else's on a thread of a pool."""
    with sentrial.begin("u", "agent") as session, httpx.Client() as http, ThreadPoolExecutor(1) as pool:
        client = OpenAI(api_key="none", base_url=provider.base_url, max_retries=0, http_client=http)
        client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "hi"}])
        with session.tool("t"):
            pool.submit(lambda: trace.get_tracer("db").start_span("SELECT").end()).result()


ONCE = ["SELECT", "chat gpt-4o", "execute_tool t", "invoke_agent agent"]


def test_pain_d6_configured_three_times_and_shut_down_once_the_originals_are_back(
    server: SentrialStandIn, provider: FakeProvider
) -> None:
    for _ in range(3):
        sentrial.configure(api_key=KEY, api_url=server.url)
    SentrialClient(api_key=KEY, api_url=server.url)
    a_session(provider)
    between = in_place()
    assert not any(now is original for now, original in zip(between, ORIGINALS, strict=True))
    assert sentrial.flush(20)
    assert sorted(span["name"] for span in server.spans) == ONCE
    sentrial.shutdown(20)
    assert originals_are_back()
    sentrial.shutdown(20)
    assert originals_are_back()
    with httpx.Client() as http:
        client = OpenAI(api_key="none", base_url=provider.base_url, max_retries=0, http_client=http)
        client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "hi"}])
    assert len(server.spans) == len(ONCE)


def test_pain_d6_up_and_down_again_and_again_each_call_is_one_span(
    server: SentrialStandIn, provider: FakeProvider
) -> None:
    for number in range(1, 6):
        for _ in range(number):
            sentrial.configure(api_key=KEY, api_url=server.url)
        a_session(provider)
        sentrial.shutdown(20)
        assert originals_are_back()
        assert sorted(span["name"] for span in server.spans) == sorted(ONCE * number)


async def test_pain_d6_the_asynchronous_client_is_one_span_a_call_too(
    server: SentrialStandIn, provider: FakeProvider
) -> None:
    for _ in range(3):
        await sentrial.configure_async(KEY, server.url)
    async with httpx.AsyncClient() as http:
        client = AsyncOpenAI(api_key="none", base_url=provider.base_url, max_retries=0, http_client=http)
        async with await sentrial.begin_async("u", "agent"):
            await client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "hi"}])
    assert sentrial.flush(20)
    assert sorted(span["name"] for span in server.spans) == ["chat gpt-4o", "invoke_agent agent"]
    sentrial.shutdown(20)
    assert originals_are_back()


def test_pain_d6_wrapping_again_records_once(server: SentrialStandIn, provider: FakeProvider) -> None:
    sentrial.configure(api_key=KEY, api_url=server.url)
    with httpx.Client() as http, sentrial.begin("u", "agent"):
        client = OpenAI(api_key="none", base_url=provider.base_url, max_retries=0, http_client=http)
        for _ in range(3):
            assert sentrial.wrap_openai(client) is client
        client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "hi"}])
    sentrial.shutdown(20)
    assert sorted(span["name"] for span in server.spans) == ["chat gpt-4o", "invoke_agent agent"]
    assert originals_are_back()


def test_pain_d6_switched_off_by_a_second_configuration_nothing_is_patched(
    server: SentrialStandIn, provider: FakeProvider
) -> None:
    sentrial.configure(api_key=KEY, api_url=server.url)
    assert not originals_are_back()
    sentrial.configure(enabled=False)
    assert originals_are_back()
    sentrial.configure(api_key=KEY, api_url=server.url)
    a_session(provider)
    assert sentrial.flush(20)
    assert sorted(span["name"] for span in server.spans) == ONCE


def test_pain_d6_a_script_that_is_run_again_and_again_in_one_process_says_everything_once(
    server: SentrialStandIn,
) -> None:
    """As notebooks and Streamlit do: the module stays, the script comes again, and nobody shuts anything down."""
    ended = run_program(
        """
        script = '''
        import sentrial
        sentrial.configure()
        client = sentrial.SentrialClient()
        with sentrial.begin("u", "agent") as session:
            session.track_tool_call("t", {}, {})
        '''
        import textwrap
        for _ in range(5):
            exec(textwrap.dedent(script), {})
        """,
        {"SENTRIAL_API_KEY": KEY, "SENTRIAL_API_URL": server.url},
    )
    assert ended.err == ""
    assert sorted(span["name"] for span in server.spans) == ["execute_tool t"] * 5 + ["invoke_agent agent"] * 5
