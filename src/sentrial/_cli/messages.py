"""Messages and recorded JSON in the words a person reads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

_LONGEST_LINE = 100
# Beyond this a float does not tell one whole number from the next.
_EXACT = 2**53


def read_json(text: object) -> Any:
    """``text`` parsed; None where it is no JSON."""
    try:
        return json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None


def readable(value: object, *, full: bool = False) -> str:
    """A recorded value: strings as they are, JSON with its letters instead of escapes, long JSON indented if ``full``.

    ``{"result": "..."}`` and ``{"input": "..."}``, the forms that a bare string is recorded in, show the string.
    """
    parsed = read_json(value) if isinstance(value, str) else value
    if isinstance(parsed, str):
        return parsed
    if isinstance(parsed, dict) and len(parsed) == 1:
        ((key, inner),) = parsed.items()
        if key in ("result", "input") and isinstance(inner, str):
            return inner
    if isinstance(parsed, (dict, list)):
        return _dump(parsed, full=full)
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return str(int(value))
    return _dump(value, full=full)


def read_messages(messages: object, *, full: bool = False) -> Iterator[tuple[str, str]]:
    """Each message of a list as (role, text); what is no message is shown as it is."""
    for message in messages if isinstance(messages, list) else []:
        yield read_message(message, full=full)


def read_message(message: object, *, full: bool = False) -> tuple[str, str]:
    """A message as (role, text), its parts one below the other."""
    if not isinstance(message, dict):
        return "message", readable(message, full=full)
    role = message.get("role")
    return str(role or "message"), read_parts(message.get("parts"), full=full)


def read_parts(parts: object, *, full: bool = False) -> str:
    """The parts of a message, one below the other."""
    if isinstance(parts, str):
        return parts
    if not isinstance(parts, list):
        return "" if parts is None else readable(parts, full=full)
    return "\n".join(_part(each, full=full) for each in parts)


def _part(part: object, *, full: bool) -> str:
    if not isinstance(part, dict):
        return readable(part, full=full)
    kind = part.get("type")
    content = part.get("content")
    if kind == "text" and isinstance(content, str):
        return content
    if kind == "reasoning" and isinstance(content, str):
        return f"(reasoning) {content}"
    if kind == "tool_call":
        arguments = part.get("arguments")
        return f"calls {part.get('name')} {'' if arguments is None else readable(arguments, full=full)}".rstrip()
    if kind == "tool_call_response":
        return readable(part.get("response"), full=full)
    if kind in ("blob", "file", "uri"):
        return _attachment(part)
    return _dump(part, full=full)


def _attachment(part: dict[str, Any]) -> str:
    """A picture or file by its name: the data itself says nothing to the eye."""
    words = [str(part.get("mime_type") or part.get("modality") or part.get("type"))]
    content = part.get("content")
    if isinstance(content, str):
        words.append(f"{len(content):,} characters of base64")
    words.extend(str(part[key]) for key in ("file_id", "uri") if part.get(key))
    return f"[{', '.join(words)}]"


def _dump(value: object, *, full: bool) -> str:
    line = json.dumps(value, ensure_ascii=False, default=str)
    if full and len(line) > _LONGEST_LINE:
        return json.dumps(value, ensure_ascii=False, default=str, indent=2)
    return line
