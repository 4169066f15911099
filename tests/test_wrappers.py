"""The wrappers of the old SDK: the client comes back as it is, and its calls are recorded, but no other client's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import sentrial
from fake_provider import FakeProvider
from receivers import SentrialStandIn
from running import arrived
from sentrial._patch import install
from sentrial.otel import setup_otel_tracing
from sentrial.wrappers import wrap_anthropic, wrap_google, wrap_llm, wrap_openai

KEY = "sentrial_test_key"
KNOWN = "anthropic, google, openai"
CALL: dict[str, Any] = {"model": "gpt-4.1-mini", "messages": [{"role": "user", "content": "Where is my parcel?"}]}


class MyOpenAI(openai.OpenAI):
    """A class of the application's own."""


class MyAsyncAzure(openai.AsyncAzureOpenAI):
    """One below Azure's."""


class NoClient:
    """What no library has made."""


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


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if record.name == "sentrial"]


def names(exporter: InMemorySpanExporter) -> list[str]:
    return [span.name for span in exporter.get_finished_spans()]


# --- OpenAI's --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrap", [wrap_openai, wrap_llm])
def test_the_client_comes_back_as_it_was_and_its_calls_are_recorded(
    model: FakeProvider, spans: InMemorySpanExporter, wrap: Callable[[Any], Any]
) -> None:
    with make_client(model) as client:
        before = dict(vars(client)), type(client)
        assert wrap(client) is client
        assert (vars(client), type(client)) == before
        assert "create" not in vars(client.chat.completions)
        assert client.chat.completions.create(**CALL).id == "chatcmpl-text-1"
    assert names(spans) == ["chat gpt-4.1-mini"]


@pytest.mark.parametrize("configured", ["not at all", "without it", "with it"])
def test_its_library_is_recorded_whatever_was_configured(
    model: FakeProvider, spans: InMemorySpanExporter, configured: str
) -> None:
    if configured != "not at all":
        sentrial.configure(instrument=[] if configured == "without it" else ["openai"], store=False)
    with make_client(model) as client:
        wrap_openai(wrap_llm(wrap_openai(client)))
        client.chat.completions.create(**CALL)
    assert names(spans) == ["chat gpt-4.1-mini"]


def test_configuring_afterwards_leaves_it_on_and_a_shutdown_takes_it_back(
    model: FakeProvider, spans: InMemorySpanExporter
) -> None:
    with make_client(model) as client:
        wrap_openai(client)
        sentrial.configure(instrument=[])
        client.chat.completions.create(**CALL)
        sentrial.shutdown()
        client.chat.completions.create(**CALL)
        assert names(spans) == ["chat gpt-4.1-mini"]
        wrap_openai(client)
        client.chat.completions.create(**CALL)
    assert names(spans) == ["chat gpt-4.1-mini"] * 2


