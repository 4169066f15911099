"""Which libraries are recorded, and from when: at once where they are imported, else after the program imports them."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from weakref import WeakSet

import wrapt

from sentrial import _guard
from sentrial._patch import abandoned, half_imported
from sentrial._patch.inside import build_attempt, build_own_tracer, build_refused
from sentrial._patch.method import PatchedMethod
from sentrial._patch.spec import Framework, Library, Provider, Role, Target
from sentrial._patch.switch import Switch
from sentrial._patch.tools import build_tool
from sentrial._patch.wrapper import build_wrapper

PATCHED = "patched"
WAITING = "waiting for import"
MISSING = "not in this version"
OFF = "off"


@dataclass(frozen=True, slots=True)
class Report:
    """One target and its ``state``: ``patched``, ``waiting for import``, ``not in this version`` or ``off``.

    ``calls``: how often it was called while it was patched; ``None`` where nobody counts.
    """

    name: str
    target: str
    state: str
    calls: int | None = field(default=0, compare=False)


_INSIDE = {Role.REFUSED: build_refused, Role.OWN_TRACER: build_own_tracer}


class _Patch:
    """One target of one provider, in this process: kept when it is taken back, so that it can come again."""

    def __init__(self, provider: Provider, target: Target) -> None:
        self.provider = provider
        self.name = provider.name
        self.target = target
        self.switch = Switch(provider.identify, _chosen.setdefault(provider.name, WeakSet()))
        self.hooked = False
        self.wanted = False
        self._method = PatchedMethod(target.method, self._build)

    def _build(self, original: Any) -> Any:
        role = self.target.role
        if role is Role.CALL:
            return build_wrapper(self.provider, original, self.switch)
        if role is Role.TOOL:
            return build_tool(self.provider, self.target, original, self.switch)
        if role is Role.ATTEMPT:
            return build_attempt(original, self.switch, lambda: put_again(self.provider.name))
        return _INSIDE[role](original, self.switch)

    @property
    def on(self) -> bool:
        return self.switch.on

    @property
    def for_all(self) -> bool:
        return self.switch.for_all

    @for_all.setter
    def for_all(self, value: bool) -> None:
        self.switch.for_all = value

    @property
    def calls(self) -> int:
        return self.switch.calls

    @property
    def is_lost(self) -> bool:
        """Whether what was patched is so no longer."""
        owner = self.target.owner() if self.switch.on else None
        return owner is not None and self._method.is_lost(owner)

    def put(self) -> None:
        """Patch, if the class and the method are there."""
        owner = self.target.owner()
        if owner is not None and self._method.put(owner):
            self.switch.on = True

    def take_back(self) -> None:
        """Fall silent, and put the original back unless somebody else has patched on top of us."""
        self.wanted = self.for_all = self.switch.on = False
        self.switch.calls = 0
        owner = self.target.owner()
        if owner is not None:
            self._method.take_back(owner)


class _Entrance:
    """One framework, in this process."""

    calls: int | None = None

    def __init__(self, framework: Framework) -> None:
        self.framework = framework
        self.name = framework.name
        self.target = framework.entrance
        self.hooked = False
        self.wanted = False
        self.for_all = False
        self.on = False

    def put(self) -> None:
        """Go in, if the framework has this entrance."""
        owner = self.target.owner()
        # Never by an import: another thread may be at it, and wait for us.
        function = None if owner is None else vars(owner).get(self.target.method)
        if function is not None and not self.on:
            self.framework.install(function)
            self.on = True

    def take_back(self) -> None:
        """Go out."""
        self.wanted = False
        if self.on:
            self.on = False
            self.framework.uninstall()


_SHOWN = 20

# Reentrant: patching can import, and so run the hook of another module.
_lock = threading.RLock()
_patches: dict[tuple[str, str], _Patch | _Entrance] = {}
_chosen: dict[str, WeakSet[Any]] = {}


def install(names: Collection[str] | None, libraries: Sequence[Library]) -> None:
    """Record the ``libraries`` of ``names``, all of them if ``None``; what is recorded already stays as it is.

    None is imported: one that the program has not imported is recorded right after it does.
    """
    known = {library.name for library in libraries}
    unknown = sorted(set(names or ()) - known)
    if unknown:
        _guard.refuse(
            f"unknown clients {unknown[:_SHOWN]}",
            "sentrial: no client is known by the name %s; known are: %s.",
            _guard.shown(", ".join(map(repr, unknown[:_SHOWN])), str),
            ", ".join(sorted(known)),
        )
    for library in libraries:
        if names is not None and library.name not in names:
            continue
        if isinstance(library, Framework):
            _enter(library)
        else:
            _patch_targets(library, for_all=True)


def choose(client: Any, provider: Provider) -> None:
    """Let :func:`install_chosen` record the calls of ``client``, a client of ``provider``'s, and of its copies."""
    with _lock:
        _chosen.setdefault(provider.name, WeakSet()).add(provider.identify(client))


