"""Pain C1: another library that traces, in one process with us. Whoever is set up first, and whoever ends first.

It gets what it got without us, and our spans besides; we get whole sessions.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from fake_provider import FakeProvider
from peers import Vendor, marks_of, python_of
from receivers import SentrialStandIn

KEY = "sentrial_test_key"
GUEST = Path(__file__).parents[1] / "peers" / "guest.py"
PEERS = {
    "hand": "otel",
    "distro": "otel",
    "phoenix": "phoenix",
    "logfire": "logfire",
    "langfuse": "langfuse",
    "traceloop": "traceloop",
    "sentry": "sentry",
    "sentry_processor": "sentry",
    "datadog": "datadog",
}
"""Each with its environment."""
RUNS = [("before", "ours"), ("before", "theirs"), ("after", "ours"), ("after", "exit")]
"""Who is set up first, seen from the peer; and who is shut down first: ``exit``, nobody."""

OURS = ["chat gpt-4o", "execute_tool lookup", "invoke_agent agent"]
STAMPS = (
    "sentrial.session.id",
    "session.id",
    "user.id",
    "logfire.scrubbed",  # Logfire hides what has "session" in its name, and says so
    "langfuse.internal.is_app_root",  # which is on the session's root, where that is around
)
"""What is on the peer's spans inside a session because of us."""


@dataclass(frozen=True)
class Outcome:
    """What became of one run: the program's own report, and what arrived at either far end."""

    report: dict[str, Any]
    theirs: list[dict[str, Any]]
    ours: list[dict[str, Any]]


@cache
def run(peer: str, order: str, ending: str) -> Outcome:
    python = python_of(PEERS[peer])
    with FakeProvider() as model, Vendor() as vendor, SentrialStandIn([KEY]) as server:
        variables = {
            "PATH": os.environ["PATH"],
            "HOME": os.environ["HOME"],
            "MODEL_URL": model.base_url,
            "PEER_URL": vendor.url,
            "SENTRIAL_API_KEY": KEY,
            "SENTRIAL_API_URL": server.url,
            "SENTRIAL_FLUSH_TIMEOUT": "60",
            "SENTRIAL_ENABLED": "false" if order == "alone" else "true",
        }
        command = [str(python), str(GUEST), peer, order, ending]
        if peer == "distro":
            command.insert(0, str(python.with_name("opentelemetry-instrument")))
            variables |= {
                "OTEL_EXPORTER_OTLP_ENDPOINT": vendor.url,
                "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
                "OTEL_SERVICE_NAME": "shop",
                "OTEL_METRICS_EXPORTER": "none",
                "OTEL_LOGS_EXPORTER": "none",
            }
        done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        assert done.stderr.strip() == "", done.stderr
        report = json.loads(done.stdout.splitlines()[-1])
        # What Logfire tells of a span while it runs depends on how long that takes.
        done_with = [s for s in vendor.spans if s["attributes"].get("logfire.span_type") != "pending_span"]
        return Outcome(report, [*done_with, *report["seen"]], server.spans)


@pytest.fixture(
    params=[
        pytest.param((peer, *how), marks=marks_of(environment), id="-".join((peer, *how)))
        for peer, environment in PEERS.items()
        for how in RUNS
    ]
)
def runs(request: pytest.FixtureRequest) -> tuple[str, Outcome, Outcome]:
    """A peer, what it got without us, and what became of both together."""
    peer, order, ending = request.param
    return peer, run(peer, "alone", "exit" if ending == "exit" else "theirs"), run(peer, order, ending)


def outline(spans: list[dict[str, Any]], *, parents: bool) -> Counter[str]:
    """Each span as a line: its name, its parent's name, and what it says apart from our stamps."""
    names = {span.get("span_id"): span["name"] for span in spans}
    lines = []
    for span in spans:
        said = {
            key: re.sub(r"127\.0\.0\.1:\d+", "HOST", str(value))
            for key, value in span.get("attributes", {}).items()
            if key not in STAMPS
        }
        parent = names.get(span.get("parent_span_id"), span.get("parent_span_id")) if parents else ""
        lines.append(f"{span['name']} < {parent} {sorted(said.items())}")
    return Counter(lines)


def is_in_session(span: dict[str, Any]) -> bool:
    return "sentrial.session.id" in span.get("attributes", {})


