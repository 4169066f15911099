"""Google's client (google-genai): one line a kind of call, and the tools that the client runs by itself.

Every call of every surface (models, chats, their streams, automatic function calling) goes through four methods with
the path and the JSON of the API: these are patched. What the program itself calls stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sentrial._patch.spec import Operation, Outgoing, Provider, Role, Target
from sentrial._providers.google import content, embeddings, tools
from sentrial._providers.google.endpoint import read_base_url
from sentrial._providers.google.parts import spelt
from sentrial._providers.values import fields_of, mapping, string

_CLIENT = "google.genai._api_client"
_CALLS = ("request", "async_request", "request_streamed", "async_request_streamed")
_ATTEMPTS = ("_request_once", "_async_request_once")
_REFUSALS = ("raise_for_response", "raise_for_async_response")
_SURFACES = ("generate_content", "generate_content_stream", "embed_content")

_STREAMED = "streamGenerateContent"
_OPERATIONS: Mapping[str, Operation] = {
    "generateContent": content.OPERATION,
    _STREAMED: content.OPERATION,
    "embedContent": embeddings.OPERATION,
    "batchEmbedContents": embeddings.OPERATION,
}


def recognise(client: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Outgoing | None:
    """The reader of ``request(http_method, path, request_dict, http_options)``."""
    given = dict(zip(("http_method", "path", "request_dict", "http_options"), args, strict=False)) | dict(kwargs)
    path, body = given["path"], mapping(given["request_dict"])
    verb = path.partition("?")[0].rpartition(":")[2]
    operation = _OPERATIONS.get(verb)
    if operation is None and verb == "predict" and embeddings.is_asked_for(body):
        operation = embeddings.OPERATION
    if operation is None:
        return None
    options = given.get("http_options")
    elsewhere = read_base_url(options)
    extra = _read_extra(options) or _read_extra(client._http_options)
    return Outgoing(
        operation,
        client,
        _merged(body, extra) if extra else body,
        stream=verb == _STREAMED,
        path=f"{elsewhere.rstrip('/')}/{path}" if elsewhere else path,
    )


def _read_extra(options: Any) -> Any:
    """What the program adds to the body of a call, or of all calls of a client: ``HttpOptions(extra_body=...)``."""
    return fields_of(options).get("extra_body")


def _merged(body: Any, extra: Any) -> Any:
    """The body as the client is going to send it: ``extra`` in it, level by level."""
    if type(body) is not dict or type(extra) is not dict:
        return extra
    body = spelt(body)
    return body | {key: _merged(body.get(key), value) for key, value in spelt(extra).items()}


def identify(client: Any) -> Any:
    """What makes the calls of a client: its models, chats and asynchronous side share it."""
    return getattr(client, "_api_client", client)


def read_error_code(error: BaseException) -> str | None:
    """The API's word, ``RESOURCE_EXHAUSTED`` say."""
    return string(getattr(error, "status", None))


PROVIDER = Provider(
    name="google",
    packages=("google.genai",),
    targets=[
        *(Target(_CLIENT, "BaseApiClient", method) for method in _CALLS),
        *(Target(_CLIENT, "BaseApiClient", method, Role.ATTEMPT) for method in _ATTEMPTS),
        *(Target("google.genai.errors", "APIError", method, Role.REFUSED) for method in _REFUSALS),
        *tools.TARGETS,
    ],
    recognise=recognise,
    identify=identify,
    read_tool=tools.read_tool,
    read_tool_result=tools.read_tool_result,
    read_tool_error=tools.read_tool_error,
    read_error_code=read_error_code,
    surfaces=[Target("google.genai.models", cls, method) for cls in ("Models", "AsyncModels") for method in _SURFACES],
)
