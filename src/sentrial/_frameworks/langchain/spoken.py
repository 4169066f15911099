"""What a run was given and what it gave: messages are picked here and read later, anything else stays as it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sentrial import _guard
from sentrial._frameworks.langchain.messages import defer_messages
from sentrial._frameworks.langchain.stored import field

_GIVEN = ("messages", "input", "question", "query")
_GAVE = ("messages", "output", "answer", "result", "response")
_COMMAND = frozenset(("graph", "update", "resume", "goto"))
"""The fields of a command of LangGraph's."""
_ROLES = frozenset(("human", "user", "ai", "assistant", "system", "developer", "tool", "function"))
"""The first of a pair that stands for a message, and what a dict has for its type."""
_SAID = frozenset(("content", "tool_calls"))
"""What a dict has one of that stands for a message."""


@_guard.guarded("reading what a run was given", _guard.nothing)
def read_given(value: object) -> object:
    """What the program said: a history as messages, anything else as it is; to a graph that waits, the answer."""
    if _COMMAND.issubset(getattr(type(value), "__dataclass_fields__", ())):
        answer = field(value, "resume")
        value = value if answer is None else answer
    found = _pick(value, _GIVEN)
    if _is_message(found):
        return defer_messages([found])
    if _is_several(found) and all(_guard.is_a(each, str) or _is_message(each) for each in found):
        return defer_messages(found)
    return found


def is_to_come(value: object) -> bool:
    """Whether LangChain has yet to say what a chain is given: it is streamed through."""
    return type(value) is dict and len(value) == 1 and type(value.get("input")) is str and not value["input"]


@_guard.guarded("reading what a run gave", _guard.nothing)
def read_gave(value: object) -> object:
    """What the program got: of a history the last message."""
    found = _pick(value, _GAVE)
    if _is_several(found) and all(map(_is_message, found)):
        return defer_messages(found[-1:])
    return defer_messages([found]) if _is_message(found) else found


def _pick(value: Any, keys: Sequence[str]) -> Any:
    if not _guard.is_a(value, dict):
        found = field(value, "messages")
        return value if found is None else found
    for key in keys:
        if dict.get(value, key) is not None:
            return dict.get(value, key)
    return value


def _is_several(value: Any) -> bool:
    return _guard.is_a(value, list, tuple) and len(value) > 0


def _is_message(value: Any) -> bool:
    """Whether it is one of LangChain's, or a dict or a pair that LangChain makes one of."""
    if _guard.is_a(value, dict):
        has_role = _guard.is_a(dict.get(value, "role"), str) or _is_role(dict.get(value, "type"))
        return has_role and not _SAID.isdisjoint(dict.keys(value))
    if _guard.is_a(value, tuple):
        return len(value) == 2 and _is_role(value[0])
    from langchain_core.messages import BaseMessage

    return _guard.is_a(value, BaseMessage)


def _is_role(value: object) -> bool:
    return _guard.is_a(value, str) and value in _ROLES
