"""Every call of the SDK, and what each does on the thread that calls: printed as JSON when the program ends.

``HOT_PATH``: ``delivered`` waits for everything to arrive, ``quick`` only until another thread has done what
``HOT_PATH_AWAITS`` names, ``control`` does what must not be done.
"""

from __future__ import annotations

import atexit
import json
import os
import sys
import threading
from types import FrameType
from typing import Any

MAIN = threading.get_ident()
# What the interpreter itself tells of: no code, also C code of the standard library, passes it by.
AUDITED = ("socket.", "ssl.", "sqlite3.", "subprocess.", "os.posix_spawn", "os.system", "os.fork", "os.exec", "http.",
           "urllib.", "os.mkdir", "os.remove", "os.rename", "os.truncate", "os.chmod", "os.utime", "shutil.",
           "fcntl.", "tempfile.")  # fmt: skip
# What speaks to the world without telling the interpreter: C functions seen as they are called, and gRPC, whose sockets
# are its own, by its Python side. SQLite's fsync happens inside its connections' methods, and nowhere else.
C_MODULES = ("_socket", "socket", "_ssl", "ssl", "_sqlite3", "sqlite3", "select", "fcntl", "grpc._cython.cygrpc")
C_FUNCTIONS = ("fsync", "fdatasync", "sync", "sendfile", "write", "pwrite", "sleep", "select", "poll")
PACKAGES = ("grpc", "requests", "urllib3", "httpx", "http.client", "sqlite3", "socket", "ssl", "urllib.request",
            "sentrial._store.write", "sentrial._store.connection", "sentrial._export.send_http",
            "sentrial._export.send_grpc", "sentrial._export.encode_json", "sentrial._export.encode_proto",
            "genai_prices")  # fmt: skip
# Building what will send opens nothing: it is what it then does that counts.
# The last one is urllib3's own, called by the interpreter when it ends.
HARMLESS = ("__init__", "<module>", "close", "sentrial_sender", "collector_sender", "_close_pool_connections")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

here: list[str] = []
elsewhere: set[str] = set()
# What is to be seen on another thread before the program goes on: that it tried to send.
AWAITED = os.environ.get("HOT_PATH_AWAITS") or "nothing"
seen = threading.Event()
calls: list[str] = []


def note(what: str) -> None:
    if threading.get_ident() != MAIN:
        elsewhere.add(what)
        if what.startswith(AWAITED):
            seen.set()
    elif calls:
        here.append(f"{calls[-1]}: {what}")


def audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open":
        path, _, flags = arguments
        if isinstance(flags, int) and flags & WRITING:
            note(f"open {path} to write")
    elif event.startswith(AUDITED):
        note(event)


def profile(frame: FrameType, event: str, argument: Any) -> None:
    if event == "c_call":
        owner = argument.__self__
        module = argument.__module__ or type(owner).__module__
        speaks = module in C_MODULES or argument.__name__ in C_FUNCTIONS
        # Into memory and to the terminal is no file.
        harmless = argument.__name__ == "write" and type(owner).__name__ not in ("FileIO", "BufferedWriter", "module")
        if speaks and not harmless and not is_import(frame):
            note(f"{module}.{argument.__name__}")
    elif event == "call":
        module = frame.f_globals.get("__name__", "")
        if module.startswith(PACKAGES) and frame.f_code.co_name not in HARMLESS and not is_import(frame):
            note(f"{module}:{frame.f_code.co_name}")


def is_import(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


def begin_call(name: str) -> None:
    calls.append(name)


def report() -> None:
    sys.setprofile(None)
    print(json.dumps({"calls": calls, "here": here, "elsewhere": sorted(elsewhere)}))


# Registered first, so that it runs last: after the SDK's own handler at exit.
atexit.register(report)
sys.addaudithook(audit)
threading.setprofile(profile)
sys.setprofile(profile)

if os.environ["HOT_PATH"] == "control":
    import socket
    import sqlite3
    import tempfile
    import time

    begin_call("control")
    with tempfile.TemporaryFile() as file:
        os.fsync(file.fileno())
        os.write(file.fileno(), b"x")
    sqlite3.connect(":memory:").execute("select 1").close()
    with socket.socket() as plain:
        plain.setblocking(False)
        plain.connect_ex(("127.0.0.1", 9))
    time.sleep(0)
    sys.exit()

WAIT = 20.0 if os.environ["HOT_PATH"] == "delivered" else 0.2

begin_call("import")
import sentrial  # noqa: E402 - what importing does is to be seen as well

begin_call("configure")
sentrial.configure(flush_timeout=WAIT)
begin_call("SentrialClient")
client = sentrial.SentrialClient()
for turn in range(2):
    begin_call("begin")
    session = sentrial.begin("u1", "agent", input={"q": "hello"}, convo_id="c1", metadata={"a": 1})
    begin_call("tool")
    with session.tool("search", {"q": 1}, reasoning="why", call_id="c", metadata={"a": 1}) as call:
        call.set_output({"found": ["x" * 100_000]})
        call.set_cost(0.5)
    begin_call("tool that fails")
    try:
        with session.tool("fails", {"q": 1}):
            raise ValueError("no")
    except ValueError:
        pass
    begin_call("llm")
    with session.llm("gpt-4o", provider="openai", input=[{"role": "user", "content": "hi"}]) as model:
        model.set_output("ho")
        model.set_usage(prompt_tokens=10, completion_tokens=5)
    begin_call("decision")
    with session.decision("why", ["a"], 0.5) as decision:
        decision.choose("a")
    begin_call("track_tool_call")
    session.track_tool_call("told", {"a": 1}, {"b": 2}, tool_error="no")
    begin_call("track_decision")
    session.track_decision("why", ["a"], 0.5)
    begin_call("track_llm_call")
    session.track_llm_call("gpt-4o", provider="openai", prompt_tokens=10)
    begin_call("track_error")
    session.track_error("what", stack_trace="stack")
    begin_call("finish")
    session.finish(output="fine", custom_metrics={"m": 1})
    begin_call("create_session")
    session_id = client.create_session("name", "agent", "u2", metadata={"a": 1})
    begin_call("track by id")
    client.track_tool_call(session_id, "told", {"a": 1}, {"b": 2})
    client.track_decision(session_id, "why")
    client.track_llm_call(session_id, "m", input="a", output="b")
    client.track_error(session_id, "what")
    begin_call("complete_session")
    client.complete_session(session_id, user_input="a", assistant_output="b")
    begin_call("flush")
    sentrial.flush(WAIT)
    if AWAITED != "nothing":
        assert seen.wait(30), f"no {AWAITED} in {sorted(elsewhere)}"
    begin_call("stats")
    sentrial.stats()
    if turn == 0:
        begin_call("shutdown")
        sentrial.shutdown(WAIT)
        begin_call("configure again")
        sentrial.configure(flush_timeout=WAIT)
begin_call("exit")
