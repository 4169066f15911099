"""What is patched of clients and entered of frameworks: its state, how often it was called, who else stands in it."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator
from typing import Any

from sentrial import _switching
from sentrial._config import Config
from sentrial._diagnosis.finding import Finding, note, problem
from sentrial._diagnosis.others import package_of
from sentrial._library_versions import too_old
from sentrial._patch import install
from sentrial._patch.install import MISSING, OFF, PATCHED
from sentrial._patch.spec import Framework, Library, Role, Target

READY = "will be patched"
NOT_INSTALLED = "not installed"
BROKEN = "cannot be imported"

_OURS = __name__.partition(".")[0]
_NOBODY = frozenset({_OURS, "wrapt", "functools", ""})


def read_clients(libraries: Iterable[Library], config: Config, *, own_process: bool) -> list[dict[str, Any]]:
    """Each method that we know how to patch, and each entrance of a framework.

    In the program's process: as things stand there. In a process of the doctor's own nothing is patched, so that each
    client is imported to see what there is to patch.
    """
    stands = {(each.name, each.target): each for each in install.installed()}
    found = []
    for library in libraries:
        targets = (library.entrance,) if isinstance(library, Framework) else library.targets
        others = sorted({other for target in (*targets, *library.surfaces) for other in _others_in(target)})
        for target in targets:
            if target.role is not Role.CALL:
                continue
            report = stands.get((library.name, str(target)))
            state, calls = (OFF, 0) if report is None else (report.state, report.calls)
            if own_process:
                state = _foreseen(library, target, config)
            found.append(
                {
                    "client": library.name,
                    "target": str(target),
                    "state": state,
                    "calls": None if own_process else calls,
                    "also_patched_by": others,
                }
            )
    return found


def findings_of(clients: list[dict[str, Any]], *, own_process: bool) -> list[Finding]:
    """What is the matter with each client."""
    found = []
    for name in dict.fromkeys(each["client"] for each in clients):
        targets = [each for each in clients if each["client"] == name]
        states = {each["state"] for each in targets}
        if states == {MISSING}:
            found.append(
                problem(
                    "client-unsupported",
                    f"nothing of {name} can be patched: this version of it has none of the methods that we know",
                    f"Upgrade sentrial-otel or {name}.",
                )
            )
        if states - {OFF, NOT_INSTALLED}:
            found += [problem("client-unsupported", each.words, each.remedy) for each in too_old([name])]
        if BROKEN in states:
            found.append(problem("client-broken", f"{name} cannot be imported", f"See what `import {name}` says."))
        patched = [each for each in targets if each["state"] == PATCHED]
        if patched and not own_process and all(each["calls"] == 0 for each in patched):
            found.append(
                note(
                    "client-never-called",
                    f"{name} is patched, and no call has come through it so far",
                    "If there were calls, they were made by another client, in another process, or before configure().",
                )
            )
        for other in sorted({other for each in patched for other in each["also_patched_by"]}):
            found.append(
                note(
                    "client-recorded-by-others",
                    f"{other} has patched {name} too: where its span tells of a call, ours stays out",
                    "Its spans count in their sessions. To have ours, with their content, leave out that instrumentor.",
                )
            )
    return found


def _foreseen(library: Library, target: Target, config: Config) -> str:
    names = _switching.wanted(config)
    if not config.enabled or (names is not None and library.name not in names):
        return OFF
    try:
        importlib.import_module(target.module)
    except ModuleNotFoundError as missing:
        return NOT_INSTALLED if f"{target.module}.".startswith(f"{missing.name}.") else BROKEN
    except Exception:  # noqa: BLE001 - whatever a client does when it is imported is what is to be told
        return BROKEN
    owner = target.owner()
    return READY if owner is not None and target.method in vars(owner) else MISSING


def _others_in(target: Target) -> Iterator[str]:
    """The packages, other than ours and the client's own, whose wrappers stand in the method."""
    own = target.module.partition(".")[0]
    owner = target.owner()
    current = vars(owner).get(target.method) if owner is not None else None
    for _ in range(100):
        if current is None:
            break
        module = _defined_in(current)
        parts = module.split(".")
        if parts[0] not in {own, *_NOBODY}:
            yield package_of(module) if parts[1:2] == ["instrumentation"] else parts[0]
        current = getattr(current, "__wrapped__", None)


def _defined_in(wrapper: Any) -> str:
    """The module that a wrapper comes from: its own ``__module__`` is that of what it wraps."""
    inner = getattr(wrapper, "_self_wrapper", wrapper)
    inner = getattr(inner, "func", inner)
    inner = getattr(inner, "__func__", inner)
    return str(getattr(inner, "__globals__", {}).get("__name__") or type(inner).__module__)
