"""Pain D5: whole entry points of a client are missing, silently. Every turn of a run, and every way to call, is a span.

That no path of a client's is forgotten is tested by its surface (tests/_providers/test_surface_*.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

import anthropic
import openai
import pytest

import sentrial
from fake_provider import Answer, FakeProvider, read_reply
from fake_provider import google as fake_google
from google_clients import MODEL, gemini, gemini_async
from google_clients.tools import find_order
from receivers import SentrialStandIn
from recorder.fixtures import server

__all__ = ["server"]

KEY = "sentrial_test_key"
ASK: dict[str, Any] = {"model": "gpt-4.1-mini", "messages": [{"role": "user", "content": "Where is my parcel?"}]}
ASK_CLAUDE: dict[str, Any] = {**ASK, "model": "claude-opus-4-8", "max_tokens": 200}


@pytest.fixture
def sentrial_server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        sentrial.configure(api_key=KEY, api_url=stand_in.url, flush_interval=0.01)
        yield stand_in
        sentrial.shutdown()


def steps(server: SentrialStandIn) -> list[str]:
    """The names of the session's children, in the order of their end."""
    assert sentrial.flush(10)
    (root,) = [span for span in server.spans if span["name"] == "invoke_agent agent"]
    assert {span["parent_span_id"] for span in server.spans if span is not root} <= {root["span_id"]}
    return [span["name"] for span in server.spans if span is not root]


# --- runs of more than one turn --------------------------------------------------------------------------------------


def gemini_turn() -> dict[str, Any]:
    turn = read_reply("gemini_tools")
    turn["candidates"][0]["content"]["parts"][1:] = []
    return turn


GEMINI_STEPS = [
    f"generate_content {MODEL}", "execute_tool find_order",
    f"generate_content {MODEL}", "execute_tool find_order",
    f"generate_content {MODEL}",
]  # fmt: skip


def test_pain_d5_three_turns_of_googles_automatic_function_calling_are_three_calls_and_two_tools(
    server: FakeProvider, sentrial_server: SentrialStandIn
) -> None:
    server.queue(Answer(body=gemini_turn()), Answer(body=gemini_turn()), fake_google.reply())
    with gemini(server) as client, sentrial.begin("user_1", "agent"):
        client.models.generate_content(model=MODEL, contents="Where is it?", config={"tools": [find_order]})
    assert steps(sentrial_server) == GEMINI_STEPS


async def test_pain_d5_so_are_three_turns_of_the_async_client(
    server: FakeProvider, sentrial_server: SentrialStandIn
) -> None:
    server.queue(Answer(body=gemini_turn()), Answer(body=gemini_turn()), fake_google.reply())
    async with gemini_async(server) as client:
        with sentrial.begin("user_1", "agent"):
            await client.models.generate_content(model=MODEL, contents="Where is it?", config={"tools": [find_order]})
    assert steps(sentrial_server) == GEMINI_STEPS


def track_parcel(number: str, detailed: bool = False) -> str:
    """Where a parcel is."""
    return f"{number} is in Lisbon: {detailed}"


def run_by_tool_runner(client: anthropic.Anthropic) -> str:
    tool = anthropic.beta_tool(track_parcel)
    return str(client.beta.messages.tool_runner(**ASK_CLAUDE, tools=[tool]).until_done().content[0].text)


def run_by_hand(client: anthropic.Anthropic) -> str:
    """What a program does where the client has no tool runner."""
    messages: list[Any] = list(ASK_CLAUDE["messages"])
    while True:
        answer = client.messages.create(**{**ASK_CLAUDE, "messages": messages})
        uses = [block for block in answer.content if block.type == "tool_use"]
        if not uses:
            return str(answer.content[0].text)
        results = []
        for use in uses:
            found = sentrial.tool("track_parcel")(track_parcel)(**dict(use.input))
            results.append({"type": "tool_result", "tool_use_id": use.id, "content": found})
        messages += [{"role": "assistant", "content": answer.content}, {"role": "user", "content": results}]


RUNS: dict[str, Callable[[anthropic.Anthropic], str]] = {"by hand": run_by_hand}
# The oldest client that is supported has no tool runner.
if hasattr(anthropic, "beta_tool"):
    RUNS |= {"tool runner": run_by_tool_runner}


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_pain_d5_three_turns_of_anthropics_are_three_calls_and_two_tools(
    server: FakeProvider, sentrial_server: SentrialStandIn, run: Callable[[anthropic.Anthropic], str]
) -> None:
    server.queue(*[Answer.reply("message_tools")] * 2)
    with anthropic.Anthropic(api_key="k", base_url=server.url) as client, sentrial.begin("user_1", "agent"):
        assert run(client).startswith("Your parcel left Lisbon")
    assert steps(sentrial_server) == [
        "chat claude-opus-4-8", "execute_tool track_parcel",
        "chat claude-opus-4-8", "execute_tool track_parcel",
        "chat claude-opus-4-8",
    ]  # fmt: skip


