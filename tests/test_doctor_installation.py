"""The older distribution ``sentrial`` beside ours: real wheels, installed and uninstalled by pip, in either order."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
import venv
import zipfile
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest

import sentrial

PACKAGE = Path(sentrial.__file__).parent
OLDER = {
    "sentrial/__init__.py": "__version__ = '0.6.0'\n",
    "sentrial/client.py": "class SentrialClient: ...\n",
    "sentrial/cli.py": "def main(): raise SystemExit('the older command knows no doctor')\n",
    "sentrial/types.py": "EventType = str\n",
}
BOTH = 'pip uninstall -y sentrial sentrial-otel && pip install "sentrial-otel[all]"'


def write_wheel(folder: Path, name: str, version: str, files: dict[str, str], metadata: str) -> Path:
    """A wheel as a build makes it: the files, their hashes, and a command."""
    stem = name.replace("-", "_")
    info = f"{stem}-{version}.dist-info"
    files = {
        **files,
        f"{info}/METADATA": metadata,
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "[console_scripts]\nsentrial = sentrial.cli:main\n",
    }
    record = "".join(f"{path},sha256={_digest(text)},{len(text.encode())}\n" for path, text in files.items())
    path = folder / f"{stem}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for each, text in {**files, f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}.items():
            wheel.writestr(each, text)
    return path


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("wheels")
    ours = {f"sentrial/{path.relative_to(PACKAGE)}": path.read_text("utf-8") for path in PACKAGE.rglob("*.py")}
    metadata = str(distribution("sentrial-otel").read_text("METADATA"))
    older = "Metadata-Version: 2.1\nName: sentrial\nVersion: 0.6.0\n"
    return {
        "ours": write_wheel(folder, "sentrial-otel", sentrial.__version__, ours, metadata),
        "older": write_wheel(folder, "sentrial", "0.6.0", OLDER, older),
    }


class Environment:
    """A virtual environment of its own, with the dependencies of this one."""

    def __init__(self, folder: Path) -> None:
        venv.create(folder, with_pip=False)
        self.python = folder / "bin" / "python"
        (site,) = folder.glob("lib/python*/site-packages")
        (site / "dependencies.pth").write_text("\n".join(path for path in sys.path if "site-packages" in path))

    def pip(self, *arguments: str | Path) -> None:
        command = [sys.executable, "-m", "pip", "--python", self.python, *arguments]
        done = subprocess.run([*command, "--quiet"], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def install(self, wheel: Path) -> None:
        self.pip("install", "--no-deps", "--no-index", wheel)

    def run(self, *arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
        kept = {**{name: os.environ[name] for name in ("PATH", "HOME")}, **variables}
        return subprocess.run(
            [self.python, *arguments], capture_output=True, text=True, check=False, env=kept, cwd=self.python.parent
        )

    def doctor(self, **variables: str) -> dict[str, Any]:
        ran = self.run("-m", "sentrial._cli", "doctor", "--json", "--no-send", **variables)
        assert ran.stderr == ""
        document: dict[str, Any] = json.loads(ran.stdout)
        assert (ran.returncode, document["ok"]) in ((0, True), (1, False))
        return document


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    return Environment(tmp_path / "venv")


def problems(document: dict[str, Any]) -> list[dict[str, str]]:
    return [finding for finding in document["findings"] if finding["level"] == "problem"]


def test_the_older_one_installed_over_ours_is_told_with_the_files_that_it_took(
    environment: Environment, wheels: dict[str, Path]
) -> None:
    environment.install(wheels["ours"])
    environment.install(wheels["older"])
    document = environment.doctor()
    installation = document["installation"]
    assert installation["older_sentrial"] == "0.6.0"
    assert installation["overwritten_files"] == sorted(OLDER)
    (problem,) = problems(document)
    assert problem["code"] == "older-sentrial"
    assert problem["words"] == (
        "the older SDK (distribution sentrial 0.6.0) is installed beside sentrial-otel, under the same import name; "
        "of our files, 4 (sentrial/__init__.py, sentrial/cli.py, sentrial/client.py, sentrial/types.py) are overwritten"
    )
    assert problem["remedy"] == f"Uninstall both, then install one: {BOTH}"
    command = environment.run(environment.python.with_name("sentrial"), "doctor")
    assert command.stderr == "the older command knows no doctor\n"


def test_ours_installed_over_the_older_one_is_told_too(environment: Environment, wheels: dict[str, Path]) -> None:
    environment.install(wheels["older"])
    environment.install(wheels["ours"])
    document = environment.doctor()
    assert document["installation"]["overwritten_files"] == []
    assert document["installation"]["shared_files"] == len(OLDER)
    (problem,) = problems(document)
    assert problem["words"].endswith("under the same import name; 4 files belong to both, and hold our code now")
    assert document["versions"]["sentrial-otel"] == sentrial.__version__  # the rest was looked at as well


def test_the_older_one_uninstalled_afterwards_has_taken_files_of_ours(
    environment: Environment, wheels: dict[str, Path]
) -> None:
    environment.install(wheels["ours"])
    environment.install(wheels["older"])
    environment.pip("uninstall", "-y", "sentrial")
    document = environment.doctor()
    assert document["installation"]["missing_files"] == sorted(OLDER)
    (problem,) = problems(document)
    assert problem["code"] == "files-damaged"
    assert problem["remedy"].endswith("pip install --force-reinstall --no-deps sentrial-otel")


def test_extras_that_are_asked_for_and_not_installed(environment: Environment, wheels: dict[str, Path]) -> None:
    environment.install(wheels["ours"])
    (metadata,) = environment.python.parents[1].glob("lib/python*/site-packages/sentrial_otel-*.dist-info/METADATA")
    text = metadata.read_text("utf-8")
    metadata.write_text(text.replace("phonenumbers", "phonenumbers-of-another-name").replace("genai-prices", "gone"))
    document = environment.doctor(SENTRIAL_PII="true")
    extras = document["versions"]["extras"]
    assert {name: extras[name] for name in ("cli", "cost", "pii")} == {"cli": True, "cost": False, "pii": False}
    found = [finding["words"] for finding in document["findings"] if finding["code"] == "extra-missing"]
    assert found == [
        "personal data is to be masked, and phonenumbers-of-another-name of the extra pii is not installed",
        "model calls get no cost: the extra cost is not installed",
    ]


def test_what_the_remedy_says_helps(environment: Environment, wheels: dict[str, Path]) -> None:
    environment.install(wheels["ours"])
    environment.install(wheels["older"])
    environment.pip("uninstall", "-y", "sentrial", "sentrial-otel")
    environment.install(wheels["ours"])
    document = environment.doctor()
    assert problems(document) == []
    assert document["installation"] == {
        "version": sentrial.__version__,
        "older_sentrial": None,
        "overwritten_files": [],
        "missing_files": [],
        "shared_files": 0,
    }
    command = environment.run(environment.python.with_name("sentrial"), "doctor", "--no-send")
    assert (command.returncode, command.stdout.splitlines()[-1]) == (0, "✓ all is well")
