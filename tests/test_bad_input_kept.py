"""What becomes of values that are no use where they stand, and of those that are no JSON: what arrives is looked at."""

from __future__ import annotations

import datetime
import decimal
import fractions
import json
import logging
import math
import tempfile
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy
import pytest

import sentrial
from odd_values import ODD, Order, Raising, Receipt, make
from receivers import SentrialStandIn
from running import arrived
from sentrial import SentrialClient

KEY = "sentrial_test_key"
PREFIX = "sentrial.metadata."


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        sentrial.configure(api_key=KEY, api_url=stand_in.url, flush_interval=0.01)
        yield stand_in
        sentrial.shutdown(60)


def words_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if record.name == "sentrial" and record.levelno >= logging.WARNING
    ]


# --- amounts ----------------------------------------------------------------------------------------------------------

NO_SHARE = "it must be a number from 0 to 1. It is kept as sentrial.metadata.confidence; give the call a number."
NO_AMOUNT = "it must be a number not below 0. It is kept as sentrial.metadata.estimated_cost; give the call a number."


@pytest.mark.parametrize(
    ("confidence", "kept", "shown"),
    [(7, 7, "7"), ("high", "high", "'high'"), (math.nan, "NaN", "nan"), (-0.1, -0.1, "-0.1"), (True, True, "True"),
     ([0.5], "[0.5]", "[0.5]"), (numpy.float32("nan"), "NaN", None)],
)  # fmt: skip
def test_a_confidence_that_is_none_is_kept_as_it_came_and_named(
    server: SentrialStandIn, caplog: pytest.LogCaptureFixture, confidence: Any, kept: Any, shown: str | None
) -> None:
    with sentrial.begin("u", "agent") as session:
        session.track_decision("why", confidence=confidence)
        with session.decision("live") as decision:
            decision.choose("this", confidence)
    assert sentrial.flush(10)
    decisions = [span["attributes"] for span in server.spans if span["name"] == "decision agent"]
    assert [attributes[PREFIX + "confidence"] for attributes in decisions] == [kept, kept]
    assert [attributes["sentrial.decision.reasoning"] for attributes in decisions] == ["why", "live"]
    assert all("sentrial.decision.confidence" not in attributes for attributes in decisions)
    (said,) = words_of(caplog)
    assert said.endswith(NO_SHARE)
    assert shown is None or f"confidence={shown} is not usable" in said


@pytest.mark.parametrize(
    ("cost", "kept"),
    [("abc", "abc"), ("0.5", "0.5"), (math.nan, "NaN"), (-1, -1), (-math.inf, "-Infinity"), (True, True),
     (numpy.bool_(True), True), (decimal.Decimal("NaN"), "NaN"), (1j, "1j"), ({"usd": 1}, '{"usd":1}'), (b"1", "1")],
)  # fmt: skip
def test_a_cost_that_is_none_is_kept_as_it_came_and_counts_nowhere(
    server: SentrialStandIn, caplog: pytest.LogCaptureFixture, cost: Any, kept: Any
) -> None:
    session = sentrial.begin("u", "agent")
    session.track_tool_call("t", {"a": 1}, {"b": 2}, estimated_cost=cost)
    session.track_tool_call("paid", {}, {}, estimated_cost=0.25)
    session.finish(estimated_cost=cost)
    spans = arrived(server)
    for name in ("execute_tool t", "invoke_agent agent"):
        assert spans[name]["attributes"][PREFIX + "estimated_cost"] == kept
    assert "sentrial.estimated_cost" not in spans["execute_tool t"]["attributes"]
    assert json.loads(spans["execute_tool t"]["attributes"]["gen_ai.tool.call.arguments"]) == {"a": 1}
    assert spans["invoke_agent agent"]["attributes"]["sentrial.estimated_cost"] == 0.25
    (said,) = words_of(caplog)
    assert said.endswith(NO_AMOUNT)


