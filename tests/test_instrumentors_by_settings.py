"""Instrumentors and what they are given: providers, variables, versions; and what makes them standard ones."""

from __future__ import annotations

import subprocess
import sys
import threading
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import openai
import pytest
from opentelemetry import trace
from opentelemetry.instrumentation.dependencies import DependencyConflictError
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import NoOpTracerProvider, Tracer

import sentrial
from fake_provider import FakeProvider
from sentrial.instrumentors import AnthropicInstrumentor, GoogleGenAIInstrumentor, OpenAIInstrumentor
from sentrial.wrappers import wrap_openai
from switched import ALL, CALL, NAMES, Ask, asks, exporter_of, model, recorded, spans

__all__ = ["asks", "model", "spans"]


# --- providers that are given ----------------------------------------------------------------------------------------


def test_all_spans_go_to_the_provider_that_is_given(spans: InMemorySpanExporter, asks: dict[str, Ask]) -> None:
    given = TracerProvider(shutdown_on_exit=False)
    exporter = exporter_of(given)
    OpenAIInstrumentor().instrument(tracer_provider=given)
    asks["openai"]()
    assert (recorded(exporter), recorded(spans)) == (["openai"], [])
    with sentrial.begin("u", "support"):
        asks["openai"]()
    assert [span.name for span in exporter.get_finished_spans()] == ["chat gpt-4.1-mini", "invoke_agent support"]
    sentrial.shutdown()
    OpenAIInstrumentor().instrument()
    asks["openai"]()
    assert recorded(spans) == ["openai"]


def test_a_second_provider_is_not_used_and_that_is_said(asks: dict[str, Ask], caplog: pytest.LogCaptureFixture) -> None:
    first, second = TracerProvider(shutdown_on_exit=False), TracerProvider(shutdown_on_exit=False)
    exporter, other = exporter_of(first), exporter_of(second)
    OpenAIInstrumentor().instrument(tracer_provider=first)
    AnthropicInstrumentor().instrument(tracer_provider=first)
    assert caplog.messages == []
    GoogleGenAIInstrumentor().instrument(tracer_provider=second)
    for ask in asks.values():
        ask()
    assert (recorded(exporter), recorded(other)) == (NAMES, [])
    (message,) = caplog.messages
    assert message.startswith("sentrial: all spans of ours go through one TracerProvider: the first that was given")


class SlowProvider(TracerProvider):
    """Its tracer comes when ``go`` is set."""

    def __init__(self) -> None:
        super().__init__(shutdown_on_exit=False)
        self.asked, self.go = threading.Event(), threading.Event()

    def get_tracer(self, *args: Any, **kwargs: Any) -> Tracer:
        self.asked.set()
        self.go.wait(30)
        return super().get_tracer(*args, **kwargs)


def test_a_tracer_that_comes_after_another_provider_was_given_is_not_kept() -> None:
    slow, given = SlowProvider(), TracerProvider(shutdown_on_exit=False)
    trace.set_tracer_provider(slow)
    before, after = exporter_of(slow), exporter_of(given)
    earlier = threading.Thread(target=lambda: sentrial.begin("u", "earlier").finish())
    earlier.start()
    assert slow.asked.wait(30)
    OpenAIInstrumentor().instrument(tracer_provider=given)
    slow.go.set()
    earlier.join(30)
    sentrial.begin("u", "later").finish()
    names = [[span.name for span in exporter.get_finished_spans()] for exporter in (before, after)]
    assert names == [["invoke_agent earlier"], ["invoke_agent later"]]


def test_metrics_go_to_the_provider_that_is_given(spans: InMemorySpanExporter, asks: dict[str, Ask]) -> None:
    reader = InMemoryMetricReader()
    OpenAIInstrumentor().instrument(meter_provider=MeterProvider([reader], shutdown_on_exit=False))
    asks["openai"]()
    data = reader.get_metrics_data()
    assert data is not None
    named = {metric.name for each in data.resource_metrics for scope in each.scope_metrics for metric in scope.metrics}
    assert named == {"gen_ai.client.operation.duration", "gen_ai.client.token.usage"}


