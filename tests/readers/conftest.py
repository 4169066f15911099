"""The readers, started once, each with the shop's sessions in it. What is missing is an error here, not a skip."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from real_collector import Collector, collector_binary, spans_in_file
from real_readers import SPANS, Kept, Phoenix, run_shop

_SPANS = """{ projects { edges { node { spans(first: 100) { edges { node {
    name spanId parentId spanKind statusCode statusMessage propagatedStatusCode userId attributes
    tokenCountPrompt tokenCountCompletion tokenCountTotal cumulativeTokenCountTotal tokenPromptDetails { cacheRead }
    input { value } output { value } events { name message }
    costSummary { total { cost } } costDetailSummaryEntries { tokenType value { tokens } }
    trace { traceId userId errorCount session { sessionId } costSummary { total { cost } } }
} } } } } } }"""


@pytest.fixture(scope="session")
def phoenix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Phoenix]:
    with Phoenix(tmp_path_factory.mktemp("phoenix")) as running:
        yield running


@pytest.fixture(scope="session")
def in_phoenix(phoenix: Phoenix) -> Kept:
    """It answers before it has stored and priced what it got: this waits until all of it is there."""
    ids = run_shop(phoenix.url)
    deadline = time.monotonic() + 60
    while True:
        projects = [edge["node"] for edge in phoenix.ask(_SPANS)["projects"]["edges"]]
        spans = [edge["node"] for project in projects for edge in project["spans"]["edges"]]
        unpriced = [span["name"] for span in spans if span["spanKind"] == "llm" and span["costSummary"] is None]
        if len(spans) == SPANS and not unpriced:
            break
        assert time.monotonic() < deadline, f"{len(spans)} spans of {SPANS}, without price: {unpriced}\n{phoenix.log}"
        time.sleep(0.2)  # nothing tells when it has done so
    for span in spans:
        span["attributes"] = json.loads(span["attributes"])
    return Kept(ids, spans)


@pytest.fixture(scope="session")
def in_file(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """What the Collector's file exporter wrote."""
    folder = tmp_path_factory.mktemp("collector")
    file = folder / "sessions.jsonl"
    variables = {"COLLECTOR_FILE": str(file)}
    with Collector(collector_binary(), "to-file.yaml", folder=folder / "queue", variables=variables) as collector:
        ids = run_shop(collector.http_url)
    return Kept(ids, spans_in_file(file))
