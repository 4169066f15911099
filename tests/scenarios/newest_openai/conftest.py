"""What the oldest supported client does not have yet: these tests are collected where it is there."""

from __future__ import annotations

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("openai.lib.responses_tool_runner") else ["test_*.py"]
