"""A program that has a peer: another library that traces. Run in the peer's environment; prints a report as JSON.

    python guest.py PEER ORDER ENDING

ORDER: ``alone`` (sentrial is off), ``before`` (the peer is set up before sentrial), ``after``. ENDING: ``ours`` is shut
down first, ``theirs`` is, or ``exit``: nobody is, and the process ends.

MODEL_URL is where a model answers, PEER_URL where the peer is to send. Nothing may connect to anywhere else.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import sys
import warnings
from contextlib import nullcontext
from typing import Any

ELSEWHERE: list[str] = []
COMPLAINTS: list[str] = []


def stay_here(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook: whoever looks up or connects to another machine is noted, and fails."""
    if event == "socket.connect":
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else "localhost"
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    host = host.decode() if isinstance(host, bytes) else host
    if host not in (None, "", "localhost", "::1", "0.0.0.0") and not str(host).startswith("127."):
        ELSEWHERE.append(f"{event} {host}")
        raise OSError(f"not allowed in this test: {event} {host}")


class Complaints(logging.Handler):
    """What anybody warns of. What differs from run to run is taken out."""

    def emit(self, record: logging.LogRecord) -> None:
        COMPLAINTS.append(f"{record.name}: {record.getMessage().splitlines()[0][:200]}")


def note_warning(message: Any, category: type[Warning], *_: Any, **__: Any) -> None:
    COMPLAINTS.append(f"{category.__name__}: {str(message).splitlines()[0][:200]}")


def work(session: Any, peer: Any) -> str:
    """A service with its own spans: around an agent's session, inside it, and far from it. The id of the one around."""
    import openai
    from opentelemetry import trace
    from opentelemetry.trace import SpanKind

    tracer = trace.get_tracer("shop", "1.0")
    client = openai.OpenAI(api_key="none", base_url=os.environ["MODEL_URL"], max_retries=0)

    def unrelated(path: str) -> None:
        with (
            tracer.start_as_current_span(f"GET {path}", kind=SpanKind.SERVER, attributes={"http.route": path}),
            tracer.start_as_current_span("SELECT 1", kind=SpanKind.CLIENT, attributes={"db.system.name": "sqlite"}),
        ):
            pass

    unrelated("/before")
    with (
        tracer.start_as_current_span("POST /chat", kind=SpanKind.SERVER, attributes={"http.route": "/chat"}) as around,
        session() as current,
    ):
        with tracer.start_as_current_span("SELECT orders", attributes={"db.query.text": "SELECT * FROM orders"}):
            pass
        with peer.own():
            pass
        with current.tool("lookup", {"order": 7}) if current is not None else nullcontext():
            client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Where is it?"}])
    unrelated("/after")
    return f"{around.get_span_context().span_id:016x}"


def main() -> None:
    name, order, ending = sys.argv[1:]
    sys.addaudithook(stay_here)
    logging.getLogger().addHandler(Complaints(logging.WARNING))
    warnings.simplefilter("default")
    warnings.showwarning = note_warning
    peer = importlib.import_module(f"setups.{name}")

    import sentrial

    if order == "after":
        sentrial.configure()
    peer.start()
    before = furniture()
    if order == "before":
        sentrial.configure()
    session = nullcontext if order == "alone" else lambda: sentrial.begin("u1", "agent", input="Where is it?")
    request = work(session, peer)
    after = furniture()
    steps = {"ours": (sentrial.shutdown, peer.finish), "theirs": (peer.finish, sentrial.shutdown), "exit": ()}
    for step in steps[ending]:
        step()
    report = {
        "replaced": [what for what, thing in before.items() if after[what] is not thing],
        "furniture": {what: f"{type(thing).__module__}.{type(thing).__qualname__}" for what, thing in after.items()},
        "request": request,
        "elsewhere": ELSEWHERE,
        "complaints": sorted(set(COMPLAINTS)),
        "seen": peer.seen() if hasattr(peer, "seen") else [],
        "stats": sentrial.stats(),
    }
    print(json.dumps(report), file=sys.__stdout__, flush=True)


def furniture() -> dict[str, Any]:
    """What is the application's, and must be the same object afterwards."""
    from opentelemetry import propagate, trace

    provider = trace.get_tracer_provider()
    inner = getattr(provider, "provider", provider)
    return {
        "provider": provider,
        "inner provider": inner,
        "sampler": getattr(inner, "sampler", None),
        "resource": getattr(inner, "_resource", None),
        "id generator": getattr(inner, "id_generator", None),
        "propagator": propagate.get_global_textmap(),
    }


if __name__ == "__main__":
    main()
