"""What a call of Anthropic's messages asks and answers, from the client's own types."""

from __future__ import annotations

from typing import Any

import pytest
from anthropic import NOT_GIVEN, Anthropic, AnthropicBedrock, AnthropicVertex, AsyncAnthropic, AsyncAnthropicBedrock
from anthropic.types import Message as AnthropicMessage

from fake_provider import read_reply
from sentrial._patch.spec import Outgoing
from sentrial._providers.anthropic.messages import OPERATION, read_request, read_response
from sentrial._snapshot import Tally, snapshot
from sentrial.types import LlmRequest, LlmResponse, Usage

HERE = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def client() -> Any:
    with Anthropic(api_key="sk-test", base_url=HERE) as client:
        yield client


def request_of(client: Any, *, headers: dict[str, str] | None = None, stream: bool = False, **body: Any) -> LlmRequest:
    asked = {"model": "claude-opus-4-5", "max_tokens": 10, "messages": [], **body}
    return read_request(Outgoing(OPERATION, client, asked, stream=stream, headers=headers or {}))


def response_of(name: str, **changes: Any) -> LlmResponse:
    return read_response(AnthropicMessage.model_validate({**read_reply(name), **changes}))


def output_of(response: LlmResponse) -> list[dict[str, Any]]:
    assert response.output is not None
    return [message.to_json() for message in response.output.read(snapshot(response.output.value, Tally()))]


# --- requests ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "field", "value"),
    [
        ({"max_tokens": 64}, "max_tokens", 64),
        ({"temperature": 1}, "temperature", 1.0),
        ({"top_p": 0.5}, "top_p", 0.5),
        ({"top_k": 40}, "top_k", 40),
        ({"top_k": 4.5}, "top_k", None),
        ({"stop_sequences": ["END"]}, "stop_sequences", ["END"]),
        ({"stop_sequences": NOT_GIVEN}, "stop_sequences", None),
        ({"output_config": {"effort": "xhigh"}}, "reasoning_level", "xhigh"),
        ({"output_config": NOT_GIVEN, "thinking": {"type": "enabled", "budget_tokens": 2048}}, "reasoning_level", None),
        ({"output_config": {"format": {"type": "json_schema", "schema": {}}}}, "output_type", "json"),
        ({"output_format": {"type": "json_schema", "schema": {}}}, "output_type", "json"),
        ({}, "output_type", None),
        ({"thread": {"type": "continue", "previous_message_id": "msg_0"}}, "previous_response_id", "msg_0"),
        ({"thread": {"type": "create"}}, "previous_response_id", None),
        ({"system": NOT_GIVEN}, "system", None),
        ({"tools": NOT_GIVEN}, "tools", None),
        ({"service_tier": "standard_only"}, "service_tier", None),
    ],
)
def test_a_request_says_what_was_asked_for(client: Any, body: dict[str, Any], field: str, value: Any) -> None:
    assert getattr(request_of(client, **body), field) == value


def test_a_request_says_where_it_goes(client: Any) -> None:
    request = request_of(client, stream=True)

    assert (request.operation, request.provider, request.model) == ("chat", "anthropic", "claude-opus-4-5")
    assert (request.stream, request.server_address, request.server_port) == (True, "127.0.0.1", 9)


@pytest.mark.parametrize(
    ("make", "provider"),
    [
        (lambda: AsyncAnthropic(api_key="k", base_url=HERE), "anthropic"),
        (lambda: Anthropic(api_key="k", base_url="https://api.deepseek.com/anthropic"), "deepseek"),
        (lambda: Anthropic(api_key="k", base_url="https://x.services.ai.azure.com/anthropic"), "anthropic"),
        (lambda: AnthropicBedrock(aws_region="eu-west-1", base_url=HERE), "aws.bedrock"),
        (lambda: AsyncAnthropicBedrock(aws_region="eu-west-1"), "aws.bedrock"),
        (lambda: AnthropicVertex(region="europe-west4", project_id="p", access_token="t"), "gcp.vertex_ai"),
    ],
)
def test_the_provider_is_who_serves_the_model(make: Any, provider: str) -> None:
    assert request_of(make()).provider == provider


def test_a_client_of_the_programs_own_keeps_its_provider() -> None:
    class Ours(AnthropicBedrock):
        pass

    assert request_of(Ours(aws_region="eu-west-1")).provider == "aws.bedrock"


def test_a_guardrail_is_named_by_a_header_of_the_call_or_the_client(client: Any) -> None:
    guarded = client.with_options(default_headers={"X-Amzn-Bedrock-GuardrailIdentifier": "g-2"})

    assert request_of(client, headers={"x-amzn-bedrock-guardrailidentifier": "g-1"}).guardrail_id == "g-1"
    assert request_of(guarded).guardrail_id == "g-2"
    assert request_of(client).guardrail_id is None


