"""Which methods are patched, and when: at once where the client is imported, else after the program imports it."""

from __future__ import annotations

import sys
import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakSet

import wrapt

from sentrial import _guard
from sentrial._patch import abandoned
from sentrial._patch.inside import build_attempt, build_own_tracer, build_refused
from sentrial._patch.method import PatchedMethod
from sentrial._patch.spec import Provider, Role, Target
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

    ``calls``: how often it was called while it was patched.
    """

    name: str
    target: str
    state: str
    calls: int = field(default=0, compare=False)


_INSIDE = {Role.ATTEMPT: build_attempt, Role.REFUSED: build_refused, Role.OWN_TRACER: build_own_tracer}


class _Patch:
    """One target of one provider, in this process: kept when it is taken back, so that it can come again."""

    def __init__(self, provider: Provider, target: Target) -> None:
        self.provider = provider
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
        return _INSIDE[role](original, self.switch)

    @property
    def state(self) -> str:
        if not self.wanted:
            return OFF
        if self.switch.on:
            return PATCHED
        return MISSING if self.target.module in sys.modules else WAITING

    def put(self) -> None:
        """Patch, if the class and the method are there."""
        owner = self.target.owner()
        if owner is not None and self._method.put(owner):
            self.switch.on = True

    def take_back(self) -> None:
        """Fall silent, and put the original back unless somebody else has patched on top of us."""
        self.wanted = self.switch.on = self.switch.for_all = False
        self.switch.calls = 0
        owner = self.target.owner()
        if owner is not None:
            self._method.take_back(owner)


_SHOWN = 20

# Reentrant: patching can import, and so run the hook of another module.
_lock = threading.RLock()
_patches: dict[tuple[str, str], _Patch] = {}
_chosen: dict[str, WeakSet[Any]] = {}


def install(names: Collection[str] | None, providers: Sequence[Provider]) -> None:
    """Patch the clients of ``names`` among ``providers``, all of them if ``None``; what is patched stays as it is.

    No client is imported: one that the program has not imported is patched right after it does.
    """
    known = {provider.name for provider in providers}
    unknown = sorted(set(names or ()) - known)
    if unknown:
        _guard.refuse(
            f"unknown clients {unknown[:_SHOWN]}",
            "sentrial: no client is known by the name %s; known are: %s.",
            _guard.shown(", ".join(map(repr, unknown[:_SHOWN])), str),
            ", ".join(sorted(known)),
        )
    for provider in providers:
        if names is None or provider.name in names:
            _patch_targets(provider, for_all=True)


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
    """Put the original methods of the clients of ``names`` back, of all of them if ``None``.

    A bound method that the program has kept from before makes its calls as ever, and records nothing. Streams of
    ``names`` that are open are recorded to their end; with all of them, they end as abandoned.
    """
    with _lock:
        for patch in _patches.values():
            if names is None or patch.provider.name in names:
                patch.take_back()
    if names is None:
        abandoned.end_all()


def is_installed(name: str) -> bool:
    """Whether the calls of every client of ``name`` are recorded, or will be once the program imports it."""
    with _lock:
        return any(patch.wanted and patch.switch.for_all for patch in _patches.values() if patch.provider.name == name)


def installed() -> list[Report]:
    """What is patched, target by target, as things stand."""
    with _lock:
        return [
            Report(patch.provider.name, str(patch.target), patch.state, patch.switch.calls)
            for patch in _patches.values()
            if patch.target.role is Role.CALL
        ]


@_guard.guarded("patching a client", _guard.nothing)
def _patch_targets(provider: Provider, *, for_all: bool) -> None:
    for target in provider.targets:
        with _lock:
            patch = _patches.setdefault((provider.name, str(target)), _Patch(provider, target))
            patch.switch.for_all = patch.switch.for_all or for_all
        _patch_or_wait(patch)


def _patch_or_wait(patch: _Patch) -> None:
    with _lock:
        patch.wanted = True
        first, patch.hooked = not patch.hooked, True
    if first:
        # Without our lock: wrapt runs the hooks of an import that another thread does under a lock of its own.
        wrapt.register_post_import_hook(lambda _module: _put(patch), patch.target.module)
    _put(patch)


def _put(patch: _Patch) -> None:
    try:
        with _lock:
            # A hook cannot be taken back: when it runs, nobody may want the patch any more.
            if patch.wanted:
                patch.put()
    except Exception as error:  # noqa: BLE001 - an odd client must not break the program's import of it
        _guard.failed(f"patching {patch.target}", error)
