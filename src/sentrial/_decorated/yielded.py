"""What a generator has yielded, as one output."""

from __future__ import annotations

from typing import Any

from sentrial._snapshot import MAX_NODES, Tally, snapshot

MAX_CHARACTERS = 900_000
"""Characters of one stream that are kept: less than what is kept of one text, which would cut once more."""

MAX_ITEMS = 100_000
"""How many items of one stream are kept."""


class Yielded:
    """Gathers items, each as it was when it was yielded."""

    __slots__ = ("_items", "_left_out", "_tally")

    def __init__(self) -> None:
        self._items: list[Any] = []
        self._tally = Tally()
        self._left_out = 0

    def add(self, item: object) -> None:
        """Keep ``item``, as long as there is room."""
        tally = self._tally
        if tally.size < MAX_CHARACTERS and tally.nodes < MAX_NODES and len(self._items) < MAX_ITEMS:
            self._items.append(snapshot(item, tally))
        else:
            self._left_out += 1

    def output(self) -> Any:
        """Texts joined, pieces of binary data too; else a list."""
        items = [*self._items, self._note] if self._left_out else list(self._items)
        if all(isinstance(item, str) for item in self._items):
            return "".join(items)
        if all(isinstance(item, bytes) for item in self._items):
            return b"".join(item if isinstance(item, bytes) else item.encode() for item in items)
        return items

    @property
    def _note(self) -> str:
        return f"[{self._left_out} items left out]"

    def cut(self) -> str | None:
        """What was left out, in words; ``None`` where nothing was."""
        return f"left out: {self._left_out} items" if self._left_out else None
