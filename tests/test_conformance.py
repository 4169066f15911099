"""The scenarios of each client show as much of the conventions as is promised, and all that the API tells."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.covered import FLOORS, attributes_shown
from conformance.page import page_of
from conformance.reasons import REASONS

PAGE = Path(__file__).parents[1] / "docs" / "conformance.md"


@pytest.mark.parametrize(("client", "span_type"), FLOORS)
def test_everything_that_the_api_tells_is_there(shared: Path, client: str, span_type: str) -> None:
    _, missing = attributes_shown(shared, client, span_type)
    assert sorted(missing) == sorted(REASONS[client, span_type])


@pytest.mark.parametrize(("client", "span_type"), FLOORS)
def test_no_client_shows_less_than_is_promised(shared: Path, client: str, span_type: str) -> None:
    shown, _ = attributes_shown(shared, client, span_type)
    assert len(shown) >= FLOORS[client, span_type]


def test_the_page_is_of_today(shared: Path) -> None:
    assert PAGE.read_text(encoding="utf-8") == page_of(shared)