@pytest.mark.parametrize(
    "cost",
    [decimal.Decimal("0.5"), fractions.Fraction(1, 2), numpy.float32(0.5), numpy.float64(0.5), numpy.array(0.5)],
)
def test_numbers_of_other_kinds_are_numbers(
    server: SentrialStandIn, caplog: pytest.LogCaptureFixture, cost: Any
) -> None:
    with sentrial.begin("u", "agent") as session:
        session.track_tool_call("t", {}, {}, estimated_cost=cost, token_count=numpy.int64(3))  # type: ignore[arg-type]  # so do programs
        session.track_decision("why", confidence=cost)
        session.add_tokens(numpy.int32(5), decimal.Decimal(7), cost)  # type: ignore[arg-type]  # so do programs
    spans = arrived(server)
    tool, decision = spans["execute_tool t"]["attributes"], spans["decision agent"]["attributes"]
    assert (tool["sentrial.estimated_cost"], tool["sentrial.usage.total_tokens"]) == (0.5, 3)
    assert decision["sentrial.decision.confidence"] == 0.5
    root = spans["invoke_agent agent"]["attributes"]
    assert (root["sentrial.estimated_cost"], root["sentrial.usage.total_tokens"]) == (0.5, 12)
    assert words_of(caplog) == []


def test_metrics_that_are_no_numbers_cost_the_others_nothing(
    server: SentrialStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    metrics = {"good": 1, "numpy": numpy.float64(2.5), "words": "fast", "nan": math.nan, "none": None, 7: 3}
    sentrial.begin("u", "first").finish(custom_metrics=metrics)  # type: ignore[arg-type]  # what is tried
    sentrial.begin("u", "second").finish(custom_metrics=["no", "mapping"])  # type: ignore[arg-type]  # what is tried
    first, second = (arrived(server)[f"invoke_agent {name}"]["attributes"] for name in ("first", "second"))
    found = {key: value for key, value in first.items() if "metric" in key}
    assert found == {
        "sentrial.metric.good": 1.0, "sentrial.metric.numpy": 2.5, "sentrial.metric.7": 3.0,
        "sentrial.metadata.metric.words": "fast", "sentrial.metadata.metric.nan": "NaN",
    }  # fmt: skip
    assert second["sentrial.metadata.metric"] == '["no","mapping"]'
    one, other = words_of(caplog)
    assert "custom_metrics['words']='fast' is not usable: it must be a number." in one
    assert "custom_metrics is a list, and has to be a mapping. It is kept as metadata; give a dict." in other


@pytest.mark.parametrize(
    ("success", "outcome", "words"),
    [("nope", "completed", "success='nope' is not usable: it must be True or False. It counts as True"),
     ("", "failed", "success='' is not usable: it must be True or False. It counts as False"),
     ("object that raises", "completed", "success=<Raising, unreadable: LookupError> is not usable"),
     (0, "failed", None), (1, "completed", None), (numpy.bool_(False), "failed", None), (None, "completed", None)],
)  # fmt: skip
def test_a_success_that_is_neither_true_nor_false_is_named(
    server: SentrialStandIn, caplog: pytest.LogCaptureFixture, success: Any, outcome: str, words: str | None
) -> None:
    client = SentrialClient()
    success = make(success) if success in ODD else success
    sentrial.begin("u", "finished").finish(success=success)
    client.complete_session(client.create_session("n", "completed", "u"), success)
    spans = arrived(server)
    for name in ("finished", "completed"):
        assert spans[f"invoke_agent {name}"]["attributes"]["sentrial.session.outcome"] == outcome
    assert [words in said for said in words_of(caplog)] == ([True] if words else [])  # type: ignore[operator]  # a text


# --- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "name", "words"),
    [("none", "unknown", "tool_name=None is not usable: it must be a text that is not empty"),
     ("blank text", "unknown", r"tool_name=' \n' is not usable: it must be a text that is not empty"),
     ("list", "[1, 'a']", "tool_name=[1, 'a'] is not usable: it must be a text. It is kept as its words"),
     ("bytes", r"b'ab\xff'", r"tool_name=b'ab\xff' is not usable: it must be a text"),
     ("object that raises", "(its words cannot be read)", "tool_name=<Raising, unreadable: LookupError> is not usable"),
     ("long text", "ä" * 1_000, "it has 100000 characters. The first 1000 are kept"),
     ("lone surrogate", "a\ufffdb", None), ("text that raises", "abc", None), ("seven", "7", None),
     ("enum", "red", None), ("path", "/a/b", None), ("text of numpy", "abc", None)],
)  # fmt: skip
def test_a_name_is_text_whatever_was_given(
    server: SentrialStandIn, caplog: pytest.LogCaptureFixture, given: str, name: str, words: str | None
) -> None:
    with sentrial.begin("u", "agent") as session:
        assert session.track_tool_call(make(given), {}, {})["eventType"] == "tool_call"
    tool = arrived(server)[f"execute_tool {name}"]
    assert tool["attributes"]["gen_ai.tool.name"] == name
    assert [words in said for said in words_of(caplog)] == ([True] if words else [])  # type: ignore[operator]  # a text


