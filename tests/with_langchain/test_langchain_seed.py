"""The LangChain snippet of the user's document, verbatim: what it prints is what the server charged."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pytest

from fake_provider import Answer, FakeProvider, events_of, read_reply
from langchain_scenarios import OPENAI
from langchain_scenarios.exported import tree_of
from receivers import SentrialStandIn

KEY = "sentrial_live_xxx"
BEGINNING, END = "Learn more about LangChain integration →\n", "\nSession Lifecycle"

BEFORE = """
import sentrial
from langchain_core.prompts import ChatPromptTemplate, PromptTemplate
from langchain_openai import ChatOpenAI
from langchain_scenarios import TOOLS

model = ChatOpenAI(model="gpt-4.1-mini")
client = sentrial.SentrialClient(api_key="sentrial_live_xxx")
session_id = client.create_session(name="Where is it", agent_name="support-agent", user_id="user_123")
user_query = "Where is my parcel?"
"""
AGENTS = {
    "tool calling": """
from langchain_classic.agents import AgentExecutor, create_tool_calling_agent
asked = ChatPromptTemplate.from_messages([("human", "{input}"), ("placeholder", "{agent_scratchpad}")])
agent_executor = AgentExecutor(agent=create_tool_calling_agent(model, TOOLS, asked), tools=TOOLS)
""",
    "ReAct": '''
from langchain_classic.agents import AgentExecutor, create_react_agent
asked = PromptTemplate.from_template("""Answer with the tools {tools}.
Action: one of {tool_names}
Question: {input}
Thought:{agent_scratchpad}""")
agent_executor = AgentExecutor(agent=create_react_agent(model, TOOLS[2:], asked), tools=TOOLS[2:])
''',
    "create_agent": """
from langchain.agents import create_agent
asked = ChatPromptTemplate.from_messages([("human", "{input}")])
agent_executor = asked | create_agent(model, list(TOOLS))
""",
}
AFTER = """
print(result["output"] if "output" in result else result["messages"][-1].content)
client.complete_session(session_id, success=True)
"""
ANSWER = "The parcel left Rotterdam on Tuesday."
THOUGHTS = ("I look.\nAction: track_parcel\nAction Input: PT-77", f"I know.\nFinal Answer: {ANSWER}")

TWO_TOOLS = [
    "invoke_agent support-agent",
    "  chat gpt-4.1-mini",
    "  execute_tool find_order",
    "  execute_tool weather",
    "  chat gpt-4.1-mini",
]
ONE_TOOL = [
    "invoke_agent support-agent",
    "  chat gpt-4.1-mini",
    "  execute_tool track_parcel",
    "  chat gpt-4.1-mini",
]

# OpenAI's prices of gpt-4.1-mini, in dollars for a million tokens.
INPUT, CACHED, OUTPUT = 0.40, 0.10, 1.60


def price(fresh: int, cached: int, output: int) -> float:
    return (fresh * INPUT + cached * CACHED + output * OUTPUT) / 1_000_000


# The server charges 90 tokens and 31 for the question of tools, 1200 (1024 of them cached) and 48 (16 of them thoughts)
# for each text.
ASKS = price(90, 0, 31)
SAYS = price(1200 - 1024, 1024, 48)


@pytest.fixture
def snippet(shared: Path) -> str:
    seed = (shared / "seed" / "sessions.txt").read_text(encoding="utf-8")
    assert seed.count(BEGINNING) == 1
    return seed.split(BEGINNING)[1].split(END)[0]


def said(text: str) -> Answer:
    """A text of the model's as a stream, charged as the others."""
    completion = read_reply("chat_text")
    completion["choices"][0]["message"]["content"] = text
    return Answer(events=events_of(completion))


def printed_by(program: str, server: FakeProvider, stand_in: SentrialStandIn) -> list[str]:
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    result = subprocess.run(
        [sys.executable, "-W", "error", "-W", "ignore:`langchain-community` is", "-c", program],
        env={
            **environment,
            "PYTHONPATH": str(Path(__file__).parents[1]),
            "OPENAI_API_KEY": "sk-test",
            "OPENAI_BASE_URL": server.base_url,
            "SENTRIAL_API_URL": stand_in.url,
            "SENTRIAL_STORE": "",
            "SENTRIAL_FLUSH_TIMEOUT": "60",
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout.splitlines()


@pytest.mark.parametrize(
    ("agent", "answers", "dollars", "tokens", "tree"),
    [
        ("tool calling", OPENAI.streamed, ASKS + SAYS, 90 + 31 + 1200 + 48, TWO_TOOLS),
        ("ReAct", [partial(said, text) for text in THOUGHTS], 2 * SAYS, 2 * (1200 + 48), ONE_TOOL),
        ("create_agent", OPENAI.plain, ASKS + SAYS, 90 + 31 + 1200 + 48, TWO_TOOLS),
    ],
    ids=list(AGENTS),
)
def test_the_snippet_prints_what_the_server_charged(
    snippet: str, agent: str, answers: Sequence[Callable[[], Answer]], dollars: float, tokens: int, tree: list[str]
) -> None:
    program = BEFORE + AGENTS[agent] + snippet + AFTER
    with FakeProvider() as server, SentrialStandIn(keys={KEY}) as stand_in:
        server.queue(*(answer() for answer in answers))
        printed = printed_by(program, server, stand_in)
        spans = stand_in.wait_for_spans(len(tree), timeout=20)
    assert printed == [f"Cost: ${dollars:.4f}", f"Tokens: {tokens}", "LLM calls: 2", ANSWER]
    assert tree_of(spans) == tree
    (root,) = (span["attributes"] for span in spans if span["parent_span_id"] is None)
    assert root["sentrial.estimated_cost"] == pytest.approx(dollars, abs=1e-12)
    assert root["gen_ai.usage.input_tokens"] + root["gen_ai.usage.output_tokens"] == tokens
    assert (root["sentrial.session.llm_calls"], root["sentrial.session.tool_calls"]) == (2, len(tree) - 3)
    assert root["sentrial.session.outcome"] == "completed"
    thoughts = [span["attributes"].get("sentrial.reasoning") for span in spans if span["name"].startswith("execute")]
    assert thoughts == (["I look."] if agent == "ReAct" else [None, None])
