"""Numbers in Google's calls that no exporter can carry."""

from __future__ import annotations

from types import SimpleNamespace

from sentrial._patch.spec import Outgoing
from sentrial._providers.google.content import OPERATION, read_request, read_response
from sentrial.types import Usage


def test_tokens_that_nobody_can_have_counted_are_not_said() -> None:
    counts = {"promptTokenCount": -5, "candidatesTokenCount": 2, "thoughtsTokenCount": 2**70}
    assert read_response({"usageMetadata": counts}).usage == Usage(output_tokens=2)


def test_a_whole_number_that_is_too_large_is_left_out() -> None:
    client = SimpleNamespace(vertexai=None, _http_options=None)
    body = {"generationConfig": {"topK": 1e300, "seed": 2**64, "maxOutputTokens": 5}}
    request = read_request(Outgoing(OPERATION, client, body, path="models/m:generateContent"))
    assert (request.top_k, request.seed, request.max_tokens) == (None, None, 5)
