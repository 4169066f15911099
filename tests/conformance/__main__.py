"""Checks what a run of the scenarios and of the contract suite has exported, and prints what each client's spans carry.

    PYTHONPATH=tests python -m conformance FOLDER SHARED

FOLDER: what ``CONFORMANCE_DIR`` was in that run. Exits with 1 for a violation, and for less than the floors.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from conformance.covered import CLIENTS, FLOORS
from conformance.reasons import REASONS

CONTRACT = "contract"


def check(checker: Path, files: list[Path]) -> dict[str, Any]:
    """What the checker says of ``files`` together."""
    command = [sys.executable, str(checker), "--json", "--coverage", "--min-spans", "1", *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def report(folder: Path, shared: Path) -> list[str]:
    """Prints the tables; gives what is wrong."""
    wrong: list[str] = []
    for client in (*CLIENTS, CONTRACT):
        files = sorted(folder.glob(f"{client}_*.jsonl"))
        if not files:
            wrong.append(f"{client}: nothing was exported")
            continue
        result = check(shared / "semconv" / "check_otlp.py", files)
        violations = [each for each in result["findings"] if each["level"] == "violation"]
        wrong += [f"{client}: {each['span_name']}: {each['message']}" for each in violations]
        print(f"\n{CLIENTS.get(client, 'contract suite')}: {result['genai_spans']} spans, {len(violations)} violations")
        for span_type, found in result["coverage"].items():
            print(f"  {span_type}: {found['covered']} of {found['total']} attributes on {found['spans']} spans")
            floor = FLOORS.get((client, span_type), 0)
            if client == CONTRACT or not floor:
                continue
            for missing in found["missing"]:
                print(f"    - {missing}: {REASONS[client, span_type].get(missing, 'not in this run')}")
            if found["covered"] < floor:
                wrong.append(f"{client}: {found['covered']} attributes of {span_type}, fewer than {floor}")
    return wrong


if __name__ == "__main__":
    faults = report(Path(sys.argv[1]), Path(sys.argv[2]))
    print("", *faults, f"{len(faults)} faults" if faults else "conforms", sep="\n")
    sys.exit(bool(faults))
