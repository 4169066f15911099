"""Responses that a program asks for by hand: the methods for them are not in every version of the client."""

from __future__ import annotations

from typing import Any

from openai import OpenAI

from fake_provider import FakeProvider
from scenario import Recording


def test_a_response_by_hand(recording: Recording, server: FakeProvider) -> None:
    body: dict[str, Any] = {"model": "gpt-5-mini", "input": "Where is my parcel?", "instructions": "Be brief."}
    with OpenAI(api_key="sk-test", base_url=server.base_url) as client, recording("openai_response_by_hand"):
        answer: Any = client.post("/responses", cast_to=object, body=body)
        assert answer["status"] == "completed"


def test_a_response_that_is_fetched_by_hand(recording: Recording, server: FakeProvider) -> None:
    with OpenAI(api_key="sk-test", base_url=server.base_url) as client, recording("openai_response_fetched"):
        answer: Any = client.get("/responses/resp_back_1", cast_to=object)
        assert answer["status"] == "completed"


def test_a_history_that_is_made_shorter(recording: Recording, server: FakeProvider) -> None:
    body = {"model": "gpt-5-mini", "input": "Where is my parcel?"}
    with OpenAI(api_key="sk-test", base_url=server.base_url) as client, recording("openai_response_compact"):
        answer: Any = client.post("/responses/compact", cast_to=object, body=body)
        assert answer["object"] == "response.compaction"