def test_none_wherever_the_document_shows_a_value_loses_nothing(
    server: SentrialStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    client: Any = SentrialClient()
    begin: Any = sentrial.begin
    interaction = begin(user_id=None, event=None, input=None, convo_id=None)
    interaction.finish(output=None, success=None, estimated_cost=None)
    session_id = client.create_session(name=None, agent_name=None, user_id=None, metadata=None)
    client.track_tool_call(
        session_id=session_id, tool_name=None, tool_input=None, tool_output=None, reasoning=None, estimated_cost=None
    )
    client.track_decision(session_id=session_id, reasoning=None, alternatives=None, confidence=None)
    client.complete_session(
        session_id=session_id, success=None, estimated_cost=None, prompt_tokens=None, completion_tokens=None,
        custom_metrics=None,
    )  # fmt: skip
    assert client.track_tool_call(session_id=None, tool_name="t", tool_input={}, tool_output={}) == {}
    assert sentrial.flush(10)
    assert sorted(span["name"] for span in server.spans) == [
        "decision unknown", "execute_tool unknown", "invoke_agent unknown", "invoke_agent unknown",
    ]  # fmt: skip
    roots = [span["attributes"] for span in server.spans if span["parent_span_id"] is None]
    assert [root["sentrial.session.outcome"] for root in roots] == ["completed", "completed"]
    assert [said.split("=")[0] for said in words_of(caplog)] == [
        "sentrial: agent_name (event of begin)", "sentrial: tool_name", "sentrial: None is no session id: give what "
        "create_session() returned, or begin(...).session_id. More of this kind is not logged.",
    ]  # fmt: skip


# --- content ----------------------------------------------------------------------------------------------------------

WHEN = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)

CONTENT: list[tuple[Callable[[], Any], Any]] = [
    (lambda: WHEN, "2026-01-02T03:04:05+00:00"),
    (lambda: WHEN.date(), "2026-01-02"),
    (lambda: decimal.Decimal("1.10"), "1.10"),
    (lambda: fractions.Fraction(1, 3), "1/3"),
    (lambda: b"plain", "plain"),
    (lambda: b"\x00\xff", "AP8="),
    (lambda: numpy.float64(0.5), 0.5),
    (lambda: numpy.int32(3), 3),
    (lambda: numpy.bool_(True), True),
    (lambda: numpy.array([1, 2]), "<ndarray of shape (2,), int64>"),
    (Receipt, {"number": 7, "when": "2026-01-02"}),
    (lambda: Order(lines=[WHEN]), {"number": 7, "lines": ["2026-01-02T03:04:05+00:00"]}),
    (lambda: {1: "a", None: "b", (1, 2): "c"}, {"1": "a", "null": "b", "(1, 2)": "c"}),
    (lambda: {"a"}, ["a"]),
    (lambda: "a\ud800b", "a\ufffdb"),
    (lambda: math.nan, "nan"),
    (lambda: -math.inf, "-inf"),
    (lambda: 1j, "1j"),
    (lambda: ValueError("boo"), "ValueError('boo')"),
    (Raising, "<Raising, unreadable: LookupError>"),
    (lambda: make("mapping that raises"), "<RaisingMapping, unreadable: LookupError>"),
]


