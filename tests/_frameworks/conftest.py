"""Fixtures of tests that run LangChain."""

from __future__ import annotations

from langchain_scenarios.fixtures import collector, exported, models, no_langsmith, recording, server

__all__ = ["collector", "exported", "models", "no_langsmith", "recording", "server"]