def test_content_is_left_for_later(client: Any) -> None:
    messages = [{"role": "user", "content": "Hi"}]
    request = request_of(client, messages=messages, system="Be brief.", tools=({"name": "track"},))

    assert request.input is not None
    assert request.input.value is messages
    assert request.system is not None
    assert request.system.value == "Be brief."
    assert request.tools is not None
    assert request.tools.value == ({"name": "track"},)


def test_iterators_are_the_programs_and_are_left_alone(client: Any) -> None:
    messages = iter([{"role": "user", "content": "Hi"}])
    content = iter([{"type": "text", "text": "Hi"}])
    system = iter([{"type": "text", "text": "Be brief."}])

    assert request_of(client, messages=messages).input is None
    assert request_of(client, messages=[{"role": "user", "content": content}]).input is None
    assert request_of(client, messages=[{"role": "user", "content": "Hi"}], system=system).input is None
    assert next(messages) == {"role": "user", "content": "Hi"}
    assert next(content) == {"type": "text", "text": "Hi"}
    assert next(system) == {"type": "text", "text": "Be brief."}


# --- responses --------------------------------------------------------------------------------------------------------


def test_an_answer_says_who_gave_it_and_what_it_cost() -> None:
    response = response_of("message_text")

    assert (response.id, response.model) == ("msg_01Text", "claude-opus-4-5-20251101")
    assert response.finish_reasons == ["stop"]
    assert response.usage == Usage(input_tokens=21, output_tokens=13, cache_read_tokens=0, cache_write_tokens=0)
    assert (response.compacted, response.tool_call_ids) == (None, [])
    assert output_of(response) == [
        {
            "role": "assistant",
            "parts": [{"type": "text", "content": "Your parcel left Lisbon this morning and arrives tomorrow."}],
        }
    ]


def test_input_tokens_include_those_that_were_cached() -> None:
    assert response_of("message_thinking").usage == Usage(
        input_tokens=40 + 1200 + 3500,
        output_tokens=220,
        cache_read_tokens=3500,
        cache_write_tokens=1200,
        reasoning_tokens=180,
    )


def test_a_compaction_is_told_and_what_it_cost_is_counted() -> None:
    response = read_response(read_reply("message_server_tools"))

    assert response.compacted is True
    assert response.usage == Usage(
        input_tokens=900 + 5000 + 10 + 20,
        output_tokens=380,
        cache_read_tokens=20,
        cache_write_tokens=10,
        web_searches=1,
    )


def test_a_compaction_that_failed_is_none() -> None:
    reply = read_reply("message_server_tools")
    reply["content"][0]["content"] = None

    assert read_response(reply).compacted is None


def test_unknown_counts_stay_unknown() -> None:
    assert response_of("message_text", usage={"input_tokens": 3, "output_tokens": 4}).usage == Usage(
        input_tokens=3, output_tokens=4
    )
    assert read_response({"content": []}).usage is None


def test_the_calls_of_tools_are_named() -> None:
    response = response_of("message_tools")

    assert response.tool_call_ids == ["toolu_01Track"]
    assert response.finish_reasons == ["tool_call"]
    assert read_response(read_reply("message_server_tools")).tool_call_ids == []


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_call"),
        ("refusal", "content_filter"),
        ("compaction", "compaction"),
        ("pause_turn", "pause_turn"),
        (None, "error"),
    ],
)
def test_a_reason_is_the_conventions_word_where_they_have_one(said: str | None, reason: str) -> None:
    assert read_response({**read_reply("message_text"), "stop_reason": said}).finish_reasons == [reason]


def test_a_refusal_keeps_its_explanation() -> None:
    response = read_response(read_reply("message_refusal"))

    assert response.finish_reasons == ["content_filter"]
    refusal = {"type": "refusal", "content": "The request asks for an exploit.", "category": "cyber"}
    assert output_of(response) == [{"role": "assistant", "parts": [refusal]}]


def test_everything_that_an_answer_holds_is_read() -> None:
    (message,) = output_of(read_response(read_reply("message_server_tools")))

    assert [part["type"] for part in message["parts"]] == [
        "compaction",
        "server_tool_call",
        "server_tool_call_response",
        "server_tool_call",
        "server_tool_call_response",
        "text",
    ]
    assert message["parts"][4]["server_tool_call_response"] == {
        "type": "mcp",
        "content": [{"type": "text", "text": "open"}],
    }


@pytest.mark.parametrize("odd", [{}, {"content": "text"}, {"content": [None, 3]}, {"usage": {"input_tokens": "3"}}])
def test_an_odd_answer_is_read_as_far_as_it_goes(odd: dict[str, Any]) -> None:
    response = read_response(odd)

    assert (response.id, response.finish_reasons) == (None, ["error"])
