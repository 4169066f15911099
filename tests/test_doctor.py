"""``sentrial doctor``, run as people run it: what it sends, where, and what it says when all is well."""

from __future__ import annotations

import ast
import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from examined import look
from receivers import OtlpGrpcReceiver, OtlpHttpReceiver, SentrialStandIn
from sentrial._diagnosis import examination
from stored import sessions_in
from terminal import printed, run

KEY = "sentrial_test_key_0123456789"


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        yield stand_in


def examined(*arguments: str, code: int = 0, **variables: str) -> dict[str, Any]:
    """The document that the command prints."""
    ran = run("doctor", "--json", *arguments, **variables)
    assert (ran.returncode, ran.stderr) == (code, ""), ran.stdout + ran.stderr
    document: dict[str, Any] = json.loads(ran.stdout)
    assert document["ok"] == (code == 0)
    return document


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The document as the command makes it, made in the test's own process."""

    def looked(*arguments: str, **variables: str) -> dict[str, Any]:
        with monkeypatch.context() as patch:
            for name, text in variables.items():
                patch.setenv(name, text)
            return look(send="--no-send" not in arguments)

    return looked


def codes(document: dict[str, Any]) -> list[str]:
    return [finding["code"] for finding in document["findings"]]


def at(server: SentrialStandIn) -> dict[str, str]:
    return {"SENTRIAL_API_KEY": KEY, "SENTRIAL_API_URL": server.url}


# --- the test session ------------------------------------------------------------------------------------------------


def test_a_test_session_arrives_at_sentrial_as_a_real_one_does(server: SentrialStandIn) -> None:
    document = examined(**at(server), OTEL_SERVICE_NAME="shop")
    tool, root = server.spans_of(KEY)
    (destination,) = document["destinations"]
    assert (destination["kind"], destination["outcome"], destination["status"]) == ("sentrial", "stored", "200")
    assert destination["endpoint"] == server.traces_url
    assert destination["protocol"] == "http/json"
    assert destination["session_id"] == f"{root['trace_id']}-{root['span_id']}"
    assert 0 <= destination["seconds"] < 15
    assert root["name"] == "invoke_agent sentrial-doctor"
    assert (tool["name"], tool["parent_span_id"]) == ("execute_tool test_session", root["span_id"])
    assert root["resource"]["service.name"] == "shop"
    said = root["attributes"]
    assert said["gen_ai.agent.name"] == said["user.id"] == "sentrial-doctor"
    assert said["sentrial.session.name"] == "sentrial doctor: test session"
    assert said["sentrial.metadata.test"] is True
    assert said["sentrial.session.id"] == tool["attributes"]["sentrial.session.id"] == destination["session_id"]
    assert "Does this session arrive?" in said["gen_ai.input.messages"]
    assert len(server.requests) == 1
    assert codes(document) == []


