"""Makes `docs/moving-over.md`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from old_sdk import rows_of_sessions, rows_of_the_rest
from old_sdk.deviations import DEVIATIONS
from old_sdk.rows import Row, Section

SECTIONS: tuple[Section, ...] = (*rows_of_sessions.SECTIONS, *rows_of_the_rest.SECTIONS)
TEXT = Path(__file__).parent / "moving-over.template.md"


def migration_page() -> str:
    """The whole page."""
    page = TEXT.read_text(encoding="utf-8")
    names = "\n\n".join(f"### {part.title}\n\n{table(part)}" for part in SECTIONS)
    return page.replace("{{names}}", names).replace("{{deviations}}", deviations())


def table(part: Section) -> str:
    rows = [(named(part, row), row.now, row.words) for row in part.rows]
    return written(("old name", "now", "what it does"), rows)


def deviations() -> str:
    rows = [(joined(each.names), f"`{each.difference}`", each.reason) for each in DEVIATIONS]
    return written(("name", "difference", "why"), rows)


def named(part: Section, row: Row) -> str:
    """The names of ``row`` as a program writes them after ``sentrial.``; members are not told one by one."""
    before = part.prefix.removeprefix("sentrial").lstrip(".")
    return joined(f"{before}.{own}" if before else own for own in row.names.split() if not own.endswith(".*"))


def joined(names: Iterable[str]) -> str:
    """``names`` in code marks, a class named once: `Interaction.finish`, `.set_output`."""
    told, owner = [], ""
    for name in names:
        before, _, own = name.rpartition(".")
        told.append(f"`.{own}`" if before and before == owner else f"`{name}`")
        owner = before
    return ", ".join(told)


def written(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