@pytest.mark.parametrize(("make_value", "expected"), CONTENT)
def test_what_is_no_json_becomes_something_readable(
    server: SentrialStandIn, make_value: Callable[[], Any], expected: Any
) -> None:
    value = make_value()
    with sentrial.begin("u", "agent", input={"v": value}, metadata={"m": [value]}) as session:
        session.track_tool_call("t", {"v": value}, [value])
        SentrialClient().update_state("s", value)
        session.set_output({"v": value})
    spans = arrived(server)
    tool, root = spans["execute_tool t"]["attributes"], spans["invoke_agent agent"]["attributes"]
    assert json.loads(tool["gen_ai.tool.call.arguments"]) == {"v": expected}
    assert json.loads(tool["gen_ai.tool.call.result"]) == {"result": [expected]}
    assert json.loads(root["input.value"]) == json.loads(root["output.value"]) == {"v": expected}
    assert json.loads(root[PREFIX + "m"]) == [expected]
    assert json.loads(root["sentrial.state"]) == {"s": expected}


def test_a_value_that_holds_itself_ends(server: SentrialStandIn) -> None:
    with sentrial.begin(
        "u", "agent", make("dict that holds itself"), metadata=make("dict that holds itself")
    ) as session:
        session.track_tool_call("t", make("list that holds itself"), make("dict that holds itself"))
    spans = arrived(server)
    text = spans["execute_tool t"]["attributes"]["gen_ai.tool.call.result"]
    assert text.startswith('{"n":1,"self":{"n":1,"self":')
    assert "entries left out" in text
    json.loads(text)
    json.loads(spans["invoke_agent agent"]["attributes"]["sentrial.metadata.self"])


def test_what_the_program_holds_is_not_touched(server: SentrialStandIn) -> None:
    lock, numbers = threading.Lock(), iter(range(3))
    with tempfile.TemporaryFile("w+") as file:
        file.write("one\ntwo\n")
        file.seek(0)
        held = {"lock": lock, "numbers": numbers, "file": file, "list": [1]}
        before = dict(held)
        with sentrial.begin("u", "agent", input=held, metadata=held) as session:
            session.track_tool_call("t", held, numbers, metadata=held)
            session.track_decision("why", alternatives=numbers)  # type: ignore[arg-type]  # what is tried
            session.track_llm_call("m", input=numbers, output=file)
            session.set_output(held)
        arrived(server)
        assert (list(numbers), file.readline(), lock.locked(), held) == ([0, 1, 2], "one\n", False, before)


def test_twenty_megabytes_are_cut_and_cost_the_others_nothing(server: SentrialStandIn) -> None:
    long = "word " * 4_000_000
    with sentrial.begin("u", "agent", input=long, metadata={"m": long}) as session:
        session.track_tool_call("t", {"v": long}, long)
        session.track_tool_call("other", {"a": 1}, {})
    spans = arrived(server)
    assert json.loads(spans["execute_tool other"]["attributes"]["gen_ai.tool.call.arguments"]) == {"a": 1}
    tool, root = spans["execute_tool t"]["attributes"], spans["invoke_agent agent"]["attributes"]
    for text in (json.loads(tool["gen_ai.tool.call.arguments"])["v"], root["input.value"], root[PREFIX + "m"]):
        assert text.startswith("word word ")
        assert "[19000000 characters left out]" in text[1_000_000:]
    assert "38000000" in tool["sentrial.truncated"]
    assert sentrial.stats() == {f"Sentrial {server.url}": {"stored": 3}}


def test_ten_thousand_keys_are_all_kept_and_push_nothing_off_the_span(server: SentrialStandIn) -> None:
    many = {f"key{n}": n for n in range(10_000)}
    session = sentrial.begin("u", "agent", metadata=many)
    session.track_tool_call("t", many, many, metadata=many)
    session.finish(custom_metrics=many)
    spans = arrived(server)
    tool, root = spans["execute_tool t"]["attributes"], spans["invoke_agent agent"]["attributes"]
    for text in (tool["gen_ai.tool.call.arguments"], tool["sentrial.metadata"], root["sentrial.metadata"]):
        assert json.loads(text) == many
    assert json.loads(root["sentrial.metric"]) == many
    assert (tool["gen_ai.tool.name"], root["user.id"]) == ("t", "u")
