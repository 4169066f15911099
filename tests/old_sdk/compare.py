"""An old name against ours: what a program would notice."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from old_sdk.read_surface import Name, described, of_class

LIST = Path(__file__).parent / "surface.txt"
POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
MADE_BY_BEGIN = ("sentrial.Interaction", "sentrial.AsyncInteraction")
VARIABLE = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def old_names() -> dict[str, Name]:
    """The list, by name."""
    return names_in(LIST.read_text(encoding="utf-8"))


def names_in(text: str) -> dict[str, Name]:
    """What `read_surface.py` printed, by name."""
    names = [Name(*line.split("  ", 2)) for line in text.splitlines()]
    return {name.name: name for name in names}


def differences(old: Name, made: dict[str, Any]) -> list[str]:
    """What is not as it was, in few words; ``["missing"]`` where we have no such name.

    ``made``: an object of each class, for the attributes that only its objects have.
    """
    ours = ours_for(old, made)
    if ours is None:
        return ["missing"]
    if old.kind == "module":
        gone = sorted(set(old.signature.split(", ")) - set(ours.signature.split(", ")))
        return [f"not in it: {', '.join(gone)}"] if gone else []
    found = [] if ours.kind == old.kind else [f"{ours.kind}, was {old.kind}"]
    if old.kind == "value" and ours.signature != old.signature:
        found.append(f"{ours.signature}, was {old.signature}")
    if old.signature.startswith("(") and not old.name.endswith("exit__"):
        found += differing(signature_of(old.signature), signature_of_ours(old))
    if found and old.name in MADE_BY_BEGIN:
        return ["another constructor"]
    return found


def ours_for(old: Name, made: dict[str, Any]) -> Name | None:
    """Our thing of that name, described as the old one is; None where there is none."""
    owner_name, _, own_name = old.name.rpartition(".")
    if old.kind == "module":
        try:
            module = importlib.import_module(old.name)
        except ImportError:
            return None
        return Name(old.name, "module", ", ".join(name for name in old.signature.split(", ") if hasattr(module, name)))
    try:
        owner = thing_called(owner_name)
    except (ImportError, AttributeError):
        return None
    if old.kind == "attribute":
        return old if hasattr(made[owner_name], own_name) else None
    try:
        getattr(owner, own_name)
    except (ImportError, AttributeError):
        return None
    if inspect.isclass(owner) and old.kind != "value":
        return next(of_class(old.name, owner, own_name), None)
    if inspect.isclass(owner):
        return Name(old.name, "value", repr(getattr(owner, own_name).value))
    return next(described(old.name, getattr(owner, own_name)))


def thing_called(name: str) -> Any:
    """The module, function, class or member of that name. Raises ImportError or AttributeError without one."""
    if name == "sentrial":
        return importlib.import_module(name)
    owner_name, _, own_name = name.rpartition(".")
    owner = thing_called(owner_name)
    if inspect.ismodule(owner) and not hasattr(owner, own_name):
        return importlib.import_module(name)
    return getattr(owner, own_name)


def signature_of(text: str) -> inspect.Signature:
    names: dict[str, Any] = {}
    exec(f"def f{text}: ...", names)  # the list is ours, and its defaults are literals
    return inspect.signature(names["f"])


def signature_of_ours(old: Name) -> inspect.Signature:
    """Of our thing of that name; without ``self``, as the list has it."""
    found = inspect.signature(thing_called(old.name))
    parameters = list(found.parameters.values())
    return found.replace(parameters=parameters[1 if old.kind in ("method", "async method") else 0 :])


def differing(old: inspect.Signature, ours: inspect.Signature) -> Iterator[str]:
    """Calls that the old signature allowed and ours does not, or takes otherwise. Ours may take more."""
    theirs = list(ours.parameters.values())
    by_place = [each for each in theirs if each.kind in POSITIONAL]
    by_name = {each.name: each for each in theirs}
    takes_any = any(each.kind is each.VAR_KEYWORD for each in theirs)
    for place, parameter in enumerate(old.parameters.values()):
        if parameter.name not in by_name and parameter.kind is parameter.KEYWORD_ONLY and takes_any:
            continue
        if parameter.name not in by_name:
            yield f"{parameter.name}: missing"
            continue
        mine = by_name[parameter.name]
        if mine.kind != parameter.kind:
            yield f"{mine.name}: {mine.kind.description}, was {parameter.kind.description}"
        elif parameter.kind in POSITIONAL and by_place.index(mine) != place:
            yield f"{mine.name}: at position {by_place.index(mine) + 1}, was {place + 1}"
        if repr(mine.default) != repr(parameter.default) and parameter.default is not parameter.empty:
            yield f"{mine.name}: {said(mine)}, was {parameter.default!r}"
    for extra in theirs:
        if extra.name not in old.parameters and extra.kind not in VARIABLE and extra.default is extra.empty:
            yield f"{extra.name}: required, was not there"


def said(parameter: inspect.Parameter) -> str:
    return "required" if parameter.default is parameter.empty else f"default {parameter.default!r}"
