"""Each method of Google's client that makes a call is recorded, or stands on a list of what is not, with a reason."""

from __future__ import annotations

import inspect
from types import SimpleNamespace
from typing import Any

import pytest
from google.genai._api_client import BaseApiClient

from sentrial._providers.google import recognise
from surface import Listed, read_list
from surface.google import google_calls

LISTED = read_list("google")
CALLS = google_calls()

PREDICTIONS: tuple[dict[str, Any], ...] = ({"instances": [{"content": "a"}]}, {"instances": [{"prompt": "a cat"}]})


def lines_for(name: str) -> list[Listed]:
    return [line for line in LISTED if line.covers(name)]


def recorded_as(verb: str, body: dict[str, Any]) -> str | None:
    client = SimpleNamespace(vertexai=True, _http_options={})
    outgoing = recognise(client, ("post", f"publishers/google/models/a:{verb}?alt=sse", body, None), {})
    return outgoing.operation.name if outgoing else None


@pytest.mark.parametrize("name", sorted(CALLS))
def test_a_method_is_on_one_list(name: str) -> None:
    (line,) = lines_for(name)
    assert line.said


@pytest.mark.parametrize("name", sorted(CALLS))
def test_what_the_list_says_is_what_is_done(name: str) -> None:
    (line,) = lines_for(name)
    said = line.said if line.recorded else None
    asks_for_vectors = name.endswith("embed_content")
    body = PREDICTIONS[0] if asks_for_vectors else PREDICTIONS[1]
    assert {recorded_as(verb, body) for verb in CALLS[name]} in (set(), {said})


def test_the_client_makes_the_calls_that_are_recorded_in_every_version() -> None:
    assert CALLS["models._generate_content"] == {"generateContent"}
    assert CALLS["models._generate_content_stream"] == {"streamGenerateContent"}
    (embeds,) = {"models.embed_content", "models._embed_content"} & set(CALLS)
    assert {"batchEmbedContents", "predict"} <= CALLS[embeds]
    assert len(CALLS) >= 30
    assert all(line.said for line in LISTED)


def test_a_method_that_is_on_no_list_is_found() -> None:
    assert lines_for("poems.create") == []
    assert lines_for("models.generate_poem") == []


def test_the_methods_that_are_patched_take_what_we_read() -> None:
    for method in ("request", "async_request", "request_streamed", "async_request_streamed"):
        names = list(inspect.signature(getattr(BaseApiClient, method)).parameters)
        assert names == ["self", "http_method", "path", "request_dict", "http_options"]
