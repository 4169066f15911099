"""The spans that Anthropic's newer clients make themselves: held back where ours tell the same, and only there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from anthropic import Anthropic, AsyncAnthropic, beta_tool
from opentelemetry import trace
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import sentrial
from fake_provider import Answer, FakeProvider, anthropic

ASK: dict[str, Any] = {
    "model": "claude-opus-4-8",
    "max_tokens": 200,
    "messages": [{"role": "user", "content": "Where is parcel PT-77?"}],
}
OURS, THEIRS = "sentrial", "com.anthropic.sdk.python"
CHAT, NATIVE = (OURS, "chat claude-opus-4-8"), (THEIRS, "anthropic.messages.create")


@beta_tool
def track_parcel(number: str, detailed: bool) -> str:
    """Where a parcel is."""
    return f"{number} is in Lisbon: {detailed}"


class Seen:
    """A provider of the program's own, and what it has exported."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))

    @property
    def names(self) -> list[tuple[str, str]]:
        """Scope and name of each span of a call or a tool, in the order in which they ended."""
        spans = [(span.instrumentation_scope.name, span.name) for span in self._exporter.get_finished_spans()]
        return [(scope, name) for scope, name in spans if "support-agent" not in name]

    @property
    def counts(self) -> list[int]:
        """The input tokens of the spans that have any, sessions apart."""
        spans = [span for span in self._exporter.get_finished_spans() if "support-agent" not in span.name]
        key = "gen_ai.usage.input_tokens"
        return [span.attributes[key] for span in spans if span.attributes and key in span.attributes]


@pytest.fixture
def app() -> Iterator[Seen]:
    """The program's provider is global before anything of ours is there."""
    app = Seen()
    trace.set_tracer_provider(app.provider)
    yield app
    app.provider.shutdown()


@pytest.fixture
def client(server: FakeProvider) -> Iterator[Any]:
    with Anthropic(api_key="sk-test", base_url=server.url) as client:
        yield client


def test_ours_is_the_only_span_with_usage(app: Seen, client: Any) -> None:
    sentrial.configure()
    with sentrial.begin("user_1", "support-agent"):
        client.messages.create(**ASK)
        with client.messages.stream(**ASK) as stream:
            stream.until_done()
    assert app.names == [CHAT, CHAT]
    assert app.counts == [21, 21]


def test_ours_is_the_only_span_without_a_session_too(app: Seen, client: Any) -> None:
    sentrial.configure()
    client.messages.create(**ASK)
    assert app.names == [CHAT]


async def test_ours_is_the_only_span_of_an_async_call(app: Seen, server: FakeProvider) -> None:
    sentrial.configure()
    async with AsyncAnthropic(api_key="sk-test", base_url=server.url) as client:
        await client.messages.create(**ASK)
        await client.messages.count_tokens(model=ASK["model"], messages=ASK["messages"])
    assert app.names == [CHAT, (THEIRS, "anthropic.messages.count_tokens")]


def test_calls_that_we_do_not_record_are_told_as_ever(app: Seen, client: Any) -> None:
    sentrial.configure()
    with sentrial.begin("user_1", "support-agent"):
        client.messages.count_tokens(model=ASK["model"], messages=ASK["messages"])
        client.messages.create(**ASK)
    assert app.names == [(THEIRS, "anthropic.messages.count_tokens"), CHAT]


def test_where_we_are_off_theirs_come_as_ever(app: Seen, client: Any) -> None:
    sentrial.configure(instrument=[])
    client.messages.create(**ASK)
    assert app.names == [NATIVE]


def test_after_us_theirs_come_as_ever(app: Seen, client: Any) -> None:
    sentrial.configure()
    client.messages.create(**ASK)
    sentrial.shutdown()
    client.messages.create(**ASK)
    assert app.names == [CHAT, NATIVE]


def test_where_we_are_suppressed_theirs_come_as_ever(app: Seen, client: Any) -> None:
    sentrial.configure()
    with suppress_instrumentation():
        client.messages.create(**ASK)
    assert app.names == [NATIVE]


