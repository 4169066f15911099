"""``opentelemetry-instrument`` and ``sentrial run``: programs that know nothing of us, and what becomes of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from by_themselves import CALL, names
from fake_provider import FakeProvider
from receivers import OtlpHttpReceiver, SentrialStandIn
from running import Span, by_name
from stored import sessions_in
from zero_code import DISTRO, run, variables

ANSWER = "The parcel left Rotterdam on Tuesday.\n"
INSTRUMENT = ["opentelemetry-instrument", "python"]
RUN = ["sentrial", "run"]


@pytest.fixture
def model() -> Iterator[FakeProvider]:
    with FakeProvider() as provider:
        yield provider


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn() as stand_in:
        yield stand_in


def sizes(server: SentrialStandIn) -> list[int]:
    """How many spans of ours each session has."""
    traces = [span["trace_id"] for span in server.spans if span["name"] in (CALL, "invoke_agent shop")]
    return sorted(map(traces.count, set(traces)))


# --- opentelemetry-instrument ----------------------------------------------------------------------------------------


def test_opentelemetry_instrument_makes_each_call_of_a_script_a_session(
    model: FakeProvider, server: SentrialStandIn
) -> None:
    done = run([*INSTRUMENT, "asks.py", "a", "b"], variables(model, server))
    assert (done.code, done.out, done.err) == (0, ANSWER * 2, "")
    assert sizes(server) == [2, 2]
    assert {span["attributes"]["sentrial.session.outcome"] for span in roots(server)} == {"completed"}


def roots(server: SentrialStandIn) -> list[Span]:
    return [span for span in server.spans if span["parent_span_id"] is None]


@pytest.mark.parametrize(("auto_session", "expected"), [("process", [3]), ("off", []), ("request", [])])
def test_the_variable_says_what_is_a_session(
    model: FakeProvider, server: SentrialStandIn, auto_session: str, expected: list[int]
) -> None:
    done = run([*INSTRUMENT, "asks.py", "a", "b"], variables(model, server, SENTRIAL_AUTO_SESSION=auto_session))
    assert (done.code, done.out) == (0, ANSWER * 2)
    assert sizes(server) == expected


def test_agent_and_user_are_those_of_the_variables(model: FakeProvider, server: SentrialStandIn) -> None:
    named = {"SENTRIAL_AGENT_NAME": "clerk", "SENTRIAL_USER_ID": "batch"}
    run([*INSTRUMENT, "asks.py"], variables(model, server, **named))
    (root,) = roots(server)
    assert root["name"] == "invoke_agent clerk"
    assert {span["attributes"]["user.id"] for span in server.spans} == {"batch"}


def test_without_a_service_name_the_agent_is_called_as_the_program(
    model: FakeProvider, server: SentrialStandIn
) -> None:
    given = variables(model, server)
    del given["OTEL_SERVICE_NAME"]
    run([*INSTRUMENT, "asks.py"], given)
    run([*INSTRUMENT, "-m", "asks"], given)
    run([*RUN, "-c", "import asks"], given)
    assert [root["name"] for root in roots(server)] == ["invoke_agent asks", "invoke_agent asks", "invoke_agent python"]


def test_a_client_can_be_left_out_by_the_standard_variable(model: FakeProvider, server: SentrialStandIn) -> None:
    left_out = variables(model, server, OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="requests, openai")
    assert run([*INSTRUMENT, "asks.py"], left_out).out == ANSWER
    assert sizes(server) == []


# --- with a distribution of the platform's own -----------------------------------------------------------------------


def with_distro(given: dict[str, str], **more: str) -> dict[str, str]:
    return {**given, "PYTHONPATH": str(DISTRO), "OTEL_METRICS_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none", **more}


def test_a_distribution_keeps_its_provider_and_its_exporter_gets_the_session_too(
    model: FakeProvider, server: SentrialStandIn
) -> None:
    with OtlpHttpReceiver() as platform:
        done = run(
            [*INSTRUMENT, "asks.py"], with_distro(variables(model, server), OTEL_EXPORTER_OTLP_ENDPOINT=platform.url)
        )
        assert (done.code, done.err) == (0, "")
        ours = by_name([span for span in platform.spans if span["name"] in (CALL, "invoke_agent shop")])
        assert len({span["trace_id"] for span in platform.spans}) == 1
    assert sizes(server) == [2]
    assert ours[CALL]["parent_span_id"] == ours["invoke_agent shop"]["span_id"]
    # Content goes to Sentrial, and not to the platform's exporter.
    assert "gen_ai.input.messages" not in ours[CALL]["attributes"]
    assert "gen_ai.input.messages" in by_name(server.spans)[CALL]["attributes"]


def test_named_as_the_exporter_we_are_the_only_one(model: FakeProvider, server: SentrialStandIn) -> None:
    with OtlpHttpReceiver() as platform:
        more = {"OTEL_TRACES_EXPORTER": "sentrial", "OTEL_EXPORTER_OTLP_ENDPOINT": platform.url}
        done = run([*INSTRUMENT, "asks.py"], with_distro(variables(model, server), **more))
        assert (done.code, done.err) == (0, "")
        assert platform.requests == []
    assert sizes(server) == [2]


@pytest.mark.parametrize("distro", [True, False])
def test_named_as_the_exporter_and_without_a_key_sessions_are_kept_in_the_local_store(
    model: FakeProvider, server: SentrialStandIn, tmp_path: Path, distro: bool
) -> None:
    given = variables(model, server, OTEL_TRACES_EXPORTER="sentrial")
    del given["SENTRIAL_API_KEY"]
    done = run([*INSTRUMENT, "asks.py"], with_distro(given) if distro else given)
    assert done.code == 0
    (line,) = done.err.splitlines()
    assert line.startswith("sentrial: no Sentrial key and no collector is set, so sessions are kept in ")
    (session,) = sessions_in(tmp_path / "home" / ".local" / "share" / "sentrial" / "sessions.db")
    assert session.outline[:2] == ["invoke_agent shop", f"  {CALL}"]


# --- never in the way ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("start", [INSTRUMENT, RUN], ids=["opentelemetry-instrument", "sentrial run"])
def test_a_broken_configuration_keeps_no_program_from_starting(
    model: FakeProvider, server: SentrialStandIn, start: list[str]
) -> None:
    broken = {
        "SENTRIAL_API_URL": "sentrial.example",
        "SENTRIAL_QUEUE_SIZE": "many",
        "SENTRIAL_AUTO_SESSION": "always",
        "SENTRIAL_STORE": "/dev/null/store.db",
        "SENTRIAL_API_KEY": "",
    }
    done = run([*start, "asks.py"], variables(model, server, **broken))
    assert (done.code, done.out) == (0, ANSWER)
    said = [line for line in done.err.splitlines() if line.startswith("sentrial")]
    assert [line.split("=")[0] for line in said[:3]] == [
        "sentrial: SENTRIAL_API_URL",
        "sentrial: SENTRIAL_AUTO_SESSION",
        "sentrial: SENTRIAL_QUEUE_SIZE",
    ]
    assert len(done.err.splitlines()) == len(said) <= 5


def test_what_fails_while_we_start_is_said_in_the_log_and_the_program_runs(
    model: FakeProvider, server: SentrialStandIn, tmp_path: Path
) -> None:
    breaks_us = "import sentrial._setup as setup\ndef fail(*_, **__): raise OSError('no')\nsetup.set_up = fail\n"
    (tmp_path / "sitecustomize.py").write_text(breaks_us, encoding="utf-8")
    done = run([*RUN, "asks.py"], variables(model, server, PYTHONPATH=str(tmp_path)))
    assert (done.code, done.out) == (0, ANSWER)
    assert done.err.startswith("sentrial failed at starting without code (OSError: no). Your program is not affected")


# --- pain C2 of the users' document ----------------------------------------------------------------------------------

BEGIN = "import sentrial\nsentrial.configure()\n"
IMPORT = "from openai import OpenAI\n"
CLIENT = "client = OpenAI()\n"
ASK = """\
with sentrial.begin("ann", "shop"):
    client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "hi"}])
