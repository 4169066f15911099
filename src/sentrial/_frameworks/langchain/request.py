"""What LangChain is about to ask a model, from what it tells its callbacks before it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sentrial._frameworks.langchain.messages import defer_messages
from sentrial._frameworks.langchain.server import read_server
from sentrial._frameworks.langchain.tool_definitions import read_tools
from sentrial._providers.values import integer, listed, mapping, number, string, strings
from sentrial.types import Deferred, LlmRequest, Message, Part

_MODELS = ("model", "model_name", "model_id", "azure_deployment", "deployment_name", "repo_id", "ls_model_name")
_LIMITS = (
    "max_completion_tokens", "max_tokens", "max_output_tokens", "max_new_tokens", "num_predict", "max_tokens_to_sample",
    "ls_max_tokens",
)  # fmt: skip
_JSON = ("json", "json_object", "json_schema")
# Those whose API has tiers of service and a way to name the API itself.
_OPENAI = ("openai", "azure", "azureopenai", "openai-codex")


class _Said:
    """What is said of a call: of itself, else of the model it is made with, else to LangSmith. ``None`` is not said."""

    __slots__ = ("_names", "_places")

    def __init__(self, *places: Mapping[str, Any]) -> None:
        self._places = places
        # Most of what can be said is said nowhere.
        self._names = set().union(*places)

    def get(self, *names: str) -> Any:
        """The first value of any of ``names``."""
        return self.read(lambda value: value, *names)

    def read(self, read: Callable[[Any], Any], *names: str) -> Any:
        """The first value of any of ``names`` that ``read`` makes something of."""
        if self._names.isdisjoint(names):
            return None
        for place in self._places:
            for name in names:
                value = place.get(name)
                if value is not None and (found := read(value)) is not None:
                    return found
        return None


def read_request(
    operation: str,
    serialized: Mapping[str, Any] | None,
    given: Sequence[Any],
    invocation_params: Mapping[str, Any] | None,
    metadata: Mapping[str, Any] | None,
) -> LlmRequest:
    """The request.

    ``given``: messages, or the lists of them that ``on_chat_model_start`` has; for completions the prompts. Whether the
    answer is streamed is mostly not known yet: LangChain's own stream methods do not tell.
    """
    model, params, known = mapping(serialized), mapping(invocation_params), mapping(metadata)
    fields = mapping(model.get("kwargs"))
    said = _Said(params, mapping(params.get("model_kwargs")), fields, known)
    server = read_server(model, params, known)
    openai = server.speaks in _OPENAI
    choices = said.read(integer, "n", "num_generations", "candidate_count")
    tools = listed(params.get("tools")) or listed(params.get("functions"))
    return LlmRequest(
        operation=operation,
        provider=server.provider,
        model=_read_model(said),
        stream=params.get("stream") is True or params.get("streaming") is True,
        server_address=server.address,
        server_port=server.port,
        max_tokens=said.read(integer, *_LIMITS),
        temperature=said.read(number, "temperature", "ls_temperature"),
        top_p=said.read(number, "top_p"),
        top_k=said.read(integer, "top_k"),
        stop_sequences=said.read(_read_stops, "stop", "stop_sequences", "ls_stop"),
        frequency_penalty=said.read(number, "frequency_penalty"),
        presence_penalty=said.read(number, "presence_penalty"),
        seed=said.read(integer, "seed", "random_seed"),
        choice_count=choices if choices != 1 else None,
        reasoning_level=_read_reasoning_level(said),
        output_type=_read_output_type(said),
        api_type=_read_api_type(said, params) if openai and operation == "chat" else None,
        service_tier=_read_tier(said) if openai else None,
        previous_response_id=string(said.get("previous_response_id")),
        guardrail_id=_read_guardrail(said),
        input=_read_input(operation, given),
        tools=Deferred(tools, read_tools) if tools else None,
    )


def _read_model(said: _Said) -> str | None:
    """The model as prices and pages name it: Google's client has its whole path."""
    model: str | None = said.read(string, *_MODELS)
    return model.removeprefix("models/") if model is not None else None


def _read_stops(value: Any) -> list[str] | None:
    return strings(value) or None


def _read_reasoning_level(said: _Said) -> str | None:
    level = said.read(string, "reasoning_effort", "effort", "thinking_level")
    return level or string(said.read(_effort_in, "reasoning", "output_config"))


def _effort_in(value: Any) -> str | None:
    return string(mapping(value).get("effort"))


def _read_tier(said: _Said) -> str | None:
    tier: str | None = said.read(string, "service_tier")
    return tier if tier != "auto" else None


def _read_api_type(said: _Said, params: Mapping[str, Any]) -> str | None:
    """Only what was decided by the program: else LangChain chooses by the model and by what is asked of it."""
    if params.get("previous_response_id"):
        return "responses"
    by_responses = said.get("use_responses_api")
    return None if by_responses is None else "responses" if by_responses else "chat_completions"


def _read_guardrail(said: _Said) -> str | None:
    found = mapping(said.get("guardrail_config", "guardrails"))
    return string(found.get("guardrailIdentifier")) or string(found.get("guardrail_id"))


# --- the kind of answer --------------------------------------------------------------------------------------------


def _read_output_type(said: _Said) -> str | None:
    modalities = {word.lower() for word in said.read(strings, "modalities", "response_modalities") or ()}
    if "image" in modalities:
        return "image"
    if "audio" in modalities:
        return "speech"
    if said.get("response_schema", "response_json_schema") is not None:
        return "json"
    formats = ("response_format", "response_mime_type", "output_config", "output_format", "text", "format")
    found: str | None = said.read(_read_format, *formats)
    return found


def _read_format(value: Any) -> str | None:
    """A form of answer in the words of any of the APIs: a word, a description, or the class that it is to become."""
    if isinstance(value, type):
        return "json"
    if isinstance(value, str):
        word = value.rpartition("/")[2]
        return "json" if word in _JSON else "text" if word in ("text", "plain") else None
    if not isinstance(value, Mapping):
        return None
    if value.get("format") is not None:
        return _read_format(value["format"])
    # Without a type of answer it is the schema of one.
    kind = value.get("type")
    return "json" if kind in _JSON or "properties" in value else "text" if kind == "text" else None


# --- what is asked -------------------------------------------------------------------------------------------------


def _read_input(operation: str, given: Sequence[Any]) -> Deferred[Sequence[Message]] | None:
    if not given:
        return None
    if operation != "chat":
        return Deferred(given, read_prompts)
    lists = [each for each in given if isinstance(each, list) and not _is_pair(each)]
    flat = [message for each in lists for message in each] if len(lists) == len(given) else given
    return defer_messages(flat)


def _is_pair(value: list[Any]) -> bool:
    return len(value) == 2 and all(isinstance(each, str) for each in value)


def read_prompts(copy: Any) -> list[Message]:
    """The snapshot of a prompt, or of several."""
    prompts = copy if isinstance(copy, list) else [copy]
    return [Message("user", [Part.text(str(prompt))]) for prompt in prompts]
