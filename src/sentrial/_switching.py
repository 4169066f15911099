"""Which client libraries are recorded: as the settings say, and one by one while the program runs."""

from __future__ import annotations

import os
from collections.abc import Collection

from sentrial import _guard
from sentrial._config import Config
from sentrial._known_clients import known_clients
from sentrial._patch import install

DISABLED = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"
_EVERYTHING = "*"
_OURS = "sentrial-"

_by_settings: set[str] = set()


def wanted(config: Config) -> Collection[str] | None:
    """The clients to patch, less those that OpenTelemetry's own variable leaves out; ``None`` for all.

    A bare ``openai`` there may mean another instrumentation of that name: it leaves ours out where no setting names
    the client. ``sentrial-openai`` means ours, and leaves it out whatever else is said.
    """
    left_out = {name.strip().lower() for name in os.environ.get(DISABLED, "").split(",")} - {""}
    if not left_out:
        return config.instrument
    is_named = config.instrument is not None
    names = config.instrument if config.instrument is not None else [client.name for client in known_clients()]
    return [
        name
        for name in names
        if _OURS + name not in left_out and (is_named or left_out.isdisjoint({name, _EVERYTHING}))
    ]


@_guard.guarded("patching clients", _guard.nothing)
def follow(config: Config) -> None:
    """Patch what ``config`` wants, and take back what an earlier configuration wanted and this one does not."""
    if not config.enabled:
        _by_settings.clear()
        install.uninstall()
        return
    clients, names = known_clients(), wanted(config)
    now = {client.name for client in clients if names is None or client.name in names}
    gone = _by_settings - now
    if gone:
        install.uninstall(gone)
        install.install_chosen(clients)
    own = {name for name in now if name in _by_settings or not install.is_installed(name)}
    _by_settings.clear()
    _by_settings.update(own)
    install.install(names, clients)


def switch_on(name: str) -> None:
    """Record the calls of the client library ``name`` from now on, whatever a configuration says afterwards."""
    _by_settings.discard(name)
    install.install([name], known_clients())


def switch_off(name: str) -> None:
    """Record no call of ``name`` from now on; one that is under way is recorded to its end."""
    _by_settings.discard(name)
    install.uninstall([name])


def all_off() -> None:
    """Record nothing from now on."""
    _by_settings.clear()
    install.uninstall()