# --- OpenAI's and Anthropic's ways to call ---------------------------------------------------------------------------


def stream_by_helper(client: openai.OpenAI) -> None:
    # It has moved out of beta.
    at = client.chat.completions if hasattr(client.chat.completions, "stream") else client.beta.chat.completions
    with at.stream(**ASK) as stream:
        assert stream.get_final_completion().choices[0].message.content == "The parcel left Rotterdam on Tuesday."


def parse(client: openai.OpenAI) -> None:
    at = client.chat.completions if hasattr(client.chat.completions, "parse") else client.beta.chat.completions
    assert at.parse(**ASK).choices[0].message.content == "The parcel left Rotterdam on Tuesday."


def respond(client: Any) -> None:
    assert client.responses.create(model="gpt-4.1-mini", input="Where is my parcel?").id


def respond_by_helper(client: Any) -> None:
    with client.responses.stream(model="gpt-4.1-mini", input="Where is my parcel?") as stream:
        assert stream.get_final_response().id


def parse_response(client: Any) -> None:
    assert client.responses.parse(model="gpt-4.1-mini", input="Where is my parcel?").id


OPENAI_WAYS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "parse": (parse, "chat gpt-4.1-mini"),
    "stream helper": (stream_by_helper, "chat gpt-4.1-mini"),
    "embeddings": (
        lambda client: client.embeddings.create(model="text-embedding-3-small", input=["a", "b"]),
        "embeddings text-embedding-3-small",
    ),
    "with_options": (
        lambda client: client.with_options(timeout=30).chat.completions.create(**ASK),
        "chat gpt-4.1-mini",
    ),
    "copy": (lambda client: client.copy().chat.completions.create(**ASK), "chat gpt-4.1-mini"),
    "raw": (
        lambda client: client.chat.completions.with_raw_response.create(**ASK).parse(),
        "chat gpt-4.1-mini",
    ),
}
# The oldest client that is supported has no responses.
if find_spec("openai.resources.responses"):
    OPENAI_WAYS |= {
        "responses": (respond, "chat gpt-4.1-mini"),
        "responses, stream helper": (respond_by_helper, "chat gpt-4.1-mini"),
        "responses, parse": (parse_response, "chat gpt-4.1-mini"),
    }


@pytest.mark.parametrize("way", OPENAI_WAYS)
def test_pain_d5_every_way_to_call_openai_is_one_span(
    server: FakeProvider, sentrial_server: SentrialStandIn, way: str
) -> None:
    call, name = OPENAI_WAYS[way]
    with openai.OpenAI(api_key="k", base_url=server.base_url) as client, sentrial.begin("user_1", "agent"):
        call(client)
    assert steps(sentrial_server) == [name]
    assert len(server.requests) == 1


def read_text_stream(client: anthropic.Anthropic) -> None:
    with client.messages.stream(**ASK_CLAUDE) as stream:
        assert "".join(stream.text_stream).startswith("Your parcel left Lisbon")


def final_message(client: anthropic.Anthropic) -> None:
    with client.messages.stream(**ASK_CLAUDE) as stream:
        assert stream.get_final_message().usage.input_tokens == 21


ANTHROPIC_WAYS: dict[str, Callable[[Any], Any]] = {
    "beta": lambda client: client.beta.messages.create(**ASK_CLAUDE),
    "stream, text": read_text_stream,
    "stream, final message": final_message,
    "with_options": lambda client: client.with_options(timeout=30).messages.create(**ASK_CLAUDE),
    "raw": lambda client: client.messages.with_raw_response.create(**ASK_CLAUDE).parse(),
}


@pytest.mark.parametrize("way", ANTHROPIC_WAYS.values(), ids=ANTHROPIC_WAYS)
def test_pain_d5_every_way_to_call_anthropic_is_one_span(
    server: FakeProvider, sentrial_server: SentrialStandIn, way: Callable[[Any], Any]
) -> None:
    with anthropic.Anthropic(api_key="k", base_url=server.url) as client, sentrial.begin("user_1", "agent"):
        way(client)
    assert steps(sentrial_server) == ["chat claude-opus-4-8"]
