"""What the oldest of Google's clients cannot do: run the tools of MCP servers, send fields of the program's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from mcp import Client
from mcp.server import MCPServer

import sentrial
from fake_provider import FakeProvider
from fake_provider import google as fake
from google_clients import MODEL, gemini, gemini_async
from receivers import OtlpHttpReceiver

QUESTION = "Where is my parcel?"
CALL, FIND, WEATHER = f"generate_content {MODEL}", "execute_tool find_order", "execute_tool weather"

parcels = MCPServer("parcels")


@parcels.tool()
def find_order(number: int) -> str:
    """Find an order by its number."""
    return "Rotterdam"


@parcels.tool()
def weather(city: str) -> str:
    """The weather of a city."""
    raise LookupError(f"no weather in {city}")


@pytest.fixture
def collector() -> Iterator[OtlpHttpReceiver]:
    with OtlpHttpReceiver() as collector:
        sentrial.configure(otlp_endpoint=collector.url)
        yield collector
        sentrial.shutdown(5)


def ours(collector: OtlpHttpReceiver) -> list[dict[str, Any]]:
    """Our spans, in the order of their start: what MCP's own library tells is left out."""
    assert sentrial.flush(60)
    spans = [span for span in collector.spans if "sentrial.event.type" in span["attributes"]]
    return sorted(spans, key=lambda span: int(span["start_ns"]))


def check(spans: list[dict[str, Any]]) -> None:
    """Two runs of tools of the server, between the call that asked for them and the next one."""
    root, asking, found, failed, _ = spans
    assert [span["name"] for span in spans] == [root["name"], CALL, FIND, WEATHER, CALL]
    assert {span["parent_span_id"] for span in spans[1:]} == {root["span_id"]}
    for run in (found, failed):
        assert [link["span_id"] for link in run["links"]] == [asking["span_id"]]
    said = ("call.id", "description", "call.arguments", "call.result")
    assert [found["attributes"][f"gen_ai.tool.{key}"] for key in said] == [
        "fc-order",
        "Find an order by its number.",
        '{"number":4711}',
        '{"result":"Rotterdam"}',
    ]
    assert (found["status_code"], failed["status_code"]) == (0, 2)
    assert failed["attributes"]["error.type"] == "tool_error"
    assert "weather" in failed["status_message"]


async def test_the_tools_of_an_mcp_server(collector: OtlpHttpReceiver, server: FakeProvider) -> None:
    server.queue(fake.reply("gemini_tools_with_ids"), fake.reply())
    async with Client(parcels) as connected, gemini_async(server) as client:
        with sentrial.begin("user_1", "support-agent"):
            config = {"tools": [connected.session]}
            answer = await client.models.generate_content(model=MODEL, contents=QUESTION, config=config)
    assert answer.text == "Your parcel is in Rotterdam."
    check(ours(collector))


async def test_the_tools_of_an_mcp_server_in_a_stream(collector: OtlpHttpReceiver, server: FakeProvider) -> None:
    server.queue(fake.stream("gemini_tools_with_ids"), fake.stream())
    async with Client(parcels) as connected, gemini_async(server) as client:
        with sentrial.begin("user_1", "support-agent"):
            config = {"tools": [connected.session]}
            stream = await client.models.generate_content_stream(model=MODEL, contents=QUESTION, config=config)
            texts = [chunk.text or "" async for chunk in stream]
    assert "".join(texts) == "Your parcel is in Rotterdam."
    check(ours(collector))


@pytest.mark.parametrize("of_the_client", [True, False])
def test_fields_that_the_program_adds_to_the_body(
    collector: OtlpHttpReceiver, server: FakeProvider, of_the_client: bool
) -> None:
    added = {"extra_body": {"generation_config": {"topK": 40}, "safetySettings": []}}
    config: dict[str, Any] = {"temperature": 0.5}
    with gemini(server, **(added if of_the_client else {})) as client, sentrial.begin("user_1", "support-agent"):
        if not of_the_client:
            config["http_options"] = added
        client.models.generate_content(model=MODEL, contents=QUESTION, config=config)
    (request,) = server.requests
    assert request.body["generationConfig"] == {"temperature": 0.5, "topK": 40}
    _, call = ours(collector)
    assert call["attributes"]["gen_ai.request.temperature"] == 0.5
    assert call["attributes"]["gen_ai.request.top_k"] == 40
