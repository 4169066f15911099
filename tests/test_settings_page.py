"""The page of settings is made of the table in the code.

After a change of the table: UPDATE_GOLDEN=1 make test TESTS=tests/test_settings_page.py, and read the difference.
"""

from __future__ import annotations

import inspect
import os

import sentrial
from pages import ROOT
from pages.settings_page import in_code, settings_page
from sentrial._config import Config
from sentrial._settings import SETTINGS

PAGE = ROOT / "docs" / "settings.md"
BY_CODE_ONLY = {"mask"}
NOT_SETTINGS = {"fail_silently", "batching"}


def test_the_page_is_what_the_table_says() -> None:
    if os.environ.get("UPDATE_GOLDEN"):
        PAGE.write_text(settings_page(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == settings_page()


def test_what_can_be_set_in_code_can_be_set_by_variable() -> None:
    named = {name for name, setting in SETTINGS.items() if setting.variables or setting.standard}
    assert SETTINGS.keys() - named == BY_CODE_ONLY


def test_every_argument_of_configure_has_its_row() -> None:
    assert set(inspect.signature(sentrial.configure).parameters) - SETTINGS.keys() == NOT_SETTINGS


def test_what_is_by_variable_only_says_so() -> None:
    said = {name for name, setting in SETTINGS.items() if setting.meaning.startswith("by variable only: ")}
    assert said == SETTINGS.keys() - in_code()


def test_every_setting_is_a_field_of_the_configuration() -> None:
    assert [name for name in SETTINGS if name not in Config.__dataclass_fields__] == []
