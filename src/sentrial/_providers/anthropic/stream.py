"""The events of Anthropic's streams, gathered into what the plain answer would have been."""

from __future__ import annotations

from typing import Any

from sentrial._providers.values import all_fields, fields_of, index_of, joined

_TEXTS = {
    "text_delta": ("text", "text"),
    "thinking_delta": ("thinking", "thinking"),
    "signature_delta": ("signature", "signature"),
    "input_json_delta": ("input", "partial_json"),
    "compaction_delta": ("content", "content"),
}
# What a stream's first event says of these is only where the counting begins.
_COUNTED = ("output_tokens", "output_tokens_details")


class MessageAccumulator:
    """Gathers the events of a streamed message, each piece by reference."""

    __slots__ = ("_blocks", "_pieces", "_said", "_usage", "complete")

    def __init__(self) -> None:
        self.complete = False
        self._said: dict[str, Any] = {}
        self._usage: dict[str, Any] = {}
        self._blocks: dict[int, dict[str, Any]] = {}
        self._pieces: dict[tuple[int, str], list[str]] = {}

    def add(self, chunk: Any) -> None:
        """Take one event."""
        fields = fields_of(chunk)
        kind = fields.get("type")
        if kind == "content_block_delta":
            self._add_piece(index_of(fields.get("index")), fields.get("delta"))
        elif kind == "content_block_start":
            self._blocks[index_of(fields.get("index"))] = all_fields(fields.get("content_block"))
        elif kind == "message_start":
            message = fields_of(fields.get("message"))
            self._said = {key: message[key] for key in ("id", "model") if message.get(key)}
            usage = _read_known(message.get("usage"))
            self._usage = {key: value for key, value in usage.items() if key not in _COUNTED}
        elif kind == "message_delta":
            self._said |= _read_known(fields.get("delta"))
            # These counts are of the whole message so far.
            self._usage |= _read_known(fields.get("usage"))
        elif kind == "message_stop":
            self.complete = True

    def _add_piece(self, index: int, delta: Any) -> None:
        fields = fields_of(delta)
        target, key = _TEXTS.get(fields.get("type", ""), ("", ""))
        piece = fields[key] if key in fields else all_fields(delta).get(key)
        if piece:
            pieces = self._pieces.get((index, target))
            if pieces is None:
                pieces = self._pieces[index, target] = []
            pieces.append(piece)

    def result(self) -> dict[str, Any] | None:
        """The message so far, as the API would have answered it in one piece."""
        blocks = {index: dict(block) for index, block in sorted(self._blocks.items())}
        for (index, target), pieces in list(self._pieces.items()):
            block = blocks.setdefault(index, {})
            begun = block.get(target)
            block[target] = (begun if isinstance(begun, str) else "") + joined(pieces)
        if not self._said and not blocks:
            return None  # it was left before its first event
        return {**self._said, "content": list(blocks.values()), "usage": self._usage}


def _read_known(value: Any) -> dict[str, Any]:
    return {key: item for key, item in all_fields(value).items() if item is not None}
