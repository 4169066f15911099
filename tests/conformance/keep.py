"""Spans of the contract suite as the conformance run checks them: OTLP/JSON, with the content that lies beside them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan

from sentrial._export.encode_json import encode_json


def keep(span: ReadableSpan, content: Mapping[str, Any]) -> None:
    """Add ``span`` to those in the folder ``CONFORMANCE_DIR``, if there is one."""
    folder = os.environ.get("CONFORMANCE_DIR")
    if not folder:
        return
    document = json.loads(encode_json([span]))
    kept = document["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    kept.setdefault("attributes", []).extend(
        {"key": key, "value": {"stringValue": value}} for key, value in content.items() if isinstance(value, str)
    )
    with (Path(folder) / "contract_suite.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(document) + "\n")
