"""Langfuse, its client alone."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from typing import Any

from langfuse import Langfuse

_client: Any = None


def start() -> None:
    global _client
    _client = Langfuse(
        public_key="pk-lf-local", secret_key="sk-lf-local", base_url=os.environ["PEER_URL"], flush_interval=0.2
    )


def own() -> AbstractContextManager[object]:
    span: AbstractContextManager[object] = _client.start_as_current_observation(name="own of langfuse")
    return span


def finish() -> None:
    _client.shutdown()
