"""H6: nothing is lost in silence. What an overfilled queue drops is counted by reason, and is what was made less what
was received, in ``stats()`` and as a metric; the log says it once."""

from __future__ import annotations

import json
from typing import Any

from receivers import SentrialStandIn
from running import run_program, running_program

KEY = "sentrial_test_key"

PROGRAM = """
    import json, sys
    from opentelemetry import metrics
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader
    import sentrial

    reader = InMemoryMetricReader()

    def counted():
        found = {}
        for resource in reader.get_metrics_data().resource_metrics:
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    for point in metric.data.data_points:
                        found["/".join([metric.name, *point.attributes.values()])] = point.value
        return found

    def make(sessions):
        for number in range(sessions):
            with sentrial.begin("u", "agent", input="x" * 2_000) as session:
                session.track_tool_call("search", {"q": "x" * 2_000}, {"found": "x" * 2_000})

    sentrial.configure()
    metrics.set_meter_provider(MeterProvider([reader]))
    make(200)
    print(json.dumps([sentrial.stats(), counted()]), flush=True)
    sys.stdin.readline()  # now the server speaks again
    assert sentrial.flush(20)
    print(json.dumps([sentrial.stats(), counted()]), flush=True)
    sentrial.shutdown()
    sentrial.configure()
    make(1)
    assert sentrial.flush(20)
    print(json.dumps([sentrial.stats(), counted()]), flush=True)
"""


def test_what_an_overfilled_queue_drops_is_counted_measured_and_said_once() -> None:
    with SentrialStandIn([KEY]) as server:
        server.silence()
        variables = {"SENTRIAL_API_KEY": KEY, "SENTRIAL_API_URL": server.url, "SENTRIAL_QUEUE_SIZE": "100000"}
        process = running_program(PROGRAM, variables)
        assert process.stdin is not None
        assert process.stdout is not None
        full = read(process.stdout.readline(), f"Sentrial {server.url}")
        server.speak()
        out, err = process.communicate("go on\n", timeout=60)
        assert process.returncode == 0, err
        after, again = (read(line, f"Sentrial {server.url}") for line in out.splitlines())
        made, received = 400, len(server.spans) - 2
    assert full["stored"] == 0
    assert 0 < full["lost"] < made
    assert after["lost"] == made - received == after["lost in the metric"]
    assert after["stored"] == received == after["stored in the metric"]
    # stats() begin anew with a new configuration; a counter goes on.
    assert (again["stored"], again["lost"]) == (2, 0)
    assert (again["stored in the metric"], again["lost in the metric"]) == (received + 2, made - received)
    lines = [line for line in err.splitlines() if "queue is full" in line]
    assert len(lines) == 1
    assert "More of this kind is counted, not logged." in lines[0]


def read(line: str, destination: str) -> dict[str, Any]:
    stats, metric = json.loads(line)
    counts = stats[destination]
    assert set(counts) <= {"stored", "queue full"}
    return {
        "stored": counts["stored"],
        "lost": counts.get("queue full", 0),
        "stored in the metric": metric[f"sentrial.spans.stored/{destination}"],
        "lost in the metric": metric.get(f"sentrial.spans.lost/{destination}/queue full", 0),
    }


def test_without_a_meter_provider_nothing_is_measured_and_nothing_said() -> None:
    with SentrialStandIn([KEY]) as server:
        done = run_program(
            """
            import json
            import sentrial

            with sentrial.begin("u", "agent"):
                pass
            print(json.dumps([sentrial.flush(10), list(sentrial.stats().values())]))
            """,
            {"SENTRIAL_API_KEY": KEY, "SENTRIAL_API_URL": server.url},
        )
    assert done.printed == [[True, [{"stored": 1}]]]
    assert done.err == ""
