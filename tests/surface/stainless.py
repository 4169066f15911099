"""What a client that Stainless has generated can be asked for, from the source of its resources' methods."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from types import FunctionType
from typing import Any

# `self._post("/path", ...)`, with the path written out, as an f-string or by a function of the client's; a list that is
# asked for by POST has its path first, too, and says its method later.
_PATH = r'\(\s*(?:\#.*\n\s*)?(?:path_template\(\s*)?f?"(?P<path>/[^"?]*)'
_POST = re.compile(r"self\._post" + _PATH)
_LIST = re.compile(r"self\._get_api_list" + _PATH)
_NO_PATH = re.compile(r"self\._post\(")


def posts_of(package: str) -> dict[str, list[str]]:
    """The methods of ``package``'s resources by the path they post to, with ``*`` for what differs by call.

    Raises:
        AssertionError: a method posts to a path that is not found in its source.
    """
    found: dict[str, list[str]] = {}
    for name, method in _methods_of(package):
        source = inspect.getsource(method)
        paths = [match["path"] for match in _POST.finditer(source)]
        assert len(paths) == len(_NO_PATH.findall(source)), f"no path in the source of {name}"
        if 'method="post"' in source:
            paths += [match["path"] for match in _LIST.finditer(source)]
        for path in paths:
            found.setdefault(re.sub(r"\{[^}]*\}", "*", path), []).append(name)
    return found


def connections_of(package: str) -> list[str]:
    """The resources of ``package`` that open a connection of their own: ``resources.realtime``, say."""
    return sorted({name.rpartition(".")[0].rpartition(".")[0] for name, _ in _methods_of(package) if _opens(name)})


def _opens(name: str) -> bool:
    return name.endswith(".connect")


def _methods_of(package: str) -> Iterator[tuple[str, Any]]:
    resources = importlib.import_module(f"{package}.resources")
    bases = importlib.import_module(f"{package}._resource")
    for info in pkgutil.walk_packages(resources.__path__, f"{package}.resources."):
        module = importlib.import_module(info.name)
        for cls in vars(module).values():
            if (
                inspect.isclass(cls)
                and issubclass(cls, (bases.SyncAPIResource, bases.AsyncAPIResource))
                and cls.__module__ == info.name
            ):
                for method in vars(cls).values():
                    if isinstance(method, FunctionType):
                        yield f"{info.name}.{method.__qualname__}", method