def test_where_we_are_suppressed_in_a_session_they_do_too(app: Seen, client: Any, server: FakeProvider) -> None:
    sentrial.configure()
    server.queue(Answer.reply("message_tools"))
    with sentrial.begin("user_1", "support-agent"), suppress_instrumentation():
        client.beta.messages.tool_runner(**ASK, tools=[track_parcel]).until_done()
    tool, runner = (THEIRS, "anthropic.custom_tool_use track_parcel"), (THEIRS, "anthropic.messages.tool_runner")
    assert app.names == [NATIVE, tool, NATIVE, runner]


def test_a_client_that_is_not_wrapped_keeps_its_spans(app: Seen, client: Any, server: FakeProvider) -> None:
    sentrial.configure(instrument=[])
    with Anthropic(api_key="sk-test", base_url=server.url) as ours:
        sentrial.wrap_anthropic(ours)
        ours.messages.create(**ASK)
        client.messages.create(**ASK)
    assert app.names == [CHAT, NATIVE]


def test_so_do_the_tools_that_it_runs(app: Seen, client: Any, server: FakeProvider) -> None:
    sentrial.configure(instrument=[])
    server.queue(Answer.reply("message_tools"))
    with Anthropic(api_key="sk-test", base_url=server.url) as ours, sentrial.begin("user_1", "support-agent"):
        sentrial.wrap_anthropic(ours)
        ours.beta.messages.tool_runner(**ASK, tools=[track_parcel]).until_done()
        assert app.names == [CHAT, (OURS, "execute_tool track_parcel"), CHAT]
        server.queue(Answer.reply("message_tools"))
        client.beta.messages.tool_runner(**ASK, tools=[track_parcel]).until_done()
    tool, runner = (THEIRS, "anthropic.custom_tool_use track_parcel"), (THEIRS, "anthropic.messages.tool_runner")
    assert app.names[3:] == [NATIVE, tool, NATIVE, runner]


def test_spans_that_the_program_sends_elsewhere_go_there(app: Seen, client: Any) -> None:
    elsewhere = Seen()
    sentrial.configure()
    with sentrial.begin("user_1", "support-agent"):
        client.with_options(open_telemetry={"tracer_provider": elsewhere.provider}).messages.create(**ASK)
    assert app.names == [CHAT]
    assert elsewhere.names == [NATIVE]


def test_spans_that_the_program_sends_where_ours_go_are_held_back(app: Seen, client: Any) -> None:
    sentrial.configure()
    with sentrial.begin("user_1", "support-agent"):
        client.with_options(open_telemetry={"tracer_provider": app.provider}).messages.create(**ASK)
    assert app.names == [CHAT]


def test_the_options_of_the_client_stay_as_they_are(app: Seen, client: Any) -> None:
    asked = client.with_options(open_telemetry={"traces": {"content_mode": "content"}})
    before = asked.open_telemetry
    sentrial.configure()
    asked.messages.create(**ASK)
    assert asked.open_telemetry == before
    sentrial.shutdown()
    asked.messages.create(**ASK)
    assert app.names == [CHAT, NATIVE]


def test_a_tool_in_a_session_is_told_once(app: Seen, client: Any, server: FakeProvider) -> None:
    sentrial.configure()
    server.queue(Answer.reply("message_tools"))
    with sentrial.begin("user_1", "support-agent"):
        client.beta.messages.tool_runner(**ASK, tools=[track_parcel]).until_done()
    assert app.names == [CHAT, (OURS, "execute_tool track_parcel"), CHAT]


def test_a_tool_that_is_decorated_is_told_once(app: Seen, client: Any, server: FakeProvider) -> None:
    sentrial.configure()
    server.queue(Answer.reply("message_tools"))
    tool = beta_tool(sentrial.tool("look_up")(track_parcel.func), name="track_parcel")
    with sentrial.begin("user_1", "support-agent"):
        client.beta.messages.tool_runner(**ASK, tools=[tool]).until_done()
    assert app.names == [CHAT, (OURS, "execute_tool look_up"), CHAT]


def test_a_tool_outside_of_sessions_is_told_by_the_client(app: Seen, client: Any, server: FakeProvider) -> None:
    sentrial.configure()
    server.queue(anthropic.message_stream("message_tools"))
    for stream in client.beta.messages.tool_runner(**ASK, tools=[track_parcel], stream=True):
        stream.until_done()
    tool = (THEIRS, "anthropic.custom_tool_use track_parcel")
    assert app.names == [CHAT, tool, CHAT, (THEIRS, "anthropic.messages.tool_runner")]
    assert app.counts == [380, 21]
