from __future__ import annotations

import json
import threading
from collections import Counter
from typing import Any

import pytest

from sentrial import _json, _payload, semconv
from sentrial._export.redact import SecretMasker
from sentrial._json import MAX_TEXT, JsonWriter, NoMask, Texts
from sentrial._payload import Payload, Policy
from sentrial._spans.messages import read_input
from sentrial.types import Deferred

# --- each text once ---------------------------------------------------------------------------------------------------


class CountingMask:
    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()

    def __call__(self, text: str) -> str:
        self.calls[text] += 1
        return text.replace("Ada", "[name]")


def conversation(turns: int) -> list[dict[str, Any]]:
    """A history as agents resend it: equal texts, not always the same objects."""
    history: list[dict[str, Any]] = [{"role": "system", "content": "You are a helpful agent. " * 40}]
    for turn in range(turns):
        history.append({"role": "user", "content": f"Question {turn} of Ada, at some length. " * (turn % 5 + 1)})
        history.append({"role": "assistant", "content": f"Answer {turn}."})
    return history


def test_each_distinct_text_of_a_session_is_masked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    mask = CountingMask()
    monkeypatch.setattr(_payload, "policy", Policy(masker=SecretMasker(mask)))
    texts = Texts()
    last: dict[str, Any] = {}
    for turn in range(30):
        payload = Payload(texts)
        messages = json.loads(json.dumps(conversation(turn)))
        payload.deferred(semconv.GEN_AI_INPUT_MESSAGES, Deferred(messages, read_input))
        payload.text(semconv.INPUT_VALUE, messages[-1]["content"])
        last = payload.attributes()
    distinct = {message["content"] for message in conversation(29)}
    distinct |= {"role", "parts", "type", "content", "text", "system", "user", "assistant"}
    assert set(mask.calls) == distinct
    assert max(mask.calls.values()) == 1
    parts = json.loads(last[semconv.GEN_AI_INPUT_MESSAGES])
    assert [message["parts"][0]["content"] for message in parts] == [
        message["content"].replace("Ada", "[name]") for message in conversation(29)
    ]


def test_what_was_masked_is_counted_on_every_span_that_resends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_payload, "policy", Policy(masker=SecretMasker(CountingMask())))
    texts = Texts()
    counts = []
    for turn in range(1, 4):
        payload = Payload(texts)
        payload.deferred(semconv.GEN_AI_INPUT_MESSAGES, Deferred(conversation(turn), read_input))
        counts.append(payload.attributes()[semconv.SENTRIAL_MASKED])
    assert counts == [1, 2, 3]


def test_the_next_mask_does_not_get_what_the_last_one_let_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = Texts()
    text = "Ada asks for her money back, and for an apology."
    shown = []
    for extra in (None, CountingMask(), None):
        monkeypatch.setattr(_payload, "policy", Policy(masker=SecretMasker(extra)))
        payload = Payload(texts)
        payload.json("k", [text])
        shown.append(payload.attributes()["k"])
    assert shown == [f'["{text}"]', f'["{text.replace("Ada", "[name]")}"]', f'["{text}"]']


def test_a_session_remembers_within_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_json, "MAX_REMEMBERED", 10_000)
    texts = Texts()
    for n in range(1_000):
        assert read_with(texts, f"text {n} " + "x" * 100) == f"text {n} " + "x" * 100
        assert texts.remembered <= 10_000


def test_all_sessions_together_remember_within_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_json, "MAX_REMEMBERED_BY_ALL", 100_000)
    monkeypatch.setattr(_json, "_everybody", _json._Everybody())
    sessions = [Texts() for _ in range(500)]
    for n, texts in enumerate(sessions):
        read_with(texts, f"text {n} " + "x" * 500)
        assert sum(each.remembered for each in sessions) <= 110_000
    assert sessions[-1].remembered > 0


def test_several_threads_may_render_texts_of_one_session() -> None:
    texts = Texts()
    value = [f"text {n}" for n in range(2_000)]
    results: list[Any] = []
    threads = [threading.Thread(target=lambda: results.append(read_with(texts, value))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [value] * 8


def read_with(texts: Texts, value: object) -> Any:
    return json.loads(JsonWriter(NoMask(), texts).json(value))


# --- what a payload says of itself ------------------------------------------------------------------------------------


@pytest.fixture
def payload(monkeypatch: pytest.MonkeyPatch) -> Payload:
    monkeypatch.setattr(_payload, "policy", Policy(masker=SecretMasker()))
    return Payload(Texts())


def test_what_was_cut_and_masked_is_said_in_attributes(payload: Payload) -> None:
    payload.text("a", "x" * (MAX_TEXT + 5))
    payload.json("b", {"password": "hunter2", "list": list(range(30_000)), "token": "sk-proj-0123456789abcdef"})
    attributes = payload.attributes()
    assert attributes[semconv.SENTRIAL_MASKED] == 2
    assert attributes[semconv.SENTRIAL_TRUNCATED] == "left out: 5 characters, values in 1 places"
    assert json.loads(attributes["b"])["password"] == "[masked]"


def test_a_payload_with_nothing_cut_or_masked_says_neither(payload: Payload) -> None:
    payload.json("a", {"plain": 1})
    assert payload.attributes() == {"a": '{"plain":1}'}


def test_what_is_given_twice_counts_as_given_the_last_time(payload: Payload) -> None:
    payload.json("a", {"password": "x" * 2_000_000, "list": list(range(30_000))})
    payload.json("a", {"fine": True})
    assert payload.attributes() == {"a": '{"fine":true}'}
    assert payload.size < 100


def test_off_means_that_nothing_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    class Untouchable:
        def __repr__(self) -> str:
            raise AssertionError("looked at")

    monkeypatch.setattr(_payload, "policy", Policy(to_us=False))
    payload = Payload(Texts())
    payload.json("a", Untouchable())
    payload.text("b", Untouchable())
    payload.texts("c", [Untouchable()])
    payload.json_object("d", Untouchable(), "x")
    payload.deferred("e", Deferred([Untouchable()], read_input))
    payload.later("cost", lambda: 1.5)
    assert not payload.captures
    assert payload.attributes() == {"cost": 1.5}


@pytest.mark.quiet_guard
def test_one_value_that_cannot_be_rendered_does_not_cost_the_others(payload: Payload) -> None:
    def fail(value: object) -> Any:
        raise ValueError("no")

    payload.deferred("a", Deferred("x", fail))
    payload.text("b", "fine")
    payload.later("c", lambda: 1 // 0)
    payload.later("d", lambda: None)
    assert payload.attributes() == {"b": "fine"}


def test_definitions_describe_secrets_and_hold_none(payload: Payload) -> None:
    schema = {"name": "login", "parameters": {"properties": {"password": {"type": "string"}, "api_key": {"x": 1}}}}
    payload.deferred("defs", Deferred([schema], lambda value: value), definitions=True)
    payload.json("call", {"password": {"type": "string"}})
    assert json.loads(payload.attributes()["defs"]) == [schema]
    assert json.loads(payload.attributes()["call"]) == {"password": "[masked]"}
