"""The libraries that can be recorded: those described here, and the clients that other distributions describe."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from sentrial import _guard
from sentrial._frameworks import FRAMEWORKS
from sentrial._patch.spec import Library, Provider, Target
from sentrial._providers import PROVIDERS

GROUP = "sentrial_provider"
"""The group of entry points by which another distribution names a :class:`Provider` of its own."""


def known_libraries() -> Sequence[Library]:
    """All of them: clients, then frameworks."""
    return (*known_clients(), *FRAMEWORKS)


@cache
def known_clients() -> Sequence[Provider]:
    """The clients. One from outside may not take the name of one that is known already."""
    known = list(PROVIDERS)
    frameworks = {framework.name for framework in FRAMEWORKS}
    for entry_point in _found():
        provider = _load(entry_point, frameworks | {other.name for other in known})
        if provider is not None:
            known.append(provider)
    return known


@_guard.guarded("looking for clients that other distributions describe", list)
def _found() -> Iterable[EntryPoint]:
    # By value: which of two of one name is taken must not depend on the order of a directory.
    return sorted(entry_points(group=GROUP), key=lambda entry_point: entry_point.value)


def _load(entry_point: EntryPoint, taken: Collection[str]) -> Provider | None:
    try:
        found = entry_point.load()
        if not isinstance(found, Provider) or not all(isinstance(target, Target) for target in found.targets):
            raise TypeError(f"{entry_point.value} is no sentrial Provider, but a {type(found).__name__}")
        if found.name in taken:
            raise ValueError(f"the name {found.name!r} is taken")
    except Exception as error:  # noqa: BLE001 - what another distribution brings must not keep ours from working
        _guard.say_once(
            f"provider {entry_point.value}"[:200],
            "sentrial: the client that the entry point %s (%s) describes is not recorded: %s",
            entry_point.name,
            GROUP,
            error,
        )
        return None
    return found