"""


@pytest.mark.parametrize(
    ("start", "program"),
    [
        (["python"], BEGIN + IMPORT + CLIENT + ASK),
        (["python"], IMPORT + BEGIN + CLIENT + ASK),
        (["python"], IMPORT + CLIENT + BEGIN + ASK),
        (INSTRUMENT, "import asks"),
        (RUN, "import asks"),
    ],
    ids=["before import", "after import", "after the client exists", "opentelemetry-instrument", "sentrial run"],
)
def test_pain_c2_whenever_and_however_it_is_set_up_the_call_is_traced(
    model: FakeProvider, server: SentrialStandIn, start: list[str], program: str
) -> None:
    done = run([*start, "-c", program], variables(model, server))
    assert (done.code, done.err) == (0, "")
    assert names([span for span in server.spans if span["name"] != "POST"]) == [CALL, "invoke_agent shop"]


NOTHING_OF_OURS = """
import json, sys, threading
connected = []
sys.addaudithook(lambda event, given: connected.append(given[1][1]) if event == "socket.connect" else None)
from openai.resources.chat.completions import Completions
import asks
import signal
def is_ours(function):
    return function.__globals__["__name__"].startswith("sentrial.")
print(json.dumps({
    "connected": sorted(set(connected)),
    "threads": [thread.name for thread in threading.enumerate() if thread.name.startswith("sentrial")],
    "patched": is_ours(Completions.create),
    "carried": is_ours(threading.Thread.start),
    "sigterm": is_ours(signal.signal),
}))
"""


@pytest.mark.parametrize("off", ["OTEL_SDK_DISABLED=true", "SENTRIAL_ENABLED=false"])
@pytest.mark.parametrize("start", [INSTRUMENT, RUN], ids=["opentelemetry-instrument", "sentrial run"])
def test_pain_c2_switched_off_there_is_no_span_thread_patch_or_socket(
    model: FakeProvider, server: SentrialStandIn, start: list[str], off: str
) -> None:
    name, _, value = off.partition("=")
    done = run([*start, "-c", NOTHING_OF_OURS], variables(model, server, **{name: value}))
    assert done.code == 0, done.err
    assert json.loads(done.out.splitlines()[-1]) == {
        "connected": [model.port],
        "threads": [],
        "patched": False,
        "carried": False,
        "sigterm": False,
    }
    assert server.requests == []
