"""Reads the public names of an installed `sentrial`, one a line: how `surface.txt` was made.

    OLD_PYTHON tests/old_sdk/read_surface.py > tests/old_sdk/surface.txt

where OLD_PYTHON has `sentrial[async,langchain,otel]==0.6.0`. It needs nothing else and imports nothing of ours, so that
any interpreter can run it. The tests read the names of our own package with the same functions.
"""

from __future__ import annotations

import ast
import enum
import importlib
import inspect
import pkgutil
import sys
import textwrap
from collections.abc import Iterator
from typing import Any, NamedTuple

ENTRY_AND_EXIT = ("__enter__", "__exit__", "__aenter__", "__aexit__")
# Public constants; what else stands in capitals is for the old package's own use.
CONSTANTS = ("sentrial.pricing.MODEL_PRICING",)


class Name(NamedTuple):
    """One public name. ``signature`` as Python writes it, without types; of a value its ``repr``, else empty."""

    name: str
    kind: str
    signature: str = ""

    @property
    def line(self) -> str:
        return f"{self.name}  {self.kind}  {self.signature}".rstrip()


def read_package() -> list[Name]:
    """Every public name: in `sentrial` what it exports, in its modules what is there alone."""
    import sentrial

    exported = {id(getattr(sentrial, name)): name for name in sentrial.__all__}
    found = [each for name in sentrial.__all__ for each in described(f"sentrial.{name}", getattr(sentrial, name))]
    for module in modules():
        own = list(public(module))
        # Where exported names are at home: programs import them from there too.
        home = [exported[id(thing)] for _, thing in own if id(thing) in exported]
        found.append(Name(module.__name__, "module", ", ".join(sorted(home))))
        for name, thing in own:
            if id(thing) not in exported:
                found += described(f"{module.__name__}.{name}", thing)
    return sorted(found)


def modules() -> Iterator[Any]:
    import sentrial

    for each in pkgutil.iter_modules(sentrial.__path__, "sentrial."):
        if not each.name.rpartition(".")[2].startswith("_"):
            yield importlib.import_module(each.name)


def public(module: Any) -> Iterator[Any]:
    """Functions and classes that ``module`` itself defines, and its public constants."""
    for name, thing in vars(module).items():
        its_own = getattr(thing, "__module__", None) == module.__name__ and not name.startswith("_")
        defined = its_own and (inspect.isfunction(thing) or inspect.isclass(thing))
        if defined or f"{module.__name__}.{name}" in CONSTANTS:
            yield name, thing


def described(name: str, thing: Any) -> Iterator[Name]:
    """``thing`` and, of a class, its members."""
    if inspect.isclass(thing) and issubclass(thing, enum.Enum):
        yield Name(name, "enum")
        for member in thing:
            yield Name(f"{name}.{member.name}", "value", repr(member.value))
    elif inspect.isclass(thing):
        yield Name(name, "class", signature(thing))
        for member in vars(thing):
            if not member.startswith("_") or member in ENTRY_AND_EXIT:
                yield from of_class(f"{name}.{member}", thing, member)
        for attribute in attributes(thing):
            yield Name(f"{name}.{attribute}", "attribute")
    elif callable(thing):
        yield Name(name, ("async " if inspect.iscoroutinefunction(thing) else "") + "function", signature(thing))
    else:
        yield Name(name, "value")


def of_class(name: str, owner: Any, member: str) -> Iterator[Name]:
    raw = inspect.getattr_static(owner, member)
    if isinstance(raw, property):
        yield Name(name, "settable property" if raw.fset else "property")
        return
    function = getattr(owner, member)
    if callable(function):
        kind = {staticmethod: "static method", classmethod: "class method"}.get(type(raw), "method")
        asynchronous = "async " if inspect.iscoroutinefunction(function) else ""
        yield Name(name, asynchronous + kind, signature(function, bound=kind == "method"))
    elif member not in inspect.signature(owner).parameters:
        yield Name(name, "value")


def signature(function: Any, bound: bool = False) -> str:
    """Parameters with their kinds and defaults, without ``self`` and without types."""
    parameters = list(inspect.signature(function).parameters.values())[1 if bound else 0 :]
    bare = [each.replace(annotation=inspect.Parameter.empty) for each in parameters]
    return str(inspect.Signature(bare))


def attributes(owner: Any) -> list[str]:
    """Public names that a constructor puts on the object, as the source says."""
    constructor = vars(owner).get("__init__")
    if constructor is None or constructor.__qualname__.startswith("__create_fn__"):
        return []
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(constructor)))
    except OSError:  # a dataclass: the constructor has no source, and its parameters are the attributes
        return []
    names: dict[str, None] = {}
    for node in ast.walk(tree):
        stored = isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
        if stored and isinstance(node.value, ast.Name) and node.value.id == "self" and not node.attr.startswith("_"):
            names[node.attr] = None
    return [name for name in names if name not in vars(owner)]


if __name__ == "__main__":
    # This folder has modules of its own, whose names are not to stand before those of the library.
    sys.path.pop(0)
    print("\n".join(name.line for name in read_package()))
