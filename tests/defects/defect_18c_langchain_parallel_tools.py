"""LangChain's handler: an `AgentExecutor` that runs two tools at the same time. Whose name and input each result has"""

from __future__ import annotations

import asyncio
from typing import Any

from defects.langchain_runs import QUESTION, client_and_handler, model
from defects.seen import Event, Seen, Verdict

_RIGHT = {"search": ("parcel", "in Lisbon"), "weigh": ("the box", "2 kg")}


def program() -> dict[str, Any]:
    from langchain_classic.agents import AgentExecutor, create_tool_calling_agent
    from langchain_core.messages import AIMessage
    from langchain_core.prompts import ChatPromptTemplate
    from langchain_core.tools import tool

    @tool
    async def search(what: str) -> str:
        """Find something."""
        return "in Lisbon"

    @tool
    async def weigh(what: str) -> str:
        """Weigh something."""
        await asyncio.sleep(0.05)
        return "2 kg"

    calls = [
        {"name": "search", "args": {"what": "parcel"}, "id": "call_1"},
        {"name": "weigh", "args": {"what": "the box"}, "id": "call_2"},
    ]
    prompt = ChatPromptTemplate([("user", "{input}"), ("placeholder", "{agent_scratchpad}")])
    told = model(AIMessage("", tool_calls=calls), AIMessage("It is in Lisbon."))
    agent = create_tool_calling_agent(told, [search, weigh], prompt)
    executor = AgentExecutor(agent=agent, tools=[search, weigh], stream_runnable=False)
    client, handler = client_and_handler()
    answer = asyncio.run(executor.ainvoke({"input": QUESTION}, {"callbacks": [handler]}))
    client.complete_session(handler.session_id)
    return {"answer": answer["output"]}


def judge(seen: Seen) -> Verdict:
    calls = [event for event in seen.of_user("alice").events if event.kind == "tool_call"]
    right = [call for call in calls if _has(call, *_RIGHT[call.name or ""])]
    return Verdict(
        len(right) == len(calls) == 2 and seen.printed["answer"] == "It is in Lisbon.",
        f"{len(right)} of 2 results stand with their own name and input",
    )


def _has(call: Event, given: str, gave: str) -> bool:
    return given in str(call.input) and gave in str(call.output)
