"""100 functions decorated with `@session`, used once and forgotten: how many are still in memory."""

from __future__ import annotations

import gc
import weakref
from typing import Any

from defects.seen import Seen, Verdict

_FUNCTIONS = 100


def program() -> dict[str, Any]:
    import sentrial

    watched = []
    for number in range(_FUNCTIONS):

        @sentrial.session("agent")
        def answer(user_id: str, message: str) -> str:
            return "done"

        answer(f"user{number}", message="hello")
        watched.append(weakref.ref(answer))
        del answer
    gc.collect()
    return {"kept": sum(each() is not None for each in watched)}


def judge(seen: Seen) -> Verdict:
    kept = seen.printed["kept"]
    return Verdict(kept == 0 and len(seen.sessions) == _FUNCTIONS, f"{kept} of {_FUNCTIONS}")
