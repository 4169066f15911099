"""The files of collector-config/, before any of them is run."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from real_collector import CONFIGS, FOLDER

KINDS = ("receivers", "processors", "exporters", "extensions")


def run(otelcol: Path, command: str, config: str, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [otelcol, command, f"--config={FOLDER / config}", *more],
        env={"PATH": os.environ["PATH"], "SENTRIAL_API_KEY": "sentrial_test_key"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("config", CONFIGS)
def test_a_file_is_valid_with_a_key_and_no_other_variable(otelcol: Path, config: str) -> None:
    done = run(otelcol, "validate", config)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("config", CONFIGS)
def test_a_file_says_when_to_take_it_and_the_readme_knows_it(config: str) -> None:
    assert (FOLDER / config).read_text(encoding="utf-8").startswith("# Take this one when ")
    assert f"({config})" in (FOLDER / "README.md").read_text(encoding="utf-8")


def test_the_readme_knows_each_variable_with_its_default() -> None:
    used = {
        match
        for config in CONFIGS
        for match in re.findall(r"\$\{env:(\w+)(?::-([^}]*))?\}", (FOLDER / config).read_text(encoding="utf-8"))
    }
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    rows = {row[1]: row[0] for row in re.finditer(r"^\| `(\w+)` \|.*$", readme, re.MULTILINE)}
    assert rows.keys() == {name for name, _ in used}
    assert [(name, default) for name, default in sorted(used) if default and f"`{default}`" not in rows[name]] == []


def test_the_manifest_names_exactly_the_components_that_the_files_use(otelcol: Path) -> None:
    used: set[tuple[str, str]] = set()
    for config in CONFIGS:
        parts = json.loads(run(otelcol, "print-config", config, "--format=json").stdout)
        used |= {(kind, name.split("/")[0]) for kind in KINDS for name in parts[kind] or {}}
    listed = subprocess.run([otelcol, "components"], capture_output=True, text=True, check=True).stdout
    built: set[tuple[str, str]] = set()
    kind = ""
    for line in listed.splitlines():
        if line.startswith("    - name: "):
            built.add((kind, line.removeprefix("    - name: ")))
        elif not line.startswith(" "):
            kind = line.rstrip(":")
    assert {each for each in built if each[0] in KINDS} == used


def test_one_version_stands_for_all_of_the_manifest() -> None:
    text = (FOLDER / "builder.yaml").read_text(encoding="utf-8")
    version = re.findall(r"^  version: (\S+)$", text, re.MULTILINE)
    versions = set(re.findall(r"gomod: \S+ v(0\.\S+)$", text, re.MULTILINE))
    assert versions == set(version)
