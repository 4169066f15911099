"""Ten sessions with a key that the server does not know: how many lines are logged, and whether the loss is counted."""

from __future__ import annotations

from typing import Any

from defects.seen import Seen, Verdict

VARIABLES = {"SENTRIAL_API_KEY": "sentrial_live_wrong"}


def program() -> dict[str, Any]:
    import sentrial

    for number in range(10):
        with sentrial.begin(f"user{number}", "agent", input="hello"):
            pass
    client = sentrial.SentrialClient()
    client.flush()
    stats = getattr(sentrial, "stats", dict)()
    lost = sum(count for counts in stats.values() for kind, count in counts.items() if kind != "stored")
    return {"lost": lost if stats else None}


def judge(seen: Seen) -> Verdict:
    lines = [line for line in seen.log.splitlines() if line.strip()]
    lost = seen.printed["lost"]
    counted = "nothing counts the loss" if lost is None else f"{lost} of 10 counted as lost"
    named = any("key" in line.lower() for line in lines)
    return Verdict(
        1 <= len(lines) <= 2 and named and lost == 10,
        f"lines logged: {len(lines)}, {'naming the key' if named else 'none names the key'}; {counted}",
    )
