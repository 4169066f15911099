"""Google's client (google-genai): one line a kind of call, and the tools that the client runs by itself.

Every call of every surface (models, chats, their streams, automatic function calling) goes through four methods with
the path and the JSON of the API: these are patched. What the program itself calls stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sentrial._patch.spec import Operation, Outgoing, Provider, Role, Target, ToolRun
from sentrial._providers.google import content, embeddings
from sentrial._providers.google.endpoint import read_base_url
from sentrial._providers.values import mapping, string

_CLIENT = "google.genai._api_client"
_CALLS = ("request", "async_request", "request_streamed", "async_request_streamed")
_ATTEMPTS = ("_request_once", "_async_request_once")
_REFUSALS = ("raise_for_response", "raise_for_async_response")
_SURFACES = ("generate_content", "generate_content_stream", "embed_content")
_TOOLS = ("invoke_function_from_dict_args", "invoke_function_from_dict_args_async")

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
    elsewhere = read_base_url(given.get("http_options"))
    return Outgoing(
        operation,
        client,
        body,
        stream=verb == _STREAMED,
        path=f"{elsewhere.rstrip('/')}/{path}" if elsewhere else path,
    )


def identify(client: Any) -> Any:
    """What makes the calls of a client: its models, chats and asynchronous side share it."""
    return getattr(client, "_api_client", client)


def read_tool(method: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> ToolRun:
    """The function that the client is about to call: ``(args, function_to_invoke)``."""
    given = dict(zip(("args", "function_to_invoke"), args, strict=False)) | dict(kwargs)
    function = given["function_to_invoke"]
    description = getattr(function, "__doc__", None)
    return ToolRun(
        getattr(function, "__name__", type(function).__name__),
        arguments=given["args"],
        description=string(description),
        function=function,
    )


def read_tool_error(error: BaseException) -> BaseException:
    """What the function raised: the client's own exception around it holds the arguments."""
    cause = error.__context__
    return cause if cause is not None and type(error).__name__ == "FunctionInvocationError" else error


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
        *(Target("google.genai._extra_utils", None, function, Role.TOOL) for function in _TOOLS),
    ],
    recognise=recognise,
    identify=identify,
    read_tool=read_tool,
    read_tool_error=read_tool_error,
    read_error_code=read_error_code,
    surfaces=[Target("google.genai.models", cls, method) for cls in ("Models", "AsyncModels") for method in _SURFACES],
)
