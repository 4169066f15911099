"""A LangGraph graph that asks three sources at once, waits for a person's approval, and goes on when it has come.

`pip install langgraph langchain-openai`, then `python 08_langgraph_approval.py`. Each run of the graph is a session,
and `thread_id` is the conversation of both: the first one ends as paused, the second does what was approved. See them
with `sentrial sessions list` and `sentrial sessions show last`.
"""

import operator
from typing import Annotated, TypedDict

from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt
from offline_model import offline_model, says

import sentrial
from sentrial.langchain import SentrialCallbackHandler

OFFERS = {
    "the warehouse": "Twenty chairs, in a week.",
    "the maker": "Any number, in May.",
    "the shop": "Four chairs, now.",
}


class Purchase(TypedDict):
    wish: str
    offers: Annotated[list[str], operator.add]
    plan: str
    outcome: str


@tool
def order(what: str) -> str:
    """Order what was decided on."""
    return f"Order 1042: {what}"


def asks(source: str, model: ChatOpenAI):
    def ask(state: Purchase) -> dict:
        reply = model.invoke([("system", f"You speak for {source}."), ("user", state["wish"])])
        return {"offers": [f"{source}: {reply.content}"]}

    return ask


def purchase_graph(model: ChatOpenAI):
    def planner(state: Purchase) -> dict:
        reply = model.invoke([("system", "Choose one."), ("user", "\n".join(sorted(state["offers"])))])
        return {"plan": reply.content}

    def approval(state: Purchase) -> Command:
        answer = interrupt({"plan": state["plan"]})
        return Command(goto="buy" if answer == "yes" else END)

    def buy(state: Purchase) -> dict:
        return {"outcome": order.invoke({"what": state["plan"]})}

    graph = StateGraph(Purchase)
    for source in OFFERS:
        name = source.removeprefix("the ")
        graph.add_node(name, asks(source, model))
        graph.add_edge(START, name)
    graph.add_node("planner", planner)
    graph.add_edge([source.removeprefix("the ") for source in OFFERS], "planner")
    graph.add_node("approval", approval, destinations=("buy", END))
    graph.add_edge("planner", "approval")
    graph.add_node("buy", buy)
    return graph.compile(checkpointer=InMemorySaver(), name="purchase")


def answer(messages: list[dict]) -> dict:
    instruction = messages[0]["content"]
    source = instruction.removeprefix("You speak for ").rstrip(".")
    return says(OFFERS.get(source, "Twenty chairs from the warehouse."))


def main() -> None:
    with offline_model(answer) as base_url:
        graph = purchase_graph(ChatOpenAI(model="gpt-4o", api_key="not-needed-offline", base_url=base_url))
        config = {
            "callbacks": [SentrialCallbackHandler()],
            "configurable": {"thread_id": "conv_456"},
            "metadata": {"user_id": "user_123"},
        }
        paused = graph.invoke({"wish": "We need twenty chairs."}, config)
        print(f"Shall we? {paused['__interrupt__'][0].value['plan']}")
        # Here days may pass, and with a checkpointer that is a database it may be another process that goes on.
        done = graph.invoke(Command(resume="yes"), config)
        print(done["outcome"])
    sentrial.flush()


if __name__ == "__main__":
    main()
