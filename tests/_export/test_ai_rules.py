"""Which spans are of interest: by attributes and scope, never by the name."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, Span, TracerProvider

from dialects import DIALECTS, Dialect
from recorder import Recorder
from sentrial import _config
from sentrial._config import Config
from sentrial._export.ai_rules import AiRules, is_ai
from sentrial._session import Account


def span_of(scope: str = "app", name: str = "span", **attributes: Any) -> Span:
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer(scope)
    span = tracer.start_span(name, attributes={key.replace("__", "."): value for key, value in attributes.items()})
    assert isinstance(span, Span)
    return span


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_every_span_of_a_dialect_is_one(dialect: Dialect) -> None:
    recorder = Recorder()
    dialect.write(recorder.provider)
    assert [is_ai(span) for span in recorder.spans] == [True] * 3


@pytest.mark.parametrize(
    "key",
    ["gen_ai__x", "llm__x", "ai__x", "openinference__x", "traceloop__x", "openai__x", "anthropic__x", "cohere__x"],
)
def test_one_attribute_is_enough(key: str) -> None:
    assert is_ai(span_of(**{key: 1, "http__route": "/chat"}))


@pytest.mark.parametrize("scope", ["ai", "openinference.instrumentation.openai", "traceloop.tracer", "openai"])
def test_a_scope_is_enough(scope: str) -> None:
    assert is_ai(span_of(scope))


@pytest.mark.parametrize("name", ["chat", "llm.call", "generate_invoice_pdf", "gen_ai.chat", "openai"])
@pytest.mark.parametrize("scope", ["app", "airflow", "mailgun", "openaire", "", "opentelemetry.instrumentation.asgi"])
def test_neither_a_name_nor_the_beginning_of_a_word_is(name: str, scope: str) -> None:
    assert not is_ai(span_of(scope, name, airline=1, main__ai__x=1))


@pytest.mark.parametrize(("opinion", "wanted"), [(True, True), (False, False), (0, False), ("yes", True)])
def test_the_applications_word_counts_for_every_span(opinion: Any, wanted: bool) -> None:
    rules = AiRules(custom_filter=lambda span: opinion)
    for span in (span_of(), span_of("ai")):
        assert rules.wants(span) is wanted
        assert rules.will_want(span) is False  # nobody can know before the end


def test_no_word_of_the_application_leaves_it_to_ours() -> None:
    seen: list[ReadableSpan] = []
    rules = AiRules(custom_filter=seen.append)
    others, ai = span_of(), span_of("ai")
    assert (rules.wants(others), rules.wants(ai)) == (False, True)
    assert seen == [others, ai]


def test_without_filters_all_are_of_interest_at_once() -> None:
    rules = AiRules(filter_ai_spans=False)
    assert rules.wants(span_of())
    assert rules.will_want(span_of())


def test_the_account_is_what_is_in_force_unless_it_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    given = AiRules(api_key="k1", api_url="https://one.test")
    assert AiRules().account is None
    monkeypatch.setattr(_config, "active", Config(api_key="k2", api_url="https://two.test"))
    assert given.account == Account("https://one.test", "k1")
    assert AiRules().account == Account("https://two.test", "k2")
    assert AiRules(api_key="k1").account == Account("https://two.test", "k1")


def test_a_key_is_not_shown() -> None:
    assert "secret" not in repr(AiRules(api_key="secret_key", project="parcels"))
