"""What the pages say, held against the code."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

import sentrial
from fake_provider import FakeProvider
from pages import LEAVES, PAGES, ROOT, blocks_of, program_of
from receivers import SentrialStandIn
from running import Finished, run_program
from sentrial import semconv
from sentrial._config import SETTINGS
from stored import Stored, sessions_in


def test_the_page_of_settings_has_a_row_for_each_setting_with_its_variables() -> None:
    lines = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8").splitlines()
    rows = [match for line in lines if (match := re.match(r"\| (?:`(\w+)`|none) \|(.*?)\|", line))]
    assert [set(re.findall(r"\w+", match[2])) for match in rows] == [
        {*row.variables, *row.standard} for row in SETTINGS.values()
    ]
    arguments = {match[1] for match in rows} - {None}
    assert arguments == SETTINGS.keys() & inspect.signature(sentrial.configure).parameters.keys()


def test_the_page_of_spans_names_no_attribute_that_is_not_emitted() -> None:
    text = (ROOT / "docs" / "spans.md").read_text(encoding="utf-8")
    named = set(
        re.findall(r"`((?:gen_ai|sentrial|session|user|server|openai|input|output|openinference)\.[a-z_.]+)`", text)
    )
    known = {value for value in vars(semconv).values() if isinstance(value, str)}
    assert {name for name in named if not any(value.startswith(name) for value in known)} == set()


@pytest.mark.parametrize("page", PAGES)
def test_links_between_pages_lead_somewhere(page: str) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", (ROOT / page).read_text(encoding="utf-8"))
    assert [target for target in targets if not ((ROOT / page).parent / target).exists()] == []


def test_every_page_is_linked_from_the_first_one() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [page for page in PAGES if page.count("/") == 1 and f"]({page})" not in text] == []


# --- the Python in the pages -----------------------------------------------------------------------------------------


def run_page(page: str, place: Path) -> tuple[Finished, list[list[Stored]]]:
    """How the program made of the page ended, and the sessions that each of its blocks left."""
    keys = {"sentrial_live_xxx", "sentrial_live_shop", "sentrial_live_bank"}
    with SentrialStandIn(keys) as sentrial_itself, FakeProvider() as model:
        done = run_program(
            program_of(page, lambda number: place / f"{number}.db"),
            {
                "SENTRIAL_API_URL": sentrial_itself.url,
                "OPENAI_API_KEY": "not-needed-offline",
                "OPENAI_BASE_URL": model.base_url,
            },
            file=place / "page.py",
        )
    return done, [sessions_in(place / f"{number}.db") for number in range(len(blocks_of(page)))]


@pytest.mark.parametrize("page", [page for page in PAGES if blocks_of(page)])
def test_the_python_of_a_page_runs_and_leaves_the_sessions_it_speaks_of(page: str, tmp_path: Path) -> None:
    done, left = run_page(page, tmp_path)
    assert [[line for session in sessions for line in session.outline] for sessions in left] == LEAVES[page]
    assert page == "docs/errors.md" or (done.out, done.err) == ("", "")


def test_the_page_of_errors_says_what_is_logged_kept_and_raised(tmp_path: Path) -> None:
    done, ((kept,), (raised,), (failed,)) = run_page("docs/errors.md", tmp_path)
    confidence, metric = done.err.splitlines()
    assert confidence.startswith("sentrial: confidence=7 is not usable: it must be a number from 0 to 1.")
    assert metric.startswith("sentrial: custom_metrics['satisfaction']='high' is not usable: it must be a number.")
    assert done.out.startswith("sentrial: confidence=7 is not usable")
    for session in (kept, raised):
        assert session.one("decision support-agent").attributes["sentrial.metadata.confidence"] == 7
    assert kept.root.attributes["sentrial.metadata.metric.satisfaction"] == "high"
    assert (failed.summary.status, failed.summary.failure_reason) == ("failed", "the bank does not answer")
    assert failed.one("execute_tool refund").status == "ERROR"


def test_the_page_of_content_masks_what_it_says(tmp_path: Path) -> None:
    _, ((own,), (personal,)) = run_page("docs/content.md", tmp_path)
    assert own.root.attributes["input.value"] == "I am [email], EMP-17"
    assert re.fullmatch(r"I am \[PII:[0-9a-f]+\], \[PII:[0-9a-f]+\]", str(personal.root.attributes["input.value"]))


def test_the_first_page_has_state_metrics_and_metadata_where_it_says(tmp_path: Path) -> None:
    _, ((begun,), _, _, (told,)) = run_page("docs/first-session.md", tmp_path)
    assert begun.root.attributes["sentrial.metadata.channel"] == "web"
    assert begun.root.attributes["sentrial.metric.satisfaction"] == 4.5
    assert (begun.summary.user, begun.summary.conversation, begun.summary.status) == (
        "user_123",
        "conv_456",
        "completed",
    )
    assert told.root.attributes["sentrial.state"] == '{"step":"refund"}'
    assert (told.root.attributes["sentrial.metric.satisfaction"], told.root.attributes["sentrial.metric.turns"]) == (
        4.5,
        3,
    )
