"""A library that is older than what is tested: recorded all the same, and said once, however it is switched on."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version

import openai
import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import sentrial
from fake_provider import FakeProvider
from sentrial import _library_versions
from sentrial._library_versions import REQUIREMENTS, unmet
from sentrial.instrumentors import OpenAIInstrumentor
from switched import CALL, model, recorded, spans

__all__ = ["model", "spans"]

OLD = "openai >= 99.1"


def by_configure(client: openai.OpenAI) -> None:
    sentrial.configure()
    sentrial.configure(store=False)


def by_a_session(client: openai.OpenAI) -> None:
    sentrial.begin("u", "agent")


def by_its_instrumentor(client: openai.OpenAI) -> None:
    OpenAIInstrumentor().instrument()
    sentrial.configure()


def by_its_wrapper(client: openai.OpenAI) -> None:
    sentrial.configure(instrument=[])
    sentrial.wrap_openai(client)
    sentrial.wrap_openai(client)


@pytest.mark.parametrize("switch_on", [by_configure, by_a_session, by_its_instrumentor, by_its_wrapper])
def test_an_older_library_is_recorded_and_said_once(
    switch_on: Callable[[openai.OpenAI], None],
    spans: InMemorySpanExporter,
    model: FakeProvider,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setitem(REQUIREMENTS, "openai", OLD)
    monkeypatch.setattr(OpenAIInstrumentor, "dependencies", (OLD,))
    with openai.OpenAI(api_key="k", base_url=model.base_url, max_retries=0) as client:
        switch_on(client)
        client.chat.completions.create(**CALL)
    assert "openai" in recorded(spans)
    assert [message for message in caplog.messages if "openai" in message] == [
        f"sentrial: openai {openai.__version__} is older than 99.1, the oldest version that is tested: "
        "what is recorded of it may not be whole. Upgrade openai."
    ]


def test_nothing_is_said_of_a_library_that_is_left_out_or_not_installed(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(REQUIREMENTS, "openai", OLD)
    monkeypatch.setitem(REQUIREMENTS, "google", "nobody-has-this >= 1.0")
    sentrial.configure(store=False, instrument=["google"])
    sentrial.configure(store=False, enabled=False)
    assert "is older" not in caplog.text
    assert "is not installed" not in caplog.text


@pytest.mark.parametrize(
    ("installed", "oldest", "met"),
    [
        ("1.55.3", "1.55.3", True),
        ("1.55.2", "1.55.3", False),
        ("1.100.0", "1.55.3", True),
        ("2.0", "2.0.0", True),
        ("2.0.0rc1", "2.0.0", True),
        ("0.3.86", "1.0.0", False),
        ("1.0+local.9", "1.0.5", False),
    ],
)
def test_versions_are_compared_by_their_numbers(
    monkeypatch: pytest.MonkeyPatch, installed: str, oldest: str, met: bool
) -> None:
    monkeypatch.setattr(_library_versions, "_installed", lambda name: installed)
    assert (unmet(f"acme-llm >= {oldest}") is None) == met


@pytest.mark.parametrize("requirement", ["pytest", "pytest>=1", "pytest ~= 1.0", "pytest >= 1, < 2", ""])
def test_of_a_requirement_the_lowest_version_counts(requirement: str) -> None:
    assert version("pytest")
    assert unmet(requirement) is None