def test_pain_c1_the_peer_gets_what_it_got_without_us(runs: tuple[str, Outcome, Outcome]) -> None:
    _, alone, together = runs
    own = [span for span in together.theirs if span["name"] not in OURS]
    outside = [span for span in own if not is_in_session(span)]
    inside = {span["name"] for span in own if is_in_session(span)}
    assert outline(own, parents=False) == outline(alone.theirs, parents=False)
    assert outline(outside, parents=True) == outline(
        [span for span in alone.theirs if span["name"] not in inside], parents=True
    )


TELL_OF_THE_CALL = {"distro": ["openai.chat", "ChatCompletion"], "traceloop": ["openai.chat"]}
"""Peers that instrument the model client themselves, by what tells of the call: ours stays out."""


def ours_beside(peer: str) -> list[str]:
    """The names of our spans."""
    return [name for name in OURS if name != "chat gpt-4o"] if peer in TELL_OF_THE_CALL else OURS


def test_pain_c1_the_peer_gets_our_spans_as_all_others_or_none(runs: tuple[str, Outcome, Outcome]) -> None:
    peer, _, together = runs
    ours = [span for span in together.theirs if span["name"] in OURS]
    assert sorted(span["name"] for span in ours) == ([] if peer == "datadog" else ours_beside(peer))


def test_pain_c1_no_span_arrives_twice_anywhere(runs: tuple[str, Outcome, Outcome]) -> None:
    _, _, together = runs
    for spans in (together.theirs, together.ours):
        ids = Counter(span["span_id"] for span in spans if "span_id" in span)
        assert {span_id: count for span_id, count in ids.items() if count > 1} == {}


SEEN_BY_US = {
    # Its environment has instrumentations of the client and of its HTTP, which it switches on.
    "distro": ["SELECT orders", *ours_beside("distro"), *TELL_OF_THE_CALL["distro"], "POST"],
    "logfire": ["SELECT orders", *OURS, "own of {peer}"],
    "langfuse": ["SELECT orders", *OURS, "own of langfuse"],
    "traceloop": ["SELECT orders", *ours_beside("traceloop"), *TELL_OF_THE_CALL["traceloop"]],
    # Its spans go by no processor: it has a provider of its own kind.
    "datadog": OURS,
}


def test_pain_c1_sentrial_gets_the_whole_session_and_nothing_else(runs: tuple[str, Outcome, Outcome]) -> None:
    peer, _, together = runs
    assert sorted(span["name"] for span in together.ours) == sorted(SEEN_BY_US.get(peer, ["SELECT orders", *OURS]))
    by_id = {span["span_id"]: span for span in together.ours}
    (root,) = (span for span in together.ours if span["parent_span_id"] is None)
    assert root["name"] == "invoke_agent agent"
    assert {span["trace_id"] for span in together.ours} == {root["trace_id"]}
    assert [span["name"] for span in together.ours if span is not root and span["parent_span_id"] not in by_id] == []
    names_of_the_call = TELL_OF_THE_CALL.get(peer, ["chat gpt-4o"])
    calls = [span for span in together.ours if span["name"] in names_of_the_call]
    around = {by_id[call["parent_span_id"]]["name"] for call in calls} - set(names_of_the_call)
    assert (len(calls), around) == (len(names_of_the_call), {"execute_tool lookup"})
    attributes = root["attributes"]
    assert attributes["sentrial.session.outcome"] == "completed"
    # Once, whoever tells of it, and though two do.
    assert attributes["sentrial.session.llm_calls"] == 1
    assert attributes["gen_ai.usage.input_tokens"] == 1200


def test_pain_c1_the_session_is_linked_with_the_request_around_it(runs: tuple[str, Outcome, Outcome]) -> None:
    _, _, together = runs
    (root,) = (span for span in together.ours if span["parent_span_id"] is None)
    assert [link["span_id"] for link in root["links"]] == [together.report["request"]]


def test_pain_c1_nothing_of_the_applications_is_replaced(runs: tuple[str, Outcome, Outcome]) -> None:
    _, alone, together = runs
    assert together.report["replaced"] == []
    assert together.report["furniture"] == alone.report["furniture"]


def test_pain_c1_nobody_complains_because_of_us(runs: tuple[str, Outcome, Outcome]) -> None:
    peer, alone, together = runs
    ours = [line for line in together.report["complaints"] if line not in alone.report["complaints"]]
    expected = []
    if peer == "datadog":
        expected = [
            "sentrial: sentrial: the global TracerProvider (ddtrace.internal.opentelemetry.trace.TracerProvider) takes "
            "no span processors; sessions go through a private one."
        ]
    assert ours == expected


def test_nobody_called_another_machine(runs: tuple[str, Outcome, Outcome]) -> None:
    _, alone, together = runs
    assert alone.report["elsewhere"] == together.report["elsewhere"] == []
