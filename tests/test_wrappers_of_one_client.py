"""The wrappers of the old SDK record one client and its copies: no other client of the library."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import openai
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import sentrial
from fake_provider import FakeProvider, google
from google_clients import gemini
from google_clients.tools import find_order, weather
from sentrial.wrappers import wrap_anthropic, wrap_google, wrap_llm, wrap_openai

CALL: dict[str, Any] = {"model": "gpt-4.1-mini", "messages": [{"role": "user", "content": "Where is my parcel?"}]}


@pytest.fixture
def model() -> Iterator[FakeProvider]:
    with FakeProvider() as model:
        yield model


@pytest.fixture
def spans() -> InMemorySpanExporter:
    """What an exporter of the application's own sees."""
    provider, exporter = TracerProvider(shutdown_on_exit=False), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return exporter


def make_client(model: FakeProvider) -> openai.OpenAI:
    return openai.OpenAI(api_key="sk-test", base_url=model.base_url, max_retries=0)


def names(exporter: InMemorySpanExporter) -> list[str]:
    return [span.name for span in exporter.get_finished_spans()]


def make_async_client(model: FakeProvider) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(api_key="sk-test", base_url=model.base_url, max_retries=0)


@pytest.mark.parametrize("wrap", [wrap_openai, wrap_llm])
def test_another_client_of_the_library_is_left_as_it_is(
    model: FakeProvider, spans: InMemorySpanExporter, wrap: Callable[[Any], Any]
) -> None:
    sentrial.configure(instrument=[], store=False)
    with make_client(model) as ours, make_client(model) as theirs:
        wrap(ours)
        theirs.chat.completions.create(**CALL, user="theirs")
        list(theirs.chat.completions.create(**CALL, stream=True))
        assert names(spans) == []
        ours.chat.completions.create(**CALL)
        list(ours.chat.completions.create(**CALL, stream=True))
    assert names(spans) == ["chat gpt-4.1-mini"] * 2


async def test_another_async_client_is_left_as_it_is(model: FakeProvider, spans: InMemorySpanExporter) -> None:
    sentrial.configure(instrument=[], store=False)
    async with make_async_client(model) as ours, make_async_client(model) as theirs:
        wrap_openai(ours)
        with make_client(model) as third:
            third.chat.completions.create(**CALL)
        await theirs.chat.completions.create(**CALL)
        assert names(spans) == []
        await ours.chat.completions.create(**CALL)
    assert names(spans) == ["chat gpt-4.1-mini"]


def test_copies_of_a_client_are_recorded_with_it(model: FakeProvider, spans: InMemorySpanExporter) -> None:
    sentrial.configure(instrument=[], store=False)
    with make_client(model) as client:
        before = client.with_options(timeout=7)
        wrap_openai(client)
        for copied in (before, client.with_options(timeout=8), client.copy()):
            copied.chat.completions.create(**CALL)
    assert names(spans) == ["chat gpt-4.1-mini"] * 3


def test_configuring_anew_keeps_the_choice(model: FakeProvider, spans: InMemorySpanExporter) -> None:
    with make_client(model) as ours, make_client(model) as theirs:
        wrap_openai(wrap_openai(ours))
        sentrial.configure(instrument=["anthropic"], store=False)
        for client in (ours, theirs):
            client.chat.completions.create(**CALL)
        assert names(spans) == ["chat gpt-4.1-mini"]
        sentrial.configure(instrument=["openai"], store=False)
        theirs.chat.completions.create(**CALL)
        assert names(spans) == ["chat gpt-4.1-mini"] * 2


def test_a_shutdown_forgets_the_choice(model: FakeProvider, spans: InMemorySpanExporter) -> None:
    with make_client(model) as ours:
        wrap_openai(ours)
        sentrial.shutdown()
        sentrial.configure(instrument=[], store=False)
        ours.chat.completions.create(**CALL)
    assert names(spans) == []


def test_a_client_that_is_let_go_of_is_not_kept(model: FakeProvider, spans: InMemorySpanExporter) -> None:
    client = wrap_openai(make_client(model))
    client.chat.completions.create(**CALL)
    alive = weakref.ref(client)
    client.close()
    del client
    gc.collect()
    assert alive() is None


def test_a_wrapped_client_of_anthropic_is_recorded_and_another_is_not(
    model: FakeProvider, spans: InMemorySpanExporter
) -> None:
    asked: Any = {**CALL, "max_tokens": 9}
    sentrial.configure(instrument=[], store=False)
    with (
        anthropic.Anthropic(api_key="k", base_url=model.url) as ours,
        anthropic.Anthropic(api_key="k", base_url=model.url) as theirs,
    ):
        assert wrap_anthropic(ours) is ours
        for client in (ours, theirs):
            client.messages.create(**asked)
    assert [name for name in names(spans) if name.startswith("chat")] == ["chat gpt-4.1-mini"]


def test_a_wrapped_client_of_google_is_recorded_and_another_is_not(
    model: FakeProvider, spans: InMemorySpanExporter
) -> None:
    sentrial.configure(instrument=[], store=False)
    with gemini(model) as ours, gemini(model) as theirs:
        assert wrap_google(ours) is ours
        for client in (ours, theirs):
            client.models.generate_content(model="m", contents="hi")
    assert names(spans) == ["generate_content m"]


def ask_for_tools(client: Any) -> None:
    client.models.generate_content(model="m", contents="hi", config={"tools": [find_order, weather]})


def ask_for_tools_in_a_stream(client: Any) -> None:
    list(client.models.generate_content_stream(model="m", contents="hi", config={"tools": [find_order, weather]}))


@pytest.mark.parametrize(
    ("ask", "answer"),
    [(ask_for_tools, google.reply), (ask_for_tools_in_a_stream, google.stream)],
    ids=["plain", "stream"],
)
def test_so_are_the_tools_that_it_runs_and_no_others(
    model: FakeProvider, spans: InMemorySpanExporter, ask: Callable[[Any], None], answer: Callable[..., Any]
) -> None:
    sentrial.configure(instrument=[], store=False)
    with gemini(model) as ours, gemini(model) as theirs, sentrial.begin("user_1", "agent"):
        wrap_google(ours)
        for client in (theirs, ours, theirs):
            model.queue(answer("gemini_tools"), answer())
            ask(client)
    assert sorted(names(spans)) == [
        "execute_tool find_order", "execute_tool weather", "generate_content m", "generate_content m",
        "invoke_agent agent",
    ]  # fmt: skip