def test_the_test_session_keeps_to_the_conventions(
    server: SentrialStandIn, shared: Path, tmp_path: Path, looked: Any
) -> None:
    looked(**at(server))
    file = tmp_path / "session.json"
    file.write_text(server.otlp_json())
    checked = subprocess.run(
        [sys.executable, shared / "semconv" / "check_otlp.py", file], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_content_that_is_off_is_off_for_the_test_session_too(server: SentrialStandIn, looked: Any) -> None:
    document = looked(**at(server), SENTRIAL_CAPTURE_CONTENT="off")
    texts = ("gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.tool.call.arguments", "gen_ai.tool.call.result")
    assert not [key for span in server.spans for key in texts if key in span["attributes"]]
    assert codes(document) == ["content-off"]


@pytest.mark.parametrize("protocol", ["http/protobuf", "http/json", "grpc"])
def test_a_test_session_arrives_at_a_collector(protocol: str, looked: Any) -> None:
    with OtlpGrpcReceiver() if protocol == "grpc" else OtlpHttpReceiver() as collector:
        variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_EXPORTER_OTLP_PROTOCOL": protocol}
        (destination,) = looked(**variables)["destinations"]
        assert [span["name"] for span in collector.spans] == [
            "execute_tool test_session",
            "invoke_agent sentrial-doctor",
        ]
    assert (destination["kind"], destination["outcome"]) == ("collector", "stored")
    assert destination["status"] == ("OK" if protocol == "grpc" else "200")
    assert destination["protocol"] == protocol


def test_a_test_session_arrives_in_the_store_where_that_is_used(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    document = examined(SENTRIAL_STORE=str(path))
    (session,) = sessions_in(path)
    assert (session.summary.agent, session.summary.status) == ("sentrial-doctor", "completed")
    (destination,) = document["destinations"]
    assert (destination["kind"], destination["outcome"], destination["protocol"]) == ("store", "stored", "file")
    store = document["store"]
    assert (store["path"], store["in_use"], store["writable"], store["sessions"]) == (str(path), True, True, 1)
    assert store["schema_version"] == store["known_schema_version"]
    assert store["bytes"] >= path.stat().st_size > 0
    assert store["free_bytes"] > 0


def test_all_destinations_get_it_and_one_that_is_down_holds_up_no_other(
    server: SentrialStandIn, tmp_path: Path
) -> None:
    variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "SENTRIAL_STORE": str(tmp_path / "s.db")}
    document = examined(**at(server), **variables, code=1)
    assert [(each["kind"], each["outcome"]) for each in document["destinations"]] == [
        ("sentrial", "stored"),
        ("collector", "not reached"),
        ("store", "stored"),
    ]
    assert len(server.spans) == 2
    assert codes(document) == ["connection-refused"]


def test_a_key_alone_leaves_the_store_alone(server: SentrialStandIn, tmp_path: Path, looked: Any) -> None:
    document = looked(**at(server), XDG_DATA_HOME=str(tmp_path / "data"))
    assert [each["kind"] for each in document["destinations"]] == ["sentrial"]
    assert document["store"]["in_use"] is False
    assert not (tmp_path / "data").exists()


# --- nothing sent ----------------------------------------------------------------------------------------------------


def test_without_sending_nothing_is_opened_or_written(server: SentrialStandIn, tmp_path: Path) -> None:
    path = tmp_path / "folder" / "sessions.db"
    document = examined("--no-send", **at(server), SENTRIAL_STORE=str(path))
    assert server.connections == 0
    assert not path.parent.exists()
    assert [(each["kind"], each["outcome"], each["session_id"]) for each in document["destinations"]] == [
        ("sentrial", None, None),
        ("store", None, None),
    ]
    assert document["destinations"][0]["endpoint"] == server.traces_url
    assert (document["store"]["exists"], document["store"]["writable"]) == (False, True)


# --- what it tells of settings ---------------------------------------------------------------------------------------


def test_each_setting_says_where_its_value_came_from(looked: Any) -> None:
    document = looked(
        "--no-send",
        SENTRIAL_API_KEY=KEY,
        SENTRIAL_QUEUE_SIZE="1000000",
        OTEL_EXPORTER_OTLP_ENDPOINT="http://user:secret@collector:4318",
        OTEL_EXPORTER_OTLP_HEADERS="authorization=Bearer abc,x-team=red",
        OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="SPAN_ONLY",
    )
    settings = {each["name"]: (each["value"], each["source"]) for each in document["configuration"]["settings"]}
    assert settings["api_key"] == ("...6789", "SENTRIAL_API_KEY")
    assert settings["api_url"] == ("https://api.sentrial.com", "default")
    assert settings["queue_size"] == (1_000_000, "SENTRIAL_QUEUE_SIZE")
    assert settings["otlp_endpoint"] == ("http://collector:4318", "OTEL_EXPORTER_OTLP_ENDPOINT")
    assert settings["capture_content"] == ("span", "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT")
    assert settings["flush_timeout"] == (5.0, "default")
    variables = {each["name"]: each["value"] for each in document["configuration"]["variables"]}
    assert variables["OTEL_EXPORTER_OTLP_HEADERS"] == "authorization=..., x-team=..."
    assert variables["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://collector:4318"


def test_no_key_and_no_password_is_in_any_output(server: SentrialStandIn) -> None:
    variables = {
        **at(server),
        "SENTRIAL_PII_KEY": "a-secret-of-mine",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://user:hidden-password@127.0.0.1:1",
        "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer hidden-token",
        "HTTPS_PROXY": "http://me:hidden-too@127.0.0.1:1",
    }
    for arguments in ([], ["--json"]):
        said = run("doctor", *arguments, **variables).stdout
        for secret in (KEY, "a-secret-of-mine", "hidden-password", "hidden-token", "hidden-too"):
            assert secret not in said


def test_versions_extras_and_clients_are_told(looked: Any) -> None:
    versions = looked("--no-send")["versions"]
    assert versions["python"].startswith("{}.{}.{}".format(*sys.version_info))
    assert versions["packages"]["opentelemetry-sdk"].startswith("1.")
    assert versions["extras"]["cli"] is True
    assert "openai" in versions["clients"]


def test_in_a_process_of_its_own_it_tells_what_there_is_to_patch(looked: Any) -> None:
    document = looked("--no-send")
    states = {(each["client"], each["state"], each["calls"]) for each in document["clients"]}
    langchain = "not installed" if find_spec("langchain_core") is None else "will be patched"
    assert states == {
        *((name, "will be patched", None) for name in ("anthropic", "google", "openai")),
        ("langchain", langchain, None),
    }
    off = looked("--no-send", SENTRIAL_INSTRUMENT="openai", SENTRIAL_ENABLED="0")
    assert {each["state"] for each in off["clients"]} == {"off"}


def test_without_a_provider_it_tells_what_will_sample(looked: Any) -> None:
    tracing = looked("--no-send", OTEL_TRACES_SAMPLER="traceidratio", OTEL_TRACES_SAMPLER_ARG="0.5")["tracing"]
    assert (tracing["kind"], tracing["provider"], tracing["processors"]) == ("none", None, [])
    assert tracing["sampler"] == "SessionSampler(TraceIdRatioBased{0.5})"
    tracing = looked("--no-send", SENTRIAL_SAMPLE_RATE="0.25")["tracing"]
    assert tracing["sampler"] == "TraceIdRatioBased{0.25}"


# --- for people and for scripts --------------------------------------------------------------------------------------


def test_the_page_says_all_is_well_where_it_is(server: SentrialStandIn) -> None:
    lines = printed("doctor", **at(server)).splitlines()
    assert lines[-1] == "✓ all is well"
    assert f"  ✓ Sentrial {server.url}, test session: stored, 200, " in "\n".join(lines)


@pytest.mark.parametrize("columns", [80, 120])
def test_no_line_is_wider_than_the_terminal_and_none_has_colour_in_a_pipe(
    server: SentrialStandIn, columns: int
) -> None:
    ran = run("doctor", columns=columns, **at(server), OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1")
    assert ran.returncode == 1
    assert "\x1b" not in ran.stdout
    assert max(map(len, ran.stdout.splitlines())) <= columns
    assert ran.stdout.splitlines()[-1] == "✗ 1 problem"


def test_on_a_terminal_it_has_colour(server: SentrialStandIn) -> None:
    ours, theirs = pty.openpty()
    variables = {**at(server), "PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "TERM": "xterm-256color"}
    with subprocess.Popen(
        [sys.executable, "-m", "sentrial.cli", "doctor", "--no-send"], stdin=theirs, stdout=theirs, env=variables
    ):
        os.close(theirs)
        said = b""
        while piece := _read(ours):
            said += piece
    os.close(ours)
    assert b"\x1b[1;32m" in said


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""  # on Linux, the end of a terminal that nobody writes to any more


def test_wrong_usage_exits_with_2() -> None:
    for arguments in (["--timeout", "0"], ["--timeout", "soon"], ["--send-all"], ["now"]):
        assert run("doctor", *arguments).returncode == 2


def test_the_document_has_the_parts_that_the_page_of_the_docs_names(looked: Any) -> None:
    document = looked("--no-send")
    assert list(document) == [
        "format", "ok", "findings", "process", "installation", "versions", "configuration", "tracing", "clients",
        "others", "destinations", "store",
    ]  # fmt: skip
    assert (document["format"], document["process"]) == (1, "own")
    assert [set(each) for each in document["findings"]] == [{"level", "code", "words", "remedy"}]


def test_every_code_of_a_finding_is_explained_in_the_docs() -> None:
    page = (Path(__file__).parents[1] / "docs" / "doctor.md").read_text(encoding="utf-8")
    rows = page.partition("## What it may find")[2].splitlines()
    explained = {code for row in rows for code in re.findall(r"`([a-z-]+)`", row.split("|")[1] if "|" in row else "")}
    assert explained == set(codes_in_the_source())


def codes_in_the_source() -> Iterator[str]:
    """What ``problem()`` and ``note()`` are called with, and what comes first where code and remedy are returned."""
    for path in Path(examination.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            first: ast.expr | None = None
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SAYING and node.args:
                first = node.args[0]
            elif isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
                first = node.value.elts[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value


SAYING = ("problem", "note", "say")
