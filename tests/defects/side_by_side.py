"""Runs every defect with both packages and writes the page that shows them side by side.

    PYTHONPATH=tests python -m defects.side_by_side PYTHON_WITH_THE_OLD_PACKAGE PAGE

It is run with an interpreter that has ours. What goes right and what does not is written as it was seen.
"""

from __future__ import annotations

import datetime
import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from defects import run
from defects.seen import Verdict

_PAGE = """\
# The old SDK's defects, side by side with this one

Each row is one program, run as it stands with both packages, as a process of its own against a server of its own: a
stand-in of the old REST API, or one of Sentrial's OTLP endpoint. One judge has a word on both. The programs and their
judges are in [tests/defects](../tests/defects), one file a row, and run as tests with this package; `make side-by-side`
runs them with both and writes this page.

Numbers that are missing are about the old package's frameworks other than LangChain, its batching and its command. Rows
7m, 30a and 30c set what it has no setting for.

Measured on {date} with {python}: `sentrial` {old} (httpx {httpx}, requests {requests}), `sentrial-otel` {ours}.

| no. | the program | `sentrial` {old} | `sentrial-otel` |
| --- | --- | --- | --- |
"""


@dataclass(frozen=True)
class Row:
    """One defect as the page shows it."""

    number: str
    title: str
    old: str
    ours: str

    def __str__(self) -> str:
        cells = (self.number, self.title, self.old, self.ours)
        return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"


def rows_of(page: str) -> list[Row]:
    """The rows of a page that was written here."""
    lines = [line for line in page.splitlines() if line.startswith("| ")][2:]
    return [Row(*(cell.replace("&#124;", "|") for cell in line.strip("| ").split(" | "))) for line in lines]


def row_of(name: str, old_python: str) -> Row:
    """The row of that defect, measured."""
    old = run.judge(name, run.run_with_old(name, old_python))
    ours = run.judge(name, run.run_with_ours(name))
    return Row(run.number(name), run.title(name), _cell(old), _cell(ours))


def _cell(verdict: Verdict) -> str:
    return f"{'ok' if verdict.ok else '**not ok**'}: {verdict.words}"


def _versions(python: str, *packages: str) -> dict[str, str]:
    program = f"import importlib.metadata as m; print(*map(m.version, {packages!r}), sep='\\n')"
    shown = subprocess.run([python, "-c", program], capture_output=True, text=True, check=True).stdout
    return dict(zip(packages, shown.split(), strict=True))


def main(old_python: str, page: str) -> None:
    found = _versions(old_python, "sentrial", "httpx", "requests")
    head = _PAGE.format(
        date=datetime.date.today().isoformat(),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        old=found["sentrial"],
        httpx=found["httpx"],
        requests=found["requests"],
        ours=_versions(sys.executable, "sentrial-otel")["sentrial-otel"],
    )
    rows = []
    for name in run.names():
        rows.append(row_of(name, old_python))
        print(rows[-1], flush=True)
    Path(page).write_text(head + "".join(f"{row}\n" for row in rows), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
