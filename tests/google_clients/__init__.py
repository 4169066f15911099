"""Google's client at the fake provider, in every version that is supported."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from fake_provider import FakeProvider

MODEL = "gemini-2.5-flash"


@contextmanager
def gemini(server: FakeProvider, **options: Any) -> Iterator[Any]:
    """A client of the Gemini API; ``options``: HTTP options."""
    from google import genai

    client = genai.Client(api_key="test", http_options={"base_url": server.url, **options})
    yield client
    if hasattr(client, "close"):
        client.close()


@contextmanager
def vertex(server: FakeProvider) -> Iterator[Any]:
    """A client of Vertex AI."""
    from google import genai
    from google.oauth2.credentials import Credentials

    client = genai.Client(
        vertexai=True,
        project="shop",
        location="europe-west4",
        credentials=Credentials(token="test"),
        http_options={"base_url": server.url},
    )
    yield client
    if hasattr(client, "close"):
        client.close()


@asynccontextmanager
async def gemini_async(server: FakeProvider, **options: Any) -> AsyncIterator[Any]:
    """The asynchronous side of a client of the Gemini API."""
    with gemini(server, **options) as client:
        yield client.aio
        if hasattr(client.aio, "aclose"):
            await client.aio.aclose()


def is_oldest() -> bool:
    """Whether the client is of the first generation that is supported: it knows fewer words, and answers in dicts."""
    from google.genai import types

    return not hasattr(types, "ThinkingLevel")


def named(scenario: str) -> str:
    """The name of a scenario that is not the same in both generations."""
    return f"{scenario}_oldest" if is_oldest() else scenario
