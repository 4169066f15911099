"""What generateContent means, from the bodies that Google's client makes and from the answers of the API."""

from __future__ import annotations

import json
from enum import Enum
from types import SimpleNamespace
from typing import Any

import pytest
from google.genai import types

from fake_provider import google as fake
from fake_provider import read_reply
from sentrial._patch.spec import Outgoing
from sentrial._providers.google import PROVIDER, recognise
from sentrial._providers.google import content as google_content
from sentrial._providers.google.content import ContentAccumulator, read_response
from sentrial._snapshot import Tally, snapshot
from sentrial.types import Deferred, LlmRequest, LlmResponse, Usage

PATH = "models/gemini-2.5-flash:generateContent"


class Modality(str, Enum):
    """As the client has it."""

    AUDIO = "AUDIO"


def client(*, vertexai: Any = None, base_url: str = "https://generativelanguage.googleapis.com/") -> Any:
    """What is read of the client's own object."""
    return SimpleNamespace(vertexai=vertexai, _http_options={"base_url": base_url})


def outgoing(body: dict[str, Any], path: str = PATH, **more: Any) -> Outgoing:
    found = recognise(client(**more), ("post", path, body, None), {})
    assert found is not None
    return found


def request_of(body: dict[str, Any], path: str = PATH, **more: Any) -> LlmRequest:
    return google_content.OPERATION.read_request(outgoing(body, path, **more))


def now(deferred: Deferred[Any] | None) -> Any:
    """What our thread reads of it."""
    assert deferred is not None
    return deferred.read(snapshot(deferred.value, Tally()))


def output(response: LlmResponse) -> list[dict[str, Any]]:
    return [message.to_json() for message in now(response.output)]


def answer(name: str) -> Any:
    """A reply as the newest client passes it on."""
    return SimpleNamespace(headers={}, body=json.dumps(read_reply(name)))


def gathered(events: list[bytes], *, as_dicts: bool = False) -> tuple[ContentAccumulator, LlmResponse]:
    accumulator = ContentAccumulator()
    for event in events:
        text = event.decode().removeprefix("data: ")
        accumulator.add(json.loads(text) if as_dicts else SimpleNamespace(headers={}, body=text))
    return accumulator, read_response(accumulator.result())


# --- which calls ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "stream"),
    [(PATH, False), ("models/gemini-2.5-flash:streamGenerateContent?alt=sse", True)],
)
def test_the_path_says_what_is_asked(path: str, stream: bool) -> None:
    found = outgoing({}, path)
    assert found.operation is google_content.OPERATION
    assert found.stream is stream


@pytest.mark.parametrize(
    "path",
    [
        "models/gemini-2.5-flash:countTokens",
        "models/gemini-2.5-flash:batchGenerateContent",
        "models/imagen-4:predict",
        "models/veo-3:predictLongRunning",
        "cachedContents",
        "models/gemini-2.5-flash",
    ],
)
def test_other_calls_are_none_of_ours(path: str) -> None:
    assert recognise(client(), ("post", path, {"instances": [{"prompt": "a cat"}]}, None), {}) is None


def test_arguments_may_be_named() -> None:
    kwargs = {"http_method": "post", "path": PATH, "request_dict": {"contents": []}}
    found = recognise(client(), (), kwargs)
    assert found is not None
    assert found.body == {"contents": []}


def test_copies_of_a_client_have_what_makes_the_calls_in_common() -> None:
    calls = client()
    assert PROVIDER.identify(SimpleNamespace(_api_client=calls)) is calls
    assert PROVIDER.identify(calls) is calls


# --- requests ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "field", "value"),
    [
        ({"maxOutputTokens": 10}, "max_tokens", 10),
        ({"temperature": 0}, "temperature", 0.0),
        ({"topP": 0.5}, "top_p", 0.5),
        ({"topK": 40.0}, "top_k", 40),
        ({"topK": 40}, "top_k", 40),
        ({"topK": 40.5}, "top_k", None),
        ({"stopSequences": ["END"]}, "stop_sequences", ["END"]),
        ({"frequencyPenalty": 1}, "frequency_penalty", 1.0),
        ({"presencePenalty": -0.5}, "presence_penalty", -0.5),
        ({"seed": 7}, "seed", 7),
        ({"candidateCount": 1}, "choice_count", None),
        ({"candidateCount": 3}, "choice_count", 3),
        ({"thinkingConfig": {"thinkingLevel": "low"}}, "reasoning_level", "low"),
        ({"thinkingConfig": {"thinking_level": "HIGH"}}, "reasoning_level", "HIGH"),
        ({"thinkingConfig": {"thinking_budget": 100}}, "reasoning_level", None),
        ({"responseMimeType": "application/json"}, "output_type", "json"),
        ({"responseSchema": {"type": "OBJECT"}}, "output_type", "json"),
        ({"responseJsonSchema": {"type": "object"}}, "output_type", "json"),
        ({"responseMimeType": "text/x.enum"}, "output_type", "text"),
        ({"responseModalities": ["TEXT"]}, "output_type", "text"),
        ({"responseModalities": ["TEXT", "IMAGE"]}, "output_type", "image"),
        ({"responseModalities": [Modality.AUDIO]}, "output_type", "speech"),
        ({"temperature": "hot", "seed": True}, "temperature", None),
    ],
)
def test_each_setting_has_its_place(given: dict[str, Any], field: str, value: Any) -> None:
    found = getattr(request_of({"generationConfig": given}), field)
    assert found == value
    assert type(found) is type(value)


