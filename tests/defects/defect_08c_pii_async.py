"""With PII redaction on in `configure`, an e-mail address given to the async functions."""

from __future__ import annotations

import asyncio
from typing import Any

from defects.seen import Seen, Verdict


def program() -> dict[str, Any]:
    import sentrial
    from sentrial.redact import PiiConfig

    async def main() -> None:
        sentrial.configure(pii=PiiConfig(enabled=True))
        await sentrial.configure_async()
        async with await sentrial.begin_async("alice", "agent", input="I am alice@example.com") as interaction:
            await interaction.track_tool_call("search", {"who": "alice@example.com"}, {"found": 1})

    asyncio.run(main())
    return {}


def judge(seen: Seen) -> Verdict:
    times = seen.sent.count("alice@example.com")
    events = len(seen.of_user("alice").events)
    return Verdict(times == 0 and events == 1, f"it leaves {times} times; {events} of 1 event arrived")
