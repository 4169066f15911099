"""Each client as a standard instrumentor: by hand, beside a configuration, and run-time switching of real clients."""

from __future__ import annotations

from typing import Any

import openai
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import sentrial
from fake_provider import Answer, FakeProvider
from sentrial import _setup
from sentrial.instrumentors import ClientInstrumentor, OpenAIInstrumentor
from sentrial.wrappers import wrap_openai
from switched import CALL, NAMES, PAIRS, Ask, asks, exporter_of, model, recorded, spans

__all__ = ["asks", "model", "spans"]


@pytest.mark.parametrize(("instrumentor", "name"), PAIRS)
def test_one_library_is_switched_on_and_off_and_the_others_stay_as_they_are(
    spans: InMemorySpanExporter, asks: dict[str, Ask], instrumentor: type[ClientInstrumentor], name: str
) -> None:
    instrumentor().instrument()
    for ask in asks.values():
        ask()
    assert recorded(spans) == [name]
    assert instrumentor().is_instrumented_by_opentelemetry
    instrumentor().uninstrument()
    for ask in asks.values():
        ask()
    assert recorded(spans) == []
    assert not instrumentor().is_instrumented_by_opentelemetry
    instrumentor().instrument()
    asks[name]()
    assert recorded(spans) == [name]


@pytest.mark.parametrize(("instrumentor", "name"), PAIRS)
def test_a_configuration_records_all_and_one_can_be_taken_out(
    spans: InMemorySpanExporter, asks: dict[str, Ask], instrumentor: type[ClientInstrumentor], name: str
) -> None:
    sentrial.configure()
    instrumentor().uninstrument()
    for ask in asks.values():
        ask()
    assert recorded(spans) == [other for other in NAMES if other != name]


def test_installed_twice_by_whichever_way_makes_one_span(spans: InMemorySpanExporter, asks: dict[str, Ask]) -> None:
    OpenAIInstrumentor().instrument()
    OpenAIInstrumentor().instrument()
    sentrial.configure()
    OpenAIInstrumentor().instrument()
    asks["openai"]()
    assert recorded(spans) == ["openai"]


def test_a_method_kept_from_before_is_silent_after_uninstrument(
    spans: InMemorySpanExporter, model: FakeProvider
) -> None:
    with openai.OpenAI(api_key="k", base_url=model.base_url, max_retries=0) as client:
        OpenAIInstrumentor().instrument()
        create, request = client.chat.completions.create, client.request
        create(**CALL)
        assert recorded(spans) == ["openai"]
        OpenAIInstrumentor().uninstrument()
        assert create(**CALL).choices[0].message.content
        assert client.request is not request
        assert client.chat.completions._post.__self__ is client
        create(**CALL)
    assert recorded(spans) == []


def test_a_wrapper_that_somebody_put_on_top_stays(
    spans: InMemorySpanExporter, asks: dict[str, Ask], monkeypatch: pytest.MonkeyPatch
) -> None:
    OpenAIInstrumentor().instrument()
    below, seen = openai.OpenAI.request, []

    def theirs(self: Any, *args: Any, **kwargs: Any) -> Any:
        seen.append(args)
        return below(self, *args, **kwargs)

    theirs.__wrapped__ = below  # type: ignore[attr-defined]  # as functools.wraps does
    monkeypatch.setattr("openai._base_client.SyncAPIClient.request", theirs)
    OpenAIInstrumentor().uninstrument()
    asks["openai"]()
    assert (len(seen), recorded(spans)) == (1, [])
    OpenAIInstrumentor().instrument()
    asks["openai"]()
    assert (len(seen), recorded(spans)) == (2, ["openai"])


def test_a_stream_that_is_open_is_recorded_to_its_end(spans: InMemorySpanExporter, model: FakeProvider) -> None:
    OpenAIInstrumentor().instrument()
    model.queue(Answer.stream())
    with openai.OpenAI(api_key="k", base_url=model.base_url, max_retries=0) as client:
        stream = client.chat.completions.create(**CALL, stream=True)
        next(stream)
        OpenAIInstrumentor().uninstrument()
        list(stream)
    (span,) = spans.get_finished_spans()
    assert (span.attributes or {})["sentrial.stream.end"] == "drained"


