"""The example of a client that another distribution describes: installed, recorded, known by its name."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sentrial._store.location import store_path
from stored import Stored, content, sessions_in, words

EXAMPLE = Path(__file__).parents[1] / "examples" / "provider_from_outside"
CALL = "chat acme-1"


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder for the path of a program, with the distribution in it as an installer would have put it."""
    site = tmp_path / "site"
    about = site / "sentrial_acme_llm-1.0.dist-info"
    about.mkdir(parents=True)
    for name in ("acme_llm.py", "sentrial_acme_llm.py"):
        (site / name).write_bytes((EXAMPLE / name).read_bytes())
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: sentrial-acme-llm\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(entry_points_of(EXAMPLE / "pyproject.toml"))
    return site


def entry_points_of(project: Path) -> str:
    """Its entry points in the words of a distribution."""
    lines, inside = [], False
    for line in project.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            group = line.strip("[]").removeprefix("project.entry-points.")
            inside = group != line.strip("[]")
            lines += [f"[{group}]"] if inside else []
        elif inside and "=" in line:
            lines.append(line.replace('"', ""))
    return "\n".join(lines) + "\n"


def run(site: Path, *command: str, **variables: str) -> str:
    """What a program prints."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME")}
    environment = {**kept, "PYTHONPATH": str(site), "SENTRIAL_FLUSH_TIMEOUT": "30", **variables}
    done = subprocess.run(
        [sys.executable, "-W", "error", *command],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout


def run_agent(site: Path, **variables: str) -> Stored:
    printed = run(site, str(EXAMPLE / "agent.py"), **variables)
    assert printed.splitlines() == ["HELLO THERE", "GOOD BYE", "UNTIL TOMORROW"]
    (session,) = sessions_in(store_path({}))
    return session


def test_its_calls_are_recorded_streams_included(installed: Path) -> None:
    session = run_agent(installed)
    assert session.outline == ["invoke_agent parrot", *[f"  {CALL}"] * 3]
    assert (session.summary.llm_calls, session.summary.input_tokens, session.summary.output_tokens) == (3, 6, 6)
    calls = session.named(CALL)
    assert [words(call, "gen_ai.input.messages") for call in calls] == [
        ["hello there"],
        ["good bye"],
        ["until tomorrow"],
    ]
    assert [words(call, "gen_ai.output.messages") for call in calls] == [
        ["HELLO THERE"],
        ["GOOD BYE"],
        ["UNTIL TOMORROW"],
    ]
    assert [call.attributes.get("sentrial.stream.end") for call in calls] == [None, "drained", "drained"]
    for call in calls:
        expected = {
            "gen_ai.provider.name": "acme",
            "gen_ai.operation.name": "chat",
            "gen_ai.response.id": "a-1",
            "gen_ai.response.model": "acme-1-2026",
            "server.address": "llm.acme.example",
        }
        assert {key: call.attributes[key] for key in expected} == expected
        assert content(call, "gen_ai.output.messages")[0]["finish_reason"] == "stop"


@pytest.mark.parametrize(("instrument", "calls"), [("acme_llm", 3), ("openai,acme_llm", 3), ("openai", 0)])
def test_the_setting_knows_it_by_its_name(installed: Path, instrument: str, calls: int) -> None:
    assert run_agent(installed, SENTRIAL_INSTRUMENT=instrument).summary.llm_calls == calls


def test_it_can_be_left_out_by_the_standard_variable(installed: Path) -> None:
    session = run_agent(installed, OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="sentrial-acme_llm")
    assert session.summary.llm_calls == 0


def test_the_doctor_knows_it_by_its_name(installed: Path) -> None:
    document: dict[str, Any] = json.loads(run(installed, "-m", "sentrial._cli", "doctor", "--json", "--no-send"))
    states = {each["target"]: each["state"] for each in document["clients"] if each["client"] == "acme_llm"}
    assert states == {
        "acme_llm.Connection.send": "will be patched",
        "acme_llm.Connection.send_async": "will be patched",
    }


def test_an_instrumentor_of_its_own_and_one_instance_work_as_for_our_clients(installed: Path) -> None:
    program = """
import acme_llm, sentrial
from sentrial.wrappers import wrap_llm
from sentrial_acme_llm import AcmeInstrumentor
sentrial.configure(instrument=[])
one, other = acme_llm.Acme(), acme_llm.Acme()
wrap_llm(one)
with sentrial.begin("ann", "parrot"):
    one.ask("a"); other.ask("b")
with sentrial.begin("ann", "parrot"):
    AcmeInstrumentor().instrument()
    other.ask("c"); other.forget()
    AcmeInstrumentor().uninstrument()
    other.ask("d")
"""
    run(installed, "-c", program)
    sessions = sessions_in(store_path({}))
    assert [session.outline for session in sessions] == [["invoke_agent parrot", f"  {CALL}"]] * 2


def test_the_program_gets_its_own_errors(installed: Path) -> None:
    program = """
import acme_llm, sentrial
with sentrial.begin("ann", "parrot"):
    try:
        acme_llm.Acme().ask("a", model="acme-0")
    except acme_llm.AcmeError as error:
        print(error)
"""
    assert run(installed, "-c", program) == "acme-0 is retired\n"
    (session,) = sessions_in(store_path({}))
    call = session.one("chat acme-0")
    assert (call.status, call.attributes["error.type"]) == ("ERROR", "acme_llm.AcmeError")
