"""The clients that are patched: each method with its state, how often it was called, and who else stands in it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from sentrial._config import Config
from sentrial._diagnosis.finding import Finding, note, problem
from sentrial._patch import install
from sentrial._patch.install import MISSING, OFF, PATCHED
from sentrial._patch.spec import Provider, Target

READY = "will be patched"
NOT_INSTALLED = "not installed"
BROKEN = "cannot be imported"

_OURS = __name__.partition(".")[0]
_NOBODY = frozenset({_OURS, "wrapt", "functools", ""})


def read_clients(providers: Iterable[Provider], config: Config, *, own_process: bool) -> list[dict[str, Any]]:
    """Each method that we know how to patch.

    In the program's process: as things stand there. In a process of the doctor's own nothing is patched, so that each
    client is imported to see what there is to patch.
    """
    stands = {(each.name, each.target): each for each in install.installed()}
    found = []
    for provider in providers:
        for target in provider.targets:
            report = stands.get((provider.name, str(target)))
            state, calls = (OFF, 0) if report is None else (report.state, report.calls)
            if own_process:
                state = _foreseen(provider, target, config)
            found.append(
                {
                    "client": provider.name,
                    "target": str(target),
                    "state": state,
                    "calls": None if own_process else calls,
                    "also_patched_by": sorted(set(_others_in(target))),
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
        if BROKEN in states:
            found.append(problem("client-broken", f"{name} cannot be imported", f"See what `import {name}` says."))
        patched = [each for each in targets if each["state"] == PATCHED]
        if patched and not own_process and not any(each["calls"] for each in patched):
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
                    "client-recorded-twice",
                    f"{other} has patched {name} too: each call makes a span of theirs and one of ours",
                    "Keep one of the two: leave out their instrumentor, or let SENTRIAL_INSTRUMENT name others alone.",
                )
            )
    return found


def _foreseen(provider: Provider, target: Target, config: Config) -> str:
    if not config.enabled or (config.instrument is not None and provider.name not in config.instrument):
        return OFF
    owner = None
    for name in target.modules:
        try:
            owner = owner or getattr(importlib.import_module(name), target.cls, None)
        except ModuleNotFoundError as missing:
            if missing.name == name.partition(".")[0]:
                return NOT_INSTALLED
        except Exception:  # noqa: BLE001 - whatever a client does when it is imported is what is to be told
            return BROKEN
    return READY if isinstance(owner, type) and target.method in vars(owner) else MISSING


def _others_in(target: Target) -> Iterator[str]:
    """The packages, other than ours and the client's own, whose wrappers stand in the method."""
    own = target.module.partition(".")[0]
    for name in target.modules:
        owner = vars(sys.modules[name]).get(target.cls) if name in sys.modules else None
        current = vars(owner).get(target.method) if isinstance(owner, type) else None
        for _ in range(100):
            if current is None:
                break
            parts = _defined_in(current).split(".")
            if parts[0] not in {own, *_NOBODY}:
                yield ".".join(parts[:3]) if parts[1:2] == ["instrumentation"] else parts[0]
            current = getattr(current, "__wrapped__", None)


def _defined_in(wrapper: Any) -> str:
    """The module that a wrapper comes from: its own ``__module__`` is that of what it wraps."""
    inner = getattr(wrapper, "_self_wrapper", wrapper)
    inner = getattr(inner, "func", inner)
    inner = getattr(inner, "__func__", inner)
    return str(getattr(inner, "__globals__", {}).get("__name__") or type(inner).__module__)
