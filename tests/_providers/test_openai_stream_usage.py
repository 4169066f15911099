"""When the tokens of a stream are asked for, in what, and what the program does not get to see of it."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from openai import AsyncOpenAI, AzureOpenAI, OpenAI
from openai._models import FinalRequestOptions
from openai.types import Completion
from openai.types.chat import ChatCompletionChunk

from sentrial._providers.openai import PROVIDER
from sentrial._providers.openai.stream_usage import ask, take_out
from sentrial._providers.stainless import add_fields

BODY = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": True}
ASKED = {"stream_options": {"include_usage": True}}
HERE = "http://127.0.0.1:9/v1"


def options_of(body: Any = BODY, **more: Any) -> FinalRequestOptions:
    return FinalRequestOptions.construct(method="post", url="/chat/completions", json_data=body, **more)


def asked_of(options: FinalRequestOptions, url: str = HERE) -> Any:
    with OpenAI(api_key="k", base_url=url) as client:
        outgoing = PROVIDER.recognise(client, (object, options), {"stream": True})
    assert outgoing is not None
    return ask(outgoing)


@pytest.mark.parametrize(
    ("more", "asked"),
    [
        ({}, ASKED),
        ({"stream_options": None}, ASKED),
        ({"stream_options": {}}, ASKED),
        ({"stream_options": {"include_obfuscation": False}},
         {"stream_options": {"include_obfuscation": False, "include_usage": True}}),
        ({"stream_options": {"include_usage": True}}, None),
        ({"stream_options": {"include_usage": False}}, None),
        ({"stream": False}, None),
        ({"data_sources": [{"type": "azure_search"}]}, None),
    ],
)  # fmt: skip
def test_what_the_program_says_itself_stands_whichever_way_it_says_it(more: dict[str, Any], asked: Any) -> None:
    assert asked_of(options_of({**BODY, **more})) == asked
    assert asked_of(options_of(BODY, extra_json=more)) == asked


def test_a_body_that_is_no_json_of_the_clients_is_left_alone() -> None:
    assert asked_of(options_of(None)) is None
    assert asked_of(options_of(b'{"stream": true}')) is None


@pytest.mark.parametrize("kind", ["true", "stream"])
def test_who_reads_the_response_itself_is_left_alone(kind: str) -> None:
    assert asked_of(options_of(headers={"X-Stainless-Raw-Response": kind})) is None
    assert asked_of(options_of(headers={"X-Stainless-Helper-Method": "chat.completions.stream"})) == ASKED


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("https://api.openai.com/v1", ASKED),
        ("https://api.groq.com/openai/v1", ASKED),
        ("http://127.0.0.1:11434/v1", ASKED),
        ("https://api.mistral.ai/v1", None),
        ("https://openrouter.ai/api/v1", None),
    ],
)
def test_who_says_the_tokens_anyway_is_not_asked(url: str, asked: Any) -> None:
    assert asked_of(options_of(), url) == asked


@pytest.mark.parametrize("extra", [None, {"top_k": 4}])
@pytest.mark.parametrize("by_name", [True, False])
def test_what_is_sent_asks_and_what_the_program_gave_is_as_it_was(extra: Any, by_name: bool) -> None:
    options = options_of(extra_json=extra)
    before, given = dict(vars(options)), copy.deepcopy((BODY, extra))
    args: tuple[Any, ...] = (object,) if by_name else (object, options, "more")
    kwargs = {"stream": True, **({"options": options} if by_name else {})}
    added, named = add_fields(args, kwargs, ASKED)
    sent = named["options"] if by_name else added[1]
    assert (added[0], added[2:], named["stream"]) == (object, args[2:], True)
    assert len(kwargs) == 1 + by_name
    for client in (
        OpenAI(api_key="k", base_url=HERE),
        AsyncOpenAI(api_key="k", base_url=HERE),
        AzureOpenAI(api_key="k", azure_endpoint="http://127.0.0.1:9", api_version="2024-10-21"),
    ):
        request = client._build_request(copy.copy(sent))
        assert client._build_request(options_of({**BODY, **(extra or {}), **ASKED})).content == request.content
    assert sent is not options
    assert vars(options) == before
    assert (options.json_data, options.extra_json) == given


HEAD = {"id": "c1", "created": 1, "model": "m", "object": "chat.completion.chunk"}
TOLD = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
PIECE = {"index": 0, "delta": {"content": "hi"}, "finish_reason": None}


@pytest.mark.parametrize(
    ("fields", "is_all"),
    [
        ({"choices": [], "usage": TOLD}, True),
        ({"choices": None, "usage": TOLD}, True),
        ({"usage": TOLD}, True),
        ({"choices": [PIECE], "usage": TOLD}, False),
        ({"choices": [PIECE]}, False),
        ({"choices": []}, False),
        ({"choices": [], "prompt_filter_results": [{"prompt_index": 0}]}, False),
    ],
)
def test_the_chunk_of_the_tokens_alone_is_taken_out(fields: dict[str, Any], is_all: bool) -> None:
    chunk = ChatCompletionChunk.construct(**HEAD, **fields)
    before = chunk.to_dict()
    assert take_out(chunk) is is_all
    assert chunk.to_dict() == before
    assert take_out({**HEAD, **fields}) is is_all


@pytest.mark.parametrize("kind", [ChatCompletionChunk, Completion])
def test_a_chunk_says_no_usage_that_it_would_not_have_said_unasked(kind: Any) -> None:
    chunk, unasked = kind.construct(**HEAD, choices=[], usage=None), kind.construct(**HEAD, choices=[])
    assert take_out(chunk) is False
    assert (chunk, chunk.to_dict(), chunk.model_fields_set) == (unasked, unasked.to_dict(), unasked.model_fields_set)


@pytest.mark.parametrize("odd", [None, b"data: [DONE]", "text", 7, []])
def test_what_is_no_chunk_is_left_alone(odd: Any) -> None:
    assert take_out(odd) is False
