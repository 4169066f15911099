"""``sentrial sessions export`` and ``send``, run as people run them."""

from __future__ import annotations

import json
import os
import pty
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fixed_spans import support_agent
from fixed_spans.rows import TOOL, root, row, session_id
from receivers import OtlpGrpcReceiver, OtlpHttpReceiver, SentrialStandIn
from receivers.normal_form import spans_in
from refusing import refusing
from terminal import failed, printed, run, store, write

KEY = "sentrial_test_key"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Sessions 1 to 3 of two spans each, and one that is running."""
    rows = [span for number in (1, 2, 3) for span in (row(number, 2, TOOL, number), root(number, number))]
    return write(tmp_path / "sessions.db", [*rows, row(4, 2, TOOL, 4)])


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        yield stand_in


def at(server: SentrialStandIn) -> dict[str, str]:
    return {"SENTRIAL_API_KEY": KEY, "SENTRIAL_API_URL": server.url}


def sessions_of(text: str) -> list[str]:
    """Which sessions an export holds, in its order."""
    ids = [str(span["trace_id"]) for line in text.splitlines() for span in spans_in(json.loads(line))]
    return [f"{trace}-{1:016x}" for trace in dict.fromkeys(ids)]


# --- export -----------------------------------------------------------------------------------------------------------


def test_sessions_are_exported_by_id_by_filter_or_all_of_them_the_oldest_first(path: Path) -> None:
    for arguments, numbers in (
        (["last"], [4]),
        ([session_id(3), session_id(1)[:12], session_id(3)], [1, 3]),
        (["--agent", "helper"], [1, 2, 3]),
        (["--status", "completed", "--until", "2026-11-20T14:03:06Z"], [1]),
        (["--search", "INVOKE_AGENT"], [1, 2, 3]),
        (["--all"], [1, 2, 3, 4]),
    ):
        ran = run("sessions", "export", *arguments, "--store", path)
        assert (ran.returncode, sessions_of(ran.stdout)) == (0, [session_id(number) for number in numbers])


def test_what_was_exported_is_said_beside_the_output(path: Path) -> None:
    assert run("sessions", "export", "--all", "--store", path).stderr == (
        "exported 4 sessions, 7 spans; 1 of them still runs, and what has not ended is missing\n"
    )


def test_a_line_that_collectors_do_not_take_unasked_is_told(tmp_path: Path) -> None:
    path = write(tmp_path / "sessions.db", [root(1, SENTRIAL_REASONING="x" * 2 * 1024**2)])
    assert run("sessions", "export", "last", "--store", path).stderr == (
        "exported 1 session, 1 span; the longest line has 2.0 MiB: raise max_log_size of the collector's receiver\n"
    )


def test_a_file_is_the_users_alone_whole_and_not_replaced_unasked(path: Path, tmp_path: Path) -> None:
    file = tmp_path / "out" / "sessions.jsonl"
    assert "No such file or directory" in failed("sessions", "export", "--all", "-o", file, "--store", path)
    file.parent.mkdir()
    assert run("sessions", "export", "--all", "-o", file, "--store", path).stdout == ""
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = file.read_text()
    assert len(sessions_of(before)) == 4
    assert failed("sessions", "export", "last", "-o", file, "--store", path) == (
        f"Error: {file} is there already; --force replaces it\n"
    )
    assert file.read_text() == before
    assert run("sessions", "export", session_id(1), "-o", file, "--force", "--store", path).returncode == 0
    assert sessions_of(file.read_text()) == [session_id(1)]
    assert [each.name for each in file.parent.iterdir()] == ["sessions.jsonl"]


def test_it_has_to_be_said_what_is_meant(path: Path) -> None:
    for command in ("export", "send", "delete"):
        ran = run("sessions", command, "--store", path, SENTRIAL_API_KEY=KEY)
        assert (ran.returncode, ran.stdout) == (2, "")
        assert "say which sessions: their ids, a filter such as --last 7d, or --all" in ran.stderr
        ran = run("sessions", command, "last", "--agent", "helper", "--store", path, SENTRIAL_API_KEY=KEY)
        assert "give ids or filters, not both" in ran.stderr
    assert "no session's id starts with 'zz'" in failed("sessions", "export", "zz", "--store", path)


def test_on_a_terminal_nothing_of_the_content_is_obeyed(tmp_path: Path) -> None:
    text = "\x1b[2J\x9b2J\u202e\x7f é 🙂"
    path = write(tmp_path / "sessions.db", [root(1, SENTRIAL_REASONING=text)])
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "sentrial.cli", "sessions", "export", "last", "--store", str(path)]
    ran = subprocess.Popen(command, stdout=theirs, stderr=subprocess.PIPE)
    os.close(theirs)
    shown = b""
    while True:
        try:
            shown += os.read(ours, 4096)
        except OSError:
            break
    os.close(ours)
    assert ran.communicate(timeout=60)[1] == b"exported 1 session, 1 span\n"
    assert all(0x20 <= letter < 0x7F or letter in b"\r\n" for letter in shown)
    (span,) = spans_in(json.loads(shown))
    assert span["attributes"]["sentrial.reasoning"] == text


# --- send -------------------------------------------------------------------------------------------------------------


def test_sessions_are_sent_to_sentrial(path: Path, server: SentrialStandIn) -> None:
    said = printed("sessions", "send", "--all", "--store", path, **at(server))
    assert said == f"sent 3 sessions, 6 spans to Sentrial {server.url}; 1 session that run stay\n"
    assert len(server.spans) == 6
    assert failed("sessions", "send", session_id(4), "--store", path, **at(server)) == (
        f"Error: {session_id(4)} is running; send it once it has ended\n"
    )


@pytest.mark.parametrize("receiver", [OtlpHttpReceiver, OtlpGrpcReceiver])
def test_sessions_are_sent_to_a_collector(path: Path, receiver: type[OtlpHttpReceiver]) -> None:
    with receiver() as collector:
        protocol = "grpc" if receiver is OtlpGrpcReceiver else "http/protobuf"
        given = {"OTEL_EXPORTER_OTLP_PROTOCOL": protocol}
        said = printed("sessions", "send", session_id(1), "--endpoint", collector.url, "--store", path, **given)
        assert said.startswith("sent 1 session, 2 spans to collector ")
        assert [span["name"] for span in collector.spans] == ["span", "invoke_agent helper"]
        given["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.url
        assert printed("sessions", "send", session_id(2), "--store", path, **given).startswith(
            "sent 1 session, 2 spans"
        )
        assert len(collector.spans) == 4


def test_where_to_send_has_to_be_clear(path: Path, server: SentrialStandIn) -> None:
    for arguments, given, words in (
        ([], {}, "nothing is set to send to: set SENTRIAL_API_KEY, or name a collector by --endpoint"),
        ([], {**at(server), "OTEL_EXPORTER_OTLP_ENDPOINT": "http://x:1"}, "say --to sentrial or --to collector"),
        (["--to", "collector"], at(server), "no collector is set: give --endpoint, or set OTEL_EXPORTER_OTLP_ENDPOINT"),
        (["--to", "sentrial"], {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x:1"}, "nothing is set to send to"),
        (["--to", "store"], {}, "sessions of the store are in the store; --to store is for --file"),
        (["--file", "x"], at(server), "give --file or sessions, not both"),
    ):
        ran = run("sessions", "send", "last", *arguments, "--store", path, **given)
        assert (ran.returncode, ran.stdout) == (2, "")
        assert words in ran.stderr
    assert server.requests == []


def test_what_was_not_taken_is_said_with_the_servers_words(path: Path, server: SentrialStandIn) -> None:
    said = failed("sessions", "send", session_id(1), "--store", path, **{**at(server), "SENTRIAL_API_KEY": "wrong_key"})
    lines = said.splitlines()
    assert lines[0] == (f"Error: not all was taken: sent 1 session, 0 spans to Sentrial {server.url}; lost: 2 refused")
    assert "403" in lines[1]
    assert "unknown API key" in lines[1]
    assert len(lines) == 2


def test_where_nobody_answers_it_ends_after_its_patience(path: Path) -> None:
    with refusing() as url:
        given = {"SENTRIAL_API_KEY": KEY, "SENTRIAL_API_URL": url}
        said = failed("sessions", "send", "--agent", "helper", "--patience", "0.1s", "--store", path, **given)
    assert "lost: 2 not reachable, 4 not tried" in said
    assert "no answer from http://127.0.0.1" in said


def test_personal_data_is_masked_on_the_way_where_that_is_asked(tmp_path: Path, server: SentrialStandIn) -> None:
    path = write(tmp_path / "sessions.db", [root(1, SENTRIAL_REASONING="write to ann@example.com")])
    for pii in ("false", "true"):
        assert run("sessions", "send", "last", "--store", path, **at(server), SENTRIAL_PII=pii).returncode == 0
    texts = [span["attributes"]["sentrial.reasoning"] for span in server.spans]
    assert texts == ["write to ann@example.com", "write to [EMAIL]"]


# --- files ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def file(path: Path, tmp_path: Path) -> Path:
    file = tmp_path / "sessions.jsonl"
    assert run("sessions", "export", "--all", "-o", file, "--store", path).returncode == 0
    return file


def test_a_file_is_sent_each_span_once(file: Path, server: SentrialStandIn) -> None:
    file.write_text(file.read_text() * 3)
    assert printed("sessions", "send", "--file", file, **at(server)) == f"sent 7 spans to Sentrial {server.url}\n"
    assert len(server.spans) == 7


def test_a_file_comes_by_standard_input_too(file: Path, server: SentrialStandIn) -> None:
    command = [sys.executable, "-m", "sentrial.cli", "sessions", "send", "--file", "-"]
    ran = subprocess.run(
        command, input=file.read_bytes(), capture_output=True, timeout=60, env={**os.environ, **at(server)}
    )
    assert (ran.returncode, ran.stdout.decode()) == (0, f"sent 7 spans to Sentrial {server.url}\n")


def test_secrets_in_a_file_do_not_leave(tmp_path: Path, server: SentrialStandIn) -> None:
    other = replace(row(7, 2, None, SENTRIAL_REASONING="sk-" + "a1B2" * 12, session=False), scope_name="strangers")
    file = tmp_path / "secrets.jsonl"
    path = write(
        tmp_path / "sessions.db", [root(7), replace(other, attributes={**other.attributes, **root(7).attributes})]
    )
    assert run("sessions", "export", "--all", "-o", file, "--store", path).returncode == 0
    assert run("sessions", "send", "--file", file, **at(server)).returncode == 0
    assert "a1B2" in file.read_text()
    assert "a1B2" not in str(server.spans)


def test_a_bad_line_in_the_middle_stops_it_before_anything_is_sent(file: Path, server: SentrialStandIn) -> None:
    good = file.read_text()
    file.write_text(good + '{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"\\u001b[2J"}]}]}]}\n' + good)
    said = failed("sessions", "send", "--file", file, **at(server))
    assert said == (
        f"Error: {file}: line {len(good.splitlines()) + 1}: resourceSpans[0].scopeSpans[0].spans[0].traceId must be "
        "32 hex digits, not '\\x1b[2J'. Nothing was sent.\n"
    )
    assert server.requests == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file holds no spans. Nothing was sent."),
        (b"{}\n{}\n", "the file holds no spans. Nothing was sent."),
        (b"[" * 100_000, "line 1: is nested too deeply. Nothing was sent."),
        (b"\xff\xfe{\0", "the file is UTF-16; it must be UTF-8. Nothing was sent."),
        (b"\x1b[2J\x07", "line 1, column 1: is no JSON (Expecting value). Nothing was sent."),
    ],
)
def test_what_is_no_such_file_is_refused(tmp_path: Path, content: bytes, words: str, server: SentrialStandIn) -> None:
    file = tmp_path / "hostile.json"
    file.write_bytes(content)
    assert failed("sessions", "send", "--file", file, **at(server)) == f"Error: {file}: {words}\n"
    assert server.requests == []


def test_what_cannot_be_read_is_said(tmp_path: Path, server: SentrialStandIn) -> None:
    missing = tmp_path / "missing.json"
    assert (
        failed("sessions", "send", "--file", missing, **at(server)) == f"Error: {missing}: No such file or directory\n"
    )
    assert failed("sessions", "send", "--file", tmp_path, **at(server)) == f"Error: {tmp_path}: Is a directory\n"


def test_a_session_recorded_by_the_sdk_goes_through_a_file_whole(tmp_path: Path) -> None:
    path, other, file = tmp_path / "sessions.db", tmp_path / "other.db", tmp_path / "sessions.jsonl"
    store(path, support_agent())
    assert run("sessions", "export", "last", "-o", file, "--store", path).returncode == 0
    assert (
        printed("sessions", "send", "--file", file, "--to", "store", "--store", other)
        == "sent 10 spans to local store\n"
    )
    for arguments in (["show", "last", "--full"], ["show", "last", "--json"], ["list", "--json"]):
        assert printed("sessions", *arguments, "--store", other) == printed("sessions", *arguments, "--store", path)
