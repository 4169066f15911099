"""What OpenAI's responses are asked for, and what they say."""

from __future__ import annotations

from typing import Any

import openai.types
import pytest
from openai import OpenAI

from fake_provider import read_reply
from sentrial._patch.spec import Outgoing
from sentrial._providers.openai.responses import COMPACT, CREATE, FETCH, read_compacted, read_fetched, read_response
from sentrial._snapshot import Tally, snapshot
from sentrial.types import Deferred, LlmRequest, LlmResponse, Usage

FORMS: dict[str, Any] = {"as JSON": dict}
try:
    from openai.types.responses import Response
except ImportError:
    pass  # The oldest clients have no responses; what a program sends by itself comes as JSON.
else:
    FORMS["as an object"] = lambda reply: Response.construct(**reply)


@pytest.fixture(scope="module")
def client() -> Any:
    with OpenAI(api_key="sk-test", base_url="http://127.0.0.1:9/v1") as client:
        yield client


def request_of(client: Any, **body: Any) -> LlmRequest:
    return CREATE.read_request(Outgoing(CREATE, client, {"model": "gpt-5-mini", "input": "hi", **body}))


def content(deferred: Deferred[Any] | None) -> list[Any]:
    assert deferred is not None
    return [
        item.to_json() if hasattr(item, "to_json") else item
        for item in deferred.read(snapshot(deferred.value, Tally()))
    ]


# --- requests ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "field", "value"),
    [
        ({"max_output_tokens": 10}, "max_tokens", 10),
        ({"temperature": 0}, "temperature", 0.0),
        ({"top_p": 0.5}, "top_p", 0.5),
        ({"reasoning": {"effort": "low", "summary": "auto"}}, "reasoning_level", "low"),
        ({"reasoning": None}, "reasoning_level", None),
        ({"text": {"format": {"type": "text"}}}, "output_type", "text"),
        ({"text": {"format": {"type": "json_object"}}}, "output_type", "json"),
        ({"text": {"format": {"type": "json_schema", "name": "a", "schema": {}}}}, "output_type", "json"),
        ({"text": {"verbosity": "low"}}, "output_type", None),
        ({"service_tier": "flex"}, "service_tier", "flex"),
        ({"service_tier": "auto"}, "service_tier", None),
        ({"previous_response_id": "resp_0"}, "previous_response_id", "resp_0"),
        ({"conversation": "conv_1"}, "conversation_id", "conv_1"),
        ({"conversation": {"id": "conv_1"}}, "conversation_id", "conv_1"),
        ({"conversation": None}, "conversation_id", None),
        ({"prompt": {"id": "pmpt_1", "version": "2"}}, "prompt_name", "pmpt_1"),
        ({"prompt": {"id": "pmpt_1", "version": "2"}}, "prompt_version", "2"),
        ({"prompt": {"id": "pmpt_1", "variables": {"city": "Delft"}}}, "prompt_variables", {"city": "Delft"}),
        ({"prompt": {"id": "pmpt_1", "variables": None}}, "prompt_variables", None),
        ({"model": None}, "model", None),
        ({"input": None}, "input", None),
        ({"input": iter([])}, "input", None),
        ({"instructions": None}, "system", None),
        ({"tools": []}, "tools", None),
    ],
)
def test_each_argument_has_its_place(client: Any, body: dict[str, Any], field: str, value: Any) -> None:
    found = getattr(request_of(client, **body), field)
    assert found == value
    assert type(found) is type(value)


def test_what_is_not_given_is_absent(client: Any) -> None:
    found = request_of(client)
    assert found.input is not None
    assert found == LlmRequest(
        operation="chat",
        provider="openai",
        model="gpt-5-mini",
        server_address="127.0.0.1",
        server_port=9,
        api_type="responses",
        input=found.input,
    )


def test_content_is_read_later(client: Any) -> None:
    items = [{"role": "user", "content": "Where is it?"}]
    tools = [{"type": "web_search"}]
    found = request_of(client, input=items, instructions="Be brief.", tools=tools)
    assert content(found.input) == [{"role": "user", "parts": [{"type": "text", "content": "Where is it?"}]}]
    assert content(found.system) == [{"type": "text", "content": "Be brief."}]
    assert content(found.tools) == [{"type": "web_search", "name": "web_search"}]


@pytest.mark.parametrize(("query", "cursor"), [({}, None), ({"stream": True, "starting_after": 7}, "7")])
def test_a_response_is_fetched_by_its_id_and_from_where_on(client: Any, query: Any, cursor: str | None) -> None:
    outgoing = Outgoing(FETCH, client, {}, stream=bool(query), path="/responses/resp_1", query=query)
    assert FETCH.read_request(outgoing) == LlmRequest(
        operation="fetch_response",
        provider="openai",
        stream=bool(query),
        server_address="127.0.0.1",
        server_port=9,
        response_id="resp_1",
        stream_cursor=cursor,
    )