def test_what_is_no_provider_is_said_and_the_global_one_counts(
    spans: InMemorySpanExporter, asks: dict[str, Ask], caplog: pytest.LogCaptureFixture
) -> None:
    OpenAIInstrumentor().instrument(tracer_provider=5)
    asks["openai"]()
    assert recorded(spans) == ["openai"]
    assert caplog.messages == [
        "sentrial: tracer_provider=5 is not usable: it must be a TracerProvider. The global one counts."
    ]


def test_a_given_provider_that_takes_no_processors_is_named_as_the_given_one(
    spans: InMemorySpanExporter, caplog: pytest.LogCaptureFixture
) -> None:
    OpenAIInstrumentor().instrument(tracer_provider=NoOpTracerProvider())
    sentrial.begin("u", "agent").finish()
    assert "sentrial: the TracerProvider given as tracer_provider= (opentelemetry.trace.NoOp" in caplog.text


# --- the settings ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("disabled", "instrument", "expected"),
    [
        ("openai", None, ["anthropic", "google"]),
        ("sentrial-openai", None, ["anthropic", "google"]),
        ("openai", "openai,anthropic", ["openai", "anthropic"]),
        ("sentrial-openai, requests", "openai,anthropic", ["anthropic"]),
        ("*", None, []),
        ("*", "google", ["google"]),
        ("requests", None, NAMES),
        ("", "google", ["google"]),
    ],
)
def test_the_variables_say_which_libraries_are_recorded(
    spans: InMemorySpanExporter,
    asks: dict[str, Ask],
    monkeypatch: pytest.MonkeyPatch,
    disabled: str,
    instrument: str | None,
    expected: list[str],
) -> None:
    monkeypatch.setenv("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", disabled)
    if instrument is not None:
        monkeypatch.setenv("SENTRIAL_INSTRUMENT", instrument)
    # As opentelemetry-instrument does, before its hook for us.
    for instrumentor in ALL:
        if f"sentrial-{instrumentor.client}" not in disabled:
            instrumentor().instrument(skip_dep_check=True)
    for ask in asks.values():
        ask()
    assert recorded(spans) == expected
    sentrial.configure()
    for ask in asks.values():
        ask()
    assert recorded(spans) == expected


@pytest.mark.parametrize(
    ("instrument", "expected", "said"),
    [
        ("all", NAMES, None),
        ("ALL, openai", NAMES, None),
        ("None", [], None),
        ("opnai,google", ["google"], "'opnai' (did you mean openai?)"),
        ("gemini,langgraph,openai", ["openai"], "'gemini' (say google), 'langgraph' (say langchain)"),
        ("openai;anthropic", NAMES, "'openai;anthropic' (put commas between names)"),
        ("openai anthropic,google-genai", NAMES, "'google-genai' (say google), 'openai anthropic' (put commas between"),
        ("sentrial-openai", NAMES, "'sentrial-openai' (say openai)"),
        ("xyz", NAMES, "'xyz', and no library is known by that name. It is ignored, and all that are known are rec"),
    ],
)
def test_a_name_that_is_not_known_is_said_with_what_is_recorded_now(
    spans: InMemorySpanExporter,
    asks: dict[str, Ask],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    instrument: str,
    expected: list[str],
    said: str | None,
) -> None:
    monkeypatch.setenv("SENTRIAL_INSTRUMENT", instrument)
    for _ in range(2):
        sentrial.configure()
    for ask in asks.values():
        ask()
    assert recorded(spans) == expected
    assert len(caplog.messages) == (said is not None)
    for message in caplog.messages:
        assert message.startswith(f"sentrial: SENTRIAL_INSTRUMENT names {said}")
        assert message.endswith(
            "It is ignored, and all that are known are recorded: anthropic, google, langchain, openai."
            if expected == NAMES
            else f"Recorded of what it names: {expected[0]}. Known are: anthropic, google, langchain, openai."
        )


