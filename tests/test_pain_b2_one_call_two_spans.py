"""Pain B2: one call of a model is one span with usage, through however many layers of a client's it goes.

Frameworks and gateways on top of the clients have tests of their own.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import anthropic
import openai
import pytest
from opentelemetry.instrumentation.utils import suppress_instrumentation

import sentrial
from adapters import ADAPTERS, Adapter
from fake_provider import Answer, FakeProvider, read_reply
from fake_provider import google as fake_google
from google_clients import MODEL, gemini
from receivers import SentrialStandIn
from recorder.fixtures import server
from running import Span, arrived

__all__ = ["server"]

KEY = "sentrial_test_key"
TOKENS = "gen_ai.usage.input_tokens"
QUESTION: Any = [{"role": "user", "content": "Where is my parcel?"}]


@pytest.fixture
def sentrial_server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        sentrial.configure(api_key=KEY, api_url=stand_in.url, flush_interval=0.01)
        yield stand_in
        sentrial.shutdown()


@pytest.fixture(params=ADAPTERS, ids=lambda adapter: adapter.name)
async def client(
    request: pytest.FixtureRequest, server: FakeProvider, sentrial_server: SentrialStandIn
) -> AsyncIterator[Adapter]:
    adapter: Adapter = request.param(server.url)
    yield adapter
    await adapter.aclose()


def counted(server: SentrialStandIn) -> tuple[int, list[int]]:
    """The input tokens of the session, and those of each span of a call."""
    assert sentrial.flush(10)
    (root,) = [span for span in server.spans if span["parent_span_id"] is None]
    assert root["name"].startswith("invoke_agent")
    others = [span["attributes"] for span in server.spans if span is not root]
    return root["attributes"][TOKENS], [attributes[TOKENS] for attributes in others if TOKENS in attributes]


def parent_of(span: Span, spans: dict[str, Span]) -> str:
    return next(name for name, other in spans.items() if other["span_id"] == span["parent_span_id"])


# --- a chain of classes ----------------------------------------------------------------------------------------------


class Retrying(openai.OpenAI):
    """One of the application's own, with its word in every call."""

    def request(self, *args: Any, **kwargs: Any) -> Any:
        return super().request(*args, **kwargs)


class Logging(Retrying):
    """One below that."""

    def request(self, *args: Any, **kwargs: Any) -> Any:
        return super().request(*args, **kwargs)


class LoggingAsync(openai.AsyncOpenAI):
    """The same, async."""

    async def request(self, *args: Any, **kwargs: Any) -> Any:
        return await super().request(*args, **kwargs)


class LoggingAnthropic(anthropic.Anthropic):
    """The same of Anthropic's."""

    def request(self, *args: Any, **kwargs: Any) -> Any:
        return super().request(*args, **kwargs)


@pytest.mark.parametrize("kind", [Retrying, Logging])
def test_pain_b2_a_chain_of_subclasses_is_one_span(
    server: FakeProvider, sentrial_server: SentrialStandIn, kind: type[openai.OpenAI]
) -> None:
    with kind(api_key="k", base_url=server.base_url) as client, sentrial.begin("user_1", "agent"):
        sentrial.wrap_openai(client)
        client.chat.completions.create(model="gpt-4.1-mini", messages=QUESTION)
    assert counted(sentrial_server) == (1200, [1200])
    assert len(server.requests) == 1


async def test_pain_b2_so_is_one_of_async_classes(server: FakeProvider, sentrial_server: SentrialStandIn) -> None:
    async with LoggingAsync(api_key="k", base_url=server.base_url) as client:
        with sentrial.begin("user_1", "agent"):
            await client.chat.completions.create(model="gpt-4.1-mini", messages=QUESTION)
    assert counted(sentrial_server) == (1200, [1200])


def test_pain_b2_so_is_one_of_anthropics(server: FakeProvider, sentrial_server: SentrialStandIn) -> None:
    with LoggingAnthropic(api_key="k", base_url=server.url) as client, sentrial.begin("user_1", "agent"):
        client.messages.create(model="claude-opus-4-8", max_tokens=9, messages=QUESTION)
    assert counted(sentrial_server) == (21, [21])


# --- set up and wrapped more than once -------------------------------------------------------------------------------


async def test_pain_b2_a_client_that_is_wrapped_and_patched_again_is_one_span(
    client: Adapter, sentrial_server: SentrialStandIn
) -> None:
    for _ in range(2):
        sentrial.wrap_llm(client.client)
        sentrial.configure(api_key=KEY, api_url=sentrial_server.url, flush_interval=0.01)
    with sentrial.begin("user_1", "agent"):
        await client.create()
        await client.drain(await client.stream())
    tokens = client.api.response[TOKENS]
    assert counted(sentrial_server) == (2 * tokens, [tokens, tokens])


# --- one client within another ---------------------------------------------------------------------------------------


