"""The rules of tests/house on small sources that break them: a check that cannot fail checks nothing."""

from __future__ import annotations

import pytest

from house import layers, sources

KNOWN = {
    "sentrial",
    "sentrial.client",
    "sentrial.semconv",
    "sentrial.types",
    "sentrial._setup",
    "sentrial._spans.__init__",
    "sentrial._spans.root",
    "sentrial._spans.cost",
    "sentrial._export.queue",
    "sentrial._store.read",
    "sentrial._patch.spec",
    "sentrial._patch.call",
    "sentrial._providers.hosts",
    "sentrial._providers.openai.chat",
    "sentrial._providers.anthropic.messages",
}


@pytest.mark.parametrize(
    ("module", "source", "complaint"),
    [
        ("sentrial._spans.root", "from sentrial._export import queue", "sentrial._export.queue, which is not below"),
        ("sentrial._spans.root", "from sentrial import client", "sentrial.client, which is not below"),
        ("sentrial._spans.root", "import sentrial", "imports sentrial, which is not below"),
        ("sentrial._spans.root", "import genai_prices", "genai_prices, which belongs to another room"),
        ("sentrial._spans.cost", "import genai_prices", "genai_prices, which may be imported inside functions only"),
        ("sentrial._export.queue", "from sentrial._spans.root import end", "sentrial._spans.root, which is not below"),
        (
            "sentrial._export.queue",
            "def f():\n    from sentrial._patch import call",
            "sentrial._patch.call, which is not",
        ),
        ("sentrial._export.send", "import requests", "requests, which may be imported inside functions only"),
        ("sentrial._store.read", "from sentrial._export import queue", "sentrial._export.queue, which is not below"),
        ("sentrial._store.read", "from opentelemetry.sdk.trace import Span", "opentelemetry.sdk.trace, which belongs"),
        ("sentrial._setup", "from opentelemetry.sdk import trace", "opentelemetry.sdk, which belongs to another room"),
        ("sentrial._setup", "from opentelemetry import sdk", "opentelemetry.sdk, which belongs to another room"),
        ("sentrial.semconv", "from opentelemetry import trace", "opentelemetry.trace, which belongs to another room"),
        ("sentrial.semconv", "from sentrial._spans import cost", "sentrial._spans.cost, which is not below"),
        ("sentrial.client", "import wrapt", "wrapt, which belongs to another room"),
        ("sentrial.client", "import click", "click, which belongs to another room"),
        ("sentrial._patch.call", "from sentrial._providers.openai import chat", "openai.chat, which is not below"),
        ("sentrial._patch.spec", "from sentrial._patch import call", "sentrial._patch.call, which is not below"),
        ("sentrial._patch.call", "import openai", "openai, which belongs to another room"),
        ("sentrial._providers.openai.chat", "import openai", "openai, which belongs to another room"),
        ("sentrial._providers.openai.chat", "import wrapt", "wrapt, which belongs to another room"),
        ("sentrial._providers.openai.chat", "from opentelemetry import trace", "opentelemetry.trace, which belongs"),
        ("sentrial._providers.openai.chat", "from sentrial._providers.anthropic import messages", "is not below"),
        (
            "sentrial._providers.openai.chat",
            "from . import anthropic_messages",
            "imports ., which belongs to another room",
        ),
        ("sentrial._new", "", "sentrial._new: stands in no room of the table"),
    ],
)
def test_an_import_that_points_upwards_is_found(module: str, source: str, complaint: str) -> None:
    (found,) = layers.wrong_imports(module, source, KNOWN)
    assert complaint in found


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("sentrial._spans.root", "from sentrial._spans import cost\nfrom opentelemetry import trace\nimport json"),
        ("sentrial._spans.cost", "def price():\n    import genai_prices"),
        ("sentrial._export.send", "def send():\n    import requests"),
        ("sentrial._export.send", "if TYPE_CHECKING:\n    import requests\n    from sentrial._store import read"),
        ("sentrial._export.provider", "from opentelemetry.sdk.trace import TracerProvider"),
        (
            "sentrial._patch.call",
            "import wrapt\nfrom sentrial._spans import root\nfrom sentrial._patch.spec import Spec",
        ),
        (
            "sentrial._providers.openai.chat",
            "from sentrial._providers import hosts\nfrom sentrial.types import Message",
        ),
        ("sentrial._providers.__init__", "from sentrial._providers import anthropic, openai"),
        ("sentrial", "from sentrial.client import begin"),
    ],
)
def test_an_import_that_points_downwards_is_let_be(module: str, source: str) -> None:
    assert layers.wrong_imports(module, source, KNOWN) == []


def test_a_circle_of_imports_is_found_once() -> None:
    imports = {"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set()}
    assert layers.cycles(imports) == [["b", "c"]]
    assert layers.cycles({"a": {"b"}, "b": set()}) == []


def test_stray_names_are_found_in_literals_and_in_formatted_strings() -> None:
    source = 'key = "gen_ai.system"\nother = f"sentrial.metadata.{key}"\n'
    assert sources.stray_names(source) == ["line 1: 'gen_ai.system'", "line 2: 'sentrial.metadata.'"]


def test_stray_names_in_prose_are_let_be() -> None:
    assert sources.stray_names('"""gen_ai.system is old."""\nlogger = get("sentrial")\nsee = "our gen_ai.x"') == []


@pytest.mark.parametrize("stem", ["utils", "_helpers", "span_manager", "base_client", "_core", "common"])
def test_a_name_that_says_nothing_is_found(stem: str) -> None:
    assert sources.bad_name(stem)


@pytest.mark.parametrize("stem", ["queue", "send_http", "database", "__init__", "score"])
def test_a_name_that_says_something_is_let_be(stem: str) -> None:
    assert sources.bad_name(stem) is None


def test_the_first_line_too_many_is_found() -> None:
    assert sources.too_long("x\n" * 350) is None
    assert sources.too_long("x\n" * 351) == "351 lines, at most 350: is there a second noun in it?"


def test_what_is_put_off_is_found() -> None:
    mark = "TO" + "DO"
    assert sources.left_for_later(f"x = 1  # {mark} later\n") == [f"line 1: x = 1  # {mark} later"]
    assert sources.left_for_later("methodology = 'HACKATHON'\n") == []


@pytest.mark.parametrize(
    "comment",
    [
        "# noqa",
        "# noqa: BLE001",
        "# type: ignore",
        "# type: ignore[arg-type]",
        "# type: ignore  # because",
    ],
)
def test_a_check_switched_off_without_a_word_is_found(comment: str) -> None:
    assert sources.without_reason(f"x = 1  {comment}\n") == [f"line 1: {comment.rstrip()}"]


@pytest.mark.parametrize("comment", ["# noqa: BLE001, S110 - the user's own code", "# type: ignore[arg-type]  # why"])
def test_a_check_switched_off_with_a_reason_is_let_be(comment: str) -> None:
    assert sources.without_reason(f"x = 1  {comment}\n") == []
    assert sources.without_reason(f'x = "{comment}"\n') == []
