"""Programs on LangChain that know nothing of us, under ``opentelemetry-instrument`` and ``sentrial run``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from fake_provider import FakeProvider
from langchain_scenarios import OPENAI
from langchain_scenarios.exported import tree_of
from receivers import SentrialStandIn
from receivers.http_receiver import Answer, HttpReceiver
from receivers.received import Request
from zero_code import run, variables

INSTRUMENT = ["opentelemetry-instrument", "python", "agent.py"]
RUN = ["sentrial", "run", "agent.py"]
SAID = ["asked", "asked", OPENAI.answer]
AGENT = [
    "invoke_agent clerk",
    "  chat gpt-4.1-mini",
    "  execute_tool find_order",
    "  execute_tool weather",
    "  chat gpt-4.1-mini",
]


def below(name: str, *trees: list[str]) -> list[str]:
    return [name, *(f"  {line}" for tree in trees for line in tree)]


@pytest.fixture
def model() -> Iterator[FakeProvider]:
    with FakeProvider() as provider:
        OPENAI.queue(provider, times=2)
        yield provider


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn() as stand_in:
        yield stand_in


def given(model: FakeProvider, server: SentrialStandIn, **more: str) -> dict[str, str]:
    return variables(model, server, **{"LANGSMITH_TRACING": "false", **more})


def trees(server: SentrialStandIn) -> list[list[str]]:
    """Of each session the names of our spans, each indented below its parent; every call of a model counts once."""
    ours = [span for span in server.spans if span["scope_name"] == "sentrial"]
    spans = sorted(ours, key=lambda span: span["start_ns"])
    found = []
    for trace in dict.fromkeys(span["trace_id"] for span in spans):
        of_session = [span for span in spans if span["trace_id"] == trace]
        (root,) = (span["attributes"] for span in of_session if span["parent_span_id"] is None)
        calls = [span["attributes"] for span in of_session if span["name"].startswith("chat ")]
        assert root["sentrial.session.llm_calls"] == len(calls)
        assert root["gen_ai.usage.input_tokens"] == sum(call["gen_ai.usage.input_tokens"] for call in calls)
        found.append(tree_of(of_session))
    return found


def test_opentelemetry_instrument_makes_each_outermost_run_a_session_of_its_name(
    model: FakeProvider, server: SentrialStandIn
) -> None:
    done = run([*INSTRUMENT, "waiting", "inside"], given(model, server))
    assert (done.code, done.out.splitlines(), done.err) == (0, SAID * 2, "")
    assert trees(server) == [AGENT, below("invoke_agent desk", AGENT)]


def test_sentrial_run_makes_the_whole_run_a_session_of_awaited_runs_too(
    model: FakeProvider, server: SentrialStandIn
) -> None:
    done = run([*RUN, "waiting", "awaited"], given(model, server))
    assert (done.code, done.out.splitlines(), done.err) == (0, SAID * 2, "")
    assert trees(server) == [below("invoke_agent shop", AGENT, AGENT)]


@pytest.mark.parametrize("auto_session", ["off", "request"])
def test_where_no_session_is_wanted_none_begins(
    model: FakeProvider, server: SentrialStandIn, auto_session: str
) -> None:
    done = run([*INSTRUMENT, "waiting"], given(model, server, SENTRIAL_AUTO_SESSION=auto_session))
    assert (done.code, done.out.splitlines(), done.err) == (0, SAID, "")
    assert server.spans == []


@pytest.mark.parametrize(
    ("instrument", "expected"),
    [
        ("langchain", AGENT),
        ("openai,langchain", AGENT),
        ("openai", None),
    ],
)
def test_the_variable_says_whether_runs_are_recorded_or_their_calls_alone(
    model: FakeProvider, server: SentrialStandIn, instrument: str, expected: list[str] | None
) -> None:
    done = run([*RUN, "waiting"], given(model, server, SENTRIAL_INSTRUMENT=instrument))
    assert (done.code, done.out.splitlines(), done.err) == (0, SAID, "")
    inside = [expected] if expected is not None else [["chat gpt-4.1-mini"], ["chat gpt-4.1-mini"]]
    assert trees(server) == [below("invoke_agent shop", *inside)]


_ID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_PART = re.compile(rf'name="(?:post|patch)\.({_ID})(\.\w+)?"\r\n(?:[^\r]+\r\n)*\r\n(.*?)\r\n--')


class LangSmith(HttpReceiver):
    """Takes whatever LangSmith's client sends."""

    def answer(self, request: Request) -> Answer:
        return 202, {"Content-Type": "application/json"}, b"{}"

    @property
    def runs(self) -> list[str]:
        """All that was told of each run, without ids and times: in how many pieces is a matter of time."""
        runs: dict[str, dict[str, str]] = {}
        told = b"".join(request.body for request in self.requests if request.path == "/runs/multipart").decode()
        for run_id, piece, text in _PART.findall(told):
            said = json.loads(text)
            if not piece:
                keys = "name", "run_type", "error"
                said = {**{key: said.get(key) for key in keys}, "depth": said["dotted_order"].count(".")}
            if piece in ("", ".inputs", ".outputs"):
                runs.setdefault(run_id, {})[piece] = re.sub(rf"{_ID}|\d+", "_", json.dumps(said, sort_keys=True))
        return sorted(json.dumps(run, sort_keys=True) for run in runs.values())


@pytest.mark.parametrize(("command", "expected"), [(INSTRUMENT, AGENT), (RUN, below("invoke_agent shop", AGENT))])
def test_langsmiths_spans_neither_begin_a_session_nor_count_in_one(
    model: FakeProvider, server: SentrialStandIn, command: list[str], expected: list[str]
) -> None:
    with LangSmith() as langsmith:
        more = {
            "LANGSMITH_TRACING": "true",
            "LANGSMITH_OTEL_ENABLED": "true",
            "LANGSMITH_API_KEY": "none",
            "LANGSMITH_ENDPOINT": langsmith.url,
        }
        done = run([*command, "waiting"], given(model, server, **more))
    assert (done.code, done.out.splitlines(), done.err) == (0, SAID, "")
    assert trees(server) == [expected]
    assert [span["name"] for span in server.spans if span["scope_name"] == "langsmith"] == []


@pytest.mark.parametrize("word", ["waiting", "awaited"])
def test_langsmith_gets_what_it_gets_without_us(model: FakeProvider, server: SentrialStandIn, word: str) -> None:
    told = []
    for command in (["python", "agent.py"], RUN):
        with LangSmith() as langsmith:
            more = {
                "LANGSMITH_TRACING": "true",
                "LANGSMITH_API_KEY": "none",
                "LANGSMITH_ENDPOINT": langsmith.url,
                "LANGSMITH_DISABLE_RUN_COMPRESSION": "true",
            }
            done = run([*command, word], given(model, server, **more))
            assert (done.code, done.out.splitlines(), done.err) == (0, SAID, "")
            told.append(langsmith.runs)
    assert told[0] == told[1]
    assert [sum(f'\\"run_type\\": \\"{kind}\\"' in run for run in told[0]) for kind in ("llm", "tool")] == [2, 2]
    assert trees(server) == [below("invoke_agent shop", AGENT)]
