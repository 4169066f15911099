"""The ``sentrial`` command, run as people run it, and what it prints, letter by letter.

``tests/golden/*.txt`` hold the outputs. After a wanted change: ``UPDATE_GOLDEN=1 make test TESTS=tests/test_cli.py``,
then look at the difference.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import openai
import pytest

import sentrial
from fake_provider import FakeProvider
from fixed_spans import support_agent
from fixed_spans.rows import LLM, TOOL, root, row, session_id
from sentrial._version import __version__
from switched import CALL
from terminal import failed, printed, run, store, write

REMEDY = """\
A call belongs to the session around it: put sentrial.begin(...) or @sentrial.session around your agent,
or set SENTRIAL_AUTO_SESSION=call, and each model call outside of sessions is one of its own.
"""

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sessions.db"


@pytest.fixture
def support(path: Path) -> Path:
    return store(path, support_agent())


@pytest.fixture
def several(support: Path) -> Path:
    """The support agent's session and four others, of all sorts of length."""
    long = {"GEN_AI_AGENT_NAME": "invoice-reconciliation-agent", "USER_ID": "someone.with.a.long.name@example.com"}
    usage = {"SENTRIAL_USAGE_TOTAL_TOKENS": 1_234_567, "SENTRIAL_ESTIMATED_COST": 1234.5}
    return write(
        support,
        [
            root(1, -86_400, -80_000, "completed", **long, **usage),
            root(2, -30, -29.9996, "abandoned", USER_ID="u", SENTRIAL_ESTIMATED_COST=0.00001),
            row(3, 2, LLM, -20, -18, GEN_AI_USAGE_INPUT_TOKENS=123_456, SENTRIAL_ESTIMATED_COST=0.5),
            root(4, -10, 60, "cancelled", USER_ID="日本のユーザー"),
        ],
    )


def compare(name: str, output: str, columns: int) -> None:
    file = GOLDEN / f"{name}_{columns}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(output, encoding="utf-8")
    assert output == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("full", [False, True])
def test_a_session_is_shown_as_its_golden_output(support: Path, columns: int, full: bool) -> None:
    output = printed("sessions", "show", "last", "--store", support, *["--full"] * full, columns=columns)
    compare("show_full" if full else "show", output, columns)


@pytest.mark.parametrize("columns", [80, 120])
def test_sessions_are_listed_as_their_golden_output(several: Path, columns: int) -> None:
    output = printed("sessions", "list", "--store", several, columns=columns)
    compare("list", output, columns)


@pytest.mark.parametrize("columns", [80, 100, 120])
def test_no_line_is_wider_than_the_terminal_or_ends_in_spaces(several: Path, columns: int) -> None:
    for arguments in (["list"], ["show", "last"], ["show", "last", "--full"], ["show", session_id(4)]):
        for line in printed("sessions", *arguments, "--store", several, columns=columns).splitlines():
            assert width(line) <= columns
            assert line == line.rstrip()


def width(line: str) -> int:
    return sum(2 if "\u2e80" <= character <= "\uffef" else 1 for character in line)


def test_output_into_a_pipe_has_no_escape_sequence(several: Path) -> None:
    assert "\x1b" not in printed("sessions", "list", "--store", several)
    assert "\x1b" not in printed("sessions", "show", "last", "--store", several)


def test_colour_obeys_the_usual_variables(support: Path) -> None:
    coloured = printed("sessions", "show", "last", "--store", support, FORCE_COLOR="1", TERM="xterm-256color")
    assert "\x1b[1;31m✗ failed\x1b[0m" in coloured
    plain = printed("sessions", "show", "last", "--store", support, FORCE_COLOR="1", TERM="xterm", NO_COLOR="1")
    colours = re.compile(r"\x1b\[[0-9;]*3[0-7]")
    assert colours.search(coloured)
    assert not colours.search(plain)
    without = printed("sessions", "show", "last", "--store", support)
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == without


def test_a_terminal_that_knows_ascii_only_gets_ascii(support: Path) -> None:
    output = printed("sessions", "show", "last", "--store", support, PYTHONIOENCODING="ascii")
    assert output.isascii()
    assert "  0.90s  |- > tool lookup_order" in output
    assert "         |  `- o agent policy-agent" in output.replace("  1.06s", "       ")
    assert "x failed  support-agent  Customer Support Request" in output


def test_limit_is_the_number_of_sessions(several: Path) -> None:
    assert len(printed("sessions", "list", "--store", several, "--limit", "2").splitlines()) == 3
    assert run("sessions", "list", "--store", several, "--limit", "0").returncode == 2


def test_the_store_is_found_by_the_variable(support: Path) -> None:
    assert "support-agent" in printed("sessions", "list", SENTRIAL_STORE=str(support))


