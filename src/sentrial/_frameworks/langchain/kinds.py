"""What a chain is on the timeline. LangChain calls everything a chain: what it is shows in its tags and its name."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

CHAIN = "chain"
GRAPH = "graph"
AGENT = "agent"
NODE = "node"
HIDDEN = "hidden"
MODEL = "model"
TOOL = "tool"
RETRIEVER = "retriever"

_NODE_TAG = "graph:step:"
_HIDDEN_TAG = "langsmith:hidden"
_UNNAMED_GRAPH = "LangGraph"
_AGENT_EXECUTOR = "AgentExecutor"

_LOOP_OF_AGENT = frozenset({"model", "agent", "tools"})
_HOOK_OF_AGENT = re.compile(r"(.+\.(before|after)_(agent|model)|pre_model_hook)$")
_PLANNER = re.compile(r"(?:^|[^a-z])(?:re)?plan(?:s|ner|ning)?(?:$|[^a-z])", re.IGNORECASE)

_CONVERSATION_KEYS = ("thread_id", "session_id", "conversation_id")
"""Where programs name a conversation, in the order in which OpenTelemetry's instrumentation looks."""


def is_node(tags: Sequence[str] | None) -> bool:
    """Whether a run is one of a graph's nodes."""
    return any(tag.startswith(_NODE_TAG) for tag in tags or ())


def place_of(metadata: Mapping[str, Any] | None) -> object:
    """Where in its graph a run is: the path to the node or the task that it is a part of."""
    return (metadata or {}).get("langgraph_path")


def has_name_of_task(name: str | None, metadata: Mapping[str, Any] | None) -> bool:
    """Whether a run is part of a task, which a node called (LangGraph's ``@task``), and has the name of that."""
    place = place_of(metadata)
    is_of_call = isinstance(place, tuple) and place[-1:] == (True,)
    return is_of_call and (metadata or {}).get("langgraph_node") == name


def is_entrypoint(metadata: Mapping[str, Any] | None) -> bool:
    """Whether a node is the function that its graph was made of (``@entrypoint``): it starts with nothing before it."""
    return "__start__" in ((metadata or {}).get("langgraph_triggers") or ())


def is_hidden(tags: Sequence[str] | None) -> bool:
    """Whether LangGraph itself says that a run is only its own machinery."""
    return _HIDDEN_TAG in (tags or ())


def is_executor(name: str | None) -> bool:
    """Whether a run is LangChain's older agent."""
    return name == _AGENT_EXECUTOR


def is_loop_of_agent(node: str) -> bool:
    """Whether a node only holds an agent's model call or its tool calls, which are on the timeline themselves."""
    return node in _LOOP_OF_AGENT


def makes_agent(node: str) -> bool:
    """Whether the graph that has this node first is an agent: a model and its tools in a loop."""
    return node in _LOOP_OF_AGENT or _HOOK_OF_AGENT.match(node) is not None


def is_planner(node: str) -> bool:
    """Whether the node makes a plan, as far as its name tells."""
    return _PLANNER.search(node) is not None


@lru_cache(maxsize=1_000)
def own_name(name: str | None) -> str | None:
    """``name``, if the program has given it: ``None`` where it is that of a type."""
    if not name or name in (_UNNAMED_GRAPH, _AGENT_EXECUTOR) or name.partition("<")[0] in _type_names():
        return None
    return name


def _type_names() -> set[str]:
    """The names of all classes that can be run: what the program has not named is called after its class."""
    runnable = getattr(sys.modules.get("langchain_core.runnables.base"), "Runnable", None)
    names: set[str] = set()
    waiting = [runnable] if runnable is not None else []
    while waiting:
        kind = waiting.pop()
        # A generic class has its parameters in its name.
        names.add(kind.__name__.partition("[")[0])
        waiting.extend(type.__subclasses__(kind))
    return names


def conversation_of(metadata: Mapping[str, Any] | None) -> str | None:
    """The conversation that a run belongs to, where the program has named one."""
    for key in _CONVERSATION_KEYS:
        value = (metadata or {}).get(key)
        if value is not None and value != "":
            return str(value)
    return None
