"""Streams that are asked for their tokens: the machinery adds what the operation says, and hides what comes of it."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any

import pytest

from own_client import OPERATION, describe
from recorder import Recorder
from recorder.reading import said
from sentrial import _config, _guard
from sentrial._config import Config
from sentrial._patch.spec import Operation, Outgoing, StreamUsage
from sentrial._patch.switch import Switch
from sentrial._patch.wrapper import build_wrapper

TOKENS = "<5>"


def ask(self: Any, model: str, *, stream: bool, **more: Any) -> Iterator[str]:
    asked.append({"model": model, **more})
    for text in ("one ", TOKENS, TOKENS, "two"):
        if more or text != TOKENS:
            got = yield text
            if got is not None:
                yield got


async def ask_async(self: Any, model: str, *, stream: bool, **more: Any) -> AsyncIterator[str]:
    async def pieces() -> AsyncIterator[str]:
        asked.append({"model": model, **more})
        for text in ("one ", TOKENS, TOKENS, "two"):
            if more or text != TOKENS:
                got = yield text
                if got is not None:
                    yield got

    return pieces()


asked: list[dict[str, Any]] = []


def wants(outgoing: Outgoing) -> Mapping[str, Any] | None:
    return None if outgoing.body["model"] == "says it anyway" else {"tokens": True}


def add(args: Sequence[Any], kwargs: Mapping[str, Any], fields: Mapping[str, Any]) -> Any:
    return args, {**kwargs, **fields}


def fail(*args: Any) -> Any:
    raise LookupError("a fault of our own")


def client(function: Any = ask, usage: StreamUsage | None = None, **changes: Any) -> Any:
    operation: Operation = dataclasses.replace(OPERATION, stream_usage=usage or StreamUsage(wants, TOKENS.__eq__))

    def recognise(client: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Outgoing:
        return Outgoing(operation, client, {"model": args[0]}, stream=kwargs["stream"])

    switch = Switch()
    switch.on = True
    asked.clear()
    provider = describe(recognise=recognise, **{"add_fields": add, **changes})
    return type("Chat", (), {"ask": build_wrapper(provider, function, switch)})()


@pytest.fixture
def asking(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_config, "active", Config(stream_usage=True))


@pytest.mark.usefixtures("asking")
def test_what_comes_of_asking_is_recorded_and_hidden(recorder: Recorder) -> None:
    assert list(client().ask("m", stream=True)) == ["one ", "two"]
    assert asked == [{"model": "m", "tokens": True}]
    assert said(recorder) == "one <5><5>two"


@pytest.mark.usefixtures("asking")
async def test_what_comes_of_asking_in_the_loop_is_recorded_and_hidden(recorder: Recorder) -> None:
    assert [text async for text in await client(ask_async).ask("m", stream=True)] == ["one ", "two"]
    assert asked == [{"model": "m", "tokens": True}]
    assert said(recorder) == "one <5><5>two"


@pytest.mark.usefixtures("asking")
def test_what_is_sent_into_a_stream_is_sent_once() -> None:
    found = client().ask("m", stream=True)
    assert [next(found), found.send("three"), next(found)] == ["one ", "three", "two"]
    found = client().ask("m", stream=True)
    assert [next(found), found.send(TOKENS)] == ["one ", "two"]


@pytest.mark.usefixtures("asking")
async def test_what_is_sent_into_a_stream_in_the_loop_is_sent_once() -> None:
    found = await client(ask_async).ask("m", stream=True)
    assert [await anext(found), await found.asend(TOKENS)] == ["one ", "two"]


@pytest.mark.usefixtures("recorder")
def test_nothing_is_asked_for_by_default() -> None:
    assert list(client().ask("m", stream=True)) == ["one ", "two"]
    assert asked == [{"model": "m"}]


@pytest.mark.usefixtures("asking")
@pytest.mark.parametrize("changes", [{"add_fields": None}, {}])
def test_nothing_is_hidden_that_was_not_asked_for(changes: dict[str, Any]) -> None:
    found = client(**changes).ask("m" if changes else "says it anyway", stream=True)
    assert [next(found), found.send(TOKENS)] == ["one ", TOKENS]
    assert asked == [{"model": "m" if changes else "says it anyway"}]


@pytest.mark.usefixtures("asking")
@pytest.mark.quiet_guard
@pytest.mark.parametrize(
    ("usage", "changes", "seen", "place"),
    [
        (StreamUsage(fail, TOKENS.__eq__), {}, ["one ", "two"], "asking for the tokens of a stream"),
        (None, {"add_fields": fail}, ["one ", "two"], "adding to a request of chat of own"),
        (StreamUsage(wants, fail), {}, ["one ", TOKENS, TOKENS, "two"], "taking the tokens out of a stream"),
    ],
)
def test_a_failure_of_ours_costs_no_word_of_the_answer(
    usage: StreamUsage | None, changes: dict[str, Any], seen: list[str], place: str
) -> None:
    assert list(client(ask, usage, **changes).ask("m", stream=True)) == seen
    assert list(_guard.failures) == [place]
