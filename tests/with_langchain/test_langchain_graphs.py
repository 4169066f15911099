"""Graphs of LangGraph's: branches, plans, searches, graphs within graphs, each span held against a checked-in list."""

from __future__ import annotations

import operator
from threading import Barrier
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from langchain_core.vectorstores import InMemoryVectorStore
from langchain_openai import OpenAIEmbeddings
from langgraph.graph import END, START, StateGraph

import sentrial
from fake_provider import FakeProvider
from langchain_scenarios import QUESTION, Exported, Models
from scenario import Recording
from sentrial.langchain import SentrialCallbackHandler


class State(TypedDict):
    question: str
    found: Annotated[list[str], operator.add]


class Archive(BaseRetriever):
    """What is known of parcels."""

    broken: bool = False

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        if self.broken:
            raise ConnectionError("the archive is closed")
        return [
            Document("Parcels wait in Lisbon.", id="doc_1", metadata={"score": 0.75, "source": "notes"}),
            Document("Some wait in Rotterdam.", id="doc_2", metadata={"source": "notes"}),
        ]


def graph_of(models: Models) -> Any:
    """A planner, then three branches at the same time, then a graph of its own."""
    together = Barrier(3)

    def make_plan(state: State) -> dict[str, Any]:
        return {"found": ["a plan"]}

    def search(state: State) -> dict[str, Any]:
        together.wait(60)
        retriever = Archive(metadata={"top_k": 2, "data_source_id": "archive"})
        return {"found": [document.page_content for document in retriever.invoke(state["question"])]}

    def ask(state: State) -> dict[str, Any]:
        together.wait(60)
        return {"found": [models.openai().invoke(state["question"]).content]}

    def compute(state: State) -> dict[str, Any]:
        together.wait(60)
        return {"found": ["4711"]}

    def write(state: State) -> dict[str, Any]:
        return {"found": [models.openai(temperature=0.5).invoke("Write it down.").content]}

    inner = StateGraph(State)
    inner.add_node("write", write)
    inner.add_edge(START, "write")
    outer = StateGraph(State)
    for name, node in (("planner", make_plan), ("search", search), ("ask", ask), ("compute", compute)):
        outer.add_node(name, node)
    outer.add_node("report", inner.compile(name="writer"))
    outer.add_edge(START, "planner")
    for name in ("search", "ask", "compute"):
        outer.add_edge("planner", name)
    outer.add_edge(["search", "ask", "compute"], "report")
    outer.add_edge("report", END)
    return outer.compile(name="research")


TREE = [
    "invoke_agent support-agent",
    "  invoke_workflow research",
    "    plan support-agent",
    "    node ask",
    "      chat gpt-4.1-mini",
    "    node compute",
    "    node search",
    "      retrieval archive",
    "    node report",
    "      invoke_agent writer",
    "        node write",
    "          chat gpt-4.1-mini",
]


def test_a_graph_with_branches_and_a_graph_within(recording: Recording, models: Models) -> None:
    with recording("langchain_graph"):
        graph_of(models).invoke({"question": QUESTION, "found": []}, {"configurable": {"thread_id": "parcel-77"}})


def test_its_branches_begin_below_it_with_a_handler_too(models: Models, exported: Exported) -> None:
    handler = SentrialCallbackHandler()
    with sentrial.begin("user_1", "support-agent"):
        graph_of(models).invoke({"question": QUESTION, "found": []}, {"callbacks": [handler]})
    # Threads begin in any order.
    assert sorted(exported.tree) == sorted(TREE)
    names = {span["span_id"]: span["name"] for span in exported.spans}
    parents = {span["name"]: names.get(span["parent_span_id"]) for span in exported.spans if "chat" not in span["name"]}
    assert parents == {
        "invoke_agent support-agent": None,
        "invoke_workflow research": "invoke_agent support-agent",
        "plan support-agent": "invoke_workflow research",
        "node ask": "invoke_workflow research",
        "node compute": "invoke_workflow research",
        "node search": "invoke_workflow research",
        "retrieval archive": "node search",
        "node report": "invoke_workflow research",
        "invoke_agent writer": "node report",
        "node write": "invoke_agent writer",
    }
    asked = [names[span["parent_span_id"]] for span in exported.named("chat gpt-4.1-mini")]
    assert asked == ["node ask", "node write"]
    assert (handler.llm_calls, handler.total_tokens) == (2, 2 * 1248)


def test_a_search_that_fails_fails_what_it_is_in(recording: Recording) -> None:
    def search(state: State) -> dict[str, Any]:
        Archive(broken=True, metadata={"data_source_id": "archive"}).invoke(state["question"])
        return {"found": []}

    graph = StateGraph(State).add_node("search", search).add_edge(START, "search").compile(name="research")
    with recording("langchain_graph_failed"), pytest.raises(ConnectionError):
        graph.invoke({"question": QUESTION, "found": []})
    failed = {span["name"]: span["attributes"]["error.type"] for span in recording.spans if span["status_code"] == 2}
    names = ("invoke_workflow research", "node search", "retrieval archive")
    assert failed == dict.fromkeys(names, "ConnectionError")


def test_a_store_of_vectors_asks_for_the_embedding_inside_its_search(
    recording: Recording, server: FakeProvider
) -> None:
    embeddings = OpenAIEmbeddings(
        base_url=server.base_url, api_key="sk-test", model="text-embedding-3-small", check_embedding_ctx_length=False
    )
    store = InMemoryVectorStore(embeddings)
    with recording("langchain_retrieval"):
        store.add_texts(["Parcels wait in Lisbon."], ids=["doc_1"])
        (found,) = store.as_retriever(search_kwargs={"k": 1}).invoke(QUESTION)
    assert found.id == "doc_1"
