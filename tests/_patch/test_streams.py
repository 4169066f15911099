"""Streams that another instrumentation, patched below us, has put into an object of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import openai
import pytest
import wrapt
from openai.resources.chat.completions import Completions

import sentrial
from fake_provider import Answer, FakeProvider
from receivers import SentrialStandIn
from running import arrived

KEY = "sentrial_test_key"


class InAProxy(wrapt.ObjectProxy):
    """As OpenTelemetry's instrumentation has it: a proxy that has fields of its own."""

    __dict__: dict[str, Any] = {}  # hides the fields of what is wrapped

    def __iter__(self) -> Iterator[Any]:
        return iter(self.__wrapped__)


class InAClass:
    """As it had it before: a class that keeps the stream among its attributes."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def __iter__(self) -> Iterator[Any]:
        yield from self.stream

    def close(self) -> None:
        self.stream.close()


@pytest.fixture
def model() -> Iterator[FakeProvider]:
    with FakeProvider() as provider:
        yield provider


@pytest.mark.parametrize("wrappers", [(InAProxy,), (InAClass,), (InAProxy, InAClass), (InAClass, InAProxy, InAClass)])
@pytest.mark.parametrize("is_drained", [True, False])
def test_a_stream_is_watched_inside_the_objects_of_others(
    model: FakeProvider, monkeypatch: pytest.MonkeyPatch, wrappers: tuple[type, ...], is_drained: bool
) -> None:
    original = Completions.create

    def create(self: Any, *args: Any, **kwargs: Any) -> Any:
        stream = original(self, *args, **kwargs)
        for wrap in wrappers:
            stream = wrap(stream)
        return stream

    monkeypatch.setattr(Completions, "create", create)
    with SentrialStandIn([KEY]) as server:
        sentrial.configure(api_key=KEY, api_url=server.url)
        model.queue(Answer.stream())
        client = openai.OpenAI(api_key="none", base_url=model.base_url)
        with sentrial.begin("u", "agent"):
            stream = client.chat.completions.create(
                model="m", messages=[{"role": "user", "content": "hi"}], stream=True
            )
            assert type(stream) is wrappers[-1]
            for chunk in stream:
                assert chunk.id
                if not is_drained:
                    break
            stream.close()
        attributes = arrived(server)["chat m"]["attributes"]
        assert attributes["sentrial.stream.end"] == ("drained" if is_drained else "closed")
        assert attributes.get("gen_ai.usage.input_tokens") == (1200 if is_drained else None)
        sentrial.shutdown()
