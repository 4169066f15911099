"""What a run of LangChain exports: the trees of its spans."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sentrial
from receivers import OtlpHttpReceiver
from scenario import in_order, violations_in

Span = dict[str, Any]


class Exported:
    """Everything that has come to ``collector`` when it is asked for, in the receivers' normal form."""

    def __init__(self, collector: OtlpHttpReceiver, checker: Path, folder: Path) -> None:
        self._collector = collector
        self._checker = checker
        self._folder = folder

    @property
    def spans(self) -> list[Span]:
        """All spans, by start time."""
        assert sentrial.flush(10)
        return sorted(self._collector.spans, key=lambda span: (span["start_ns"], -span["end_ns"]))

    @property
    def trees(self) -> list[list[str]]:
        """Of each trace the names of its spans, each below its parent and indented by two spaces more."""
        spans = self.spans
        traces = dict.fromkeys(span["trace_id"] for span in spans)
        return [tree_of([span for span in spans if span["trace_id"] == trace]) for trace in traces]

    @property
    def tree(self) -> list[str]:
        """The only one."""
        (tree,) = self.trees
        return tree

    def named(self, name: str) -> list[Span]:
        """The spans of that name."""
        return [span for span in self.spans if span["name"] == name]

    def one(self, name: str) -> Span:
        """The one span of that name."""
        (span,) = self.named(name)
        return span

    @property
    def violations(self) -> list[dict[str, Any]]:
        """What goes against the conventions, but for spans that a client of the newest makes itself."""
        theirs = {span["span_id"] for span in self.spans if span["scope_name"] != "sentrial"}
        file = self._folder / "exported.jsonl"
        file.write_text(self._collector.otlp_json(), encoding="utf-8")
        return [found for found in violations_in(file, self._checker) if found.get("span_id") not in theirs]


def tree_of(spans: list[Span]) -> list[str]:
    """The names of the spans, each below its parent and indented by two spaces more, in the order of scenarios."""
    there = {span["span_id"] for span in spans}

    def below(parent: str | None, indent: str) -> Iterator[str]:
        within = [
            span
            for span in spans
            if span["parent_span_id"] == parent or (parent is None and span["parent_span_id"] not in there)
        ]
        for span in in_order(within):
            yield indent + span["name"]
            yield from below(span["span_id"], indent + "  ")

    return list(below(None, ""))
