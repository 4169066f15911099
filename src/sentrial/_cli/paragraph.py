"""A label with the text it stands before, broken into lines and cut to a few."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rich.cells import cell_len
from rich.text import Text

from sentrial._cli.event_texts import Labelled
from sentrial._cli.safe_text import safe_line, safe_text
from sentrial._cli.wrapping import cut

_LINES = 3
_LONGEST_LABEL = 14


@dataclass(slots=True)
class Paragraphs:
    """Lays labelled texts out, ``width`` cells wide, and remembers whether one was cut."""

    width: int
    ellipsis: str
    full: bool
    was_cut: bool = False

    def lay_out(self, texts: Iterable[Labelled], indent: Text, least_label: int = 0) -> Iterator[Text]:
        """The lines of ``texts``, their labels in a column of their own behind ``indent``."""
        cleaned = [(safe_line(label)[:_LONGEST_LABEL], text, style) for label, text, style in texts]
        label_width = max((cell_len(label) for label, _, _ in cleaned), default=0)
        label_width = max(label_width, least_label)
        room = max(self.width - indent.cell_len - label_width - 2, 16)
        for label, text, style in cleaned:
            lines, missing = cut(safe_text(text).strip("\n"), room, None if self.full else _LINES, self.ellipsis)
            self.was_cut = self.was_cut or missing > 0
            for place, line in enumerate(lines or [""]):
                shown = label if place == 0 else ""
                padding = " " * (label_width - cell_len(shown) + 2)
                yield Text.assemble(indent, (shown, "dim"), padding, (line, style))
