"""Pain E1: one call with a picture of 12 MB does not take the spans beside it with it, and is told of itself."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from openai import OpenAI

import sentrial
from fake_provider import FakeProvider
from receivers import OtlpGrpcReceiver, OtlpHttpReceiver, Request

CALLS = 200
LARGEST_BODY = 1_000_000
PICTURE = Random(12).randbytes(9_000_000)
ENCODED = base64.b64encode(PICTURE).decode()
WITH_PICTURE = 117
"""Which of the calls has the picture."""


class StrictReceiver(OtlpHttpReceiver):
    """A collector that refuses bodies over 1 MB, as they come and as they are unpacked.

    Attributes:
        refused: how many it has refused.
    """

    def __init__(self) -> None:
        super().__init__()
        self.refused = 0

    def answer(self, request: Request) -> tuple[int, dict[str, str], bytes]:
        packed = request.headers.get("content-encoding") == "gzip"
        if len(gzip.decompress(request.body) if packed else request.body) > LARGEST_BODY:
            self.refused += 1
            return 413, {"Content-Type": "text/plain"}, b"request entity too large"
        return super().answer(request)


@pytest.fixture
def client() -> Iterator[OpenAI]:
    with FakeProvider() as server, OpenAI(api_key="sk-test", base_url=server.base_url, max_retries=0) as client:
        yield client


def make_calls(client: OpenAI) -> None:
    """200 calls in a session: each with 40 kB of words that no packing makes small, one with the picture."""
    random = Random(1)
    with sentrial.begin("user_1", "agent"):
        for number in range(CALLS):
            content: Any = f"{number}: {random.randbytes(20_000).hex()}"
            if number == WITH_PICTURE:
                picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{ENCODED}"}}
                content = [{"type": "text", "text": f"{number}: What is this?"}, picture]
            client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": content}])


def assert_all_arrived(spans: list[dict[str, Any]]) -> None:
    calls = [span for span in spans if span["name"] == "chat gpt-4o"]
    asked = [json.loads(span["attributes"]["gen_ai.input.messages"])[0]["parts"] for span in calls]
    assert sorted(int(parts[0]["content"].partition(":")[0]) for parts in asked) == list(range(CALLS))
    ((big, parts),) = (each for each in zip(calls, asked, strict=True) if len(each[1]) == 2)
    digest = hashlib.sha256(PICTURE).hexdigest()
    assert parts[1] == {
        "type": "blob",
        "modality": "image",
        "mime_type": "image/png",
        "content": {"type": "bytes", "size": len(PICTURE), "sha256": digest},
    }
    assert [
        span["attributes"]["sentrial.truncated"] for span in calls if "sentrial.truncated" in span["attributes"]
    ] == [big["attributes"]["sentrial.truncated"]]
    assert big["attributes"]["sentrial.truncated"] == f"left out: {len(PICTURE)} bytes"
    # Each of them, and the session's own.
    assert len(spans) == CALLS + 1
    assert list(sentrial.stats().values()) == [{"stored": CALLS + 1}]


def test_pain_e1_all_arrive_at_a_collector_that_takes_no_more_than_1_mb(client: OpenAI) -> None:
    assert len(ENCODED) == 12_000_000
    with StrictReceiver() as collector:
        sentrial.configure(otlp_endpoint=collector.url)
        make_calls(client)
        assert sentrial.flush(120)
        assert_all_arrived(collector.spans)
        assert collector.refused > 0
        sentrial.shutdown(5)


def test_pain_e1_all_arrive_at_a_grpc_collector_that_takes_no_more_than_4_mb(
    client: OpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    with OtlpGrpcReceiver() as collector:
        sentrial.configure(otlp_endpoint=collector.url)
        make_calls(client)
        assert sentrial.flush(120)
        assert_all_arrived(collector.spans)
        assert sum(len(request.body) for request in collector.requests) > 4 * 1024 * 1024
        sentrial.shutdown(5)
