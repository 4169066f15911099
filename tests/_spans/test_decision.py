from __future__ import annotations

import enum
import itertools
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.trace import SpanKind

from sentrial import _config, _payload
from sentrial._config import Config
from sentrial._payload import Policy
from sentrial._session import Session
from sentrial._spans import afterwards
from sentrial._spans.decision import Decision
from written import Writing


def own(recorder: Writing) -> dict[str, Any]:
    return recorder.last.without("sentrial.session.", "session.", "user.")


def test_a_told_decision_says_everything_and_nothing_of_gen_ai(recorder: Writing, session: Session) -> None:
    afterwards.tell_decision(
        session,
        "the order is late",
        ["refund", "replace"],
        0.92,
        chosen="refund",
        estimated_cost=0.002,
        token_count=150,
        metadata={"rule": 7},
    )
    span = recorder.named("decision support")
    assert span.span.kind is SpanKind.INTERNAL
    assert span.seconds == 0
    assert span.status == ("UNSET", None)
    assert span.attributes == {
        "sentrial.session.id": session.id,
        "session.id": "c1",
        "user.id": "u1",
        "openinference.span.kind": "CHAIN",
        "sentrial.event.type": "decision",
        "sentrial.decision.reasoning": "the order is late",
        "sentrial.decision.alternatives": ["refund", "replace"],
        "sentrial.decision.confidence": 0.92,
        "sentrial.decision.chosen": "refund",
        "sentrial.estimated_cost": 0.002,
        "sentrial.usage.total_tokens": 150,
        "sentrial.metadata.rule": 7,
    }
    assert set(span.attributes) - set(span.seen) == {
        "sentrial.decision.reasoning", "sentrial.decision.alternatives", "sentrial.decision.chosen",
    }  # fmt: skip
    assert session.totals.decisions == 1
    assert session.totals.costs == [0.002]


def test_what_is_not_given_is_absent(recorder: Writing, session: Session) -> None:
    afterwards.tell_decision(session, None)
    assert own(recorder) == {"openinference.span.kind": "CHAIN", "sentrial.event.type": "decision"}


def test_without_openinference_its_kind_is_left_out(
    recorder: Writing, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_config, "active", Config(openinference=False))
    afterwards.tell_decision(session, None)
    assert own(recorder) == {"sentrial.event.type": "decision"}


@pytest.mark.parametrize("confidence", [0, 0.0, 0.5, 1, 1.0])
def test_a_confidence_from_0_to_1_is_a_double(recorder: Writing, session: Session, confidence: float) -> None:
    afterwards.tell_decision(session, "why", confidence=confidence)
    kept = recorder.last.attributes["sentrial.decision.confidence"]
    assert (type(kept), kept) == (float, confidence)


def test_any_other_confidence_is_kept_as_it_came_and_said_once(
    recorder: Writing, session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    kept = []
    for confidence in (7, "high", -0.1, float("nan"), True, {"a": 1}, "password=hunter2"):
        afterwards.tell_decision(session, "why", confidence=confidence)
        assert "sentrial.decision.confidence" not in recorder.last.attributes
        kept.append(recorder.last.attributes["sentrial.metadata.confidence"])
    assert kept[:3] == [7, "high", -0.1]
    assert kept[3] != kept[3]
    assert kept[4:] == [True, '{"a":1}', "password=[masked]"]
    (record,) = caplog.records
    assert record.getMessage() == (
        "sentrial: confidence=7 is not usable: it must be a number from 0 to 1. It is kept as "
        "sentrial.metadata.confidence; give the call a number."
    )


class Action(enum.Enum):
    REFUND = "refund"


@pytest.mark.parametrize(
    ("alternatives", "expected"),
    [
        (["a", "b"], ["a", "b"]),
        (("a",), ["a"]),
        ({"a": 1}.keys(), ["a"]),
        ("refund", ["refund"]),
        ([], []),
        ([Action.REFUND, 7, None, {"x": 1}], ["refund", "7", "null", '{"x":1}']),
        (7, ["7"]),
        (["password=hunter2"], ["password=[masked]"]),
    ],
    ids=repr,
)
def test_alternatives_are_texts(recorder: Writing, session: Session, alternatives: Any, expected: list[str]) -> None:
    afterwards.tell_decision(session, "why", alternatives)
    assert recorder.last.attributes["sentrial.decision.alternatives"] == expected


def test_an_iterator_of_the_users_is_not_consumed(recorder: Writing, session: Session) -> None:
    endless = itertools.repeat("a")
    options = iter(["a", "b"])
    afterwards.tell_decision(session, "why", endless)
    afterwards.tell_decision(session, "why", options)
    (described,) = recorder.last.attributes["sentrial.decision.alternatives"]
    assert described.startswith("<list_iterator object at ")
    assert list(options) == ["a", "b"]


def test_a_live_decision_nests_what_it_takes_to_decide(recorder: Writing, session: Session) -> None:
    with Decision(session, "first thought", ["a"]) as decision:
        assert trace.get_current_span() is decision.span
        afterwards.tell_tool_call(session, "look", {}, {})
        decision.set_reasoning("second thought")
        decision.choose("a", 0.5)
        decision.set_usage(0.25, 10)
    tool, span = recorder.spans
    assert span.span.parent.span_id == session.context.span_id
    assert tool.span.parent.span_id == span.span.context.span_id
    assert own(recorder) == {
        "openinference.span.kind": "CHAIN",
        "sentrial.event.type": "decision",
        "sentrial.decision.reasoning": "second thought",
        "sentrial.decision.alternatives": ["a"],
        "sentrial.decision.chosen": "a",
        "sentrial.decision.confidence": 0.5,
        "sentrial.estimated_cost": 0.25,
        "sentrial.usage.total_tokens": 10,
    }


def test_an_exception_makes_the_decision_an_error(recorder: Writing, session: Session) -> None:
    with pytest.raises(ValueError, match="undecided"), Decision(session, "why"):
        raise ValueError("undecided")
    assert recorder.last.status == ("ERROR", "ValueError: undecided")
    assert recorder.last.attributes["error.type"] == "ValueError"
    assert session.totals.decisions == 1


async def test_async_with_is_the_same(recorder: Writing, session: Session) -> None:
    async with Decision(session, "why") as decision:
        decision.choose("a")
    assert recorder.last.attributes["sentrial.decision.chosen"] == "a"


def test_off_means_off_for_reasoning_alternatives_and_choice(
    recorder: Writing, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_payload, "policy", Policy(to_us=False))
    afterwards.tell_decision(session, "why", ["a"], 0.5, chosen="a")
    assert own(recorder) == {
        "openinference.span.kind": "CHAIN",
        "sentrial.event.type": "decision",
        "sentrial.decision.confidence": 0.5,
    }
