"""Exported spans as text that can be read and compared: every attribute of each, and nothing that differs by run."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

KINDS = {1: "INTERNAL", 2: "SERVER", 3: "CLIENT", 4: "PRODUCER", 5: "CONSUMER"}
STATUSES = {0: "UNSET", 1: "OK", 2: "ERROR"}

_LEFT_OUT = {"exception.stacktrace"}
_SECONDS = {"gen_ai.response.time_to_first_chunk", "sentrial.retry.wait"}
_HEAD = re.compile(rf" *\S.* - (?:{'|'.join(KINDS.values())}) - (?:{'|'.join(STATUSES.values())})")
_ATTRIBUTE = re.compile(r" *(?P<key>[\w.]+):(?: (?P<value>.*))?")


def outline_of(spans: list[dict[str, Any]], ports: Mapping[int, str], words: Mapping[str, str]) -> str:
    """The spans below the session's own, each below its parent.

    Args:
        spans: of one trace, in the receivers' normal form.
        ports: what stands for each port that differs by run.
        words: what stands for each text that differs by the client's version.
    """
    spans = _replaced(spans, words)
    names = {span["span_id"]: span["name"] for span in spans}
    (root,) = (span for span in spans if span["parent_span_id"] not in names)
    session = root["attributes"]["sentrial.session.id"]
    lines: list[str] = []

    def add(parent: str, indent: str) -> None:
        below = [span for span in spans if span["parent_span_id"] == parent]
        for span in in_order(below):
            status = f"{STATUSES[span['status_code']]} {span['status_message']}".strip()
            lines.append(f"{indent}{span['name']} - {KINDS[span['kind']]} - {status}")
            lines.extend(f"{indent}  {line}" for line in _attributes(span["attributes"], session, ports))
            for event in span["events"]:
                lines.append(f"{indent}  event {event['name']}")
                lines.extend(f"{indent}    {line}" for line in _attributes(event["attributes"], session, ports))
            for link in span["links"]:
                lines.append(f"{indent}  link to {names.get(link['span_id'], 'elsewhere')}")
                lines.extend(f"{indent}    {line}" for line in _attributes(link["attributes"], session, ports))
            add(span["span_id"], indent + "  ")

    add(root["span_id"], "")
    return "\n".join(lines) + "\n"


def attributes_in(outline: str) -> list[dict[str, str]]:
    """The attributes of each span of an outline, as they are written there."""
    spans: list[dict[str, str]] = []
    for line in outline.splitlines():
        attribute = _ATTRIBUTE.fullmatch(line)
        if _HEAD.match(line):
            spans.append({})
        elif attribute:
            spans[-1][attribute["key"]] = attribute["value"] or ""
    return spans


def in_order(spans: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """As they began. By their names those of one kind that ran at the same time, or that one answer asked for: threads
    begin in any order."""
    together: list[dict[str, Any]] = []
    for span in sorted(spans, key=lambda span: (span["start_ns"], span["end_ns"])):
        if together and not any(_is_beside(span, each) for each in together):
            yield from sorted(together, key=lambda each: str(each["name"]))
            together = []
        together.append(span)
    yield from sorted(together, key=lambda each: str(each["name"]))


def _is_beside(span: dict[str, Any], earlier: dict[str, Any]) -> bool:
    if span["name"].partition(" ")[0] != earlier["name"].partition(" ")[0]:
        return False
    asked = [link["span_id"] for link in span["links"]]
    by_one = bool(asked) and asked == [link["span_id"] for link in earlier["links"]]
    return bool(by_one or span["start_ns"] < earlier["end_ns"])


def _replaced(value: Any, words: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _replaced(item, words) for key, item in value.items()}
    if isinstance(value, list):
        return [_replaced(item, words) for item in value]
    if isinstance(value, str):
        for text, word in words.items():
            value = value.replace(text, word)
    return value


def _attributes(attributes: Mapping[str, Any], session: str, ports: Mapping[int, str]) -> Iterator[str]:
    for key, value in sorted(attributes.items()):
        if key in _LEFT_OUT:
            continue
        decoded = _decoded(value)
        if isinstance(decoded, list) and decoded and isinstance(decoded[0], dict):
            yield f"{key}:"
            for item in decoded:
                yield f"  {_text(item)}"
        else:
            yield f"{key}: {_stable(key, decoded, session, ports)}"


def _decoded(value: Any) -> Any:
    """JSON text as what it says; what is none stays."""
    if isinstance(value, str) and value[:1] in ("[", "{"):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return list(value) if isinstance(value, tuple) else value


def _stable(key: str, value: Any, session: str, ports: Mapping[int, str]) -> str:
    if key in ("sentrial.session.id", "session.id") and value == session:
        return "(the session)"
    if key in _SECONDS and isinstance(value, float) and 0 < value < math.inf:
        return "(seconds)"
    if key == "sentrial.estimated_cost" and isinstance(value, float) and 0 < value < math.inf:
        return "(dollars)"
    if key == "server.port" and value in ports:
        return f"({ports[value]})"
    return _text(value)


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