class Gateway(openai.OpenAI):
    """A client that asks another one for the answer, inside its own call."""

    behind: openai.OpenAI

    def _prepare_options(self, options: Any) -> Any:
        self.behind.chat.completions.create(model="gpt-4.1-mini", messages=QUESTION)
        return super()._prepare_options(options)


def test_pain_b2_a_client_that_works_inside_anothers_call_is_told_by_the_outer_one(
    server: FakeProvider, sentrial_server: SentrialStandIn
) -> None:
    with (
        openai.OpenAI(api_key="k", base_url=server.base_url) as behind,
        Gateway(api_key="k", base_url=server.base_url) as client,
    ):
        client.behind = behind
        with sentrial.begin("user_1", "agent"):
            client.chat.completions.create(model="outer", messages=QUESTION)
            behind.chat.completions.create(model="afterwards", messages=QUESTION)
    assert set(arrived(sentrial_server)) == {"invoke_agent agent", "chat outer", "chat afterwards"}
    assert counted(sentrial_server) == (2400, [1200, 1200])


async def test_pain_b2_a_call_that_failed_silences_no_other(
    client: Adapter, server: FakeProvider, sentrial_server: SentrialStandIn
) -> None:
    server.queue(client.api.error(400, "not like this"))
    with sentrial.begin("user_1", "agent"):
        with pytest.raises(Exception, match="not like this"):
            await client.create(model="refused")
        await client.create(model="answered")
    operation, tokens = client.api.operation, client.api.response[TOKENS]
    assert set(arrived(sentrial_server)) == {
        "invoke_agent agent", f"{operation} refused", f"{operation} answered",
    }  # fmt: skip
    assert counted(sentrial_server) == (tokens, [tokens])


# --- a call inside a tool --------------------------------------------------------------------------------------------


@contextmanager
def asking(client: Any) -> Iterator[Any]:
    """A tool that asks a model of another provider."""

    def find_order(number: int) -> str:
        """Find an order by its number."""
        answer = client.chat.completions.create(model="gpt-4.1-mini", messages=QUESTION)
        return str(answer.choices[0].message.content)

    # The oldest client of Google's needs annotations that are no strings.
    find_order.__annotations__ = {"number": int, "return": str}
    yield find_order


def test_pain_b2_a_call_inside_a_tool_of_a_run_is_recorded_below_the_tool(
    server: FakeProvider, sentrial_server: SentrialStandIn
) -> None:
    turn = read_reply("gemini_tools")
    turn["candidates"][0]["content"]["parts"][1:] = []
    server.queue(Answer(body=turn), Answer.reply(), fake_google.reply())
    with (
        openai.OpenAI(api_key="k", base_url=server.base_url) as inner,
        gemini(server) as outer,
        asking(inner) as find_order,
        sentrial.begin("user_1", "agent"),
    ):
        outer.models.generate_content(model=MODEL, contents="Where is it?", config={"tools": [find_order]})
    assert sentrial.flush(10)
    # The two turns have one name.
    spans = {span["name"]: span for span in sentrial_server.spans}
    assert parent_of(spans["chat gpt-4.1-mini"], spans) == "execute_tool find_order"
    assert parent_of(spans["execute_tool find_order"], spans) == "invoke_agent agent"
    root = spans["invoke_agent agent"]["attributes"]
    assert (root["sentrial.session.llm_calls"], root["sentrial.session.tool_calls"]) == (3, 1)
    assert root[TOKENS] == 90 + 1200 + 12


async def test_pain_b2_a_call_inside_a_decorated_tool_is_recorded_below_it(
    client: Adapter, sentrial_server: SentrialStandIn
) -> None:
    @sentrial.tool("search")
    async def search() -> Any:
        return client.api.text_of(await client.create(model="inside"))

    with sentrial.begin("user_1", "agent"):
        await client.create()
        assert await search() == client.api.text
    spans = arrived(sentrial_server)
    assert parent_of(spans[f"{client.api.operation} inside"], spans) == "execute_tool search"
    tokens = client.api.response[TOKENS]
    assert counted(sentrial_server) == (2 * tokens, [tokens, tokens])


# --- suppression -----------------------------------------------------------------------------------------------------


async def test_pain_b2_what_another_library_suppresses_is_suppressed_and_no_longer(
    client: Adapter, sentrial_server: SentrialStandIn
) -> None:
    with sentrial.begin("user_1", "agent"):
        with suppress_instrumentation():
            await client.create(model="hidden")
            await client.drain(await client.stream(model="hidden"))
        await client.create(model="shown")
    assert sentrial.flush(10)
    # Spans that a client makes itself come as ever where ours are suppressed.
    ours = [span["name"] for span in sentrial_server.spans if span["name"].startswith(client.api.operation)]
    assert ours == [f"{client.api.operation} shown"]
