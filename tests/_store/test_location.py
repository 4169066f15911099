"""Where the store's file is."""

from __future__ import annotations

from pathlib import Path

import pytest

from sentrial._store.failures import StoreUnusableError
from sentrial._store.location import store_path


@pytest.mark.parametrize(
    ("environ", "platform", "expected"),
    [
        ({"HOME": "/home/me"}, "linux", "/home/me/.local/share/sentrial/sessions.db"),
        ({"HOME": "/home/me", "XDG_DATA_HOME": "/data"}, "linux", "/data/sentrial/sessions.db"),
        ({"HOME": "/home/me", "XDG_DATA_HOME": "data"}, "linux", "/home/me/.local/share/sentrial/sessions.db"),
        ({"HOME": "/Users/me"}, "darwin", "/Users/me/Library/Application Support/sentrial/sessions.db"),
        ({"LOCALAPPDATA": "/local"}, "win32", "/local/sentrial/sessions.db"),
        ({"HOME": "/home/me"}, "win32", "/home/me/AppData/Local/sentrial/sessions.db"),
        ({"HOME": "/home/me", "SENTRIAL_STORE": "/var/store.db"}, "linux", "/var/store.db"),
        ({"HOME": "/home/me", "SENTRIAL_STORE": " runs/store.db "}, "darwin", "runs/store.db"),
        ({"HOME": "/home/me", "SENTRIAL_STORE": "on"}, "linux", "/home/me/.local/share/sentrial/sessions.db"),
        ({"HOME": "/home/me", "SENTRIAL_STORE": "False"}, "linux", "/home/me/.local/share/sentrial/sessions.db"),
    ],
)
def test_the_place_follows_the_variable_then_the_platform(
    environ: dict[str, str], platform: str, expected: str
) -> None:
    assert store_path(environ, platform) == Path(expected)


def test_a_tilde_is_the_users_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert store_path({"SENTRIAL_STORE": "~/store.db"}) == Path("/home/me/store.db")


def test_the_environment_of_the_process_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SENTRIAL_STORE", str(tmp_path / "mine.db"))
    assert store_path() == tmp_path / "mine.db"


def test_a_user_without_a_home_is_told_what_to_set() -> None:
    with pytest.raises(StoreUnusableError, match="set SENTRIAL_STORE to the path of a file"):
        store_path({"SENTRIAL_STORE": "~nobody-of-that-name/store.db"})
