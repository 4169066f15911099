"""The model clients of a benchmark: each over an in-process HTTP transport that answers at once."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

WORDS = {"small": 40, "large": 800}
"""How many words the answer has."""


def turns(size: str) -> list[str]:
    """What was said so far, by turns of the user and the model: one short message, or 20 of 2 kB."""
    if size == "small":
        return ["Where is my parcel? I have been waiting for days."]
    return [f"{n} " + "word " * 400 for n in range(20)]


def tools(size: str) -> list[dict[str, Any]]:
    """What the model may use: nothing, or 10 tools."""
    parameters = {
        "type": "object",
        "properties": {
            name: {"type": "string", "description": f"The {name} to use"} for name in ("id", "name", "kind")
        },
        "required": ["id"],
    }
    described = {"description": "A tool that does one thing " * 3, "parameters": parameters}
    return [{"name": f"tool_{n}", **described} for n in range(10 if size == "large" else 0)]


class ModelClient(ABC):
    """A model client, one of its calls, and what a hand-written wrapper reads of it."""

    name: str
    provider: str

    @abstractmethod
    def make(self, size: str) -> Callable[..., Any]:
        """The method to call, of a client whose model answers with a text of ``size``."""

    @abstractmethod
    def arguments(self, size: str) -> dict[str, Any]:
        """What to call it with."""

    @abstractmethod
    def read_request(self, arguments: Mapping[str, Any]) -> tuple[Any, Any]:
        """The messages and the tools, as they can be written as JSON."""

    @abstractmethod
    def read_response(self, response: Any) -> tuple[list[str], int, int, Any]:
        """The finish reasons, the tokens in and out, and the messages as they can be written as JSON."""


def _transport(answer: Mapping[str, Any]) -> tuple[Any, Any]:
    try:
        import httpx2 as httpx
    except ImportError:
        import httpx
    return httpx, _canned(httpx, answer)


def _canned(httpx: Any, answer: Mapping[str, Any]) -> Any:
    body = json.dumps(answer).encode()

    class Canned(httpx.BaseTransport):  # type: ignore[name-defined,misc]  # of httpx or httpx2
        def handle_request(self, request: Any) -> Any:
            return httpx.Response(200, headers={"Content-Type": "application/json"}, content=body)

    return Canned()


class OpenAI(ModelClient):
    name = "openai"
    provider = "openai"

    def make(self, size: str) -> Callable[..., Any]:
        import openai

        message = {"role": "assistant", "content": "word " * WORDS[size]}
        httpx, transport = _transport(
            {
                "id": "chatcmpl-1",
                "object": "chat.completion",
                "created": 1700000000,
                "model": "gpt-4o-2024-08-06",
                "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
                "usage": {"prompt_tokens": 1200, "completion_tokens": 340, "total_tokens": 1540},
            }
        )
        client = openai.OpenAI(
            api_key="none", base_url="http://model.test/v1", http_client=httpx.Client(transport=transport)
        )
        create: Callable[..., Any] = client.chat.completions.create
        return create

    def arguments(self, size: str) -> dict[str, Any]:
        roles = ("user", "assistant")
        said = [{"role": roles[n % 2], "content": text} for n, text in enumerate(turns(size))]
        given = {"model": "gpt-4o", "messages": said, "temperature": 0.2, "max_tokens": 500}
        functions = [{"type": "function", "function": tool} for tool in tools(size)]
        return given | ({"tools": functions} if functions else {})

    def read_request(self, arguments: Mapping[str, Any]) -> tuple[Any, Any]:
        return arguments["messages"], arguments.get("tools")

    def read_response(self, response: Any) -> tuple[list[str], int, int, Any]:
        reasons = [choice.finish_reason for choice in response.choices]
        said = [choice.message.model_dump() for choice in response.choices]
        return reasons, response.usage.prompt_tokens, response.usage.completion_tokens, said


class Anthropic(ModelClient):
    name = "anthropic"
    provider = "anthropic"

    def make(self, size: str) -> Callable[..., Any]:
        import anthropic

        httpx, transport = _transport(
            {
                "id": "msg_1",
                "type": "message",
                "role": "assistant",
                "model": "claude-sonnet-4-6",
                "content": [{"type": "text", "text": "word " * WORDS[size]}],
                "stop_reason": "end_turn",
                "stop_sequence": None,
                "usage": {"input_tokens": 1200, "output_tokens": 340},
            }
        )
        client = anthropic.Anthropic(
            api_key="none", base_url="http://model.test", http_client=httpx.Client(transport=transport)
        )
        create: Callable[..., Any] = client.messages.create
        return create

    def arguments(self, size: str) -> dict[str, Any]:
        roles = ("user", "assistant")
        said = [{"role": roles[n % 2], "content": text} for n, text in enumerate(turns(size))]
        given = {"model": "claude-sonnet-4-6", "messages": said, "max_tokens": 500}
        functions = [
            {"input_schema" if key == "parameters" else key: tool[key] for key in tool} for tool in tools(size)
        ]
        return given | ({"tools": functions} if functions else {})

    def read_request(self, arguments: Mapping[str, Any]) -> tuple[Any, Any]:
        return arguments["messages"], arguments.get("tools")

    def read_response(self, response: Any) -> tuple[list[str], int, int, Any]:
        said = [block.model_dump() for block in response.content]
        return [response.stop_reason], response.usage.input_tokens, response.usage.output_tokens, said


class Google(ModelClient):
    name = "google"
    provider = "gcp.gemini"

    def make(self, size: str) -> Callable[..., Any]:
        import httpx
        from google import genai

        transport = _canned(
            httpx,
            {
                "responseId": "r1",
                "modelVersion": "gemini-2.5-flash",
                "candidates": [
                    {
                        "content": {"role": "model", "parts": [{"text": "word " * WORDS[size]}]},
                        "finishReason": "STOP",
                        "index": 0,
                    }
                ],
                "usageMetadata": {"promptTokenCount": 1200, "candidatesTokenCount": 340, "totalTokenCount": 1540},
            },
        )
        client = genai.Client(
            api_key="none",
            http_options={"base_url": "http://model.test", "httpx_client": httpx.Client(transport=transport)},
        )
        generate: Callable[..., Any] = client.models.generate_content
        return generate

    def arguments(self, size: str) -> dict[str, Any]:
        roles = ("user", "model")
        said = [{"role": roles[n % 2], "parts": [{"text": text}]} for n, text in enumerate(turns(size))]
        config: dict[str, Any] = {"temperature": 0.2, "max_output_tokens": 500}
        if tools(size):
            functions = [
                {"parameters_json_schema" if key == "parameters" else key: tool[key] for key in tool}
                for tool in tools(size)
            ]
            config["tools"] = [{"function_declarations": functions}]
        return {"model": "gemini-2.5-flash", "contents": said, "config": config}

    def read_request(self, arguments: Mapping[str, Any]) -> tuple[Any, Any]:
        return arguments["contents"], arguments["config"].get("tools")

    def read_response(self, response: Any) -> tuple[list[str], int, int, Any]:
        usage = response.usage_metadata
        reasons = [candidate.finish_reason.value for candidate in response.candidates]
        said = [candidate.content.model_dump(exclude_none=True) for candidate in response.candidates]
        return reasons, usage.prompt_token_count, usage.candidates_token_count, said


CLIENTS: dict[str, ModelClient] = {client.name: client for client in (OpenAI(), Anthropic(), Google())}
