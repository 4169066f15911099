"""What type checkers see of decorated functions: what they see of the undecorated ones.

After a change that is meant: UPDATE_GOLDEN=1 make test TESTS=tests/typing, and read the difference.
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
READ = HERE / "decorated_functions.py"
GOLDEN = HERE.parent / "golden" / "typing.txt"

By = dict[int, list[str]]
"""What a checker says, by line."""


def revealed() -> dict[int, str]:
    """The expressions whose types the file asks for, by line."""
    return {
        node.lineno: ast.unparse(node.args[0])
        for node in ast.walk(ast.parse(READ.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "reveal_type"
    }


def run(*command: str) -> str:
    process = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, cwd=HERE, timeout=300)
    assert process.returncode == 1, f"{process.stdout}\n{process.stderr}"
    return process.stdout


@pytest.fixture(scope="module")
def mypy(tmp_path_factory: pytest.TempPathFactory) -> tuple[By, By]:
    """Types and mistakes that mypy finds."""
    cache = tmp_path_factory.mktemp("mypy")
    out = run(
        "mypy", "--strict", "--config-file=", f"--cache-dir={cache}", "--disable-error-code=empty-body",
        "--no-error-summary", READ.name,
    )  # fmt: skip
    types: By = {}
    mistakes: By = {}
    for line, words in re.findall(rf"^{READ.name}:(\d+): (.*)$", out, re.MULTILINE):
        if found := re.fullmatch(r'note: Revealed type is "(.*)"', words):
            types.setdefault(int(line), []).append(plain(found[1]))
        elif found := re.fullmatch(r"error: .*\[([a-z-]+)\]", words):
            mistakes.setdefault(int(line), []).append(found[1])
    return types, mistakes


@pytest.fixture(scope="module")
def pyright() -> tuple[By, By]:
    """Types and mistakes that pyright finds."""
    types: By = {}
    mistakes: By = {}
    for said in json.loads(run("pyright", "--pythonpath", sys.executable, "--outputjson", READ.name))[
        "generalDiagnostics"
    ]:
        line = said["range"]["start"]["line"] + 1
        if found := re.fullmatch(r'Type of ".*?" is "(.*)"', said["message"], re.DOTALL):
            types.setdefault(line, []).append(plain(found[1]))
        else:
            mistakes.setdefault(line, []).append(said["rule"])
    return types, mistakes


def plain(name: str) -> str:
    """A type without the modules that its parts are from, which differ from version to version."""
    return re.sub(r"\b(?:\w+\.)+(?=\w)", "", name)


def test_pain_d7_every_kind_of_decorated_function_has_its_undecorated_type(
    mypy: tuple[By, By], pyright: tuple[By, By]
) -> None:
    expressions = revealed()
    undecorated = {name: line for line, name in expressions.items()}
    compared = []
    for line, expression in expressions.items():
        other = undecorated.get(re.sub(r"_(bare|called)\b", "", expression))
        if other is not None and other != line:
            compared.append(expression)
            for types, _ in (mypy, pyright):
                assert types[line] == types[other], expression
    assert len(compared) == 10


def test_pain_d7_what_the_checkers_see_is_as_written_down(mypy: tuple[By, By], pyright: tuple[By, By]) -> None:
    checkers = {"mypy": mypy, "pyright": pyright}
    lines = []
    for line, expression in revealed().items():
        lines += [expression, *(f"    {name:8} {' '.join(types[line])}" for name, (types, _) in checkers.items())]
    source = READ.read_text(encoding="utf-8").splitlines()
    for line in sorted({*mypy[1], *pyright[1]}):
        refused = " and ".join(name for name, (_, mistakes) in checkers.items() if line in mistakes)
        lines += [source[line - 1], f"    refused by {refused}"]
    found = "\n".join([*lines, ""])
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(found, encoding="utf-8")
    assert found == GOLDEN.read_text(encoding="utf-8")
