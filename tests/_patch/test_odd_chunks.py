"""Chunks that a description of a client cannot read: what came before and after them is still the answer."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from own_client import OPERATION, Pieces, describe
from recorder import Recorder
from recorder.reading import said
from sentrial import _guard
from sentrial._patch.spec import Outgoing
from sentrial._patch.switch import Switch
from sentrial._patch.wrapper import build_wrapper


class Fussy(Pieces):
    """Takes no empty text."""

    def add(self, chunk: str) -> None:
        """Keep it."""
        if not chunk:
            raise ValueError
        super().add(chunk)


def ask(self: Any, model: str, *, stream: bool) -> Iterator[str]:
    yield from ("one ", "", "", "two")


def recognise(client: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Outgoing:
    operation = dataclasses.replace(OPERATION, make_accumulator=Fussy)
    return Outgoing(operation, client, {"model": args[0]}, stream=kwargs["stream"])


@pytest.mark.quiet_guard
def test_a_chunk_that_cannot_be_read_costs_nothing_but_itself(recorder: Recorder) -> None:
    switch = Switch()
    switch.on = True
    chat = type("Chat", (), {"ask": build_wrapper(describe(recognise=recognise), ask, switch)})()
    assert list(chat.ask("m", stream=True)) == ["one ", "", "", "two"]
    assert said(recorder) == "one two"
    assert _guard.failures == {"reading a chunk of chat of own": 2}
