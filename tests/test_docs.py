"""What the pages say, held against the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sentrial import semconv
from sentrial._config import SETTINGS

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), ROOT / "benchmarks" / "README.md"]


def test_the_page_of_settings_has_a_row_for_each_setting_with_its_variables() -> None:
    rows = {
        match[1]: line
        for line in (ROOT / "docs" / "settings.md").read_text(encoding="utf-8").splitlines()
        if (match := re.match(r"\| `(\w+)` \|", line))
    }
    assert rows.keys() == SETTINGS.keys()
    missing = [
        (name, variable) for name, row in SETTINGS.items() for variable in row.variables if variable not in rows[name]
    ]
    assert missing == []


def test_the_page_of_spans_names_no_attribute_that_is_not_emitted() -> None:
    text = (ROOT / "docs" / "spans.md").read_text(encoding="utf-8")
    named = set(
        re.findall(r"`((?:gen_ai|sentrial|session|user|server|openai|input|output|openinference)\.[a-z_.]+)`", text)
    )
    known = {value for value in vars(semconv).values() if isinstance(value, str)}
    assert {name for name in named if not any(value.startswith(name) for value in known)} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []
