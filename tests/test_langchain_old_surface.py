"""The old package's public names for LangChain, held against ours."""

from __future__ import annotations

import sentrial
from old_sdk import LANGCHAIN, SECTIONS, differences, old_names, rows_for
from sentrial.langchain import SentrialCallbackHandler


def test_every_old_name_for_langchain_is_here_as_it_was() -> None:
    names, (rows, _) = old_names(), rows_for(old_names(), SECTIONS)
    handler = SentrialCallbackHandler(sentrial.SentrialClient(), "")
    here = [name for name, (row,) in rows.items() if row in LANGCHAIN.rows]
    assert len(here) == 38
    found = {name: differences(names[name], {"sentrial.SentrialCallbackHandler": handler}) for name in here}
    assert {name: found[name] for name in here if found[name]} == {}


def test_the_names_in_the_package_are_those_of_the_module() -> None:
    assert sentrial.SentrialCallbackHandler is SentrialCallbackHandler
    assert not hasattr(sentrial, "SentrialHandler")
