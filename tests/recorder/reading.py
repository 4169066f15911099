"""What a recorded call says, in a word or two."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import StatusCode

from adapters import Adapter
from fake_provider import FakeProvider
from recorder import Recorder
from recorder.garbage import collect
from sentrial._spans import aside

__all__ = ["assert_left", "closed", "expected", "hold", "said", "settle", "tools_asked_for"]


def expected(client: Adapter, server: FakeProvider, **more: Any) -> dict[str, Any]:
    """The attributes of a small call that was answered in full."""
    api = client.api
    return {
        "gen_ai.operation.name": api.operation,
        "sentrial.event.type": "llm_call",
        "gen_ai.request.model": api.model,
        "server.address": "127.0.0.1",
        "server.port": server.port,
        **api.request,
        **api.response,
        **more,
    }


def closed(client: Adapter) -> str:
    """How a stream ends that the program closes: a generator within another's is let go of, not closed."""
    return "closed" if client.has_response else "abandoned"


def said(recorder: Recorder, span: ReadableSpan | None = None) -> str:
    """The text of the only answer, without what was thought."""
    (message,) = recorder.content(span)["gen_ai.output.messages"]
    return "".join(part["content"] for part in message["parts"] if part["type"] == "text")


def tools_asked_for(recorder: Recorder) -> list[tuple[str, Any]]:
    """The names and arguments of the tools that the only answer asks for."""
    (message,) = recorder.output
    return [(part["name"], part["arguments"]) for part in message["parts"] if part["type"] == "tool_call"]


def hold(server: FakeProvider, client: Adapter, after: int) -> threading.Event:
    """Queue a stream that waits after ``after`` events until the event that this returns is set."""
    gate = threading.Event()
    server.queue(client.api.stream(gate=gate, hold_after=after))
    return gate


def assert_left(recorder: Recorder, end: str) -> None:
    """The only call's stream was left so before its end, and that is no failure."""
    assert recorder.attributes["sentrial.stream.end"] == end
    assert recorder.one.status.status_code is StatusCode.UNSET
    assert recorder.one.events == ()


async def settle() -> None:
    """Let what was let go of end: generators of the event loop are closed in tasks of its own, one after the other."""
    collect()
    for _ in range(20):
        await asyncio.sleep(0)
    collect()
    assert aside.settle(30)