def test_switched_off_nothing_is_patched_until_it_is_switched_on(
    model: FakeProvider, spans: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SENTRIAL_ENABLED", "false")
    with make_client(model) as client:
        assert wrap_openai(client) is client
        client.chat.completions.create(**CALL)
        assert names(spans) == []
        assert install.PATCHED not in {report.state for report in install.installed()}
        sentrial.configure(enabled=True, instrument=[])
        client.chat.completions.create(**CALL)
    assert names(spans) == ["chat gpt-4.1-mini"]


def test_a_wrapped_client_works_in_every_way_of_calling_it(model: FakeProvider, spans: InMemorySpanExporter) -> None:
    with wrap_openai(make_client(model)) as client:
        completions = client.chat.completions
        text = completions.create(**CALL).choices[0].message.content
        raw = completions.with_raw_response.create(**CALL)
        assert raw.parse().choices[0].message.content == text
        # The loop of every example: a chunk without choices would break it.
        stream = completions.create(**CALL, stream=True)
        assert "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices) == text
        with completions.create(**CALL, stream=True) as entered:
            assert next(iter(entered)).choices[0].delta is not None
    assert names(spans) == ["chat gpt-4.1-mini"] * 4
    assert [request.body.get("stream_options") for request in model.requests] == [None] * 4


@pytest.mark.parametrize("kind", ["AsyncOpenAI", "AsyncAzureOpenAI", "a class of one's own"])
async def test_a_wrapped_async_client_works_too(model: FakeProvider, spans: InMemorySpanExporter, kind: str) -> None:
    settings: dict[str, Any] = {"api_key": "sk-test", "base_url": model.base_url, "max_retries": 0}
    client: openai.AsyncOpenAI
    if kind == "AsyncOpenAI":
        client = openai.AsyncOpenAI(**settings)
    else:
        client = {"AsyncAzureOpenAI": openai.AsyncAzureOpenAI}.get(kind, MyAsyncAzure)(
            **settings, api_version="2025-03-01-preview"
        )
    async with wrap_llm(client):
        text = (await client.chat.completions.create(**CALL)).choices[0].message.content
        raw = await client.chat.completions.with_raw_response.create(**CALL)
        assert raw.parse().choices[0].message.content == text
        stream = await client.chat.completions.create(**CALL, stream=True)
        assert "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices]) == text
    assert names(spans) == ["chat gpt-4.1-mini"] * 3


@pytest.mark.parametrize(
    "make",
    [
        lambda: openai.OpenAI(api_key="k"),
        lambda: openai.AsyncOpenAI(api_key="k"),
        lambda: openai.AzureOpenAI(api_key="k", azure_endpoint="https://x.test", api_version="v"),
        lambda: MyOpenAI(api_key="k"),
        lambda: MyAsyncAzure(api_key="k", azure_endpoint="https://x.test", api_version="v"),
    ],
    ids=["OpenAI", "AsyncOpenAI", "AzureOpenAI", "own class", "own class below Azure's"],
)
async def test_the_library_is_found_by_the_class(make: Callable[[], Any], caplog: pytest.LogCaptureFixture) -> None:
    client = make()
    assert wrap_llm(client) is client
    assert said(caplog) == []
    assert {report.state for report in install.installed()} >= {install.PATCHED}
    closing = client.close()
    if closing is not None:
        await closing


def test_a_call_in_a_session_and_one_outside_go_where_the_docstring_says(model: FakeProvider) -> None:
    with SentrialStandIn([KEY]) as server, make_client(model) as client:
        sentrial.configure(api_key=KEY, api_url=server.url)
        wrap_openai(client, track_without_session=True)
        with sentrial.begin("u", "agent"):
            client.chat.completions.create(**CALL)
        client.chat.completions.create(**CALL)
        assert set(arrived(server)) == {"invoke_agent agent", "chat gpt-4.1-mini"}
        setup_otel_tracing()
        client.chat.completions.create(**CALL)
        assert sentrial.flush(10)
        *_, last = server.spans
        assert (last["name"], last["parent_span_id"]) == ("chat gpt-4.1-mini", None)
        assert "sentrial.session.id" not in last["attributes"]
        assert last["attributes"]["gen_ai.output.messages"].startswith('[{"role":"assistant"')
        assert len(server.spans) == 3
        sentrial.shutdown()


# --- others' ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrap", "name", "made"),
    [
        (wrap_openai, "openai", "openai.OpenAI"),
        (wrap_anthropic, "anthropic", "anthropic.Anthropic"),
        (wrap_google, "google", "google.genai.Client"),
    ],
)
def test_a_client_of_another_library_is_named_once_and_comes_back(
    caplog: pytest.LogCaptureFixture, wrap: Callable[[Any], Any], name: str, made: str
) -> None:
    client = NoClient()
    for _ in range(3):
        assert wrap(client) is client
    assert wrap(None) is None
    assert said(caplog) == [
        f"sentrial: wrap_{name}() got a {kind}, which is no client of {name}: its calls are not recorded by this. "
        f"Give it an object such as {made}()."
        for kind in (f"{__name__}.NoClient", "builtins.NoneType")
    ]
    assert vars(client) == {}


def test_a_class_that_no_library_has_made_is_named_once(caplog: pytest.LogCaptureFixture) -> None:
    client = NoClient()
    for _ in range(3):
        assert wrap_llm(client) is client
    assert wrap_llm(None) is None
    assert said(caplog) == [
        f"sentrial: wrap_llm() knows no library with the class {kind}, and its calls are not recorded; known are "
        f"{KNOWN}. Give it a client of one of them."
        for kind in (f"{__name__}.NoClient", "builtins.NoneType")
    ]


def test_a_module_of_a_similar_name_is_another_one(caplog: pytest.LogCaptureFixture) -> None:
    wrap_llm(type("Client", (), {"__module__": "openai_like.client"})())
    wrap_llm(type("Client", (), {"__module__": "google.cloud.storage"})())
    assert [line.split(" and ")[0] for line in said(caplog)] == [
        "sentrial: wrap_llm() knows no library with the class openai_like.client.Client,",
        "sentrial: wrap_llm() knows no library with the class google.cloud.storage.Client,",
    ]


def test_a_provider_that_is_not_the_clients_is_named(caplog: pytest.LogCaptureFixture) -> None:
    assert wrap_llm(NoClient(), provider="openai") is not None
    assert said(caplog) == [
        f"sentrial: wrap_llm() got a {__name__}.NoClient, which is no client of openai: its calls are not recorded by "
        "this. Give it an object such as openai.OpenAI()."
    ]


def test_a_model_of_langchain_is_told_how_it_is_recorded(caplog: pytest.LogCaptureFixture) -> None:
    model = type("ChatOpenAI", (type("BaseChatModel", (), {"__module__": "langchain_core.language_models"}),), {})()
    wrap_openai(model)
    wrap_llm(model)
    assert [line[-94:] for line in said(caplog)] == [
        " LangChain's models are recorded by themselves, or by SentrialCallbackHandler() among the callbacks."[-94:]
    ] * 2


@pytest.mark.parametrize("provider", ["OPENAI_", 7, ["openai"]])
def test_a_provider_that_is_none_is_named_and_the_class_decides(
    caplog: pytest.LogCaptureFixture, provider: Any
) -> None:  # fmt: skip
    with openai.OpenAI(api_key="k") as client:
        assert wrap_llm(client, provider) is client
    assert said(caplog) == [
        f"sentrial: provider={provider!r} is not usable: it must be one of {KNOWN}. The class of the client decides."
    ]
    assert {report.state for report in install.installed()} >= {install.PATCHED}
