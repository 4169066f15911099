"""Who may import whom: the table of docs/contributing/architecture.md, and the check of one module against it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

OTEL_API = frozenset(
    f"opentelemetry.{name}"
    for name in ("attributes", "baggage", "context", "metrics", "propagate", "propagators", "trace", "util", "version")
)
OTEL_SDK = OTEL_API | {"opentelemetry.sdk", "opentelemetry.exporter", "opentelemetry.proto"}
WIRE = frozenset({"requests", "grpc", "google"})
PERSONAL = frozenset({"phonenumbers", "regex", "stdnum"})
TERMINAL = frozenset({"click", "rich"})
LANGCHAIN = frozenset({"langchain", "langchain_classic", "langchain_core", "langgraph"})


@dataclass(frozen=True)
class Room:
    """Some modules, and what they may import. A name stands for itself and for all that is below it.

    Attributes:
        name: the row's name in architecture.md.
        modules: whose room it is.
        ours: modules of ``sentrial`` that they may import, other than those of the same room.
        others: distributions that they may import, other than the standard library.
        lazily: those of ``others`` that they may import inside functions only.
        together: whether modules of the room may import each other.
    """

    name: str
    modules: frozenset[str]
    ours: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()
    lazily: frozenset[str] = frozenset()
    together: bool = True


def _named(*names: str) -> frozenset[str]:
    return frozenset(f"sentrial.{name}" for name in names)


WORDS = _named(
    "semconv",
    "types",
    "_version",
    "_guard",
    "_late_imports",
    "_unknown_arguments",
    "_missing_names",
    "_runtime",
    "_units",
    "_pii",
    "_setting_values",
    "_settings",
    "_config",
    "_json",
    "_snapshot",
    "_totals",
    "_foreign",
    "_session",
    "_handle",
    "_baggage",
    "_ambient",
    "_registry",
    "_payload",
)
STORE = _named("_store")
EXPORT = _named("_export")
SPANS = _named("_spans")
PATCH = _named("_patch")
PROVIDERS = _named("_providers")
FRAMEWORKS = _named("_frameworks")
SHARED_BY_CLIENTS = _named(
    "_providers.hosts", "_providers.parts", "_providers.stainless", "_providers.usage", "_providers.values"
)
ROOT = _named(
    "_setup",
    "_alone",
    "_switching",
    "_known_clients",
    "_library_names",
    "_library_versions",
    "_open_sessions",
    "_process_end",
    "_sigterm",
    "_zero_code",
    "_startup",
    "_diagnosis",
)
FACE = frozenset({"sentrial"}) | _named(
    "aio",
    "attachment",
    "batching",
    "client",
    "current",
    "decorators",
    "_decorated",
    "diagnosis",
    "events",
    "events_by_id",
    "instrumentors",
    "interaction",
    "langchain",
    "otel",
    "process",
    "propagation",
    "providers",
    "redact",
    "session_context",
    "state",
    "wrappers",
)
COMMAND = _named("cli", "_cli")

# The first room that names a module, or a package above it, is the module's: exceptions stand before their package.
ROOMS = (
    Room(
        "words that travel in the context",
        _named("_runtime", "_session", "_baggage", "_registry", "_payload"),
        WORDS,
        OTEL_API,
    ),
    Room("words", WORDS),
    Room("store", STORE, WORDS),
    Room(
        "export: personal data",
        _named("_export.pii", "_export.pii_phones", "_export.pii_custom"),
        WORDS | EXPORT,
        PERSONAL,
        lazily=PERSONAL,
    ),
    Room(
        "export",
        EXPORT,
        WORDS | STORE,
        OTEL_SDK | WIRE,
        lazily=WIRE | {"opentelemetry.exporter", "opentelemetry.proto"},
    ),
    Room(
        "spans: cost",
        _named("_spans.cost"),
        WORDS | SPANS,
        OTEL_API | {"genai_prices"},
        lazily=frozenset({"genai_prices"}),
    ),
    Room("spans", SPANS, WORDS, OTEL_API),
    Room("machinery: what describes a client", _named("_patch.spec"), WORDS),
    Room("machinery", PATCH, WORDS | SPANS, OTEL_API | {"wrapt"}),
    Room("clients: the registry", _named("_providers.__init__"), PROVIDERS | _named("_patch.spec")),
    Room("clients: shared", SHARED_BY_CLIENTS, _named("types", "_patch.spec")),
    *(
        Room(f"clients: {name}", _named(f"_providers.{name}"), SHARED_BY_CLIENTS | _named("types", "_patch.spec"))
        for name in ("anthropic", "google", "openai")
    ),
    Room(
        "frameworks: what they call back",
        _named("_frameworks.langchain.handler"),
        WORDS | SPANS | FRAMEWORKS,
        OTEL_API | {"langchain_core"},
    ),
    Room(
        "frameworks",
        FRAMEWORKS,
        WORDS | SPANS | SHARED_BY_CLIENTS | _named("_patch.spec"),
        OTEL_API | LANGCHAIN,
        lazily=LANGCHAIN,
    ),
    Room("root", ROOT, WORDS | STORE | EXPORT | SPANS | PATCH | PROVIDERS | FRAMEWORKS, OTEL_API),
    Room("face", FACE, ROOT | WORDS | STORE | EXPORT | SPANS | PATCH | PROVIDERS | FRAMEWORKS, OTEL_API),
    Room("face: command", COMMAND, FACE | ROOT | WORDS | STORE | EXPORT, TERMINAL),
)


@dataclass(frozen=True)
class Import:
    """One import: the dotted name of what is imported, its line, and whether it waits inside a function."""

    name: str
    line: int
    lazy: bool


def is_in(module: str, names: Iterable[str]) -> str | None:
    """The one of ``names`` that is ``module`` or a package above it. ``sentrial`` names the package's own file only."""
    parts = module.split(".")
    above = [".".join(parts[:end]) for end in range(len(parts), 0, -1)]
    return next((name for name in above if name in names and (name != "sentrial" or module == "sentrial")), None)


