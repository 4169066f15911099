"""What stands under an event: its inputs and outputs, its reasons, its error."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from typing import Any

from sentrial import semconv
from sentrial._cli.messages import read_json, read_message, read_messages, read_parts, readable
from sentrial._store.read import Event, read_last_message, read_text

# A label, the text it stands before, and the style of the text.
Labelled = tuple[str, str, str]

_BRIEF = 40
_ERROR = "red"
_ASIDE = "dim"


class EventTexts:
    """Reads the texts of events from the store. ``full``: everything, not what is needed at first sight."""

    def __init__(self, connection: sqlite3.Connection, *, full: bool) -> None:
        self._connection = connection
        self._full = full

    def attribute(self, event: Event, key: str) -> Any:
        """An attribute of ``event`` with its whole text; None where it has none."""
        return read_text(self._connection, event.attributes.get(key))

    def of(self, event: Event) -> Iterator[Labelled]:
        """All that ``event`` has to say, label by label."""
        yield from self.said(event)
        yield from self._details(event)
        yield from self._failure(event)

    def said(self, event: Event) -> Iterator[Labelled]:
        """Inputs, outputs and reasons of ``event``."""
        if self._full:
            instructions = read_json(self.attribute(event, semconv.GEN_AI_SYSTEM_INSTRUCTIONS))
            yield from self._plain("system", read_parts(instructions, full=True))
        yield from self._input(event)
        yield from self._json(event, "input", semconv.GEN_AI_TOOL_CALL_ARGUMENTS)
        yield from self._json(event, "output", semconv.GEN_AI_TOOL_CALL_RESULT)
        yield from self._json(event, "query", semconv.GEN_AI_RETRIEVAL_QUERY_TEXT)
        yield from self._found(event)
        yield from self._output(event)
        if choice_in_brief(event) is None:
            yield from self._json(event, "chosen", semconv.SENTRIAL_DECISION_CHOSEN)
        yield from self._alternatives(event)
        confidence = event.attributes.get(semconv.SENTRIAL_DECISION_CONFIDENCE)
        if isinstance(confidence, (int, float)):
            yield "sure", f"{confidence:.0%}", ""
        yield from self._json(event, "why", semconv.SENTRIAL_DECISION_REASONING)
        yield from self._json(event, "why", semconv.SENTRIAL_REASONING)

    def _input(self, event: Event) -> Iterator[Labelled]:
        value = event.attributes.get(semconv.GEN_AI_INPUT_MESSAGES)
        if value is None:
            yield from self._json(event, "input", semconv.INPUT_VALUE)
            return
        if self._full:
            messages = read_json(read_text(self._connection, value))
            yield from self._messages(messages, value)
            return
        last, earlier = read_last_message(self._connection, value)
        if last is None:
            yield from self._messages(None, value)
            return
        role, text = read_message(last)
        yield role, f"(+{earlier:,} earlier) {text}" if earlier else text, ""

    def _output(self, event: Event) -> Iterator[Labelled]:
        value = event.attributes.get(semconv.GEN_AI_OUTPUT_MESSAGES)
        if value is None:
            yield from self._json(event, "output", semconv.OUTPUT_VALUE)
        else:
            yield from self._messages(read_json(read_text(self._connection, value)), value)

    def _messages(self, messages: object, value: object) -> Iterator[Labelled]:
        if not isinstance(messages, list):
            # Cut or damaged on its way here: shown as it is.
            yield "messages", str(read_text(self._connection, value)), ""
            return
        for role, text in read_messages(messages, full=self._full):
            yield role, text, ""

    def _found(self, event: Event) -> Iterator[Labelled]:
        documents = read_json(self.attribute(event, semconv.GEN_AI_RETRIEVAL_DOCUMENTS))
        if self._full or not isinstance(documents, list):
            yield from self._json(event, "found", semconv.GEN_AI_RETRIEVAL_DOCUMENTS)
            return
        known = [each for each in documents if isinstance(each, dict)]
        lines = [": ".join(str(each[key]) for key in ("id", "content") if each.get(key)) for each in known]
        yield from self._plain("found", "\n".join(lines) or "nothing")

    def _alternatives(self, event: Event) -> Iterator[Labelled]:
        alternatives = self.attribute(event, semconv.SENTRIAL_DECISION_ALTERNATIVES)
        if isinstance(alternatives, (tuple, list)) and alternatives:
            yield "options", " | ".join(str(each) for each in alternatives), ""
        elif isinstance(alternatives, str):
            yield "options", alternatives, ""

    def _details(self, event: Event) -> Iterator[Labelled]:
        metadata = pairs(self, event, semconv.SENTRIAL_METADATA, semconv.SENTRIAL_METADATA_PREFIX)
        yield from self._plain("metadata", "  ".join(metadata), _ASIDE)
        if not self._full:
            return
        for label, key in _DETAILS:
            value = self.attribute(event, key)
            if value is not None:
                text = ", ".join(map(str, value)) if isinstance(value, (tuple, list)) else str(value)
                yield label, text, _ASIDE

    def _failure(self, event: Event) -> Iterator[Labelled]:
        kind = event.attributes.get(semconv.ERROR_TYPE)
        message = event.skeleton.get("status_message")
        stack = None
        for name, _, said, *_ in event.skeleton.get("events", ()):
            if name == semconv.EXCEPTION_EVENT:
                kind = said.get(semconv.EXCEPTION_TYPE) or kind
                message = read_text(self._connection, said.get(semconv.EXCEPTION_MESSAGE)) or message
                stack = read_text(self._connection, said.get(semconv.EXCEPTION_STACKTRACE))
        if event.status != "ERROR" and kind is None:
            return
        # An error event's line names the kind of error already.
        is_named = event.event_type == semconv.EVENT_ERROR or str(message).startswith(f"{kind}:")
        known = (None if is_named and message else kind, message)
        named = [str(each) for each in known if each and each != semconv.ERROR_TYPE_OTHER]
        yield from self._plain("error", ": ".join(named), _ERROR)
        if self._full and stack:
            yield "stack", str(stack), _ASIDE

    def _json(self, event: Event, label: str, key: str) -> Iterator[Labelled]:
        value = self.attribute(event, key)
        if value is not None:
            yield label, readable(value, full=self._full), ""

    def _plain(self, label: str, text: str, style: str = "") -> Iterator[Labelled]:
        if text:
            yield label, text, style


_DETAILS = (
    ("provider", semconv.GEN_AI_PROVIDER_NAME),
    ("model", semconv.GEN_AI_RESPONSE_MODEL),
    ("cached", semconv.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS),
    ("thought", semconv.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS),
    ("finish", semconv.GEN_AI_RESPONSE_FINISH_REASONS),
    ("stream", semconv.SENTRIAL_STREAM_END),
    ("call id", semconv.GEN_AI_TOOL_CALL_ID),
    ("cut", semconv.SENTRIAL_TRUNCATED),
    ("masked", semconv.SENTRIAL_MASKED),
    ("late", semconv.SENTRIAL_LATE),
)


def choice_in_brief(event: Event) -> str | None:
    """What a decision chose, if it is short enough to stand in the event's own line."""
    chosen = event.attributes.get(semconv.SENTRIAL_DECISION_CHOSEN)
    return chosen if isinstance(chosen, str) and len(chosen) <= _BRIEF and "\n" not in chosen else None


def pairs(texts: EventTexts, event: Event, whole: str, prefix: str | None = None) -> Iterable[str]:
    """The entries of an open-ended map, recorded one by one or as one JSON text, as ``key=value``."""
    for key in event.attributes:
        if prefix is not None and key.startswith(prefix):
            yield f"{key[len(prefix) :]}={readable(texts.attribute(event, key))}"
    together = read_json(texts.attribute(event, whole))
    if isinstance(together, dict):
        for key, value in together.items():
            yield f"{key}={readable(value)}"
