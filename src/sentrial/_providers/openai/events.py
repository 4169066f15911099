"""The events that a streamed response of OpenAI's comes in."""

from __future__ import annotations

from typing import Any

from sentrial._providers.values import NOTHING, all_fields, fields_of, index_of, joined, listed

_LAST = frozenset(["response.completed", "response.incomplete", "response.failed"])
# Which field of an item a piece belongs to: in the list of that name, in a part of that type, the field of that name.
_DELTAS: dict[str, tuple[str | None, str, str]] = {
    "response.output_text.delta": ("content", "output_text", "text"),
    "response.refusal.delta": ("content", "refusal", "refusal"),
    "response.reasoning_text.delta": ("content", "reasoning_text", "text"),
    "response.reasoning_summary_text.delta": ("summary", "summary_text", "text"),
    "response.function_call_arguments.delta": (None, "", "arguments"),
    "response.mcp_call_arguments.delta": (None, "", "arguments"),
    "response.custom_tool_call_input.delta": (None, "", "input"),
    "response.code_interpreter_call_code.delta": (None, "", "code"),
}
_ITEMS = ("response.output_item.added", "response.output_item.done")


class ResponseAccumulator:
    """Gathers the events of a streamed response, each by reference; the last one brings the answer itself."""

    __slots__ = ("_error", "_items", "_pieces", "_response", "complete")

    def __init__(self) -> None:
        self.complete = False
        self._response: Any = NOTHING
        self._error: dict[str, Any] | None = None
        self._items: dict[int, Any] = {}
        self._pieces: dict[int, dict[tuple[str, int], list[str]]] = {}

    def add(self, chunk: Any) -> None:
        """Take one event. An item that is done makes its pieces needless."""
        fields = fields_of(chunk)
        kind = fields.get("type")
        if kind in _DELTAS:
            place = (kind, index_of(fields.get("content_index") or fields.get("summary_index")))
            pieces = self._pieces.setdefault(index_of(fields.get("output_index")), {})
            pieces.setdefault(place, []).append(fields.get("delta") or "")
        elif kind in _ITEMS:
            index = index_of(fields.get("output_index"))
            self._items[index] = fields.get("item")
            if kind == _ITEMS[1]:
                self._pieces.pop(index, None)
        elif kind == "error":
            self._error = fields_of(fields.get("error")) or fields
        elif fields.get("response"):
            self._response = fields["response"]
            self.complete = kind in _LAST

    def result(self) -> dict[str, Any]:
        """The response, or as much of one as has come: that is ``cut``."""
        response = {**all_fields(self._response)}
        # Codex and some gateways leave the items out of the last event.
        if not (self.complete and listed(response.get("output"))):
            indices = sorted({*self._items, *self._pieces})
            response["output"] = [self._item(index) for index in indices]
        if self._error is not None:
            response |= {"error": self._error, "status": "failed"}
        if self._error is not None or not self.complete:
            response["cut"] = True
        return response

    def _item(self, index: int) -> dict[str, Any]:
        item = dict(fields_of(self._items.get(index)))
        for (kind, _), pieces in sorted(self._pieces.get(index, {}).items()):
            within, part, field = _DELTAS[kind]
            text = joined(pieces)
            if within is None:
                item[field] = text
            else:
                # The list is the client's own object: never added to.
                item[within] = [*(listed(item.get(within)) or ()), {"type": part, field: text}]
        if "type" not in item:
            item |= {"type": "message", "role": "assistant"}
        return item
