"""Pain C3: conventions change, and readers know different ones. A call is told once, in the words that are wanted.

After a change that is meant: UPDATE_GOLDEN=1 make test TESTS=tests/test_pain_c3_conventions.py; read the difference.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI

import sentrial
from fake_provider import Answer, FakeProvider
from receivers import SentrialStandIn
from running import Span, by_name
from sentrial import semconv

KEY = "sentrial_test_key"
GOLDEN = Path(__file__).parent / "golden"
OPENINFERENCE = {
    "input.value",
    "input.mime_type",
    "output.value",
    "output.mime_type",
    "openinference.span.kind",
}
DIFFERENT_EACH_TIME = {
    "sentrial.estimated_cost": "by the price list",
    "sentrial.event_id": "id",
    "sentrial.session.id": "id",
    "sentrial.session.name": "agent:id",
    "session.id": "id",
    "server.port": "port",
}
"""What stands for the values of these in the golden files."""


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        yield stand_in
        sentrial.shutdown()


def spans_of_one_session(server: SentrialStandIn, **settings: Any) -> dict[str, Span]:
    before = len(server.spans)
    sentrial.configure(api_key=KEY, api_url=server.url, **settings)
    with (
        FakeProvider() as model,
        OpenAI(api_key="none", base_url=model.base_url, max_retries=0) as client,
        sentrial.begin("u", "agent", input="Where is it?") as session,
    ):
        model.queue(Answer.reply("chat_text"))
        with session.tool("lookup", {"order": 7}) as tool:
            tool.set_output({"place": "post office"})
        client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Where is it?"}])
        session.track_decision("because", ["else"], chosen="this")
        session.set_output("At the post office.")
    assert sentrial.flush(10)
    spans = by_name(server.spans[before:])
    sentrial.shutdown()
    return spans


@pytest.mark.parametrize(
    ("mode", "settings"),
    [
        ("both", {"openinference": True}),
        ("current", {"openinference": False}),
        ("without_content", {"openinference": True, "capture_content": False}),
    ],
)
def test_pain_c3_a_recorded_call_is_told_as_the_golden_file_of_the_mode_has_it(
    server: SentrialStandIn, mode: str, settings: dict[str, Any]
) -> None:
    told = {
        name: {"kind": span["kind"], "schema": span["scope_schema_url"]}
        | {"attributes": {key: DIFFERENT_EACH_TIME.get(key, value) for key, value in span["attributes"].items()}}
        for name, span in spans_of_one_session(server, **settings).items()
    }
    golden = GOLDEN / f"conventions_{mode}.json"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(json.dumps(told, indent=2, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
    assert told == json.loads(golden.read_text(encoding="utf-8"))


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
    assert telling == {
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.output_tokens",
        "gen_ai.usage.reasoning.output_tokens",
        "sentrial.usage.total_tokens",
    }


def test_pain_c3_every_span_of_ours_says_by_which_version_of_the_conventions_it_is(server: SentrialStandIn) -> None:
    spans = spans_of_one_session(server)
    assert {span["scope_schema_url"] for span in spans.values()} == {semconv.SCHEMA_URL}
