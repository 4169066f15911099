"""LangChain's chat models of OpenAI, Anthropic and Google, as programs make them, on the loopback server."""

from __future__ import annotations

import itertools
import warnings
from importlib import metadata
from typing import Any

from fake_provider import FakeProvider

GOOGLE_STREAMS = int(metadata.version("langchain-google-genai").partition(".")[0]) >= 4
"""Whether Google's model can stream and be awaited here: before 4.0 it needs gRPC for both."""

_numbers = itertools.count(1)


class Models:
    """Makes chat models that ask ``server``, and closes their clients. Keywords of each are those of its class."""

    def __init__(self, server: FakeProvider) -> None:
        self._server = server
        self._clients: list[Any] = []
        self._async_clients: list[Any] = []

    def openai(self, **changes: Any) -> Any:
        """A ``ChatOpenAI``; its streams have usage."""
        from langchain_openai import ChatOpenAI

        usual = {"model": "gpt-4.1-mini", "api_key": "sk-test", "max_retries": 0, "stream_usage": True}
        model = ChatOpenAI(base_url=f"{self._own_url()}/v1", **{**usual, **changes})
        self._clients.append(model.root_client)
        self._async_clients.append(model.root_async_client)
        return model

    def anthropic(self, **changes: Any) -> Any:
        """A ``ChatAnthropic``."""
        from langchain_anthropic import ChatAnthropic

        usual = {"model": "claude-opus-4-5", "api_key": "sk-ant-test", "max_retries": 0}
        model = ChatAnthropic(base_url=self._own_url(), **{**usual, **changes})
        self._clients.append(model._client)
        self._async_clients.append(model._async_client)
        return model

    def google(self, **changes: Any) -> Any:
        """A ``ChatGoogleGenerativeAI``; see ``GOOGLE_STREAMS``."""
        with warnings.catch_warnings():
            # Of Google's, about the Python that it runs on.
            warnings.simplefilter("ignore", FutureWarning)
            from langchain_google_genai import ChatGoogleGenerativeAI

        usual = {"model": "gemini-2.5-flash", "google_api_key": "g-test", "max_retries": 1}
        if GOOGLE_STREAMS:
            model = ChatGoogleGenerativeAI(base_url=self._server.url, **{**usual, **changes})
            self._clients.append(model.client)
            self._async_clients.append(model.client.aio)
        else:
            place = {"transport": "rest", "client_options": {"api_endpoint": self._server.url}}
            model = ChatGoogleGenerativeAI(**{**usual, **place, **changes})
            self._clients.append(model.client.transport)
        return model

    async def close(self) -> None:
        """Close their connections, those of asynchronous calls too."""
        for client in self._clients:
            client.close()
        for client in self._async_clients:
            await (client.aclose() if hasattr(client, "aclose") else client.close())

    def _own_url(self) -> str:
        # LangChain keeps HTTP clients by URL: one that is closed must not come again with the port of another test.
        return f"{self._server.url}/{next(_numbers)}"
