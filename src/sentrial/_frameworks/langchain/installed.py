"""Which of LangChain's packages are installed, and what the older SDK takes from them: each import waits until then."""

from __future__ import annotations

from collections.abc import Callable
from importlib import metadata
from typing import Any


def _major(distribution: str) -> int:
    try:
        return int(metadata.version(distribution).partition(".")[0])
    except (metadata.PackageNotFoundError, ValueError):
        return 0


LANGCHAIN_MAJOR_VERSION = _major("langchain")
"""The first number of ``langchain``'s version; 0 where only ``langchain-core`` is installed."""

LANGCHAIN_VERSION = "core-1.x" if LANGCHAIN_MAJOR_VERSION >= 1 else "core"
"""Which LangChain this is, in the older SDK's words."""


def get_agent_executor() -> Any:
    """The class ``AgentExecutor``, which LangChain 1.0 has moved to ``langchain-classic``.

    Raises:
        ImportError: where that is not installed.
    """
    try:
        from langchain_classic.agents import AgentExecutor
    except ModuleNotFoundError as error:
        raise _missing("AgentExecutor", "langchain-classic") from error
    return AgentExecutor


def get_openai_tools_agent_creator() -> Callable[..., Any]:
    """The function ``create_openai_tools_agent``, which LangChain 1.0 has moved to ``langchain-classic``.

    Raises:
        ImportError: where that is not installed.
    """
    try:
        from langchain_classic.agents import create_openai_tools_agent
    except ModuleNotFoundError as error:
        raise _missing("create_openai_tools_agent", "langchain-classic") from error
    found: Callable[..., Any] = create_openai_tools_agent
    return found


def get_react_agent() -> Callable[..., Any]:
    """LangGraph's function ``create_react_agent``. LangGraph calls it deprecated: ``create_agent`` of ``langchain``
    has taken over.

    Raises:
        ImportError: where ``langgraph`` is not installed.
    """
    try:
        from langgraph.prebuilt import create_react_agent
    except ModuleNotFoundError as error:
        raise _missing("create_react_agent", "langgraph") from error
    found: Callable[..., Any] = create_react_agent
    return found


def get_create_agent() -> Callable[..., Any]:
    """LangChain's function ``create_agent``.

    Raises:
        ImportError: where ``langchain`` is not installed, or older than 1.0.
    """
    try:
        from langchain.agents import create_agent
    except ImportError as error:
        raise _missing("create_agent", "langchain>=1") from error
    found: Callable[..., Any] = create_agent
    return found


def _missing(name: str, requirement: str) -> ImportError:
    return ImportError(f"{name} is in a package that is not installed: pip install '{requirement}'")