def room_of(module: str, rooms: Iterable[Room] = ROOMS) -> Room | None:
    """The room of ``module``, whose dotted name ends in ``__init__`` for a package below ``sentrial``."""
    return next((room for room in rooms if is_in(module, room.modules)), None)


def imports_of(source: str, known: Iterable[str] = ()) -> Iterator[Import]:
    """What ``source`` imports. Of ``from a import b`` that is ``a.b`` where it is one of the modules ``known``."""
    names = frozenset(known)

    def imported(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
        base = "" if isinstance(node, ast.Import) else "." * node.level + (node.module or "")
        for alias in node.names:
            whole = f"{base}.{alias.name}" if base else alias.name
            yield (
                whole if not base or whole in names or f"{whole}.__init__" in names or base == "opentelemetry" else base
            )

    def visit(node: ast.AST, lazy: bool) -> Iterator[Import]:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from (Import(name, node.lineno, lazy) for name in imported(node))
        inside = lazy or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) or _is_for_types_only(node)
        for child in ast.iter_child_nodes(node):
            yield from visit(child, inside)

    yield from dict.fromkeys(visit(ast.parse(source), lazy=False))


def _is_for_types_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def wrong_imports(
    module: str, source: str, known: Iterable[str] = (), rooms: Iterable[Room] = ROOMS
) -> list[str]:  # fmt: skip
    """What in ``source`` breaks the table."""
    rooms = tuple(rooms)
    room = room_of(module, rooms)
    if room is None:
        return [f"{module}: stands in no room of the table; give it one"]
    complaints = []
    for found in imports_of(source, known):
        top = found.name.split(".")[0]
        if top == "sentrial":
            same = room.together and is_in(found.name, room.modules) is not None
            wrong = not same and is_in(found.name, room.ours) is None
            why = "is not below"
        elif top in sys.stdlib_module_names:
            continue
        else:
            name = is_in(found.name, room.others)
            wrong = name is None or (name in room.lazily and not found.lazy)
            why = "belongs to another room" if name is None else "may be imported inside functions only"
        if wrong:
            complaints.append(f"{module}:{found.line}: imports {found.name}, which {why} ({room.name})")
    return complaints


def cycles(imports: dict[str, set[str]]) -> list[list[str]]:
    """Modules that need each other before either has run: the first cycle from each module, shortest path first."""
    found: list[list[str]] = []
    for start in sorted(imports):
        waiting, seen = [[start]], {start}
        while waiting:
            path = waiting.pop(0)
            for target in sorted(imports.get(path[-1], ())):
                if target == start and not any(set(path) == set(cycle) for cycle in found):
                    found.append(path)
                if target not in seen:
                    seen.add(target)
                    waiting.append([*path, target])
    return found
