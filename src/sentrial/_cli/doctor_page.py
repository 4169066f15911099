"""What the doctor found as a page: what it looked at first, then what is the matter, which people read first."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from rich.cells import cell_len
from rich.text import Text

from sentrial._cli import figures
from sentrial._cli.console import Signs
from sentrial._cli.safe_text import safe_line
from sentrial._cli.wrapping import wrap
from sentrial._units import write_bytes

_INDENT = "  "
_LABEL_WIDTH = 15
_VALUE_WIDTH = 28
_ROOT = re.compile(r"ParentBased\{root:(.*?),remoteParentSampled:.*\}", re.DOTALL)

_INSIDE = "What your program sets in code, sentrial.doctor() sees when it is called inside it."

Document = dict[str, Any]


def build_page(found: Document, width: int, signs: Signs) -> Iterator[Text]:
    """The lines of the page. A part that could not be looked at has none; there is a finding instead."""
    sections = (
        ("versions", _versions),
        ("configuration", _configuration),
        ("tracing", _tracing),
        ("clients", _clients),
        ("others", _others),
        ("store", _store),
        ("destinations", _destinations),
    )
    for name, build in sections:
        if found.get(name):
            yield Text(name, "bold")
            yield from build(found[name], width, signs)
            if name == "configuration" and found["process"] == "own":
                yield Text()
                yield from _hanging(Text(_INDENT), _INSIDE, width, len(_INDENT), "dim")
            yield Text()
    yield from _findings(found, width, signs)


def _versions(versions: Document, width: int, _signs: Signs) -> Iterator[Text]:
    yield from _field("sentrial-otel", versions["sentrial-otel"], width)
    yield from _field("python", f"{versions['python']}, {versions['platform']}", width)
    packages = [f"{name} {version or 'not installed'}" for name, version in versions["packages"].items()]
    yield from _field("packages", ", ".join(packages), width)
    extras = [f"{name} {'installed' if there else 'not installed'}" for name, there in versions["extras"].items()]
    yield from _field("extras", ", ".join(extras) or "unknown", width)
    clients = [f"{name} {version}" for name, version in versions["clients"].items()]
    yield from _field("clients", ", ".join(clients) or "none that we know", width)


def _configuration(configuration: Document, width: int, _signs: Signs) -> Iterator[Text]:
    rows = [(each["name"], _plain(each["value"]), each["source"]) for each in configuration["settings"]]
    yield from _rows(rows, width)
    if configuration["variables"]:
        yield Text()
        for each in configuration["variables"]:
            yield from _hanging(Text(f"{_INDENT}{each['name']}="), safe_line(each["value"]), width, len(_INDENT) + 4)


def _tracing(tracing: Document, width: int, _signs: Signs) -> Iterator[Text]:
    words = {
        "none": "none yet; ours is built when the first span is wanted",
        "ours": "ours",
        "joined": "yours, and joined",
        "not joined": "yours, joined when the first span is wanted",
        "foreign": "another's, which takes no span processors; sessions go through a private one of ours",
    }[tracing["kind"]]
    yield from _field("provider", f"{tracing['provider']} ({words})" if tracing["provider"] else words, width)
    if tracing["sampler"]:
        yield from _field("sampler", _ROOT.sub(r"ParentBased{root:\1, ...}", tracing["sampler"]), width)
    if tracing["processors"]:
        yield from _field("processors", ", ".join(tracing["processors"]), width)


def _clients(clients: list[Document], width: int, signs: Signs) -> Iterator[Text]:
    for each in clients:
        good = each["state"] in ("patched", "will be patched")
        words = each["state"]
        if each["calls"] is not None and good:
            words += f", {figures.count(each['calls'], 'call')}"
        if each["also_patched_by"]:
            words += f", also by {', '.join(each['also_patched_by'])}"
        mark = Text.assemble(_INDENT, (signs.done, "green") if good else (signs.other, "dim"), " ")
        yield from _hanging(mark, f"{each['target']}: {words}", width, len(_INDENT) + 4)


def _others(others: list[Document], width: int, signs: Signs) -> Iterator[Text]:
    quiet = []
    for each in others:
        if each["state"] == "installed" and each["records"] is None and "instrumentation" in each["name"]:
            quiet.append(each["name"])
            continue
        mark = Text.assemble(_INDENT, (signs.other, "dim"), " ")
        words = f"{each['name']} {each['version']} ({each['state']}): {each['means']}"
        yield from _hanging(mark, safe_line(words), width, len(_INDENT) + 4)
    if quiet:
        words = f"installed, not on here: {', '.join(quiet)}: their spans inside a session go along with it"
        yield from _hanging(Text.assemble(_INDENT, (signs.other, "dim"), " "), words, width, len(_INDENT) + 4)


def _store(store: Document, width: int, _signs: Signs) -> Iterator[Text]:
    used = "in use" if store["in_use"] else "not in use"
    yield from _field("path", f"{store['path'] or 'unknown'} ({used})", width)
    if store["trouble"]:
        yield from _field("trouble", store["trouble"], width)
        return
    words = ["writable" if store["writable"] else "not writable"]
    if not store["exists"]:
        words.append("not made yet")
    elif store["bytes"] is not None:
        words.append(write_bytes(store["bytes"]))
    if store["sessions"] is not None:
        words.append(figures.count(store["sessions"], "session"))
        words.append(f"schema {store['schema_version']} of {store['known_schema_version']}")
    if store["free_bytes"] is not None:
        words.append(f"{write_bytes(store['free_bytes'])} free on its disk")
    yield from _field("state", ", ".join(words), width)


def _destinations(destinations: list[Document], width: int, signs: Signs) -> Iterator[Text]:
    for each in destinations:
        sent, good = each["outcome"] is not None, each["outcome"] == "stored"
        mark = (signs.other, "dim") if not sent else (signs.done, "green") if good else (signs.failed, "red")
        words = [safe_line(each["name"])]
        words.append("nothing sent" if not sent else f"test session: {each['outcome']}")
        if each["status"]:
            words.append(each["status"])
        if each["seconds"] is not None:
            words.append(f"{each['seconds']:.2f} s")
        yield from _hanging(Text.assemble(_INDENT, mark, " "), ", ".join(words), width, len(_INDENT) + 4)
        details = (("to", each["endpoint"]), ("by", each["protocol"]), ("key", each["key"]), ("proxy", each["proxy"]))
        for label, value in (*details, ("says", each["words"]), ("session", each["session_id"] if good else None)):
            if value:
                yield from _field(label, value, width, _INDENT * 2, len("session"))


def _findings(found: Document, width: int, signs: Signs) -> Iterator[Text]:
    problems = 0
    for each in found["findings"]:
        bad = each["level"] == "problem"
        problems += bad
        mark = Text.assemble((signs.failed, "red") if bad else (signs.other, "dim"), " ")
        yield from _hanging(mark, safe_line(each["words"]), width, 2)
        if each["remedy"]:
            yield from _hanging(Text("  "), safe_line(each["remedy"]), width, 2, "bold" if bad else "")
    if found["findings"]:
        yield Text()
    if problems:
        yield Text.assemble((f"{signs.failed} {figures.count(problems, 'problem')}", "bold red"))
    else:
        yield Text.assemble((f"{signs.done} all is well", "bold green"))


def _rows(rows: Sequence[tuple[str, str, str]], width: int) -> Iterator[Text]:
    """Names, values and sources in columns; where a line has no room for both, the source stands below the value."""
    longest = max(len(name) for name, _, _ in rows)
    for name, value, source in rows:
        line = Text.assemble(_INDENT, (name, "dim"), " " * (longest - len(name)), "  ")
        start = line.cell_len
        style = "dim" if source == "default" else ""
        if start + _VALUE_WIDTH + 2 + len(source) <= width and cell_len(value) <= _VALUE_WIDTH:
            padding = " " * (_VALUE_WIDTH - cell_len(value) + 2)
            yield Text.assemble(line, (value, style), padding, (source, style))
            continue
        if start + cell_len(value) + 2 + len(source) <= width:
            yield Text.assemble(line, (value, style), "  ", (source, style))
            continue
        yield from _hanging(line, value, width, start)
        yield Text.assemble(" " * start, (source, style))


def _field(
    label: str, value: object, width: int, indent: str = _INDENT, label_width: int = _LABEL_WIDTH
) -> Iterator[Text]:
    line = Text.assemble(indent, (label, "dim"), " " * max(label_width - len(label), 0), "  ")
    yield from _hanging(line, safe_line(value), width, line.cell_len)


def _hanging(line: Text, words: str, width: int, indent: int, style: str = "") -> Iterator[Text]:
    """``words`` after ``line``, and below it at ``indent`` where they need more lines."""
    room = max(width - line.cell_len, 20)
    first, end = next(wrap(words, room), ("", 0))
    yield Text.assemble(line, (first, style))
    for each, _ in wrap(words[end:], max(width - indent, 20)):
        yield Text.assemble(" " * indent, (each, style))


def _plain(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, float):
        return f"{value:g}"
    return safe_line(value)
