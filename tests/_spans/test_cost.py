from __future__ import annotations

import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider

from sentrial import _payload
from sentrial._payload import Payload
from sentrial._session import Session
from sentrial._spans import afterwards, cost, root, source
from sentrial._spans.root import Ending, Opening
from sentrial._totals import PricedCall
from sentrial.types import Usage
from written import Writing


def call(provider: str, model: str, usage: Usage) -> PricedCall:
    return PricedCall(provider, model, usage, time.time_ns())


def test_a_price_is_what_a_hand_calculation_gives() -> None:
    # USD per million tokens: 2.50 in, 1.25 in from the cache, 10.00 out.
    by_hand = (1_000 * 2.50 + 200 * 1.25 + 340 * 10.00) / 1e6
    assert by_hand == 0.00615
    assert cost.price(call("openai", "gpt-4o", Usage(1200, 340, 200))) == pytest.approx(by_hand, abs=1e-12)
    assert cost.price(call("openai", "gpt-4o", Usage(1200, 340))) == pytest.approx(0.0064, abs=1e-12)
    assert cost.price(call("openai", "gpt-4o", Usage(None, 340))) == pytest.approx(0.0034, abs=1e-12)


@pytest.mark.parametrize("provider", ["openai", "azure.ai.openai", "azure.ai.inference", "unknown"])
def test_providers_in_the_words_of_the_conventions_are_known(provider: str) -> None:
    assert cost.price(call(provider, "gpt-4o", Usage(1200, 340, 200))) == pytest.approx(0.00615, abs=1e-12)


def test_more_providers_in_the_words_of_the_conventions() -> None:
    prices = [
        cost.price(call(provider, model, Usage(1000, 1000)))
        for provider, model in [
            ("anthropic", "claude-sonnet-4-5"),
            ("gcp.gemini", "gemini-2.5-flash"),
            ("gcp.vertex_ai", "gemini-2.5-flash"),
            ("gcp.gen_ai", "gemini-2.5-flash"),
            ("mistral_ai", "mistral-large-latest"),
            ("x_ai", "grok-3"),
            ("groq", "llama-3.3-70b-versatile"),
            ("deepseek", "deepseek-chat"),
        ]
    ]
    assert all(price is not None and 0 < price < 0.1 for price in prices), prices


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "no-such-model"),
        ("unknown", "no-such-model"),
        ("my-own-server", "gpt-4o"),
        ("openai", "llama-3.3-70b"),
    ],
)
def test_an_unknown_model_has_no_cost(provider: str, model: str, caplog: pytest.LogCaptureFixture) -> None:
    assert cost.price(call(provider, model, Usage(1200, 340))) is None
    assert caplog.records == []


def test_without_tokens_there_is_no_cost() -> None:
    assert cost.price(call("openai", "gpt-4o", Usage())) is None


def test_what_the_provider_says_comes_before_the_price_list() -> None:
    assert cost.price(call("openrouter", "no-such-model", Usage(194, 2, stated_cost=0.95))) == 0.95
    assert cost.price(call("openai", "gpt-4o", Usage(1200, 340, stated_cost=0.0))) == 0.0
    assert cost.price(call("openai", "gpt-4o", Usage(stated_cost=0.25))) == 0.25


def test_searches_of_the_web_cost_besides() -> None:
    # USD: 3 and 15 per million tokens, 10 per thousand searches.
    by_hand = (250 * 3 + 50 * 15) / 1e6 + 3 * 10 / 1e3
    assert cost.price(call("anthropic", "claude-sonnet-4-6", Usage(250, 50, web_searches=3))) == pytest.approx(by_hand)


