"""Which methods are patched, and when: at once where the client is imported, else after the program imports it."""

from __future__ import annotations

import sys
import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import wrapt

from sentrial import _guard
from sentrial._patch import abandoned
from sentrial._patch.method import PatchedMethod
from sentrial._patch.spec import Provider, Target
from sentrial._patch.wrapper import Switch, build_wrapper

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


class _Patch:
    """One target of one provider, in this process: kept when it is taken back, so that it can come again."""

    def __init__(self, provider: Provider, target: Target) -> None:
        self.provider = provider
        self.target = target
        self.switch = Switch()
        self.wanted = False
        self.hooked = False
        self._method = PatchedMethod(target.method, lambda original: build_wrapper(provider, original, self.switch))

    @property
    def owner(self) -> type | None:
        for name in self.target.modules:
            # Not by getattr: some modules import their submodules when they are asked for a name.
            owner = vars(sys.modules[name]).get(self.target.cls) if name in sys.modules else None
            if isinstance(owner, type):
                return owner
        return None

    def put(self) -> None:
        """Patch, if the class and the method are there."""
        owner = self.owner
        if owner is not None and self._method.put(owner):
            self.switch.on = True

    def take_back(self) -> None:
        """Fall silent, and put the original back unless somebody else has patched on top of us."""
        self.switch.on = False
        self.switch.calls = 0
        owner = self.owner
        if owner is not None:
            self._method.take_back(owner)


_SHOWN = 20

# Reentrant: patching can import, and so run the hook of another module.
_lock = threading.RLock()
_patches: dict[tuple[str, str], _Patch] = {}


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
            for target in provider.targets:
                with _lock:
                    patch = _patches.setdefault((provider.name, str(target)), _Patch(provider, target))
                _patch_or_wait(patch)


def uninstall() -> None:
    """Put the original methods back, and end the streams that are still open as abandoned.

    A bound method that the program has kept from before makes its calls as ever, and records nothing.
    """
    with _lock:
        for patch in _patches.values():
            patch.wanted = False
            patch.take_back()
    abandoned.end_all()


def installed() -> list[Report]:
    """What is patched, target by target, as things stand."""
    with _lock:
        return [
            Report(patch.provider.name, str(patch.target), _state(patch), patch.switch.calls)
            for patch in _patches.values()
        ]


def _patch_or_wait(patch: _Patch) -> None:
    with _lock:
        patch.wanted = True
        first, patch.hooked = not patch.hooked, True
    if first:
        # Without our lock: wrapt runs the hooks of an import that another thread does under a lock of its own.
        for module in patch.target.modules:
            wrapt.register_post_import_hook(lambda _module: _put(patch), module)
    _put(patch)


def _put(patch: _Patch) -> None:
    try:
        with _lock:
            # A hook cannot be taken back: when it runs, nobody may want the patch any more.
            if patch.wanted:
                patch.put()
    except Exception as error:  # noqa: BLE001 - an odd client must not break the program's import of it
        _guard.failed(f"patching {patch.target}", error)


def _state(patch: _Patch) -> str:
    if not patch.wanted:
        return OFF
    if patch.switch.on:
        return PATCHED
    loaded = [sys.modules[module] for module in patch.target.modules if module in sys.modules]
    # A package may load what is in it when somebody asks for that.
    is_whole = any(not hasattr(module, "__path__") for module in loaded) or len(loaded) == len(patch.target.modules)
    return MISSING if loaded and is_whole else WAITING
