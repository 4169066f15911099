"""What spans tell of model calls, whatever words their makers use; and whether that is right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from compare.program import Call

KIND = ("gen_ai.operation.name", "openinference.span.kind", "llm.request.type")
MODEL_CALLS = {"chat", "generate_content", "text_completion", "embeddings", "completion", "embedding", "llm"}
INPUT = ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt")
SESSION = "invoke_agent"
OUTPUT = ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.token_count.completion")
FAILED = "ERROR"


def model_calls(spans: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The spans of model calls, in the order in which they began."""
    found = [span for span in spans if _is_model_call(span["attributes"])]
    return sorted(found, key=lambda span: span["start"])


def _is_model_call(attributes: Mapping[str, Any]) -> bool:
    if attributes.get(KIND[0]) == SESSION:
        return False
    return any(str(attributes.get(key)).lower() in MODEL_CALLS for key in KIND) or any(
        key in attributes for key in (*INPUT, *OUTPUT)
    )


def tokens_of(span: Mapping[str, Any]) -> list[int | None]:
    """What a span says of the tokens that went in and came out."""
    return [_first(span["attributes"], keys) for keys in (INPUT, OUTPUT)]


def totals(spans: Sequence[Mapping[str, Any]]) -> list[int | None]:
    """What the session says of all its calls: how many there were, and their tokens; of the only session."""
    (root,) = (span["attributes"] for span in spans if span["attributes"].get(KIND[0]) == SESSION)
    return [root.get("sentrial.session.llm_calls"), root.get(INPUT[0]), root.get(OUTPUT[0])]


def faults(spans: Sequence[Mapping[str, Any]], calls: Sequence[Call]) -> Iterator[str]:
    """What is wrong with the spans of a program that makes ``calls``, in words; nothing if all is right."""
    if len(spans) != len(calls):
        yield f"{len(spans) or 'no'} span{'s' if len(spans) > 1 else ''} for {len(calls)}" if spans else "no span"
        return
    for span, call in zip(spans, calls, strict=True):
        told = tokens_of(span)
        wanted = [call.input_tokens, call.output_tokens]
        if told != wanted and not (call.optional and told == [None, None]):
            if all(each is None for each in told):
                yield "no tokens"
            else:
                words = ["-" if each is None else str(each) for each in (*told, *wanted)]
                yield f"tokens {words[0]}/{words[1]}, not {words[2]}/{words[3]}"
        if (span["status"] == FAILED) != call.failed:
            yield "a failure not told" if call.failed else "told as a failure"


def _first(attributes: Mapping[str, Any], keys: Sequence[str]) -> Any:
    return next((attributes[key] for key in keys if key in attributes), None)