def test_the_store_is_found_at_the_usual_place(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path), "LOCALAPPDATA": ""}
    said = failed("sessions", "list", **home)
    place = re.search(r"there is no local store at (.*)\n", said)
    assert place
    assert tmp_path in Path(place[1]).parents
    assert said.endswith("SENTRIAL_STORE=on; SENTRIAL_STORE or --store name another file.\n")
    Path(place[1]).parent.mkdir(parents=True)
    store(Path(place[1]), support_agent())
    assert "support-agent" in printed("sessions", "list", **home)


def test_an_empty_store_says_so(path: Path) -> None:
    write(path, [])
    said = printed("sessions", "list", "--store", path, columns=300)
    assert said == f"no sessions yet in {path}\n{REMEDY}"
    assert failed("sessions", "show", "last", "--store", path) == f"Error: {said}"


def test_a_store_with_calls_outside_of_sessions_says_how_they_come_into_one(path: Path) -> None:
    sentrial.configure(store=str(path))
    with FakeProvider() as model, openai.OpenAI(api_key="k", base_url=model.base_url) as client:
        client.chat.completions.create(**CALL)
    sentrial.shutdown()
    said = printed("sessions", "list", "--store", path, columns=300)
    assert said == f"no sessions yet in {path}, but calls that belong to none\n{REMEDY}"


def test_a_session_is_shown_by_the_start_of_its_id_or_the_short_one(support: Path) -> None:
    short = printed("sessions", "list", "--store", support).splitlines()[1].split()[0]
    assert len(short) == 8
    last = printed("sessions", "show", "last", "--store", support)
    whole = re.search(r"session +(\S+)", last)
    assert whole
    for name in (short, short.upper(), whole[1], whole[1][33:43]):
        assert printed("sessions", "show", name, "--store", support) == last


def test_an_unknown_id_says_how_to_list(support: Path) -> None:
    assert failed("sessions", "show", "zz\x1b[2J", "--store", support) == (
        f"Error: no session's id starts with 'zz\\\\x1b[2J' in {support}\nList them with: sentrial sessions list\n"
    )


def test_an_ambiguous_id_lists_those_it_may_mean(path: Path) -> None:
    write(path, [root(number, number, number + 1) for number in range(1, 13)])
    said = failed("sessions", "show", "0000", "--store", path).splitlines()
    assert said[0] == "Error: the ids of several sessions start with '0000'; give more of the one you mean:"
    assert said[1] == f"  {session_id(12)}  2026-11-20 14:03:17  helper  completed"
    assert said[10] == f"  {session_id(3)}  2026-11-20 14:03:08  helper  completed"
    assert said[11:] == ["  and more"]


def test_a_damaged_store_is_told_with_the_remedy(path: Path) -> None:
    path.write_bytes(b"something else" * 500)
    assert failed("sessions", "list", "--store", path) == (
        f"Error: local store {path}: it is damaged, or no SQLite file (file is not a database); "
        "move it away: a new store is then made in its place\n"
    )


def test_the_version_is_told() -> None:
    assert printed("--version") == f"sentrial, version {__version__}\n"


def test_the_installed_command_is_the_same(support: Path) -> None:
    command = Path(sys.executable).with_name("sentrial")
    environ = {**os.environ, "TZ": "UTC", "COLUMNS": "80", "PYTHONIOENCODING": "utf-8"}
    arguments = [command, "sessions", "show", "last", "--store", support]
    ran = subprocess.run(arguments, capture_output=True, encoding="utf-8", timeout=60, env=environ)
    assert ran.stdout == (GOLDEN / "show_80.txt").read_text(encoding="utf-8")


def test_a_pipe_that_is_closed_ends_the_command_quietly(path: Path) -> None:
    events = [row(1, 2 + number, TOOL, number, SENTRIAL_REASONING="x" * 200) for number in range(3_000)]
    write(path, [root(1), *events])
    reading, writing = os.pipe()
    ran = subprocess.Popen(
        [sys.executable, "-m", "sentrial.cli", "sessions", "show", "last", "--store", str(path)],
        stdout=writing,
        stderr=subprocess.PIPE,
        env={**os.environ, "TZ": "UTC"},
    )
    os.close(writing)
    assert len(os.read(reading, 10)) > 0
    os.close(reading)
    _, said = ran.communicate(timeout=60)
    assert (ran.returncode, said) == (1, b"")


@pytest.mark.parametrize("missing", ["click", "rich"])
@pytest.mark.parametrize("module", ["sentrial.cli", "sentrial._cli"])
def test_without_the_extra_it_says_what_to_install(module: str, missing: str) -> None:
    program = f"import runpy, sys; sys.modules[{missing!r}] = None; runpy.run_module({module!r}, None, '__main__')"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == 'the sentrial command needs click and rich: pip install "sentrial-otel[cli]"\n'
