"""What a model has answered through LangChain: an ``LLMResult``, whole or what came before an error."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from sentrial._frameworks.langchain.messages import defer_messages
from sentrial._frameworks.langchain.usage import is_from_cache, read_charges, read_counts, read_usage_metadata
from sentrial._providers.values import NOTHING, UNFINISHED, fields_of, string
from sentrial.types import Deferred, LlmResponse, Message, Part, Usage

_FILTERED = (
    "refusal", "safety", "recitation", "language", "blocklist", "prohibited_content", "spii", "model_armor",
    "escalation", "pup_limited_disabled", "image_safety", "image_prohibited_content", "image_recitation",
    "guardrail_intervened", "content_filtered", "error_toxic",
)  # fmt: skip
# Of all providers at once: not every version of LangChain says which one has answered, and no word means two things.
_FINISH_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "eos": "stop",
    "eos_token": "stop",
    "complete": "stop",
    "completed": "stop",
    "max_tokens": "length",
    "max_output_tokens": "length",
    "model_context_window_exceeded": "length",
    "model_length": "length",
    "continuation": "length",
    "tool_calls": "tool_call",
    "function_call": "tool_call",
    "tool_use": "tool_call",
    **dict.fromkeys(_FILTERED, "content_filter"),
}
_REASONS = ("finish_reason", "stop_reason", "stopReason", "done_reason")
_TOOL_CALL = "tool_call"
_FAILED = "failed"
# The ids that LangChain and LangGraph give to messages themselves.
_OWN_ID = re.compile(r"run-|lc_|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-")
_COUNTS = ("token_usage", "usage", "usage_metadata")


class _Choice(NamedTuple):
    """One generation: its message, where it has one, and what was said about it."""

    text: Any
    message: Any
    fields: dict[str, Any]
    info: dict[str, Any]

    @property
    def is_empty(self) -> bool:
        fields = self.fields
        beside = fields_of(fields.get("additional_kwargs"))
        return not (self.text or fields.get("content") or fields.get("tool_calls") or any(beside.values()))


def read_response(result: Any, *, broken: bool = False) -> LlmResponse:
    """The answer in an ``LLMResult``. ``broken``: it is what came before an error, and may be nothing."""
    fields = fields_of(result)
    head = fields_of(fields.get("llm_output"))
    choices = [_read_choice(generation) for several in fields.get("generations") or () for generation in several]
    if broken:
        # LangChain tells of an error in a message without words.
        choices = [choice for choice in choices if not choice.is_empty]
    said = _merged(choices)
    # Of an answer without messages this is what was asked, told back.
    chat_head = head if any(choice.message is not None for choice in choices) else NOTHING
    model = _text(said, "model_name", "model", "model_version") or _text(chat_head, "model_name", "model")
    return LlmResponse(
        id=_read_id(choices, said, chat_head),
        model=model.removeprefix("models/") if model else None,
        finish_reasons=_read_finish_reasons(choices, broken=broken),
        usage=_read_usage(choices, said, head),
        service_tier=_text(said, "service_tier") or _text(chat_head, "service_tier"),
        system_fingerprint=_text(said, "system_fingerprint") or _text(head, "system_fingerprint"),
        error=_read_error(choices),
        tool_call_ids=[call_id for choice in choices for call_id in _read_call_ids(choice)],
        output=_read_output(choices),
    )


def _read_choice(generation: Any) -> _Choice:
    fields = fields_of(generation)
    message = fields.get("message")
    said = fields_of(message)
    info = {**fields_of(fields.get("generation_info")), **fields_of(said.get("response_metadata"))}
    return _Choice(fields.get("text"), message, said, info)


def _merged(choices: Sequence[_Choice]) -> dict[str, Any]:
    """What was said about the answer: each choice says it again, or the first alone."""
    return {key: value for choice in reversed(choices) for key, value in choice.info.items() if value is not None}


def _text(fields: dict[str, Any], *names: str) -> str | None:
    for name in names:
        text = string(fields.get(name))
        if text is not None:
            return text
    return None


def _read_id(choices: Sequence[_Choice], said: dict[str, Any], head: dict[str, Any]) -> str | None:
    found = _text(said, "id", "response_id") or _text(head, "id")
    if found is not None:
        return found
    own = (string(choice.fields.get("id")) for choice in choices)
    return next((each for each in own if each and not _OWN_ID.match(each)), None)


def _read_call_ids(choice: _Choice) -> list[str]:
    calls = choice.fields.get("tool_calls") or ()
    return [call_id for call in calls if (call_id := string(fields_of(call).get("id")))]


# --- how it ended --------------------------------------------------------------------------------------------------


def _read_finish_reasons(choices: Sequence[_Choice], *, broken: bool) -> list[str]:
    """One a choice. Where none says it, nothing is known of a whole answer, and a broken one has not ended."""
    reasons = [_read_finish_reason(choice) for choice in choices]
    if not broken and not any(reasons):
        return []
    return [reason or UNFINISHED for reason in reasons]


def _read_finish_reason(choice: _Choice) -> str | None:
    reason = _text(choice.info, *_REASONS) or _read_status(choice.info)
    if reason is None:
        return None
    known = _FINISH_REASONS.get(reason.lower(), reason.lower() if reason.isupper() else reason)
    return _TOOL_CALL if known == "stop" and choice.fields.get("tool_calls") else known


def _read_error(choices: Sequence[_Choice]) -> dict[str, Any] | None:
    """A failure that LangChain takes for an answer: of what the API said, the reason is what it keeps."""
    reasons = (_text(choice.info, *_REASONS) for choice in choices)
    return {"type": _FAILED, "message": ""} if any(reason and reason.lower() == "error" for reason in reasons) else None


def _read_status(info: dict[str, Any]) -> str | None:
    """OpenAI's responses have no reason, but a status."""
    status = _text(info, "status")
    if status == "incomplete":
        return string(fields_of(info.get("incomplete_details")).get("reason")) or UNFINISHED
    return UNFINISHED if status in (_FAILED, "cancelled") else "stop" if status == "completed" else None


# --- what it cost --------------------------------------------------------------------------------------------------


def _read_usage(choices: Sequence[_Choice], said: dict[str, Any], head: dict[str, Any]) -> Usage | None:
    counted = [choice.fields.get("usage_metadata") for choice in choices]
    if any(map(is_from_cache, counted)):
        return None  # nobody was asked, and nothing was charged
    # Of several choices each one carries the count of all.
    known = (read_usage_metadata(each, said.get("model_provider")) for each in counted)
    usage = next((usage for usage in known if usage is not None), None)
    told = [each for place in (said, head) for name in _COUNTS if (each := place.get(name)) is not None]
    told.append(said)
    if usage is None:
        usage = next((usage for usage in map(read_counts, told) if usage is not None), None)
    return read_charges(usage, told) if usage is not None else None


# --- what it says --------------------------------------------------------------------------------------------------


def _read_output(choices: Sequence[_Choice]) -> Deferred[Sequence[Message]] | None:
    if not choices:
        return None
    if any(choice.message is None for choice in choices):
        return Deferred([choice.text for choice in choices], read_texts)
    return defer_messages([choice.message for choice in choices])


def read_texts(copy: Any) -> list[Message]:
    """The snapshot of the texts of completions."""
    return [Message("assistant", [Part.text(text)] if string(text) else []) for text in copy]
