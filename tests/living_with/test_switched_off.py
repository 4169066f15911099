"""Another instrumentation of the model client that is switched off again, while ours is on or before it is."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from fake_provider import FakeProvider
from peers import marks_of, python_of

PROGRAM = Path(__file__).parents[1] / "peers" / "switched_off.py"
OURS = ["sentrial"]
LOST: list[str] = []
OPENINFERENCE = ["openinference.instrumentation.openai"]
OPENLLMETRY = ["opentelemetry.instrumentation.openai.v1"]
OPENINFERENCE_GOOGLE = ["openinference.instrumentation.google_genai"]
OTEL_GOOGLE = ["opentelemetry.instrumentation.google_genai"]

# The environment, the client and what its program does, and who records each call.
RUNS: dict[tuple[str, str], list[list[str]]] = {
    ("otel", "openai openinference -openinference us call"): [OURS],
    # Its wrapper stood above the method that we patch, and it leaves there what it found before us.
    ("otel", "openai openinference us call -openinference call call"): [OPENINFERENCE, LOST, OURS],
    ("otel", "openai us openinference call -openinference call"): [OPENINFERENCE, OURS],
    ("otel", "openai openinference us -openinference call openinference call -openinference call"): [
        LOST, OPENINFERENCE, OURS,
    ],
    # It goes on when it is switched off, with us or without.
    ("otel", "openai openllmetry us call -openllmetry call"): [OPENLLMETRY, OPENLLMETRY],
    ("google", "google openinference us call -openinference call call"): [OPENINFERENCE_GOOGLE, LOST, OURS],
    ("google", "google us openinference call -openinference call"): [OPENINFERENCE_GOOGLE, OURS],
    ("google", "google otel us call -otel call call"): [OTEL_GOOGLE, LOST, OURS],
    ("google", "google us otel call -otel call"): [OTEL_GOOGLE, OURS],
}  # fmt: skip


@pytest.mark.parametrize(
    ("environment", "steps"),
    [pytest.param(*run, marks=marks_of(run[0]), id=run[1]) for run in RUNS],
)
def test_each_call_is_recorded_once_but_for_the_one_that_shows_the_loss(environment: str, steps: str) -> None:
    with FakeProvider() as model:
        variables = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "MODEL_URL": model.url}
        command = [str(python_of(environment)), str(PROGRAM), *steps.split()]
        done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert json.loads(done.stdout) == RUNS[environment, steps]
    # Said once, and only where it happened.
    assert done.stderr.count("They are patched again.") == (LOST in RUNS[environment, steps])
