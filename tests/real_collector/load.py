"""How much one collector takes on this machine: sessions a second, its CPU and its memory.

    make collector-load

Everything is on the loopback interface, the number of sessions is fixed, and no part runs longer than ``LONGEST``
seconds. The sessions are real ones of this SDK, sent again and again under new ids, by four connections, as fast as the
collector answers. Sender and far end run on the same cores, so that sessions a second are a lower bound; the CPU time
that the collector itself takes for a session is what to plan with.
"""

from __future__ import annotations

import http.client
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sentrial
from real_collector.binary import collector_binary
from real_collector.collector import Collector
from receivers import OtlpHttpReceiver

SESSIONS = 4000
PER_REQUEST = 10
LONGEST = 60.0
TURNS = 4
TEXT = "Where is my parcel? It was sent on Monday, and the page has said the same thing since. " * 12


def make_template() -> tuple[bytes, list[str], int]:
    """One request of the SDK as bytes, the trace ids in it, and how many spans it has."""
    os.environ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf"
    with OtlpHttpReceiver() as receiver:
        sentrial.configure(otlp_endpoint=receiver.url, flush_interval=1.0)
        for number in range(PER_REQUEST):
            with sentrial.begin(user_id=f"user-{number}", event="support-agent", input=TEXT) as session:
                for turn in range(TURNS):
                    with session.llm("gpt-4o", provider="openai", input=[{"role": "user", "content": TEXT}]) as model:
                        model.set_output(TEXT)
                        model.set_usage(prompt_tokens=900, completion_tokens=250, estimated_cost=0.001)
                    with session.tool("find_order", {"order": number, "turn": turn}) as call:
                        call.set_output({"state": "sent", "events": [TEXT[:200]]})
                session.set_output(TEXT)
        assert sentrial.flush(10)
        sentrial.shutdown()
        (request,) = receiver.requests
        return request.body, sorted({span["trace_id"] for span in request.spans}), len(request.spans)


def make_requests(template: bytes, trace_ids: list[str], count: int) -> list[bytes]:
    """The template so many times, each time with other trace ids."""
    made = []
    for _ in range(count):
        body = template
        for old in trace_ids:
            new = os.urandom(16)
            body = body.replace(bytes.fromhex(old), new).replace(old.encode(), new.hex().encode())
        made.append(body)
    return made


def send(port: int, requests: list[bytes]) -> int:
    """Sends them all by four connections. Returns how many were refused."""
    waiting, refused, lock = iter(requests), [0], threading.Lock()

    def work() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        while True:
            with lock:
                body = next(waiting, None)
            if body is None:
                connection.close()
                return
            connection.request("POST", "/v1/traces", body, {"Content-Type": "application/x-protobuf"})
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                with lock:
                    refused[0] += 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONGEST)
    return refused[0]


@contextmanager
def sink(*words: str) -> Iterator[str]:
    """A far end in a process of its own. Gives its base URL."""
    process = subprocess.Popen(
        [sys.executable, "-m", "real_collector.load_sink", *words],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.communicate(timeout=10)


@contextmanager
def collector(config: str, url: str, **variables: object) -> Iterator[Collector]:
    with tempfile.TemporaryDirectory() as folder:
        given = {"SENTRIAL_API_KEY": "load", "SENTRIAL_API_URL": url, "OTHER_ENDPOINT": url, "COLLECTOR_FLUSH": "1s"}
        given |= {"COLLECTOR_MEMORY_MIB": "4096", "COLLECTOR_QUEUE_BYTES": "1073741824"}
        given |= {name: str(value) for name, value in variables.items()}
        with Collector(collector_binary(), config, folder=Path(folder), variables=given) as running:
            yield running


def memory(pid: int, what: str) -> float:
    """``VmRSS`` (now) or ``VmHWM`` (the most so far), in MiB."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(what))


def cpu(pid: int) -> float:
    """Seconds of CPU so far."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def pass_through(config: str, requests: list[bytes], spans: int, exporters: int = 1, **variables: object) -> None:
    with sink() as url, collector(config, url, **variables) as running:
        measure(running, running, requests, spans * exporters)


def measure(first: Collector, last: Collector, requests: list[bytes], spans: int) -> None:
    """Sends to ``first`` until ``last`` has sent so many spans on. Prints what ``first`` needed for it."""
    idle, before, began = memory(first.pid, "VmRSS"), cpu(first.pid), time.monotonic()
    refused = send(first.http_port, requests)
    last.wait_for_metric("exporter_sent_spans", spans, timeout=LONGEST)
    seconds = time.monotonic() - began
    each = (cpu(first.pid) - before) / SESSIONS
    print(
        f"{first.configs[0].name:20} {SESSIONS / seconds:7.0f} sessions/s {each * 1000:6.2f} ms CPU a session"
        f" {idle:5.0f} MiB idle {memory(first.pid, 'VmHWM'):5.0f} MiB at most {refused:3} requests refused"
    )


def hold(what: str, config: str, requests: list[bytes], **variables: object) -> None:
    with sink("silent") as url, collector(config, url, **variables) as running:
        idle = memory(running.pid, "VmRSS")
        held = (len(requests) - send(running.http_port, requests)) * PER_REQUEST
        folder = Path(running.variables["COLLECTOR_FOLDER"])
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        queued = running.metric("exporter_queue_size") / 2**20
        most = memory(running.pid, "VmHWM")
        print(
            f"{what:44} {held:5} sessions held {idle:4.0f} -> {most:5.0f} MiB memory"
            f" {queued:5.0f} MiB in the queue {size / 2**20:5.0f} MiB on disk"
        )
        running.kill()  # what it holds has no way out


def main() -> None:
    template, trace_ids, spans = make_template()
    print(f"{platform.machine()}, {os.cpu_count()} cores, CPython {platform.python_version()}")
    print(
        f"{SESSIONS} sessions of {spans / PER_REQUEST:g} spans and {len(template) / PER_REQUEST / 1000:.1f} kB"
        f" (protobuf), {PER_REQUEST} a request"
    )
    requests = make_requests(template, trace_ids, SESSIONS // PER_REQUEST)
    total = spans * len(requests)
    pass_through("forward.yaml", requests, total)
    pass_through("fan-out.yaml", requests, total, exporters=2)
    pass_through("redaction.yaml", requests, total)
    share = {"COLLECTOR_SHARE_PERCENT": "100", "COLLECTOR_WAIT_AFTER_ROOT": "1s"}
    pass_through("sampling.yaml", requests, total, **share)
    pass_through("fleet-gateway.yaml", requests, total)
    with (
        sink() as url,
        collector("fleet-gateway.yaml", url) as gateway,
        collector("fleet-agent.yaml", url, COLLECTOR_GATEWAYS=f"[127.0.0.1:{gateway.grpc_port}]") as agent,
    ):
        measure(agent, gateway, requests, total)
    print("nothing gets through:")
    hold("forward.yaml, its queue of 64 MiB full", "forward.yaml", requests, COLLECTOR_QUEUE_BYTES=2**26)
    hold("fleet-gateway.yaml, its queue on disk", "fleet-gateway.yaml", requests)
    wait = {"COLLECTOR_DECISION_WAIT": "1h", "COLLECTOR_WAIT_AFTER_ROOT": "1h"}
    hold("sampling.yaml, sessions undecided", "sampling.yaml", requests, **wait)


if __name__ == "__main__":
    main()
