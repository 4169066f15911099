"""Pain C4: a session is kept or dropped whole, whatever process its spans come from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from running import Finished, run_program

SESSIONS = 10_000
RATE = "0.1"

TRACED = """
    import json, sys
    from opentelemetry import trace
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    import sentrial


    kept = InMemorySpanExporter()
    sentrial.configure()
    with sentrial.begin("u", "to have the provider"):
        pass
    trace.get_tracer_provider().add_span_processor(SimpleSpanProcessor(kept))

    def say_what_was_kept(name):
        spans = [span for span in kept.get_finished_spans() if span.name == name]
        print(json.dumps(sorted(span.attributes["sentrial.session.id"] for span in spans)))
"""

OPENS = f"""
    handles = {{}}
    for number in range({SESSIONS}):
        with sentrial.begin("u", "agent") as session:
            with session.tool("lookup", {{}}):
                trace.get_tracer("db").start_span("SELECT").end()
            handles[session.session_id] = session.export()
    with open(sys.argv[0] + ".handles", "w") as file:
        json.dump(handles, file)
    for name in ("invoke_agent agent", "execute_tool lookup", "SELECT"):
        say_what_was_kept(name)
"""

FOLLOWS = """
    with open(sys.argv[0].rpartition("/")[0] + "/opens.py.handles") as file:
        handles = json.load(file)
    client = sentrial.SentrialClient()
    for session_id, handle in handles.items():
        WHAT
    say_what_was_kept("execute_tool elsewhere")
"""


def follows(what: str) -> str:
    return TRACED + FOLLOWS.replace("WHAT", what)


def run(folder: Path, name: str, program: str, rate: str) -> Finished:
    variables = {"SENTRIAL_SAMPLE_RATE": rate, "SENTRIAL_STORE": "off"}
    return run_program(program, variables, file=folder / f"{name}.py")


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[list[str]]]:
    """Where the handles of all sessions are, and which of them were kept: by root, tool and third-party span."""
    folder = tmp_path_factory.mktemp("sampled")
    return folder, run(folder, "opens", TRACED + OPENS, RATE).printed


def test_pain_c4_each_of_10000_sessions_is_kept_whole_or_not_at_all(opened: tuple[Path, list[list[str]]]) -> None:
    _, (roots, tools, third_party) = opened
    assert roots == tools == third_party
    assert len(set(roots)) == len(roots)
    assert 0.085 * SESSIONS < len(roots) < 0.115 * SESSIONS  # five times the standard deviation


def test_pain_c4_a_process_that_resumes_by_handle_follows_whatever_its_own_rate_is(
    opened: tuple[Path, list[list[str]]],
) -> None:
    folder, (roots, *_) = opened
    resumes = follows('sentrial.resume(handle).track_tool_call("elsewhere", {}, {})')
    ended = run(folder, "resumes", resumes, "1.0")
    assert ended.printed == [roots]


def test_pain_c4_a_process_that_knows_the_id_alone_decides_the_same_by_the_same_rate(
    opened: tuple[Path, list[list[str]]],
) -> None:
    folder, (roots, *_) = opened
    ended = run(folder, "adds", follows('client.track_tool_call(session_id, "elsewhere", {}, {})'), RATE)
    assert ended.printed == [roots]


def test_pain_c4_a_session_that_is_not_kept_has_an_id_and_sums_all_the_same() -> None:
    ended = run_program(
        """
        import json, sentrial
        with sentrial.begin("u", "agent") as session:
            session.track_llm_call("gpt-4o", prompt_tokens=3, completion_tokens=2)
            print(json.dumps([len(session.session_id), session.export() != ""]))
        """,
        {"SENTRIAL_SAMPLE_RATE": "0", "SENTRIAL_STORE": "off"},
    )
    assert json.loads(ended.out) == [49, True]
