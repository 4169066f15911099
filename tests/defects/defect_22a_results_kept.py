"""A session with 50 tool results, completed and delivered: how many results are still in memory."""

from __future__ import annotations

import gc
import weakref
from typing import Any

from defects.seen import Seen, Verdict

_CALLS = 50


class _Result(dict[str, Any]):
    """A result that can be watched."""


def program() -> dict[str, Any]:
    import sentrial

    client = sentrial.SentrialClient()
    session = client.create_session("name", "agent", "alice")
    watched = []
    for number in range(_CALLS):
        result = _Result(found=number)
        watched.append(weakref.ref(result))
        client.track_tool_call(session, f"tool_{number}", {}, result)
        del result
    client.complete_session(session)
    client.flush()
    gc.collect()
    return {"kept": sum(each() is not None for each in watched)}


def judge(seen: Seen) -> Verdict:
    kept = seen.printed["kept"]
    arrived = len(seen.of_user("alice").tools)
    return Verdict(kept == 0 and arrived == _CALLS, f"{kept} of {_CALLS}")
