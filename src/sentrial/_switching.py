"""Which libraries are recorded: as the settings say, and one by one while the program runs."""

from __future__ import annotations

import os
from collections.abc import Collection

from sentrial import _guard, _library_names, _library_versions
from sentrial._config import Config
from sentrial._known_clients import known_clients, known_libraries
from sentrial._library_names import OURS
from sentrial._patch import install

DISABLED = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"
_EVERYTHING = "*"

_by_settings: set[str] = set()


def wanted(config: Config) -> Collection[str] | None:
    """The libraries to record, less those that OpenTelemetry's own variable leaves out; ``None`` for all.

    A bare ``openai`` there may mean another instrumentation of that name: it leaves ours out where no setting names
    it. ``sentrial-openai`` means ours, and leaves it out whatever else is said.
    """
    known = [library.name for library in known_libraries()]
    named = _library_names.named(config, known)
    left_out = {name.strip().lower() for name in os.environ.get(DISABLED, "").split(",")} - {""}
    if not left_out:
        return named
    return [
        name
        for name in (known if named is None else named)
        if OURS + name not in left_out and (named is not None or left_out.isdisjoint({name, _EVERYTHING}))
    ]


@_guard.guarded("patching libraries", _guard.nothing)
def follow(config: Config) -> None:
    """Patch what ``config`` wants, and take back what an earlier configuration wanted and this one does not."""
    if not config.enabled:
        _by_settings.clear()
        install.uninstall()
        return
    libraries, names = known_libraries(), wanted(config)
    unknown = _library_names.unknown(config, [library.name for library in libraries])
    if unknown is not None:
        _guard.refuse(f"instrument {unknown}", "sentrial: %s %s", *unknown)
    now = {library.name for library in libraries if names is None or library.name in names}
    gone = _by_settings - now
    if gone:
        install.uninstall(gone)
        install.install_chosen(known_clients())
    own = {name for name in now if name in _by_settings or not install.is_installed(name)}
    _by_settings.clear()
    _by_settings.update(own)
    install.install(names, libraries)
    _library_versions.say_too_old(sorted(now))


def switch_on(name: str) -> None:
    """Record the library ``name`` from now on, whatever a configuration says afterwards."""
    _by_settings.discard(name)
    install.install([name], known_libraries())


def switch_off(name: str) -> None:
    """Record nothing of ``name`` from now on; one that is under way is recorded to its end."""
    _by_settings.discard(name)
    install.uninstall([name])


def all_off() -> None:
    """Record nothing from now on."""
    _by_settings.clear()
    install.uninstall()
