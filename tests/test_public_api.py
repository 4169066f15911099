"""What users may rely on. A change here is a change for them: it belongs into CHANGELOG.md.

After a change that is meant: UPDATE_GOLDEN=1 make test TESTS=tests/test_public_api.py, and read the difference.
"""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from enum import Enum
from importlib.metadata import entry_points, files, metadata, version
from pathlib import Path

import sentrial
from sentrial import instrumentors, providers

GOLDEN = Path(__file__).parent / "golden" / "public_api.txt"
SOURCE = Path(__file__).parents[1] / "src" / "sentrial"


def public_api() -> str:
    """Every public name, and the classes that public methods give back: of functions and methods the signature."""
    modules = (sentrial, instrumentors, providers)
    things = {name: getattr(module, name) for module in modules for name in module.__all__}
    for thing in [thing for thing in things.values() if inspect.isclass(thing)]:
        things.update({given.__name__: given for given in given_back(thing)})
    return "\n".join(line for name in sorted(things) for line in [*described(name, things[name]), ""])


def given_back(owner: type) -> list[type]:
    """Our classes that methods of ``owner`` say they return."""
    functions = [function for _, function in inspect.getmembers(owner, inspect.isfunction)]
    named = [
        vars(sys.modules.get(each.__module__, sentrial)).get(str(each.__annotations__.get("return")))
        for each in functions
    ]
    return [found for found in named if inspect.isclass(found) and found.__module__.startswith("sentrial")]


def described(name: str, thing: object) -> list[str]:
    if inspect.isclass(thing) and issubclass(thing, Enum):
        return [f"class {name}", *(f"    {member.name} = {member.value!r}" for member in thing)]
    if not inspect.isclass(thing):
        return signature(name, thing) if callable(thing) else [f"{name}: {type(thing).__name__}"]
    members = {member for owner in thing.__mro__[:-1] for member in vars(owner) if is_public(member)}
    lines = signature("__init__", thing.__init__) if name in sentrial.__all__ else []
    for member in sorted(members):
        lines += of_class(thing, member)
    return [f"class {name}", *(f"    {line}" for line in lines)]


def of_class(owner: type, member: str) -> list[str]:
    found = inspect.getattr_static(owner, member)
    if isinstance(found, property):
        return [f"{member}: {found.fget.__annotations__['return'] if found.fget else '?'} (property)"]
    return signature(member, getattr(owner, member)) if callable(getattr(owner, member)) else [member]


def signature(name: str, function: object) -> list[str]:
    """One parameter a line, so that a difference shows what has changed."""
    assert callable(function)
    found = inspect.signature(function)
    before = "async def" if inspect.iscoroutinefunction(function) else "def"
    lines, kind = [], None
    for parameter in found.parameters.values():
        if parameter.name == "self":
            continue
        if parameter.kind is parameter.KEYWORD_ONLY is not kind:
            lines.append("    *,")
        kind = parameter.kind
        default = "" if parameter.default is parameter.empty else f" = {parameter.default!r}"
        lines.append(f"    {STARS.get(kind, '')}{parameter.name}: {parameter.annotation}{default},")
    start, end = f"{before} {name}(", f") -> {found.return_annotation}"
    return [start, *lines, end] if lines else [start + end]


STARS = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}


def is_public(member: str) -> bool:
    return not member.startswith("_") or member in ("__enter__", "__exit__", "__aenter__", "__aexit__", "__call__")


def test_the_public_names_and_signatures_are_those_of_the_list() -> None:
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(public_api(), encoding="utf-8")
    assert public_api() == GOLDEN.read_text(encoding="utf-8")


def test_the_public_names_are_sorted_and_all_there() -> None:
    assert sentrial.__all__ == sorted(sentrial.__all__)
    assert [name for name in sentrial.__all__ if not hasattr(sentrial, name)] == []


def test_nothing_else_looks_public() -> None:
    modules = {path.stem for path in SOURCE.iterdir() if path.suffix == ".py" or path.is_dir()}
    others = {name for name in vars(sentrial) if not name.startswith("_")} - set(sentrial.__all__)
    assert others <= modules


def test_every_public_function_and_method_says_what_it_does() -> None:
    for name in set(sentrial.__all__) - {"__version__"}:
        thing = getattr(sentrial, name)
        assert inspect.getdoc(thing), name
        if inspect.isclass(thing):
            named = [member for member in vars(thing) if not member.startswith("_")]
            assert [member for member in named if not inspect.getdoc(getattr(thing, member))] == [], name


def test_the_version_is_the_same_everywhere() -> None:
    assert sentrial.__version__ == version("sentrial-otel")
    assert re.fullmatch(r"\d+\.\d+\.\d+((a|b|rc)\d+)?", sentrial.__version__)
    changelog = (SOURCE.parents[1] / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## .*\b{re.escape(sentrial.__version__)}\b", changelog, re.MULTILINE)


def test_type_checkers_find_our_types() -> None:
    assert (Path(inspect.getfile(sentrial)).parent / "py.typed").is_file()
    assert metadata("sentrial-otel")["Requires-Python"] == ">=3.10"


def test_the_command_is_installed() -> None:
    (command,) = entry_points(group="console_scripts", name="sentrial")
    assert command.value == "sentrial.cli:main"
    assert callable(command.load())
    assert any(path.name.startswith("sentrial") and "bin" in path.parts for path in files("sentrial-otel") or ())


def test_without_langchain_its_module_says_what_to_install() -> None:
    program = """
import sys
sys.modules["langchain_core"] = None
import sentrial
assert not hasattr(sentrial, "SentrialCallbackHandler")
import sentrial.langchain
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert ran.stderr.splitlines()[-1] == (
        'ModuleNotFoundError: SentrialCallbackHandler needs langchain-core: pip install "sentrial-otel[langchain]"'
    )
