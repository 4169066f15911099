"""Where the store's file is."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from sentrial._store.failures import StoreUnusableError

VARIABLE = "SENTRIAL_STORE"
FILE_NAME = "sessions.db"

# Values of the variable that switch the store on or off and name no place.
_SWITCHES = frozenset({"", "on", "off", "true", "false", "yes", "no", "1", "0"})


def store_path(environ: Mapping[str, str] | None = None, platform: str = sys.platform) -> Path:
    """The store's file: the value of ``SENTRIAL_STORE`` where it is a path, else a place of the user's own.

    That is ``sentrial/sessions.db`` in ``$XDG_DATA_HOME`` or ``~/.local/share``, in
    ``~/Library/Application Support`` on macOS, in ``%LOCALAPPDATA%`` on Windows.

    Raises:
        StoreUnusableError: the user has no home directory, and nothing else names a place.
    """
    environ = os.environ if environ is None else environ
    named = environ.get(VARIABLE, "").strip()
    if named.lower() not in _SWITCHES:
        return _without_tilde(Path(named))
    return _data_folder(environ, platform) / "sentrial" / FILE_NAME


def _data_folder(environ: Mapping[str, str], platform: str) -> Path:
    if platform == "win32":
        named = environ.get("LOCALAPPDATA", "")
        return Path(named) if named else _home(environ) / "AppData" / "Local"
    if platform == "darwin":
        return _home(environ) / "Library" / "Application Support"
    named = environ.get("XDG_DATA_HOME", "")
    # The XDG specification has relative paths ignored.
    return Path(named) if os.path.isabs(named) else _home(environ) / ".local" / "share"


def _home(environ: Mapping[str, str]) -> Path:
    named = environ.get("HOME", "")
    return Path(named) if named else _without_tilde(Path("~"))


def _without_tilde(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise StoreUnusableError(
            f"local store: {error}; set {VARIABLE} to the path of a file that may be created"
        ) from error