def test_what_is_not_given_is_absent() -> None:
    assert request_of({}) == LlmRequest(
        operation="generate_content",
        provider="gcp.gemini",
        model="gemini-2.5-flash",
        server_address="generativelanguage.googleapis.com",
        server_port=443,
    )


@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("publishers/google/models/gemini-2.5-flash:generateContent", "gemini-2.5-flash"),
        ("projects/p/locations/l/publishers/meta/models/llama-4:generateContent", "llama-4"),
        ("tunedModels/123:generateContent", "tunedModels/123"),
        ("projects/p/locations/l/endpoints/123:generateContent", "endpoints/123"),
    ],
)
def test_the_model_is_named_as_prices_name_it(path: str, model: str) -> None:
    assert request_of({}, path).model == model


def test_vertex_ai_is_known_by_the_client_behind_a_gateway_too() -> None:
    found = request_of({}, vertexai=True, base_url="http://gateway.internal:8080/google")
    assert (found.provider, found.server_address, found.server_port) == ("gcp.vertex_ai", "gateway.internal", 8080)


@pytest.mark.parametrize("options", [{"base_url": "http://other:81/"}, types.HttpOptions(base_url="http://other:81/")])
def test_a_call_may_go_elsewhere_than_its_client(options: Any) -> None:
    call = recognise(client(), ("post", PATH, {}, options), {})
    assert call is not None
    found = google_content.OPERATION.read_request(call)
    assert (found.server_address, found.server_port, found.model) == ("other", 81, "gemini-2.5-flash")


@pytest.mark.parametrize("of_the_client", [True, False])
def test_what_the_program_adds_to_the_body_is_of_the_body(of_the_client: bool) -> None:
    options = {"extra_body": {"generation_config": {"topK": 40.0, "seed": 8}, "tools": [{"urlContext": {}}]}}
    body: dict[str, Any] = {"generationConfig": {"temperature": 0.5, "seed": 7}, "contents": []}
    asking = client()
    if of_the_client:
        asking._http_options.update(options)
    found = recognise(asking, ("post", PATH, body, None if of_the_client else options), {})
    assert found is not None
    request = google_content.OPERATION.read_request(found)
    assert (request.temperature, request.top_k, request.seed) == (0.5, 40, 8)
    assert now(request.tools) == [{"type": "url_context", "name": "url_context"}]
    assert body == {"generationConfig": {"temperature": 0.5, "seed": 7}, "contents": []}


def test_content_is_read_from_a_snapshot() -> None:
    body = {
        "systemInstruction": {"parts": [{"text": "Be brief."}], "role": "user"},
        "contents": [{"parts": [{"text": "hi"}], "role": "user"}],
        "tools": [{"googleSearch": {}}],
    }
    found = request_of(body)
    assert [part.to_json() for part in now(found.system)] == [{"type": "text", "content": "Be brief."}]
    assert [message.to_json() for message in now(found.input)] == [
        {"role": "user", "parts": [{"type": "text", "content": "hi"}]}
    ]
    assert now(found.tools) == [{"type": "google_search", "name": "google_search"}]


# --- responses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("read", [answer, read_reply], ids=["text", "dict"])
def test_an_answer_is_read_as_the_newest_and_the_oldest_client_pass_it_on(read: Any) -> None:
    found = read_response(read("gemini_text"))
    assert output(found) == [
        {"role": "assistant", "parts": [{"type": "text", "content": "Your parcel is in Rotterdam."}]}
    ]
    assert found._replace(output=None) == LlmResponse(
        id="gemini-text-1",
        model="gemini-2.5-flash",
        finish_reasons=["stop"],
        usage=Usage(input_tokens=12, output_tokens=7, text_input_tokens=12, text_output_tokens=7),
        tool_call_ids=[],
    )


def test_thoughts_are_output_and_so_are_their_tokens() -> None:
    found = read_response(answer("gemini_thoughts"))
    assert found.usage == Usage(
        input_tokens=12, output_tokens=47, reasoning_tokens=40, text_input_tokens=12, text_output_tokens=7
    )
    assert output(found)[0]["parts"] == [
        {"type": "reasoning", "content": "The parcel was scanned last night, so it is in the port."},
        {"type": "text", "content": "Your parcel is in Rotterdam."},
    ]


