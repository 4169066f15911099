"""What runs were given and gave, in words: commands of LangGraph, streamed chains, streams that are broken off."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import threading
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.callbacks import AsyncCallbackHandler
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnablePassthrough, RunnableSequence
from langgraph.types import Command

import sentrial
from fake_provider import Answer, FakeProvider
from langchain_scenarios import OPENAI, Exported, Models
from langchain_scenarios.asking import Asking
from langchain_scenarios.exported import Span
from langchain_scenarios.overheard import read
from sentrial._frameworks.langchain.spoken import is_to_come, read_gave, read_given
from sentrial.langchain import SentrialCallbackHandler
from sentrial.types import Deferred


def said(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def test_a_graph_that_waited_is_given_the_answer() -> None:
    assert read_given(Command(resume="yes")) == "yes"
    assert read(as_deferred(read_given(Command(resume={"messages": ["yes"]})))) == [said("user", "yes")]
    assert read_given(Command(update={"wish": "none"})) == Command(update={"wish": "none"})


def as_deferred(value: object) -> Deferred[Any]:
    assert isinstance(value, Deferred)
    return value


SILENT = {"role": "assistant", "parts": []}


@pytest.mark.parametrize(
    ("value", "messages"),
    [
        (HumanMessage("Where?"), [said("user", "Where?")]),
        (("human", "Where?"), [said("user", "Where?")]),
        ({"role": "user", "content": "Where?"}, [said("user", "Where?")]),
        ({"type": "human", "content": "Where?"}, [said("user", "Where?")]),
        ([AIMessage("Here."), {"role": "assistant", "tool_calls": []}], [said("assistant", "Here."), SILENT]),
        ({"messages": [("system", "Be brief."), "Where?"]}, [said("system", "Be brief."), said("user", "Where?")]),
    ],
    ids=["message", "pair", "dict", "dict with a type", "a call alone", "history"],
)
def test_whatever_stands_for_messages_is_read_as_they_are(value: object, messages: list[Any]) -> None:
    assert read(as_deferred(read_given(value))) == messages


@pytest.mark.parametrize(
    "value",
    ["Where?", [("Lisbon", "Porto")], [HumanMessage("Where?"), 7], [{"type": "pdf", "content": "on parcels"}], [], 7],
)
def test_what_is_no_conversation_stays_as_it_is(value: object) -> None:
    assert read_given(value) is value
    assert read_gave(value) is value


def test_of_a_list_of_texts_that_a_chain_gives_none_is_left_out() -> None:
    given = ["Lisbon", "Porto"]
    assert read_gave(given) is given


PIXELS = b"\x89PNG" + bytes(range(256)) * 8
HISTORY = [
    HumanMessage(
        [
            {"type": "text", "text": "What is it?"},
            {"type": "image", "base64": base64.b64encode(PIXELS).decode(), "mime_type": "image/png"},
        ]
    ),
    AIMessage(
        [
            {"type": "thinking", "thinking": "hm", "signature": "SIG"},
            {"type": "tool_use", "id": "t1", "name": "look", "input": {"close": True}},
        ],
        tool_calls=[{"name": "look", "args": {"close": True}, "id": "t1"}],
    ),
    ToolMessage("a parcel", tool_call_id="t1"),
    HumanMessage("And now?"),
]


def test_an_agent_and_its_model_are_given_the_same_messages_in_the_same_words(exported: Exported) -> None:
    agent = create_agent(Asking(), [], name="helper")
    agent.invoke({"messages": HISTORY}, {"callbacks": [SentrialCallbackHandler()]})
    root, call = (exported.one(name)["attributes"] for name in ("invoke_agent helper", "chat"))
    assert root["gen_ai.input.messages"] == root["input.value"] == call["gen_ai.input.messages"]
    messages = json.loads(root["gen_ai.input.messages"])
    assert [[part["type"] for part in message["parts"]] for message in messages] == [
        ["text", "blob"], ["reasoning", "tool_call"], ["tool_call_response"], ["text"],
    ]  # fmt: skip
    assert messages[0]["parts"][1]["content"]["sha256"] == hashlib.sha256(PIXELS).hexdigest()
    assert root["gen_ai.output.messages"] == root["output.value"]
    (answer,) = json.loads(root["gen_ai.output.messages"])
    answer.pop("name", None)  # newer releases say which agent has answered
    assert answer == said("assistant", "It is in Lisbon.")


class Candidate:
    resume = "twenty years at sea"


def test_a_state_that_has_a_resume_of_its_own_is_no_command() -> None:
    candidate = Candidate()
    assert read_given(candidate) is candidate


@pytest.mark.parametrize("value", [{"input": "a"}, {"input": "", "chat_history": []}, {"input": None}, "", {}, None])
def test_only_an_empty_input_alone_is_still_to_come(value: object) -> None:
    assert is_to_come({"input": ""})
    assert not is_to_come(value)


def chain(*, run_name: str) -> RunnableSequence:
    model = GenericFakeChatModel(messages=iter([AIMessage("It is in Lisbon.")]))
    return (ChatPromptTemplate([("user", "{question}")]) | model).with_config(run_name=run_name)


def texts(span: Span, key: str) -> list[str]:
    return [part["content"] for message in json.loads(span["attributes"][key]) for part in message["parts"]]


def test_what_is_streamed_through_a_chain_is_its_input(exported: Exported) -> None:
    config = {"callbacks": [SentrialCallbackHandler()]}
    list(chain(run_name="alone").stream({"question": "Where?"}, config))
    with sentrial.begin("ann", "support"):
        list(chain(run_name="inside").stream({"question": "When?"}, config))
    assert exported.trees == [
        ["invoke_agent alone", "  chat"],
        ["invoke_agent support", "  invoke_workflow inside", "    chat"],
    ]
    assert texts(exported.one("invoke_agent alone"), "gen_ai.input.messages") == ["Where?"]
    assert texts(exported.one("invoke_workflow inside"), "gen_ai.input.messages") == ["When?"]


class Reader(AsyncCallbackHandler):
    """Knows when the first words have come."""

    def __init__(self) -> None:
        self.read = asyncio.Event()

    async def on_llm_new_token(self, token: str, **kwargs: Any) -> None:
        if token:
            self.read.set()


async def test_what_came_of_an_answer_that_is_cancelled_is_kept(
    server: FakeProvider, models: Models, exported: Exported
) -> None:
    gate, reader = threading.Event(), Reader()
    server.queue(Answer.stream(hold_after=3, gate=gate))
    config = {"callbacks": [SentrialCallbackHandler(), reader]}
    chain = RunnablePassthrough() | models.openai(streaming=True)
    asked = asyncio.create_task(chain.ainvoke("Where?", config))
    await reader.read.wait()
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    gate.set()
    call = exported.one("chat gpt-4.1-mini")
    (came,) = texts(call, "gen_ai.output.messages")
    assert came
    assert OPENAI.answer.startswith(came)
    assert came != OPENAI.answer
    assert (call["attributes"]["sentrial.stream.end"], call["status_code"]) == ("cancelled", 0)


async def test_a_model_alone_that_is_cancelled_has_ended(
    server: FakeProvider, models: Models, exported: Exported
) -> None:
    gate = threading.Event()
    server.queue(Answer.stream(hold_after=0, gate=gate))
    asked = asyncio.create_task(models.openai().ainvoke("Where?", {"callbacks": [SentrialCallbackHandler()]}))
    while not server.requests:
        await asyncio.sleep(0.001)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    gate.set()
    call = exported.one("chat gpt-4.1-mini")
    assert (call["attributes"]["sentrial.stream.end"], call["status_code"]) == ("cancelled", 0)
