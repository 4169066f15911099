"""Runs every program with every peer and alone, prints who tells what, and writes the page.

PYTHONPATH=tests python -m compare PAGE
"""

from __future__ import annotations

import datetime
import json
import platform
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from compare.environment import environment, python_of
from compare.peers import CLIENTS, PEERS
from compare.seen import changes, proxies
from compare.telling import faults, model_calls

TITLES = {"openai": "openai", "anthropic": "anthropic", "google": "google-genai"}
OWN_SCOPE = "com.anthropic.sdk.python"
"""The scope of the spans that Anthropic's client makes itself, once there is a tracer provider."""

HEAD = """\
# Who tells each call once, and who breaks the program

The same programs, each as it stands, with every instrumentation of the model clients that we know of, each in an
environment of its own with the newest of everything, against one server on the loopback. `make compare` installs them,
runs the programs and writes this page; [tests/compare](../tests/compare) has the programs and the judge. It is no part
of CI.

**ok**: one ended span for each model call and no more, with the tokens that the provider sent and none that it did not,
failed where the call failed; and the program saw what it sees without the peer. Anything else is in the cell. Where a
cell says **breaks**, the program raised what it did not before, or got another value, or an object that is not of the
client's own class. (*a proxy*): an object is of another class, but says with `isinstance` that it is the client's own.

"Whether a failure is told" for a stream that the program breaks off: it did not fail.

Where the old SDK has nothing for an API, its cell says "no span". It is given a session around each program, and for
google-genai `client.models`, for want of the library that it is made for. "+ the client's own span" are the spans that
Anthropic's client makes itself since 1.17: with them a call has two.

Measured on {date} with {python}.

"""


def run(name: str, client: str, *who: str) -> dict[str, Any]:
    """What :mod:`compare.run` prints, in the environment ``name``."""
    done = subprocess.run(
        [str(python_of(name)), "-m", "compare.run", client, *who],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, f"{name} {client} {who} failed\n{done.stderr[-3000:]}"
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def cell_of(client: str, program: str, alone: dict[str, Any], beside: dict[str, Any]) -> str:
    """What is to be said of one program with one peer."""
    broken = list(changes(alone, beside)) + beside["complaints"]
    calls = programs_of(client)[program].calls
    own = [span for span in model_calls(beside["spans"]) if span["scope"].startswith(OWN_SCOPE)]
    told = [span for span in model_calls(beside["spans"]) if span not in own]
    words = [f"**breaks**: {', '.join(broken)}"] if broken else []
    words += dict.fromkeys(faults(told, calls))
    words += ["+ the client's own span"] if own else []
    said = "; ".join(words) or "ok"
    return f"{said} *(a proxy)*" if not broken and any(proxies(alone, beside)) else said


def programs_of(client: str) -> dict[str, Any]:
    """The programs of a client, by name."""
    module = __import__(f"compare.programs_{client}", fromlist=["PROGRAMS"])
    programs: dict[str, Any] = module.PROGRAMS
    return programs


def tables(reports: dict[tuple[str, str, bool], dict[str, Any]]) -> Iterator[str]:
    """The tables of the page, a client each."""
    for client in CLIENTS:
        yield f"## {TITLES[client]}\n"
        yield f"| program | {' | '.join(peer.title for peer in PEERS.values())} |"
        yield f"| --- {'| --- ' * len(PEERS)}|"
        for program in programs_of(client):
            cells = [
                cell_of(
                    client,
                    program,
                    reports[name, client, False]["programs"][program],
                    reports[name, client, True]["programs"][program],
                )
                for name in PEERS
            ]
            yield f"| {program} | {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"
        yield ""
    yield "## Versions\n"
    for name, peer in PEERS.items():
        found: dict[str, str] = {}
        for client in CLIENTS:
            found |= reports[name, client, True]["versions"]
        yield f"* {peer.title}: " + ", ".join(f"{each} {version}" for each, version in found.items())


def main(page: str) -> None:
    for name in PEERS:
        python_of(name)
    wanted = [(name, client, beside) for name in PEERS for client in CLIENTS for beside in (False, True)]
    with ThreadPoolExecutor(2) as pool:
        done = pool.map(lambda each: run(each[0], each[1], *([each[0]] if each[2] else [])), wanted)
        reports = dict(zip(wanted, done, strict=True))
    text = HEAD.format(
        date=datetime.date.today().isoformat(),
        python=f"{platform.python_implementation()} {platform.python_version()}",
    )
    text += "\n".join(tables(reports)) + "\n"
    print(text)
    Path(page).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
