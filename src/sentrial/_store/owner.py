"""The process that runs a session, so that a reader can tell a session that goes on from one that was left behind."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

_PROC = Path("/proc")


def own() -> str | None:
    """What names this process, here and now; None where the operating system does not say it.

    Machine since its last start, the namespace of process ids, the process's id and when it began: none of it is used
    again, so that a later process of the same id is not taken for this one.
    """
    return _named(os.getpid())


def is_alive(owner: str | None) -> bool | None:
    """Whether the process of that name still runs; None where that cannot be told, as of one on another machine."""
    here = own()
    if owner is None or here is None:
        return None
    place, pid, began = _parts(owner)
    if place != _parts(here)[0] or not pid.isdigit():
        return None
    return _began(int(pid)) == began


@lru_cache(maxsize=2)
def _named(pid: int) -> str | None:
    began = _began(pid)
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        namespace = os.readlink(_PROC / "self/ns/pid")
    except (OSError, ValueError):
        return None
    return None if began is None else f"{boot} {namespace} {pid} {began}"


def _parts(owner: str) -> tuple[str, str, str]:
    place, _, rest = owner.rpartition(" ")[0].rpartition(" ")
    return place, rest, owner.rpartition(" ")[2]


def _began(pid: int) -> str | None:
    try:
        words = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The name of the program, in brackets, may hold anything, further brackets included.
    fields = words.rpartition(")")[2].split()
    # A process that has ended, and that its parent has not looked at yet, runs no session.
    return fields[19] if len(fields) > 19 and fields[0] not in "ZX" else None
