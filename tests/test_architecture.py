"""The house as docs/contributing/architecture.md describes it. The rules themselves are in tests/house."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from house import layers, sources

CHECKOUT = Path(__file__).parents[1]
PACKAGE = CHECKOUT / "src" / "sentrial"
GUIDE = CHECKOUT / "docs" / "contributing" / "architecture.md"


def modules() -> dict[str, Path]:
    """Dotted names and files. A package below ours is named by its ``__init__``."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        found["sentrial" if name == "sentrial.__init__" else name] = path
    return found


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def own_files(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((CHECKOUT / folder).rglob("*.py"))]


EVERYWHERE = ("src", "tests", "examples", "benchmarks")


def complaints_of(check: Any, *folders: str) -> dict[str, Any]:
    """What ``check`` has to say of which file."""
    found = {str(path.relative_to(CHECKOUT)): check(text(path)) for path in own_files(*folders)}
    return {path: complaint for path, complaint in found.items() if complaint}


def test_imports_point_downwards() -> None:
    known = modules()
    assert [line for name, path in known.items() for line in layers.wrong_imports(name, text(path), known)] == []


def test_no_module_needs_itself_to_be_imported() -> None:
    known = modules()
    imports = {
        name: {found.name for found in layers.imports_of(text(path), known) if not found.lazy and found.name in known}
        for name, path in known.items()
    }
    assert layers.cycles(imports) == []


def test_every_room_of_the_table_is_lived_in() -> None:
    homes = {room.name for name in modules() if (room := layers.room_of(name))}
    assert homes == {room.name for room in layers.ROOMS}


def test_names_of_attributes_stand_in_semconv_only() -> None:
    found = complaints_of(sources.stray_names, "src")
    del found["src/sentrial/semconv.py"]
    assert found == {}


def test_names_of_files_say_what_is_in_them() -> None:
    stems = {part.removesuffix(".py") for path in own_files(*EVERYWHERE) for part in path.relative_to(CHECKOUT).parts}
    assert [complaint for stem in sorted(stems) if (complaint := sources.bad_name(stem))] == []


def test_files_hold_one_noun() -> None:
    assert complaints_of(sources.too_long, *EVERYWHERE) == {}


def test_nothing_is_left_for_later() -> None:
    assert complaints_of(sources.left_for_later, *EVERYWHERE) == {}


def test_every_check_that_is_switched_off_has_its_reason_beside_it() -> None:
    assert complaints_of(sources.without_reason, *EVERYWHERE) == {}


def test_the_guide_shows_the_folders_as_they_are() -> None:
    tree = text(GUIDE).split("    src/sentrial/\n")[1].split("\n    tests/")[0]
    shown, folder = set(), ""
    for line in tree.splitlines():
        if found := re.match(r" {6}(\w+/)", line):
            folder = found[1]
        elif found := re.match(r" {6}(\w+\.py) ", line):
            shown.add(found[1])
        else:
            shown |= {folder + name for name in line.split()}
    there = {str(path.relative_to(PACKAGE)) for path in modules().values()}
    assert shown == {name for name in there if not name.endswith("/__init__.py")}


def test_the_guide_shows_every_layer() -> None:
    rows = [line.split("|")[2] for line in text(GUIDE).splitlines() if re.match(r"\| [0-5] ", line)]
    shown = {name for row in rows for name in re.findall(r"`([a-z_.*]+)`", row)}
    there = {
        f"{parts[1]}.*" if len(parts) > 2 else parts[-1] for parts in (name.split(".") for name in modules())
    }  # fmt: skip
    assert shown == {"__init__" if name == "sentrial" else name for name in there}


# --- what an import does ---------------------------------------------------------------------------------------------

HEAVY = (
    "click", "genai_prices", "google.protobuf", "grpc", "openai", "phonenumbers", "pydantic", "regex", "requests",
    "rich", "sqlite3", "stdnum",
)  # fmt: skip

WATCHED = """
import json, sys, threading, logging
seen = []
def watch(event, arguments):
    if event.startswith(("socket.", "subprocess.", "os.fork", "sqlite3.", "os.mkdir")):
        seen.append(event)
    if event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
        seen.append(f"open {arguments[0]}")
sys.addaudithook(watch)
import sentrial
from opentelemetry import trace
print(json.dumps({
    "seen": seen,
    "loaded": sorted(set(sys.modules)),
    "threads": threading.active_count(),
    "finders": [repr(finder) for finder in sys.meta_path if type(finder).__module__.startswith("sentrial")],
    "handlers": len(logging.getLogger().handlers) + len(logging.getLogger("sentrial").handlers),
    "provider": type(trace.get_tracer_provider()).__name__,
}))
"""


@pytest.fixture(scope="module")
def after_import() -> dict[str, Any]:
    command = [sys.executable, "-B", "-W", "error", "-c", WATCHED]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout)


def test_importing_loads_nothing_heavy(after_import: dict[str, Any]) -> None:
    assert "opentelemetry.trace" in after_import["loaded"]
    assert [name for name in HEAVY if name in after_import["loaded"]] == []


def test_importing_does_nothing(after_import: dict[str, Any]) -> None:
    del after_import["loaded"]
    assert after_import == {"seen": [], "threads": 1, "finders": [], "handlers": 0, "provider": "ProxyTracerProvider"}


def test_importing_leaves_a_client_as_it_is() -> None:
    program = (
        "from openai.resources.chat.completions import Completions\n"
        "before = Completions.__dict__['create']\n"
        "import sentrial\n"
        "assert Completions.__dict__['create'] is before\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_public_modules_say_what_they_are() -> None:
    for name, path in modules().items():
        assert ast.get_docstring(ast.parse(text(path))), f"{name} has no docstring"
