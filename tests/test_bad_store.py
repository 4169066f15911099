"""A local store that cannot be written, as the user's program sees it: it ends well, and one line says what to do.

Every span is counted, and another destination has them all.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from receivers import SentrialStandIn
from running import Finished, run_program

KEY = "sentrial_test_key"
SPANS = 40
BOUND = 25
"""Seconds that the program may take on a slow machine: less than its end would wait for who is never done."""

PROGRAM = """
    import json, os, sentrial
    os.umask(0o077)
    {before}
    for number in range(20):
        with sentrial.begin("u", "agent", input=os.urandom(10_000).hex()) as session:
            session.track_tool_call("t", {{"n": number}}, {{}})
    sentrial.shutdown()
    print(json.dumps(sentrial.stats()))
"""
WITHOUT_PRIVILEGES = """import ctypes
    libc = ctypes.CDLL(None)
    if hasattr(libc, "capset"):
        libc.capset((ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)())
"""
"""Root may write everywhere; without its capabilities it may not, and still reads what belongs to it."""


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        yield stand_in


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder to be closed."""
    folder = tmp_path / "closed"
    folder.mkdir()
    yield folder
    folder.chmod(0o777)


def run(server: SentrialStandIn, store: Path, before: str = "", **variables: str) -> Finished:
    ended = run_program(
        PROGRAM.format(before=before),
        {
            "SENTRIAL_API_KEY": KEY,
            "SENTRIAL_API_URL": server.url,
            "SENTRIAL_STORE": str(store),
            "SENTRIAL_FLUSH_TIMEOUT": "30",
            **variables,
        },
    )
    assert ended.seconds < BOUND
    assert ended.err.splitlines() == ended.log
    (counts,) = ended.printed
    assert counts.pop(f"Sentrial {server.url}") == {"stored": SPANS}
    assert len(server.spans) == SPANS
    assert sum(counts["local store"].values()) == SPANS
    return ended


def lost(ended: Finished) -> dict[str, int]:
    (counts,) = ended.printed
    return {reason: number for reason, number in counts["local store"].items() if number}


def sound_store(path: Path) -> None:
    with SentrialStandIn([KEY]) as other:
        run(other, path)


def garbage(path: Path) -> None:
    path.write_bytes(b"this is no database " * 1_000)


def torn(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:4_096] + b"\xa5" * (len(content) - 4_096))


