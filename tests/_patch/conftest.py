"""Fixtures of tests of the machinery."""

from __future__ import annotations

from recorder.fixtures import patched, recorder, server

__all__ = ["patched", "recorder", "server"]