# --- responses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
def test_an_answer_says_who_what_and_how_much(form: str) -> None:
    found = read_response(FORMS[form](read_reply("response_text")))
    assert found.output is not None
    assert found == LlmResponse(
        id="resp_text_1",
        model="gpt-5-mini-2025-08-07",
        finish_reasons=["stop"],
        usage=Usage(1500, 96, 1024, 128, 64),
        service_tier="default",
        tool_call_ids=[],
        output=found.output,
    )
    assert content(found.output) == [
        {
            "role": "assistant",
            "parts": [
                {"type": "reasoning", "content": "The user wants the parcel's place."},
                {"type": "reasoning", "content": "It is known."},
                {"type": "text", "content": "The parcel left Rotterdam on Tuesday."},
            ],
        }
    ]


@pytest.mark.parametrize("form", FORMS)
def test_ids_of_tool_calls_are_known_without_content(form: str) -> None:
    found = read_response(FORMS[form](read_reply("response_tools")))
    assert found.tool_call_ids == ["call_order", "call_query"]
    assert found.finish_reasons == ["tool_call"]
    assert read_response(FORMS[form](read_reply("response_server_tools"))).tool_call_ids == ["call_click"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"status": "completed"}, ["stop"]),
        ({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}, ["length"]),
        ({"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}, ["content_filter"]),
        ({"status": "incomplete", "incomplete_details": None}, ["error"]),
        ({"status": "failed"}, ["error"]),
        ({"status": "cancelled"}, ["error"]),
        ({"status": "queued"}, []),
        ({"status": "in_progress"}, []),
    ],
)
def test_finish_reasons_are_those_of_the_conventions(form: str, changes: dict[str, Any], said: list[str]) -> None:
    assert read_response(FORMS[form]({**read_reply("response_text"), **changes})).finish_reasons == said


@pytest.mark.parametrize("form", FORMS)
def test_a_failure_is_said_in_the_providers_words(form: str) -> None:
    found = read_response(FORMS[form](read_reply("response_failed")))
    assert found.error == {"type": "server_error", "message": "The model could not answer."}
    assert found.usage is None


@pytest.mark.parametrize("form", FORMS)
def test_a_failure_without_a_status_is_one(form: str) -> None:
    found = read_response(FORMS[form]({"error": {"code": 502, "message": "The model is gone."}}))
    assert found.error == {"type": "502", "message": "The model is gone."}
    assert read_response(FORMS[form]({"status": "failed", "error": None})).error == {"type": "failed", "message": ""}


@pytest.mark.parametrize("form", FORMS)
def test_a_compaction_is_said(form: str) -> None:
    reply = read_reply("response_text")
    reply["output"].insert(0, {"id": "cmp_1", "type": "compaction", "encrypted_content": "gAAA"})
    assert read_response(FORMS[form](reply)).compacted is True


def test_a_shorter_history_is_itself_the_answer(client: Any) -> None:
    assert COMPACT.read_request(Outgoing(COMPACT, client, {"model": "gpt-5", "input": "hi"})).api_type == "responses"
    found = read_compacted(read_reply("response_compacted"))
    assert (found.id, found.finish_reasons, found.compacted) == ("resp_compact_1", ["compaction"], True)
    assert found.usage == Usage(900, 120, 0, 0, 60)
    assert content(found.output) == [
        {"role": "user", "parts": [{"type": "text", "content": "Where is my parcel?"}]},
        {"role": "assistant", "parts": [{"type": "compaction", "id": "cmp_1"}]},
    ]


@pytest.mark.parametrize("form", FORMS)
def test_what_is_fetched_costs_nothing_and_has_not_failed_itself(form: str) -> None:
    found = read_fetched(FORMS[form](read_reply("response_fetched")))
    assert (found.id, found.status, found.finish_reasons) == ("resp_back_1", "completed", ["stop"])
    assert (found.usage, found.service_tier) == (None, None)
    assert found.made_usage == Usage(1500, 96, 1024, 128, 64)
    assert read_fetched(FORMS[form](read_reply("response_failed"))).error is None
    assert read_fetched(FORMS[form](read_reply("response_failed"))).status == "failed"
    assert read_fetched(FORMS[form](read_reply("response_queued"))).finish_reasons == []


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("changes", "is_pending"),
    [
        ({"status": "queued", "usage": None}, True),
        ({"status": "in_progress", "usage": None, "cut": True}, True),
        ({"status": "in_progress"}, False),
        ({"status": "failed", "usage": None}, False),
        ({"status": "completed"}, False),
    ],
)
def test_the_tokens_of_what_is_still_made_are_yet_to_come(form: str, changes: dict[str, Any], is_pending: bool) -> None:
    reply = {**read_reply("response_fetched"), **changes}
    assert read_response(FORMS[form](reply)).pending is is_pending


@pytest.mark.parametrize("answer", ["text", None, 3, {}, {"output": []}])
def test_what_is_no_response_says_nothing(answer: Any) -> None:
    assert read_response(answer) == LlmResponse(finish_reasons=[], tool_call_ids=[])


def test_the_client_has_responses_unless_it_is_old() -> None:
    assert hasattr(openai.types, "responses") == ("as an object" in FORMS)