def of_a_newer_version(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 999")
    connection.close()


def of_another_program(path: Path) -> None:
    path.unlink()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE invoices (number)")
    connection.close()


BROKEN: dict[str, tuple[Callable[[Path], None], str]] = {
    "garbage": (
        garbage,
        "it is damaged, or no SQLite file (file is not a database); move it away: a new store is then",
    ),
    "torn": (torn, "it is damaged (database disk image is malformed); move it away: a new store is then made in its"),
    "newer": (of_a_newer_version, "its format has version 999, this sentrial knows versions up to "),
    "another program's": (
        of_another_program,
        "this is a database of another program, and is left alone; set SENTRIAL_",
    ),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_file_that_is_no_store_of_ours_is_left_as_it_is(server: SentrialStandIn, tmp_path: Path, kind: str) -> None:
    breaks, words = BROKEN[kind]
    path = tmp_path / "own.db"
    sound_store(path)
    breaks(path)
    for rest in tmp_path.glob("own.db-*"):
        rest.unlink()
    before = path.read_bytes()
    ended = run(server, path)
    assert lost(ended) == {"refused": SPANS}
    (line,) = ended.log
    assert f"spans for local store are lost: local store {path}: {words}" in line
    assert path.read_bytes() == before


def test_a_damaged_store_that_is_moved_away_makes_place_for_a_new_one(tmp_path: Path) -> None:
    path = tmp_path / "own.db"
    garbage(path)
    ended = run_program(
        f"""
        import json, os, sentrial
        sentrial.begin("u", "before").finish()
        sentrial.flush(20)
        os.rename({str(path)!r}, {str(tmp_path / "bad.db")!r})
        sentrial.begin("u", "after").finish()
        sentrial.shutdown()
        print(json.dumps(sentrial.stats()))
        """,
        {"SENTRIAL_STORE": str(path)},
    )
    assert ended.printed == [{"local store": {"stored": 1, "refused": 1}}]
    assert len(ended.log) == 1


def a_folder_in_its_place(path: Path) -> None:
    path.mkdir()


def a_file_above_it(path: Path) -> None:
    path.parent.rmdir()
    path.parent.write_text("no folder")


PLACES: dict[str, tuple[Callable[[Path], None], str]] = {
    "folder": (a_folder_in_its_place, "Is a directory; set SENTRIAL_STORE to another path."),
    "below a file": (a_file_above_it, "; set SENTRIAL_STORE to another path."),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_path_where_no_file_can_be(server: SentrialStandIn, tmp_path: Path, place: str) -> None:
    makes, words = PLACES[place]
    (tmp_path / "sub").mkdir()
    path = tmp_path / "sub" / "own.db"
    makes(path)
    ended = run(server, path)
    assert lost(ended) == {"refused": SPANS}
    (line,) = ended.log
    assert f"local store {path}: " in line
    assert words in line


@pytest.mark.parametrize("what", ["folder", "file", "file in a folder"])
def test_what_may_not_be_written(server: SentrialStandIn, folder: Path, what: str) -> None:
    path = folder / "own.db"
    if what != "folder":
        sound_store(path)
        path.chmod(0o444)
    if what != "file":
        folder.chmod(0o555)
    ended = run(server, path, WITHOUT_PRIVILEGES)
    assert lost(ended) == {"refused": SPANS}
    (line,) = ended.log
    assert f"local store {path}: " in line
    assert "; make the file and its folder writable or set SENTRIAL_STORE to another path." in line


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder with little room, and what a program does to have as little where no small disk can be mounted."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", disk], capture_output=True, check=False
    )
    if mounted and mounted.returncode == 0:
        yield disk, ""
        subprocess.run(["umount", "-l", disk], check=True)
    else:
        yield disk, "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))"


def test_a_disk_that_is_full_costs_what_no_longer_fits(server: SentrialStandIn, full_disk: tuple[Path, str]) -> None:
    disk, little_room = full_disk
    ended = run(server, disk / "own.db", little_room)
    assert lost(ended).get("refused", 0) > 0
    (line,) = ended.log
    assert f"local store {disk / 'own.db'}: the disk " in line
    assert "SENTRIAL_STORE" in line


def test_a_disk_with_room_again_stores_again(full_disk: tuple[Path, str]) -> None:
    disk, little_room = full_disk
    if little_room:
        return  # a limit of the process's own stays
    (disk / "filler").write_bytes(b"." * 290_000)
    ended = run_program(
        f"""
        import json, os, sentrial
        sentrial.begin("u", "before", input=os.urandom(50_000).hex()).finish()
        sentrial.flush(20)
        os.remove({str(disk / "filler")!r})
        sentrial.begin("u", "after").finish()
        sentrial.shutdown()
        print(json.dumps(sentrial.stats()))
        """,
        {"SENTRIAL_STORE": str(disk / "own.db")},
    )
    assert ended.printed == [{"local store": {"stored": 1, "refused": 1}}]
    assert len(ended.log) == 1


def test_a_store_that_another_program_never_lets_go_of(server: SentrialStandIn, tmp_path: Path) -> None:
    path = tmp_path / "own.db"
    sound_store(path)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    ended = run(server, path, SENTRIAL_FLUSH_TIMEOUT="5")
    holder.close()
    assert lost(ended) in ({"shut down": SPANS}, {"not reachable": SPANS})
    assert "spans for local store are lost: " in ended.log[-1]
    assert len(ended.log) <= 2


def test_a_home_that_may_not_be_written_costs_the_sessions_and_is_said(folder: Path) -> None:
    folder.chmod(0o555)
    ended = run_program(PROGRAM.format(before=WITHOUT_PRIVILEGES), {"HOME": str(folder)})
    assert ended.printed == [{"local store": {"stored": 0, "refused": SPANS}}]
    place, line = ended.log
    assert "sessions are kept in " in place
    assert "make the file and its folder writable or set SENTRIAL_STORE to another path" in line
    assert os.listdir(folder) == []
