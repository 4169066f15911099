"""What a program notices: its values, and the kinds of its objects. Where a peer changes one, the page says so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Seen:
    """What one program has seen.

    Attributes:
        values: what it got, by name.
        kinds: the exact class of each object that it was handed, by name.
        faithful: by name, whether the object says that it is of the client's own class.
        error: what ended the program, which it did not expect.
    """

    values: dict[str, Any] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    faithful: dict[str, bool] = field(default_factory=dict)
    error: str | None = None

    def kind(self, name: str, thing: Any, expected: type) -> Any:
        """Note of what class ``thing`` is; gives it back."""
        self.kinds[name] = f"{type(thing).__module__}.{type(thing).__qualname__}"
        self.faithful[name] = isinstance(thing, expected)
        return thing

    def value(self, name: str, thing: Any) -> None:
        """Note a value, as JSON has it."""
        self.values[name] = thing


def changes(alone: dict[str, Any], beside: dict[str, Any]) -> Iterator[str]:
    """What is not with a peer as it is without, in words."""
    if beside["error"] and beside["error"] != alone["error"]:
        yield f"raises {beside['error']}"
        return
    for name, value in alone["values"].items():
        if beside["values"].get(name) != value:
            yield f"{name} is {str(beside['values'].get(name))[:60]}, not {str(value)[:60]}"
    for name, value in alone["faithful"].items():
        if value and not beside["faithful"].get(name):
            yield f"the {name} is a {beside['kinds'].get(name, 'nothing').rpartition('.')[2]}"


def proxies(alone: dict[str, Any], beside: dict[str, Any]) -> Iterator[str]:
    """What is another class that says it is the client's own."""
    for name, value in alone["kinds"].items():
        if beside["faithful"].get(name) and beside["kinds"].get(name) != value:
            yield f"the {name} is a {beside['kinds'][name].rpartition('.')[2]}"
