"""Objects of the program's that runs are given and give: their fields are read, and none of their code runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.prompt_values import ChatPromptValue
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import StructuredTool
from pydantic import BaseModel

from langchain_scenarios import Exported
from sentrial import _registry
from sentrial._frameworks.langchain.messages import defer_messages
from sentrial._frameworks.langchain.spoken import read_gave, read_given
from sentrial._frameworks.langchain.stored import field
from sentrial._frameworks.langchain.tools import read_output
from sentrial.langchain import SentrialCallbackHandler


class Row:
    """A row of a database whose session is closed: whatever is not loaded raises."""

    def __init__(self, asked: list[str]) -> None:
        self.asked = asked

    def __getattr__(self, name: str) -> Any:
        return self._load(name)

    def _load(self, name: str) -> Any:
        self.asked.append(name)
        raise RuntimeError(f"{name} is not loaded")

    messages = property(lambda self: self._load("messages"))
    content = property(lambda self: self._load("content"))
    type = property(lambda self: self._load("type"))
    resume = property(lambda self: self._load("resume"))
    tool_call_id = property(lambda self: self._load("tool_call_id"))
    status = property(lambda self: self._load("status"))

    def __repr__(self) -> str:
        return "<Row 7>"


@pytest.mark.parametrize("gives_it", [True, False], ids=["given by a run", "given to a run"])
def test_what_cannot_be_read_keeps_no_session_open(exported: Exported, gives_it: bool) -> None:
    asked: list[str] = []
    row = Row(asked)
    chain = RunnableLambda(lambda _: row if gives_it else "done").with_config(run_name="chat")
    before = len(_registry.open_sessions())
    for _ in range(3):
        chain.invoke("q" if gives_it else row, {"callbacks": [SentrialCallbackHandler()]})
    assert len(_registry.open_sessions()) == before
    assert exported.trees == [["invoke_agent chat"]] * 3
    for root in exported.spans:
        assert root["attributes"]["sentrial.session.outcome"] == "completed"
        assert "Row 7" in root["attributes"]["output.value" if gives_it else "input.value"]
    assert asked == []


def test_what_a_tool_gives_is_not_asked_for_more_than_it_holds(exported: Exported) -> None:
    asked: list[str] = []
    row = Row(asked)
    find = StructuredTool.from_function(lambda number: row, name="find", description="Find a row.")
    find.invoke({"number": 7}, {"callbacks": [SentrialCallbackHandler()]})
    call = exported.one("execute_tool find")
    assert ("Row 7" in call["attributes"]["gen_ai.tool.call.result"], call["status_code"]) == (True, 0)
    assert asked == []


class Model(BaseModel):
    messages: list[Any]


@dataclass
class Record:
    messages: list[Any]


@dataclass(frozen=True)
class Slotted:
    __slots__ = ("messages",)
    messages: list[Any]


class Named(NamedTuple):
    messages: list[Any]


HISTORY = [HumanMessage("Where?"), AIMessage("In Lisbon.")]


@pytest.mark.parametrize(
    "state",
    [
        lambda messages: {"messages": messages},
        lambda messages: Model(messages=messages),
        Record,
        Slotted,
        Named,
        lambda messages: ChatPromptValue(messages=messages),
    ],
    ids=["dict", "model", "dataclass", "slots", "named tuple", "prompt"],
)
def test_a_history_is_found_in_any_kind_of_state(state: Callable[[list[Any]], object]) -> None:
    assert read_given(state(HISTORY)) == defer_messages(HISTORY)
    assert read_gave(state(HISTORY)) == defer_messages(HISTORY[1:])


def test_what_is_no_field_or_was_never_set_is_nothing() -> None:
    assert [field(value, "messages") for value in (Row([]), Slotted.__new__(Slotted), Named, 7, None)] == [None] * 5


class Article(BaseModel):
    type: str
    content: str
    status: str = "error"


def test_only_a_message_to_the_model_is_read_for_what_it_holds() -> None:
    assert read_output(ToolMessage("in Lisbon", tool_call_id="c", artifact=[1])) == {
        "result": "in Lisbon",
        "artifact": [1],
    }
    article = Article(type="pdf", content="on parcels")
    assert read_output([ToolMessage("in Lisbon", tool_call_id="c"), article]) == ["in Lisbon", article]
