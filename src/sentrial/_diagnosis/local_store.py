"""The local store: where it is, whether it can be written, how large it is, and what is left of the disk."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from sentrial import _setup
from sentrial._config import Config
from sentrial._diagnosis.finding import Finding, problem
from sentrial._store.failures import StoreError
from sentrial._store.schema import VERSION
from sentrial._units import write_bytes

LITTLE = 200_000_000
"""Bytes of free disk below which it is said."""


def read_store(config: Config, *, in_use: bool) -> dict[str, Any]:
    """The store as it is, looked at without changing it. Sizes in bytes; what cannot be known is ``None``.

    ``in_use``: whether sessions go there as things are configured.
    """
    store: dict[str, Any] = {
        "in_use": in_use,
        "path": None,
        "exists": False,
        "writable": False,
        "bytes": None,
        "sessions": None,
        "schema_version": None,
        "known_schema_version": VERSION,
        "free_bytes": None,
        "trouble": None,
    }
    try:
        path = Path(_setup.makers.store_place(config)).absolute()
        store["path"] = str(path)
        store["free_bytes"] = shutil.disk_usage(_nearest(path)).free
        store["exists"] = path.exists()
        store["writable"] = _is_writable(path)
        if store["exists"]:
            store["bytes"] = sum(_size(Path(f"{path}{suffix}")) for suffix in ("", "-wal", "-shm"))
            if path.stat().st_size:
                store.update(_content(path))
    except (StoreError, OSError) as error:
        store["trouble"] = str(error)
    return store


def findings_of(store: dict[str, Any]) -> list[Finding]:
    """What is the matter with it; nothing is, where nobody uses it."""
    if not store["in_use"]:
        return []
    place = store["path"] or "the local store"
    if store["trouble"] is not None:
        return [problem("store-unusable", store["trouble"], "Let SENTRIAL_STORE name another file.")]
    if not store["writable"]:
        return [
            problem(
                "store-not-writable",
                f"the local store cannot be written: {place}",
                "Give yourself the right to write the file and its folder, or let SENTRIAL_STORE name another file.",
            )
        ]
    if store["free_bytes"] < LITTLE:
        free = write_bytes(store["free_bytes"])
        return [
            problem("disk-full", f"only {free} are free on the disk of the local store ({place})", "Make some room.")
        ]
    return []


def _content(path: Path) -> dict[str, Any]:
    # Programs that never look at the store do not load SQLite.
    from sentrial._store.connection import open_for_reading
    from sentrial._store.sqlite_errors import naming_the_file

    with naming_the_file(path):
        connection = open_for_reading(path)
        try:
            return {
                "schema_version": connection.execute("PRAGMA user_version").fetchone()[0],
                "sessions": connection.execute("SELECT count(*) FROM sessions").fetchone()[0],
            }
        finally:
            connection.close()


def _nearest(path: Path) -> Path:
    """The nearest place above ``path`` that is there."""
    return next(place for place in (path, *path.parents) if place.exists())


def _is_writable(path: Path) -> bool:
    if path.exists() and not (path.is_file() and os.access(path, os.W_OK)):
        return False
    # SQLite makes files beside the store's.
    folder = _nearest(path.parent)
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
