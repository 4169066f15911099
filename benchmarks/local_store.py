"""How long the local store takes: a store of many sessions is made, and then asked as people ask it.

``python benchmarks/local_store.py [--sessions 100000] [--spans 20] [--keep PATH]``. Figures: docs/local-store.md.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sentrial import semconv as s
from sentrial._store import read
from sentrial._store.connection import open_for_reading, open_for_writing
from sentrial._store.search import build_index, search_sessions
from sentrial._store.session_filter import EVERY, SessionFilter
from sentrial._store.span_row import SpanRow
from sentrial._store.write import write_spans

START_NS = 1_760_000_000_000_000_000
MINUTE_NS = 60_000_000_000
AGENTS = 40
USERS = 5_000
BATCH = 512
LARGE_SESSION = 5_000
RARE = "needle-in-a-haystack"

_random = random.Random(7)
_words = ["".join(_random.choices("etaoinshrdlucmfwypvbgk", k=_random.randint(2, 9))) for _ in range(5_000)]


def words(count: int) -> str:
    return " ".join(_random.choices(_words, k=count))


def session(number: int, spans: int) -> Iterator[SpanRow]:
    """One session: its root, and model calls and tool calls in turn, with a history that grows."""
    trace, root = f"{number + 1:032x}", f"{1:016x}"
    start = START_NS + number * MINUTE_NS
    agent, user = f"agent-{number % AGENTS}", f"user-{_random.randrange(USERS)}"
    stamps = {s.SENTRIAL_SESSION_ID: f"{trace}-{root}", s.SESSION_ID: f"{trace}-{root}", s.USER_ID: user}
    resource = {"service.name": "benchmark"}
    messages: list[Any] = []

    def row(place: int, name: str, parent: str | None, end: int, attributes: dict[str, Any], failed: bool) -> SpanRow:
        begin = start + place * 1_000_000_000 if parent else start
        return SpanRow(
            trace, f"{place:016x}", parent, name, begin, end, status="ERROR" if failed else "UNSET",
            attributes={**stamps, **attributes}, scope_name="sentrial", scope_version="0.1.0", resource=resource,
        )  # fmt: skip

    for place in range(2, spans + 1):
        end = start + place * 1_000_000_000 + _random.randrange(900_000_000)
        if place % 2 == 0:
            messages.append({"role": "user", "parts": [{"type": "text", "content": words(40)}]})
            said = [{"role": "assistant", "parts": [{"type": "text", "content": words(50)}], "finish_reason": "stop"}]
            attributes = {
                s.SENTRIAL_EVENT_TYPE: s.EVENT_LLM_CALL,
                s.GEN_AI_OPERATION_NAME: s.OPERATION_CHAT,
                s.GEN_AI_PROVIDER_NAME: "openai",
                s.GEN_AI_REQUEST_MODEL: "gpt-4o",
                s.GEN_AI_RESPONSE_MODEL: "gpt-4o-2024-08-06",
                s.GEN_AI_USAGE_INPUT_TOKENS: 400 + place,
                s.GEN_AI_USAGE_OUTPUT_TOKENS: 80,
                s.SENTRIAL_ESTIMATED_COST: 0.0012,
                # Beyond some turns the history of one large session is not the point of a benchmark of thousands.
                s.GEN_AI_INPUT_MESSAGES: json.dumps(messages[-10:]),
                s.GEN_AI_OUTPUT_MESSAGES: json.dumps(said),
            }
            yield row(place, "chat gpt-4o", root, end, attributes, failed=False)
        else:
            attributes = {
                s.SENTRIAL_EVENT_TYPE: s.EVENT_TOOL_CALL,
                s.GEN_AI_OPERATION_NAME: s.OPERATION_EXECUTE_TOOL,
                s.GEN_AI_TOOL_NAME: "lookup_order",
                s.GEN_AI_AGENT_NAME: agent,
                s.GEN_AI_TOOL_CALL_ARGUMENTS: json.dumps({"order_id": number}),
                s.GEN_AI_TOOL_CALL_RESULT: json.dumps({"result": words(20)}),
            }
            yield row(place, "execute_tool lookup_order", root, end, attributes, failed=place % 19 == 0)
    failed = number % 12 == 0
    attributes = {
        s.SENTRIAL_EVENT_TYPE: s.EVENT_SESSION,
        s.GEN_AI_OPERATION_NAME: s.OPERATION_INVOKE_AGENT,
        s.GEN_AI_AGENT_NAME: agent,
        s.SENTRIAL_SESSION_NAME: f"session {number}",
        s.SENTRIAL_SESSION_OUTCOME: "failed" if failed else "completed",
        s.INPUT_VALUE: words(20) + (f" {RARE}" if number == 17 else ""),
        s.SENTRIAL_USAGE_TOTAL_TOKENS: 500 * spans,
    }
    yield row(1, f"invoke_agent {agent}", None, start + (spans + 1) * 1_000_000_000, attributes, failed=failed)


def make(path: Path, sessions: int, spans: int) -> None:
    begun, written, batch = time.perf_counter(), 0, []
    connection = open_for_writing(path, patience_s=5)
    for number in range(sessions):
        batch.extend(session(number, LARGE_SESSION if number == sessions // 2 else spans))
        if len(batch) >= BATCH or number == sessions - 1:
            written += write_spans(connection, batch)
            batch = []
    connection.close()
    took, size = time.perf_counter() - begun, path.stat().st_size
    print(f"made {sessions:,} sessions, {written:,} spans in {took:.0f} s, {size / 2**20:,.0f} MiB")


def timed(name: str, call: Callable[[], Any], times: int = 7) -> None:
    took = []
    for _ in range(times):
        begun = time.perf_counter()
        found = call()
        took.append((time.perf_counter() - begun) * 1000)
    size = f"{len(found)} found" if isinstance(found, list) else ""
    print(f"{name:<52} {statistics.median(took):9.1f} ms (worst of {times}: {max(took):.1f})  {size}")


def ask(path: Path, sessions: int) -> None:
    def opened(call: Callable[..., Any], *given: Any, **named: Any) -> Callable[[], Any]:
        # With its opening, as the command does it.
        def run() -> Any:
            connection = open_for_reading(path)
            try:
                return call(connection, *given, **named)
            finally:
                connection.close()

        return run

    middle = START_NS + sessions // 2 * MINUTE_NS
    day = 24 * 60 * MINUTE_NS
    for name, wanted in {
        "newest 50": EVERY,
        "newest 50 of an agent": SessionFilter(agent="agent-7"),
        "newest 50 of a user": SessionFilter(user="user-7"),
        "newest 50 that failed": SessionFilter(status="failed"),
        "newest 50 that completed": SessionFilter(status="completed"),
        "newest 50 of a day in the middle": SessionFilter(since_ns=middle, until_ns=middle + day),
        "newest 50 before the middle": SessionFilter(until_ns=middle),
        "newest 50 of an agent that failed": SessionFilter(agent="agent-4", status="failed"),
        "newest 50 of a user with an agent": SessionFilter(user="user-7", agent="agent-7"),
        "newest 50 of an agent, failed, before the middle": SessionFilter("agent-4", None, "failed", None, middle),
        "none: an agent that never failed": SessionFilter(agent="agent-7", status="failed"),
        "none: an agent that does not exist, failed": SessionFilter(agent="nobody", status="failed"),
        "none: completed by nobody's user": SessionFilter(user="nobody", status="completed"),
    }.items():
        timed(name, opened(read.list_sessions, wanted, limit=50))
    large = f"{sessions // 2 + 1:032x}-{1:016x}"
    timed(f"a session of {LARGE_SESSION:,} events", opened(read.read_session, large))
    for text in ("lookup_order", RARE, "nothing holds this text"):
        timed(f"search {text!r}, no index", opened(search_sessions, path, text, EVERY, limit=50), times=1)
    begun = time.perf_counter()
    left = opened(build_index, path, 3_600.0)()
    print(f"index built in {time.perf_counter() - begun:.0f} s, {left} left, {_mib(path)} MiB")
    for text in ("lookup_order", RARE, "nothing holds this text"):
        timed(f"search {text!r}, index", opened(search_sessions, path, text, EVERY, limit=50), times=3)


def _mib(path: Path) -> str:
    return f"{path.with_name(path.name + '.search').stat().st_size / 2**20:,.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=100_000)
    parser.add_argument("--spans", type=int, default=20)
    parser.add_argument("--keep", type=Path, help="make the store there, or ask the one that is there")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = given.keep or Path(folder) / "sessions.db"
        if not path.exists():
            make(path, given.sessions, given.spans)
        ask(path, given.sessions)


if __name__ == "__main__":
    main()
