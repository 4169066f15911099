"""Pain B2: LangChain instrumented by others too, and its model's client; LiteLLM between: each call counts once."""

from __future__ import annotations

import json
import os
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from fake_provider import Answer, FakeProvider
from fake_provider.anthropic import message_stream
from peers import marks_of, python_of

pytestmark = list(marks_of("langchain"))

PROGRAM = Path(__file__).parents[1] / "peers" / "chained.py"
SCOPES = {
    "openinference": "openinference.instrumentation.langchain",
    "openllmetry": "opentelemetry.instrumentation.langchain",
    "otel": "opentelemetry.instrumentation.genai.langchain",
    "client": "openinference.instrumentation.openai",
    "us": "sentrial",
}
ORDERS = (
    ("us",), ("us alone",),
    ("openinference", "us"), ("us", "openinference"), ("us alone", "openinference"),
    ("openllmetry", "us"), ("us", "openllmetry"), ("us alone", "openllmetry"),
    ("otel", "us"), ("us", "otel"), ("us alone", "otel"),
    ("openinference", "client", "us"), ("us", "client", "openinference"), ("client", "us"), ("us alone", "client"),
)  # fmt: skip

AGENT = (2, 90 + 1200, 31 + 48)
CHARGED = {
    "in_one_piece": AGENT,
    "streamed": AGENT,
    "asynchronous": AGENT,
    "completion": (1, 4, 6),
    "client_afterwards": (2, 2 * 1200, 2 * 48),
}
"""How many calls the server has answered, for how many tokens of input and of output."""
OF_ANTHROPIC = dict.fromkeys(("in_one_piece", "streamed", "asynchronous"), (2, 380 + 21, 54 + 13))


def answers(model: str) -> list[Answer]:
    if "anthropic" in model:
        plain = [Answer.reply("message_tools"), Answer.reply("message_text")]
        return [*plain, message_stream("message_tools"), message_stream(), *plain]
    plain = [Answer.reply("chat_tools"), Answer.reply()]
    rest = [Answer.reply("completion_text"), Answer.reply(), Answer.reply()] if model == "openai" else []
    return [*plain, Answer.stream("chat_tools"), Answer.stream(), *plain, *rest]


@cache
def run(model: str, *names: str) -> Any:
    """What became of each session, without a handler of ours and with one."""
    with FakeProvider() as server:
        server.queue(*answers(model) * 2)
        variables = {
            "PATH": os.environ["PATH"],
            "HOME": os.environ["HOME"],
            "MODEL_URL": server.base_url,
            "LANGSMITH_TRACING": "false",
            "LITELLM_LOCAL_MODEL_COST_MAP": "true",
        }
        command = [str(python_of("langchain")), str(PROGRAM), model, *names]
        done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, ""), f"{done.stdout}\n{done.stderr}"
    return json.loads(done.stdout.splitlines()[-1])


def totals(session: Any) -> tuple[int, int, int]:
    keys = "sentrial.session.llm_calls", "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"
    calls, given, made = (session["root"][key] for key in keys)
    return calls, given, made


def tellers(names: tuple[str, ...], agent: str) -> set[str]:
    """Who makes a span of each call of LangChain's."""
    others = {SCOPES[name] for name in names if name in SCOPES and name != "us"}
    of_langchain = others - {SCOPES["client"]}
    if agent == "completion":
        # It knows none but chat models.
        of_langchain -= {SCOPES["otel"]}
    return (others & {SCOPES["client"]}) | (of_langchain or {SCOPES["us"]})


@pytest.fixture(params=ORDERS, ids=" ".join)
def names(request: pytest.FixtureRequest) -> tuple[str, ...]:
    found: tuple[str, ...] = request.param
    return found


@pytest.mark.parametrize("handler", ["none", "given"])
def test_pain_b2_a_session_has_the_tokens_that_were_charged_whoever_tells_of_them(
    names: tuple[str, ...], handler: str
) -> None:
    sessions = run("openai", *names)[handler]
    charged = dict(CHARGED)
    if "us alone" in names and "client" not in names:
        # Nobody records the call of the program's own.
        charged["client_afterwards"] = (1, 1200, 48)
    assert {agent: totals(session) for agent, session in sessions.items()} == charged


@pytest.mark.parametrize("handler", ["none", "given"])
def test_pain_b2_each_call_has_one_span_with_usage_of_each_who_is_asked_for_them(
    names: tuple[str, ...], handler: str
) -> None:
    for agent, session in run("openai", *names)[handler].items():
        if agent == "client_afterwards":
            continue
        calls, given, _ = CHARGED[agent]
        for scope in tellers(names, agent):
            told = [tokens for teller, tokens in session["calls"] if teller == scope]
            assert (len(told), sum(told)) == (calls, given)
        assert {teller for teller, _ in session["calls"]} == tellers(names, agent)
        assert session["outside"] == []


def test_pain_b2_a_handler_counts_whoever_makes_the_spans(names: tuple[str, ...]) -> None:
    sessions = run("openai", *names)["given"]
    of_langchain = {**CHARGED, "client_afterwards": (1, 1200, 48)}
    assert {agent: tuple(session["counted"][0]) for agent, session in sessions.items()} == of_langchain


@pytest.mark.parametrize("us", ["us", "us alone"])
@pytest.mark.parametrize("handler", ["none", "given"])
@pytest.mark.parametrize("model", ["litellm", "litellm anthropic"])
def test_pain_b2_with_litellm_between_a_call_is_one_span(model: str, handler: str, us: str) -> None:
    charged = OF_ANTHROPIC if "anthropic" in model else {agent: CHARGED[agent] for agent in OF_ANTHROPIC}
    sessions = run(model, us)[handler]
    assert {agent: totals(session) for agent, session in sessions.items()} == charged
    for agent, session in sessions.items():
        calls, given, _ = charged[agent]
        assert [scope for scope, _ in session["calls"]] == [SCOPES["us"]] * calls
        assert sum(tokens for _, tokens in session["calls"]) == given
        assert [tuple(each) for each in session["counted"]] == [charged[agent]] * (handler == "given")
