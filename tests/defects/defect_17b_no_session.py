"""A `@tool` called where there is no session, with 1,000 objects: of how many it makes a text for nobody."""

from __future__ import annotations

from typing import Any

from defects.seen import Seen, Verdict


def program() -> dict[str, Any]:
    import sentrial

    made = []

    class Order:
        def __repr__(self) -> str:
            made.append(self)
            return "an order"

    @sentrial.tool
    def count(orders: list[Order]) -> int:
        return len(orders)

    return {"returned": count([Order() for _ in range(1000)]), "made": len(made)}


def judge(seen: Seen) -> Verdict:
    made = seen.printed["made"]
    return Verdict(made == 0 and seen.printed["returned"] == 1000, f"{made} of 1000")
