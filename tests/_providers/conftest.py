"""Fixtures of tests of what describes the clients."""

from __future__ import annotations

from recorder.fixtures import patched, recorder, server

__all__ = ["patched", "recorder", "server"]
