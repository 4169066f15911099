"""What Google's client can be asked for, from the source of its classes' methods."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

_CALL = re.compile(
    r"\b_api_client\.(?:async_)?(?:request|request_streamed|upload_file|download_file)\(|\.do_request(?:_async)?\("
)
_VERB = re.compile(r"}:([a-zA-Z]+)['?]")

# What makes the calls of all the others, and what stands in for it in the client's own tests.
_LEFT_OUT = ("_api_client", "_replay_api_client", "_test_api_client", "basesdk")


def google_calls() -> dict[str, set[str]]:
    """The methods that make a call, as ``models._generate_content``, with the verbs of the paths in their source.

    An asynchronous twin has the same name. Methods that hold a connection or carry files are among them.
    """
    found: dict[str, set[str]] = {}
    for name, source in _methods():
        if _CALL.search(source) or name.endswith(".connect"):
            found.setdefault(name, set()).update(_VERB.findall(source))
    return found


def _methods() -> Iterator[tuple[str, str]]:
    spec = find_spec("google.genai")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    (folder,) = map(Path, spec.submodule_search_locations)
    for file in sorted([*folder.glob("*.py"), *folder.glob("_gaos/*.py")]):
        if file.stem in _LEFT_OUT:
            continue
        module = ".".join(file.relative_to(folder).with_suffix("").parts)
        source = file.read_text(encoding="utf-8")
        lines = source.splitlines()
        for cls in ast.parse(source).body:
            for method in cls.body if isinstance(cls, ast.ClassDef) else ():
                if isinstance(method, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    yield f"{module}.{method.name}", "\n".join(lines[method.lineno - 1 : method.end_lineno])