def test_asked_to_be_loud_an_unknown_name_is_raised_and_the_known_one_is_recorded(
    spans: InMemorySpanExporter, asks: dict[str, Ask]
) -> None:
    with pytest.raises(ValueError, match=r"^sentrial: instrument= names 'opnai' \(did you mean openai\?\), "):
        sentrial.configure(instrument=["opnai", "google"], fail_silently=False)
    for ask in asks.values():
        ask()
    assert recorded(spans) == ["google"]


def test_by_hand_a_library_is_recorded_whatever_the_variables_leave_out(
    spans: InMemorySpanExporter, asks: dict[str, Ask], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SENTRIAL_INSTRUMENT", "google")
    sentrial.configure()
    OpenAIInstrumentor().instrument()
    sentrial.configure()
    for ask in asks.values():
        ask()
    assert recorded(spans) == ["openai", "google"]


def test_a_configuration_takes_back_what_one_before_wanted_and_it_does_not(
    spans: InMemorySpanExporter, asks: dict[str, Ask], model: FakeProvider
) -> None:
    sentrial.configure()
    with openai.OpenAI(api_key="k", base_url=model.base_url, max_retries=0) as chosen:
        wrap_openai(chosen)
        sentrial.configure(instrument=["google"])
        for ask in asks.values():
            ask()
        assert recorded(spans) == ["google"]
        chosen.chat.completions.create(**CALL)
        assert recorded(spans) == ["openai"]


# --- the standard ----------------------------------------------------------------------------------------------------


def test_the_entry_points_lead_to_standard_instrumentors() -> None:
    found = {each.name: each for each in entry_points(group="opentelemetry_instrumentor")}
    for name, instrumentor in zip(NAMES, ALL, strict=True):
        assert found[f"sentrial-{name}"].load() is instrumentor
        assert instrumentor() is instrumentor()
        assert isinstance(instrumentor(), BaseInstrumentor)
        (requirement,) = instrumentor().instrumentation_dependencies()
        assert requirement.split(" ")[1] == ">="


def test_the_lowest_versions_are_those_that_are_tested() -> None:
    pins = (Path(__file__).parent / "clients" / "oldest.txt").read_text(encoding="utf-8").splitlines()
    for instrumentor in ALL:
        name, _, lowest = instrumentor.dependencies[0].split()
        assert f"{name}=={lowest}" in pins


@pytest.mark.parametrize(
    ("requirement", "said"),
    [
        ("nobody-has-this >= 1.0", "nobody-has-this is not installed: there is nothing of it to record."),
        ("openai >= 99.1", f"openai {openai.__version__} is older than 99.1, the oldest version that is tested: "),
    ],
)
def test_what_is_not_there_or_too_old_is_said_and_raised_only_where_that_is_asked_for(
    spans: InMemorySpanExporter,
    asks: dict[str, Ask],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    requirement: str,
    said: str,
) -> None:
    monkeypatch.setattr(OpenAIInstrumentor, "dependencies", (requirement,))
    with pytest.raises(DependencyConflictError):
        OpenAIInstrumentor().instrument(raise_exception_on_conflict=True)
    asks["openai"]()
    assert (recorded(spans), caplog.messages) == ([], [])
    OpenAIInstrumentor().instrument(skip_dep_check=True)
    assert caplog.messages == []
    OpenAIInstrumentor().instrument()
    asks["openai"]()
    assert recorded(spans) == ["openai"]
    (message,) = caplog.messages
    assert message.startswith(f"sentrial: {said}")


def test_it_needs_nothing_of_opentelemetry_instrumentation() -> None:
    program = (
        "import sys; sys.modules['opentelemetry.instrumentation'] = None\n"
        "from sentrial.instrumentors import OpenAIInstrumentor\n"
        "OpenAIInstrumentor().instrument(); assert OpenAIInstrumentor().is_instrumented_by_opentelemetry\n"
        "OpenAIInstrumentor().uninstrument(); assert not OpenAIInstrumentor().is_instrumented_by_opentelemetry\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, timeout=60)