def install_chosen(providers: Sequence[Provider]) -> None:
    """Patch for the clients that were chosen; others of their libraries are left as they are."""
    for provider in providers:
        if _chosen.get(provider.name):
            _patch_targets(provider, for_all=False)


def forget_chosen() -> None:
    """No client is chosen any more."""
    with _lock:
        for clients in _chosen.values():
            clients.clear()


def uninstall(names: Collection[str] | None = None) -> None:
    """Put the original methods of the libraries of ``names`` back, of all of them if ``None``.

    A bound method that the program has kept from before makes its calls as ever, and records nothing. Streams of
    ``names`` that are open are recorded to their end; with all of them, they end as abandoned.
    """
    with _lock:
        for patch in _patches.values():
            if names is None or patch.name in names:
                patch.take_back()
    if names is None:
        half_imported.forget()
        abandoned.end_all()


def put_again(name: str) -> None:
    """Patch ``name`` again where others have put back what they had found before we came.

    Looking is cheap, and takes no lock: each attempt of a call that is not recorded does.
    """
    patches = [each for each in list(_patches.values()) if isinstance(each, _Patch) and each.name == name]
    if not any(patch.is_lost for patch in patches if patch.target.role is Role.CALL):
        return
    for patch in patches:
        _put(patch)
    _guard.say_once(
        f"{name} was put back",
        "sentrial: somebody has put the methods of %s back as they were before they were patched; an instrumentation "
        "that is switched off does that. They are patched again. Calls between the two are not recorded.",
        name,
    )


def is_installed(name: str) -> bool:
    """Whether the calls of every client of ``name`` are recorded, or will be once the program imports it."""
    with _lock:
        return any(patch.wanted and patch.for_all for patch in _patches.values() if patch.name == name)


def installed() -> list[Report]:
    """What is patched, target by target, as things stand."""
    with _lock:
        return [
            Report(patch.name, str(patch.target), _state(patch), patch.calls)
            for patch in _patches.values()
            if patch.target.role is Role.CALL
        ]


def _state(patch: _Patch | _Entrance) -> str:
    if not patch.wanted:
        return OFF
    if patch.on:
        return PATCHED
    module = patch.target.module
    is_waiting = not patch.hooked or module not in sys.modules or half_imported.is_half_imported(module)
    return WAITING if is_waiting else MISSING


@_guard.guarded("patching a client", _guard.nothing)
def _patch_targets(provider: Provider, *, for_all: bool) -> None:
    for target in provider.targets:
        with _lock:
            patch = _patches.setdefault((provider.name, str(target)), _Patch(provider, target))
        _patch_or_wait(patch, for_all=for_all)


@_guard.guarded("entering a framework", _guard.nothing)
def _enter(framework: Framework) -> None:
    with _lock:
        entrance = _patches.setdefault((framework.name, str(framework.entrance)), _Entrance(framework))
    _patch_or_wait(entrance, for_all=True)


def _patch_or_wait(patch: _Patch | _Entrance, *, for_all: bool) -> None:
    with _lock:
        patch.wanted = True
        patch.for_all = patch.for_all or for_all
    if half_imported.is_half_imported(patch.target.module):
        # What is there already is patched at once; wrapt would take all of it for imported.
        _put(patch)
        half_imported.after_import(patch.target.module, partial(_hook, patch))
    else:
        _hook(patch)


@_guard.guarded("patching after an import", _guard.nothing)
def _hook(patch: _Patch | _Entrance) -> None:
    with _lock:
        first, patch.hooked = not patch.hooked, True
    if first:
        # Without our lock: wrapt runs the hooks of an import that another thread does under a lock of its own.
        wrapt.register_post_import_hook(lambda _module: _put(patch), patch.target.module)
    _put(patch)


def _put(patch: _Patch | _Entrance) -> None:
    try:
        with _lock:
            # A hook cannot be taken back: when it runs, nobody may want the patch any more.
            if patch.wanted:
                patch.put()
    except Exception as error:  # noqa: BLE001 - an odd client must not break the program's import of it
        _guard.failed(f"patching {patch.target}", error)


def _after_fork() -> None:
    # A thread of the parent may have held it, and does not exist in the child.
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
