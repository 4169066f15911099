"""What tests of LangChain share: its chat models on the loopback server, an agent's conversation, what is exported."""

from __future__ import annotations

from langchain_scenarios.conversation import ANTHROPIC, GOOGLE, NAMED, OPENAI, QUESTION, TOOLS, Conversation
from langchain_scenarios.exported import Exported
from langchain_scenarios.models import GOOGLE_STREAMS, Models

__all__ = [
    "ANTHROPIC", "GOOGLE", "GOOGLE_STREAMS", "NAMED", "OPENAI", "QUESTION", "TOOLS", "Conversation", "Exported",
    "Models",
]  # fmt: skip
