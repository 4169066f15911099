"""Pain C3: conventions change, and readers know different ones. A call is told once, in the words that are wanted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import sentrial
from receivers import SentrialStandIn
from running import Span, by_name
from sentrial import semconv
from sentrial._spans import llm
from sentrial.types import LlmRequest, LlmResponse, Usage

KEY = "sentrial_test_key"
OPENINFERENCE = {
    "input.value",
    "input.mime_type",
    "output.value",
    "output.mime_type",
    "openinference.span.kind",
}


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        yield stand_in
        sentrial.shutdown()


def spans_of_one_session(server: SentrialStandIn, **settings: Any) -> dict[str, Span]:
    before = len(server.spans)
    sentrial.configure(api_key=KEY, api_url=server.url, **settings)
    with sentrial.begin("u", "agent", input="Where is it?") as session:
        with session.tool("lookup", {"order": 7}) as tool:
            tool.set_output({"place": "post office"})
        llm.begin(LlmRequest("chat", "openai", "gpt-4o")).succeed(LlmResponse(usage=Usage(100, 10)))
        session.track_decision("because", ["else"], chosen="this")
        session.set_output("At the post office.")
    assert sentrial.flush(10)
    spans = by_name(server.spans[before:])
    sentrial.shutdown()
    return spans


def test_pain_c3_both_conventions_are_the_exact_union_and_tell_tokens_once(server: SentrialStandIn) -> None:
    both = spans_of_one_session(server, openinference=True)
    current = spans_of_one_session(server, openinference=False)
    assert set(both) == set(current)
    for name, span in both.items():
        keys, fewer = set(span["attributes"]), set(current[name]["attributes"])
        assert keys - fewer <= OPENINFERENCE, name
        assert fewer <= keys, name
        assert not fewer & OPENINFERENCE, name
    assert set(both["invoke_agent agent"]["attributes"]) >= OPENINFERENCE
    telling = {key for span in both.values() for key in span["attributes"] if "token" in key}
    assert telling == {"gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens", "sentrial.usage.total_tokens"}


def test_pain_c3_every_span_of_ours_says_by_which_version_of_the_conventions_it_is(server: SentrialStandIn) -> None:
    spans = spans_of_one_session(server)
    assert {span["scope_schema_url"] for span in spans.values()} == {semconv.SCHEMA_URL}