def test_cached_audio_of_unknown_amount_is_as_little_as_can_be() -> None:
    def dollars(cached: int) -> float | None:
        usage = Usage(1000, 50, audio_input_tokens=900, cache_read_tokens=cached)
        return cost.price(call("gcp.gemini", "gemini-2.5-flash", usage))

    # USD per million tokens: 0.30 text, 1.00 audio, 0.03 and 0.10 from the cache, 2.50 out.
    assert dollars(40) == pytest.approx((60 * 0.30 + 40 * 0.03 + 900 * 1.0 + 50 * 2.50) / 1e6, abs=1e-12)
    assert dollars(500) == pytest.approx((100 * 0.03 + 500 * 1.0 + 400 * 0.10 + 50 * 2.50) / 1e6, abs=1e-12)
    assert dollars(1000) == pytest.approx((100 * 0.03 + 900 * 0.10 + 50 * 2.50) / 1e6, abs=1e-12)


def test_usage_that_contradicts_itself_has_no_cost_and_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(2):
        assert cost.price(call("openai", "gpt-4o", Usage(100, 10, cache_read_tokens=200))) is None
    (record,) = caplog.records
    assert record.getMessage().startswith("sentrial: a call of gpt-4o cannot be priced: ")


def test_a_total_is_of_what_is_known() -> None:
    known, unknown = call("openai", "gpt-4o", Usage(1200, 340, 200)), call("openai", "no-such-model", Usage(1, 1))
    assert cost.total([known, unknown], [0.5]) == pytest.approx(0.50615, abs=1e-12)
    assert cost.total([unknown], []) is None
    assert cost.total([], []) is None
    assert cost.total([], [0.0]) == 0.0


class Payloads(SpanProcessor):
    """Keeps what lies beside spans that end, unread."""

    def __init__(self) -> None:
        self.kept: list[Payload] = []
        self.seen: list[dict[str, object]] = []

    def on_end(self, span: ReadableSpan) -> None:
        payload = _payload.of(span.context.trace_id, span.context.span_id)
        self.seen.append(dict(span.attributes or {}))
        if payload is not None:
            self.kept.append(payload)


def test_a_call_is_priced_by_the_thread_that_reads_it_and_not_by_the_one_that_calls(recorder: Writing) -> None:
    payloads = Payloads()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(payloads)
    source.resolve_with(lambda: provider)
    session = root.open_session(Opening("support", "u1"), nested=False)
    afterwards.tell_llm_call(
        session, "gpt-4o", provider="openai", prompt_tokens=1200, completion_tokens=340, cached_tokens=200
    )
    root.end_session(session, Ending())
    (priced,) = session.totals.calls
    assert priced.priced is False
    assert all("sentrial.estimated_cost" not in seen for seen in payloads.seen)
    with ThreadPoolExecutor(1) as ours:
        found = [ours.submit(payload.attributes).result() for payload in payloads.kept]
    assert priced.priced is True
    assert [attributes["sentrial.estimated_cost"] for attributes in found] == [pytest.approx(0.00615, abs=1e-12)] * 2


def test_the_session_sums_prices_and_named_costs(recorder: Writing, session: Session) -> None:
    afterwards.tell_llm_call(
        session, "gpt-4o", provider="openai", prompt_tokens=1200, completion_tokens=340, cached_tokens=200
    )
    afterwards.tell_llm_call(session, "no-such-model", provider="openai", prompt_tokens=5)
    afterwards.tell_tool_call(session, "t", {}, {}, estimated_cost=0.5)
    assert "sentrial.estimated_cost" not in recorder.spans[1].attributes
    root.end_session(session, Ending())
    assert recorder.last.attributes["sentrial.estimated_cost"] == pytest.approx(0.50615, abs=1e-12)


def test_without_the_price_database_there_is_no_cost_and_one_line() -> None:
    program = textwrap.dedent(
        """
        import logging, sys
        logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
        sys.modules["genai_prices"] = None
        from sentrial._totals import PricedCall
        from sentrial._spans import cost
        from sentrial.types import Usage
        for _ in range(3):
            print(cost.price(PricedCall("openai", "gpt-4o", Usage(1200, 340), 0)))
        print(cost.price(PricedCall("openai", "gpt-4o", Usage(1200, 340, stated_cost=0.25), 0)))
        print(cost.total([], [0.5]))
        """
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "None\nNone\nNone\n0.25\n0.5\n"
    assert done.stderr == (
        'INFO sentrial: model calls have no cost without genai-prices: pip install "sentrial-otel[cost]"\n'
    )
