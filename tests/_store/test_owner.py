"""Whether the process that runs a session still runs."""

from __future__ import annotations

import os
import subprocess
import sys

from sentrial._store import owner


def started() -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [sys.executable, "-c", "from sentrial._store import owner; print(owner.own(), flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def test_this_process_is_alive() -> None:
    mine = owner.own()
    assert mine is not None
    assert mine.split()[-2] == str(os.getpid())
    assert owner.is_alive(mine) is True


def test_another_process_is_alive_until_it_ends() -> None:
    process, name = started()
    assert name.split()[-2] == str(process.pid)
    assert owner.is_alive(name) is True
    process.communicate("\n", timeout=30)
    assert owner.is_alive(name) is False


def test_a_process_that_nobody_has_looked_after_is_not_alive() -> None:
    process, name = started()
    process.kill()
    # Its end, without taking it out of the table of processes.
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert owner.is_alive(name) is False
    process.communicate(timeout=30)


def test_a_later_process_of_the_same_id_is_another_one() -> None:
    place, _, _ = str(owner.own()).rpartition(" ")
    assert owner.is_alive(f"{place} 1") is False


def test_of_a_process_elsewhere_nothing_is_known() -> None:
    boot, rest = str(owner.own()).split(" ", 1)
    assert owner.is_alive(f"{boot[::-1]} {rest}") is None
    assert owner.is_alive(None) is None
    assert owner.is_alive("") is None
    assert owner.is_alive("what is this") is None
