"""Responses that OpenAI makes in the background: what the session adds up to, and what their tool calls link to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from openai import AsyncOpenAI, OpenAI

import sentrial
from fake_provider import Answer, FakeProvider, read_reply
from fake_provider.response_stream import response_events_of
from receivers import OtlpHttpReceiver

ASK: dict[str, Any] = {"model": "gpt-5-mini", "input": "Where is my parcel?", "background": True}
TOKENS = {"gen_ai.usage.input_tokens": 1500, "gen_ai.usage.output_tokens": 96}


@sentrial.tool
def find_order(number: int) -> str:
    """Find an order by its number."""
    return "Rotterdam"


class Sessions:
    """What arrives at a collector."""

    def __init__(self, collector: OtlpHttpReceiver) -> None:
        self._collector = collector

    @property
    def spans(self) -> list[dict[str, Any]]:
        assert sentrial.flush(60)
        return sorted(self._collector.spans, key=lambda span: int(span["start_ns"]))

    def usage(self, agent: str = "support-agent") -> dict[str, Any]:
        """The tokens on a session's own span."""
        (root,) = (span for span in self.spans if span["name"] == f"invoke_agent {agent}")
        return {key: value for key, value in root["attributes"].items() if key.startswith("gen_ai.usage.")}

    @property
    def priced(self) -> list[str]:
        """The calls that say what was paid."""
        calls = [span for span in self.spans if not span["name"].startswith("invoke_agent")]
        return [span["name"] for span in calls if "sentrial.estimated_cost" in span["attributes"]]


@pytest.fixture
def sessions() -> Iterator[Sessions]:
    with OtlpHttpReceiver() as collector:
        sentrial.configure(otlp_endpoint=collector.url)
        yield Sessions(collector)
        sentrial.shutdown(5)


@pytest.fixture
def client(server: FakeProvider) -> Iterator[OpenAI]:
    with OpenAI(api_key="sk-test", base_url=server.base_url, max_retries=0) as client:
        yield client


def test_the_session_has_the_tokens_once_however_often_the_response_is_fetched(
    sessions: Sessions, client: OpenAI, server: FakeProvider
) -> None:
    with sentrial.begin("user_1", "support-agent"):
        begun = client.responses.create(**ASK)
        server.queue(Answer.reply("response_queued"))
        assert client.responses.retrieve(begun.id).status == "queued"
        assert client.responses.retrieve(begun.id).status == "completed"
        client.responses.retrieve(begun.id)
        assert list(client.responses.retrieve(begun.id, stream=True))
    assert sessions.usage() == TOKENS
    assert sessions.priced == ["fetch_response"]
    names = [span["name"] for span in sessions.spans]
    assert names == ["invoke_agent support-agent", "chat gpt-5-mini", *["fetch_response"] * 4]
    assert not any(key.startswith("gen_ai.usage.") for span in sessions.spans[1:] for key in span["attributes"])
    assert sessions.spans[0]["attributes"]["sentrial.session.llm_calls"] == 1


async def test_the_async_clients_too(sessions: Sessions, server: FakeProvider) -> None:
    async with AsyncOpenAI(api_key="sk-test", base_url=server.base_url, max_retries=0) as client:
        with sentrial.begin("user_1", "support-agent"):
            begun = await client.responses.create(**ASK)
            await client.responses.with_raw_response.retrieve(begun.id)
            await client.responses.retrieve(begun.id)
    assert sessions.usage() == TOKENS


def test_a_stream_that_breaks_off_and_is_taken_up_again(
    sessions: Sessions, client: OpenAI, server: FakeProvider
) -> None:
    server.queue(Answer(events=response_events_of(read_reply("response_fetched"))))
    with sentrial.begin("user_1", "support-agent"):
        with client.responses.create(**ASK, stream=True) as stream:
            assert next(iter(stream)).type == "response.created"
        list(client.responses.retrieve("resp_back_1", stream=True, starting_after=0))
        client.responses.retrieve("resp_back_1")
    assert sessions.usage() == TOKENS
    assert sessions.priced == ["fetch_response"]


def test_a_stream_that_is_read_to_its_end_has_said_its_tokens(
    sessions: Sessions, client: OpenAI, server: FakeProvider
) -> None:
    server.queue(Answer(events=response_events_of(read_reply("response_fetched"))))
    with sentrial.begin("user_1", "support-agent"):
        list(client.responses.create(**ASK, stream=True))
        client.responses.retrieve("resp_back_1")
    assert sessions.usage() == TOKENS
    assert sessions.priced == ["chat gpt-5-mini"]


def test_a_session_that_has_not_had_it_made_does_not_count_it(sessions: Sessions, client: OpenAI) -> None:
    with sentrial.begin("user_1", "support-agent"):
        begun = client.responses.create(**ASK)
    with sentrial.begin("user_1", "fetching-agent"):
        client.responses.retrieve(begun.id)
    assert sessions.usage() == {}
    assert sessions.usage("fetching-agent") == {}
    assert sessions.priced == []


def test_a_run_links_to_the_fetch_that_brought_its_request(
    sessions: Sessions, client: OpenAI, server: FakeProvider
) -> None:
    with sentrial.begin("user_1", "support-agent"):
        begun = client.responses.create(**ASK)
        server.queue(Answer(body={**read_reply("response_tools"), "id": begun.id}))
        client.responses.retrieve(begun.id)
        find_order(4711)
    _, _, fetch, run = sessions.spans
    assert (fetch["name"], run["name"]) == ("fetch_response", "execute_tool find_order")
    assert run["attributes"]["gen_ai.tool.call.id"] == "call_order"
    assert [link["span_id"] for link in run["links"]] == [fetch["span_id"]]


def test_a_run_links_to_the_call_that_asked_though_its_answer_is_fetched_again(
    sessions: Sessions, client: OpenAI, server: FakeProvider
) -> None:
    server.queue(Answer.reply("response_tools"), Answer.reply("response_tools"))
    with sentrial.begin("user_1", "support-agent"):
        made = client.responses.create(model="gpt-5-mini", input="Where is my parcel?")
        client.responses.retrieve(made.id)
        find_order(4711)
    _, call, _, run = sessions.spans
    assert [link["span_id"] for link in run["links"]] == [call["span_id"]]
