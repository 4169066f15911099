"""Runs one program and prints what it saw, as one line of JSON. Nothing but the standard library and the package."""

from __future__ import annotations

import importlib
import json
import sys

print(json.dumps(importlib.import_module(f"defects.{sys.argv[1]}").program()))
