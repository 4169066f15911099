"""Instrumentations that do not make their span current: their code is between the program and us."""

from __future__ import annotations

import importlib
import logging
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor

from own_client import describe
from recorder import Recorder
from sentrial._patch.switch import Switch
from sentrial._patch.wrapper import build_wrapper

WRAPPERS = """
def around(wrapped, *args):
    return wrapped(*args)

async def around_async(wrapped, *args):
    return await wrapped(*args)

def around_stream(wrapped, *args):
    yield wrapped(*args)
"""


def ask(self: Any, model: str) -> str:
    return model.upper()


async def ask_async(self: Any, model: str) -> str:
    return model.upper()


def client_of(function: Callable[..., Any]) -> Any:
    switch = Switch()
    switch.on = True
    return type("Chat", (), {"ask": build_wrapper(describe(), function, switch)})()


@pytest.fixture
def instrumentation(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """Makes a module of an instrumentation, by its name."""

    def make(name: str) -> Any:
        module = ModuleType(name)
        exec(WRAPPERS, vars(module))
        monkeypatch.setitem(sys.modules, name, module)
        package = name.rpartition(".")[0]
        if package not in sys.modules:
            monkeypatch.setitem(sys.modules, package, ModuleType(package))
        return module

    importlib.import_module("opentelemetry.instrumentation")
    return make


def ours(recorder: Recorder) -> list[str]:
    return [span.name for span in recorder.spans]


NAMES = [
    "opentelemetry.instrumentation.own",
    "openinference.instrumentation.own",
    "opentelemetry.instrumentation.own_v2",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_call_through_an_instrumentation_is_left_to_it_and_that_is_said_once(
    recorder: Recorder, instrumentation: Any, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    caplog.set_level(logging.INFO, logger="sentrial")
    others = instrumentation(name)
    client = client_of(ask)
    assert [others.around(client.ask, "m") for _ in range(2)] == ["M", "M"]
    assert list(others.around_stream(client.ask, "m")) == ["M"]
    assert ours(recorder) == []
    assert [message for message in caplog.messages if "recorded by" in message] == [
        f"sentrial: the calls of own are recorded by {name} already, so that they are not recorded twice. Its spans "
        "count in their sessions. To have ours instead, switch that instrumentation off."
    ]


async def test_so_is_an_async_call(recorder: Recorder, instrumentation: Any) -> None:
    others = instrumentation("opentelemetry.instrumentation.own")
    assert await others.around_async(client_of(ask_async).ask, "m") == "M"
    assert ours(recorder) == []


def test_the_instrumentation_of_another_client_is_none_of_ours(recorder: Recorder, instrumentation: Any) -> None:
    others = instrumentation("opentelemetry.instrumentation.another")
    others.around(client_of(ask).ask, "m")
    assert ours(recorder) == ["chat m"]


def test_a_call_that_the_programs_own_code_makes_inside_is_ours(recorder: Recorder, instrumentation: Any) -> None:
    others = instrumentation("opentelemetry.instrumentation.own")
    client = client_of(ask)

    def tool() -> str:
        answer: str = client.ask("m")
        return answer

    assert others.around(tool) == "M"
    assert ours(recorder) == ["chat m"]


def test_what_is_switched_off_leaves_its_wrappers_behind_and_ours_is_made(
    recorder: Recorder, instrumentation: Any
) -> None:
    class OwnInstrumentor(BaseInstrumentor):
        def instrumentation_dependencies(self) -> list[str]:
            return []

        def _instrument(self, **_: Any) -> None:
            """Its wrappers are there."""

        def _uninstrument(self, **_: Any) -> None:
            """Its wrappers stay, where the program has kept a method."""

    others = instrumentation("opentelemetry.instrumentation.genai.own")
    others.OwnInstrumentor = OwnInstrumentor
    client = client_of(ask)
    OwnInstrumentor().instrument()
    others.around(client.ask, "on")
    OwnInstrumentor().uninstrument()
    others.around(client.ask, "off")
    assert ours(recorder) == ["chat off"]
