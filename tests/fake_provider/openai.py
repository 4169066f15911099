"""OpenAI's API, as far as it is spoken here: what each path answers when nothing is queued."""

from __future__ import annotations

import base64
import struct

from fake_provider.answer import Answer, Request, Routes
from fake_provider.completion_stream import completion_events_of
from fake_provider.replies import read_reply
from fake_provider.response_stream import response_events_of

DIMENSIONS = 8
"""How long a vector is, where the request does not say."""


def _chat(request: Request) -> Answer:
    return Answer.stream() if request.body.get("stream") else Answer.reply()


def _completions(request: Request) -> Answer:
    completion = read_reply("completion_text")
    return Answer(events=completion_events_of(completion)) if request.body.get("stream") else Answer(body=completion)


def _responses(request: Request) -> Answer:
    response = read_reply("response_queued" if request.body.get("background") else "response_text")
    return Answer(events=response_events_of(response)) if request.body.get("stream") else Answer(body=response)


def _stored_response(request: Request) -> Answer:
    response = read_reply("response_fetched")
    return Answer(events=response_events_of(response)) if "stream=true" in request.path else Answer(body=response)


def _compacted(request: Request) -> Answer:
    return Answer.reply("response_compacted")


def _embeddings(request: Request) -> Answer:
    asked = request.body["input"]
    count = len(asked) if isinstance(asked, list) else 1
    vector = [number / 8 for number in range(request.body.get("dimensions") or DIMENSIONS)]
    encoded = base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
    embedding = encoded if request.body.get("encoding_format") == "base64" else vector
    return Answer(
        body={
            "object": "list",
            "data": [{"object": "embedding", "index": index, "embedding": embedding} for index in range(count)],
            "model": "text-embedding-3-small",
            "usage": {"prompt_tokens": 5 * count, "total_tokens": 5 * count},
        }
    )


ROUTES: Routes = {
    ("POST", ".*/chat/completions"): _chat,
    ("POST", ".*/completions"): _completions,
    ("POST", ".*/responses"): _responses,
    ("GET", ".*/responses/[^/]+"): _stored_response,
    ("POST", ".*/responses/compact"): _compacted,
    ("POST", ".*/embeddings"): _embeddings,
}
