from __future__ import annotations

from typing import Any

import pytest
from langchain_core.language_models import FakeListChatModel, FakeListLLM
from langchain_core.messages import HumanMessage, SystemMessage
from langchain_openai import OpenAI
from pydantic import BaseModel, Field

from fake_provider import Answer, FakeProvider
from langchain_scenarios import Models
from langchain_scenarios.overheard import Overheard, read
from sentrial._frameworks.langchain.request import read_request
from sentrial.types import LlmRequest


class Place(BaseModel):
    """A place."""

    city: str = Field(description="Its name.")


@pytest.fixture
def overheard() -> Overheard:
    return Overheard()


def chat(params: dict[str, Any], metadata: dict[str, Any] | None = None, **fields: Any) -> LlmRequest:
    return read_request("chat", {"kwargs": fields}, [], params, metadata)


def test_openai_is_asked_with_all_that_its_model_was_made_with(
    models: Models, server: FakeProvider, overheard: Overheard
) -> None:
    model = models.openai(
        temperature=0.2,
        max_tokens=100,
        top_p=0.9,
        frequency_penalty=0.1,
        presence_penalty=0.3,
        seed=3,
        n=2,
        stop=["END"],
        reasoning_effort="low",
        service_tier="flex",
        use_responses_api=False,
    )

    model.invoke([SystemMessage("Be brief."), HumanMessage("Where?")], overheard.asking)

    request = overheard.request
    assert request._replace(input=None) == LlmRequest(
        operation="chat",
        provider="openai",
        model="gpt-4.1-mini",
        server_address="127.0.0.1",
        server_port=server.port,
        max_tokens=100,
        temperature=0.2,
        top_p=0.9,
        stop_sequences=["END"],
        frequency_penalty=0.1,
        presence_penalty=0.3,
        seed=3,
        choice_count=2,
        reasoning_level="low",
        api_type="chat_completions",
        service_tier="flex",
    )
    assert read(request.input) == [
        {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
        {"role": "user", "parts": [{"type": "text", "content": "Where?"}]},
    ]


def test_anthropic_is_asked_with_what_only_the_model_s_own_fields_say(models: Models, overheard: Overheard) -> None:
    models.anthropic(top_k=5, stop=["END"], max_tokens=300).invoke("Where?", overheard.asking)

    request = overheard.request
    assert (request.provider, request.model, request.max_tokens) == ("anthropic", "claude-opus-4-5", 300)
    assert (request.top_k, request.stop_sequences, request.temperature) == (5, ["END"], None)
    assert (request.service_tier, request.api_type, request.choice_count) == (None, None, None)


def test_google_is_asked_for_a_model_without_its_path(
    models: Models, server: FakeProvider, overheard: Overheard
) -> None:
    models.google(top_k=4, temperature=0.1, max_output_tokens=64).invoke("Where?", overheard.asking)

    request = overheard.request
    assert (request.provider, request.model) == ("gcp.gemini", "gemini-2.5-flash")
    assert (request.top_k, request.temperature, request.max_tokens) == (4, 0.1, 64)
    assert (request.server_address, request.server_port) == ("127.0.0.1", server.port)


def test_an_answer_that_is_to_become_an_object_is_json(
    models: Models, server: FakeProvider, overheard: Overheard
) -> None:
    server.queue(Answer.reply("chat_json"))

    models.openai().with_structured_output(Place, method="json_schema").invoke("Where?", overheard.asking)

    assert overheard.request.output_type == "json"


@pytest.mark.parametrize(
    ("params", "kind"),
    [
        ({"response_format": {"type": "json_object"}}, "json"),
        ({"response_format": {"type": "text"}}, "text"),
        ({"response_format": Place}, "json"),
        ({"text": {"format": {"type": "json_schema", "name": "place"}}}, "json"),
        ({"output_config": {"effort": "low", "format": {"type": "json_schema"}}}, "json"),
        ({"response_mime_type": "application/json"}, "json"),
        ({"response_schema": {"type": "object"}}, "json"),
        ({"format": "json"}, "json"),
        ({"format": {"type": "object", "properties": {}}}, "json"),
        ({"modalities": ["text", "audio"]}, "speech"),
        ({"response_modalities": ["IMAGE", "TEXT"]}, "image"),
        ({"format": ""}, None),
        ({}, None),
    ],
)
def test_the_kind_of_answer_is_read_in_the_words_of_every_api(params: dict[str, Any], kind: str | None) -> None:
    assert chat(params).output_type == kind


def test_effort_tier_and_api_are_read_where_they_are_said() -> None:
    assert chat({"reasoning": {"effort": "high"}}).reasoning_level == "high"
    assert chat({"output_config": {"effort": "medium"}}).reasoning_level == "medium"
    assert chat({"thinking_level": "low"}).reasoning_level == "low"
    openai = {"ls_provider": "openai"}
    assert chat({"service_tier": "auto"}, openai).service_tier is None
    assert chat({"service_tier": "standard_only"}, {"ls_provider": "anthropic"}).service_tier is None
    assert chat({}, openai, use_responses_api=True).api_type == "responses"
    assert chat({"previous_response_id": "resp_1"}, openai).api_type == "responses"
    assert chat({}, openai).api_type is None
    assert chat({"guardrails": {"guardrailIdentifier": "gr-1"}}).guardrail_id == "gr-1"


def test_a_stream_is_one_where_the_call_or_the_model_says_so(models: Models, overheard: Overheard) -> None:
    models.anthropic(streaming=True).invoke("Where?", overheard.asking)
    assert overheard.request.stream is True

    models.anthropic().invoke("Where?", overheard.asking)
    assert overheard.request.stream is False


def test_a_completion_has_its_prompt_as_the_user_s_words(server: FakeProvider, overheard: Overheard) -> None:
    model = OpenAI(model="gpt-3.5-turbo-instruct", base_url=server.base_url, api_key="sk-test", max_retries=0)

    model.invoke("Once upon a time", overheard.asking)
    model.client._client.close()

    request = overheard.request
    assert (request.operation, request.provider, request.model) == (
        "text_completion", "openai", "gpt-3.5-turbo-instruct",
    )  # fmt: skip
    assert (request.max_tokens, request.temperature, request.choice_count, request.api_type) == (256, 0.7, None, None)
    assert read(request.input) == [{"role": "user", "parts": [{"type": "text", "content": "Once upon a time"}]}]


def test_models_of_the_program_s_own_go_by_the_name_of_their_class(overheard: Overheard) -> None:
    FakeListChatModel(responses=["a"]).invoke("hi", overheard.asking)
    assert overheard.request.provider == "fakelistchatmodel"

    FakeListLLM(responses=["a"]).invoke("hi", overheard.asking)
    assert (overheard.request.provider, overheard.request.model) == ("fakelist", None)


def test_nothing_said_is_nothing_claimed() -> None:
    assert read_request("chat", None, [], None, None) == LlmRequest(operation="chat", provider="unknown")