def test_a_client_that_is_wrapped_falls_silent_with_its_library(
    spans: InMemorySpanExporter, model: FakeProvider
) -> None:
    with openai.OpenAI(api_key="k", base_url=model.base_url, max_retries=0) as client:
        wrap_openai(client)
        client.chat.completions.create(**CALL)
        OpenAIInstrumentor().uninstrument()
        client.chat.completions.create(**CALL)
    assert recorded(spans) == ["openai"]


# --- without a configuration -----------------------------------------------------------------------------------------


def test_alone_it_adds_nothing_to_the_application_but_spans(
    spans: InMemorySpanExporter, asks: dict[str, Ask], tmp_path: Any
) -> None:
    provider = trace.get_tracer_provider()
    assert isinstance(provider, TracerProvider)
    before = provider._active_span_processor._span_processors
    OpenAIInstrumentor().instrument()
    asks["openai"]()
    assert not _setup.is_set_up()
    assert provider._active_span_processor._span_processors == before
    (span,) = spans.get_finished_spans()
    assert not {key for key in span.attributes or {} if "messages" in key}
    assert list((tmp_path / "home").iterdir()) == []


def test_alone_it_puts_content_on_the_span_where_the_standard_variable_asks_for_it(
    spans: InMemorySpanExporter, asks: dict[str, Ask], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_ONLY")
    OpenAIInstrumentor().instrument()
    asks["openai"]()
    (span,) = spans.get_finished_spans()
    assert "Where is my parcel?" in str((span.attributes or {})["gen_ai.input.messages"])


def test_alone_without_any_provider_the_call_is_made_and_a_later_provider_gets_the_next(asks: dict[str, Ask]) -> None:
    OpenAIInstrumentor().instrument()
    asks["openai"]()
    provider = TracerProvider(shutdown_on_exit=False)
    exporter = exporter_of(provider)
    trace.set_tracer_provider(provider)
    asks["openai"]()
    assert recorded(exporter) == ["openai"]


def test_a_session_that_begins_later_is_joined_as_ever(spans: InMemorySpanExporter, asks: dict[str, Ask]) -> None:
    OpenAIInstrumentor().instrument()
    with sentrial.begin("u", "support") as session:
        asks["openai"]()
    call, root = spans.get_finished_spans()
    assert (call.name, root.name) == ("chat gpt-4.1-mini", "invoke_agent support")
    assert (call.attributes or {})["sentrial.session.id"] == session.session_id


def test_where_the_environment_names_a_place_its_settings_hold(
    spans: InMemorySpanExporter, asks: dict[str, Ask], monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("SENTRIAL_STORE", str(tmp_path / "sessions.db"))
    OpenAIInstrumentor().instrument()
    asks["openai"]()
    asks["anthropic"]()
    assert _setup.is_set_up()
    assert recorded(spans) == ["openai"]


def test_a_store_that_is_off_is_no_place(
    spans: InMemorySpanExporter, asks: dict[str, Ask], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SENTRIAL_STORE", "off")
    OpenAIInstrumentor().instrument()
    asks["openai"]()
    assert not _setup.is_set_up()
    assert recorded(spans) == ["openai"]


def test_switched_off_it_records_nothing(
    spans: InMemorySpanExporter, asks: dict[str, Ask], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SENTRIAL_ENABLED", "false")
    OpenAIInstrumentor().instrument()
    asks["openai"]()
    assert recorded(spans) == []


def test_shutdown_takes_it_back(spans: InMemorySpanExporter, asks: dict[str, Ask]) -> None:
    OpenAIInstrumentor().instrument()
    sentrial.shutdown()
    asks["openai"]()
    assert recorded(spans) == []
    OpenAIInstrumentor().instrument()
    asks["openai"]()
    assert recorded(spans) == ["openai"]