def test_what_a_tool_of_the_server_read_is_input() -> None:
    found = read_response(answer("gemini_code")).usage
    assert found == Usage(input_tokens=53, output_tokens=18, text_input_tokens=53, text_output_tokens=18)


def test_tokens_are_told_by_kind() -> None:
    assert read_response(answer("gemini_image")).usage == Usage(
        input_tokens=620,
        output_tokens=1304,
        cache_read_tokens=500,
        text_input_tokens=60,
        image_input_tokens=560,
        text_output_tokens=14,
        image_output_tokens=1290,
        text_cache_read_tokens=40,
        image_cache_read_tokens=460,
    )
    speech = read_response(answer("gemini_speech")).usage
    assert speech is not None
    assert (speech.audio_input_tokens, speech.audio_output_tokens, speech.audio_cache_read_tokens) == (300, 50, 200)


def test_a_call_for_tools_says_so_and_names_the_calls() -> None:
    found = read_response(answer("gemini_tools_with_ids"))
    assert found.finish_reasons == ["tool_call"]
    assert found.tool_call_ids == ["fc-order", "fc-weather"]
    assert read_response(answer("gemini_tools")).tool_call_ids == []


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("STOP", "stop"),
        ("MAX_TOKENS", "length"),
        ("SAFETY", "content_filter"),
        ("PROHIBITED_CONTENT", "content_filter"),
        ("RECITATION", "content_filter"),
        ("MALFORMED_FUNCTION_CALL", "malformed_function_call"),
        (None, "error"),
    ],
)
def test_finish_reasons_are_those_of_the_conventions(reason: str | None, said: str) -> None:
    candidate = {"content": {"parts": [{"text": "a"}]}, "finishReason": reason}
    assert read_response({"candidates": [candidate]}).finish_reasons == [said]


def test_a_prompt_that_is_blocked_has_an_end_and_no_output() -> None:
    found = read_response(answer("gemini_blocked"))
    assert found.finish_reasons == ["content_filter"]
    assert found.output is None
    assert found.usage == Usage(input_tokens=12)


def test_each_candidate_is_a_message() -> None:
    found = read_response(answer("gemini_candidates"))
    assert found.finish_reasons == ["stop", "length"]
    assert [message["parts"][0]["content"] for message in output(found)] == ['{"city": "Rotterdam"}', '{"city": "Rott']


@pytest.mark.parametrize(
    "odd", ["", "no JSON", "[" * 200_000, "[]", "null", None, {}, {"candidates": None}, {"candidates": ["a"]}]
)
def test_an_odd_answer_says_nothing(odd: Any) -> None:
    assert read_response(SimpleNamespace(body=odd)) == LlmResponse(finish_reasons=[], tool_call_ids=[])


# --- streams ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("as_dicts", [False, True], ids=["text", "dict"])
@pytest.mark.parametrize("name", ["gemini_text", "gemini_thoughts", "gemini_tools_with_ids", "gemini_image"])
def test_a_stream_reads_like_the_plain_answer(name: str, as_dicts: bool) -> None:
    plain = read_response(answer(name))
    accumulator, found = gathered(fake.events_of(read_reply(name)), as_dicts=as_dicts)
    assert found._replace(output=None) == plain._replace(output=None)
    assert output(found) == output(plain)
    assert accumulator.complete


def test_a_stream_that_broke_off_says_what_came() -> None:
    accumulator, found = gathered(fake.events_of(read_reply("gemini_text"))[:-1])
    assert not accumulator.complete
    assert found.finish_reasons == ["error"]
    assert found.usage == Usage(input_tokens=12, text_input_tokens=12)
    assert output(found)[0]["parts"] == [{"type": "text", "content": "Your parcel is in Rot"}]


def test_chunks_that_the_client_changes_afterwards_are_kept_as_they_came() -> None:
    accumulator = ContentAccumulator()
    chunk = read_reply("gemini_text")
    accumulator.add(chunk)
    chunk["usageMetadata"].clear()
    chunk["candidates"].clear()
    found = read_response(accumulator.result())
    assert found.usage is not None
    assert found.usage.text_input_tokens == 12
    assert found.finish_reasons == ["stop"]


def test_an_error_that_the_client_passes_over_is_told() -> None:
    events = fake.broken_stream(message="overloaded").events
    assert events is not None
    accumulator, found = gathered(list(events), as_dicts=True)
    assert found.error == {"type": "UNAVAILABLE", "message": "overloaded"}
    assert found.finish_reasons == ["error"]
    assert not accumulator.complete


def test_a_stream_of_which_nothing_came_says_nothing() -> None:
    assert gathered([])[1] == LlmResponse(finish_reasons=[], tool_call_ids=[])
