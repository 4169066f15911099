"""`pickle` of a `SentrialClient` and back: what is raised, and what it sends then."""

from __future__ import annotations

import pickle
from typing import Any

from defects.attempts import raised_by
from defects.defect_21a_deepcopy import judge_copy
from defects.seen import Seen, Verdict


def program() -> dict[str, Any]:
    import sentrial

    client = sentrial.SentrialClient()

    def work() -> None:
        twin = pickle.loads(pickle.dumps(client))
        twin.complete_session(twin.create_session("name", "agent", "alice"))

    return {"raised": raised_by({"pickling": work})}


def judge(seen: Seen) -> Verdict:
    return judge_copy(seen)
