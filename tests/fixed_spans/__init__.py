"""Spans of the real SDK with fixed ids and times, so that what is made of them can be compared letter by letter."""

from fixed_spans.maker import START_NS, Maker, at
from fixed_spans.support_agent import support_agent

__all__ = ["START_NS", "Maker", "at", "support_agent"]
