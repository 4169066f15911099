"""The doctor's page, letter by letter. ``UPDATE_GOLDEN=1`` writes the files anew."""

from __future__ import annotations

import copy
import os
from pathlib import Path
from typing import Any

import pytest
from rich.text import Text

from sentrial._cli.console import ASCII, Signs
from sentrial._cli.doctor_page import build_page

GOLDEN = Path(__file__).parents[1] / "golden"

WELL: dict[str, Any] = {
    "format": 1,
    "ok": True,
    "findings": [],
    "process": "own",
    "versions": {
        "sentrial-otel": "0.1.0",
        "python": "3.11.7 (CPython)",
        "platform": "Linux 6.1.0 x86_64",
        "packages": {"opentelemetry-api": "1.45.2", "opentelemetry-sdk": "1.45.2", "wrapt": "2.5.2", "grpcio": None},
        "extras": {"cli": True, "cost": True, "pii": False},
        "clients": {"openai": "3.52.0"},
    },
    "configuration": {
        "settings": [
            {"name": "api_key", "value": "...6789", "source": "SENTRIAL_API_KEY"},
            {"name": "api_url", "value": "https://api.sentrial.com", "source": "default"},
            {"name": "otlp_endpoint", "value": None, "source": "default"},
            {"name": "enabled", "value": True, "source": "default"},
            {"name": "instrument", "value": ["openai"], "source": "argument"},
            {"name": "queue_size", "value": 67108864, "source": "default"},
            {"name": "flush_interval", "value": 0.5, "source": "default"},
        ],
        "variables": [],
    },
    "tracing": {"kind": "none", "provider": None, "sampler": "TraceIdRatioBased{0.25}", "processors": []},
    "clients": [
        {
            "client": "openai",
            "target": "openai.resources.chat.completions.completions.Completions.create",
            "state": "will be patched",
            "calls": None,
            "also_patched_by": [],
        }
    ],
    "others": [],
    "destinations": [
        {
            "kind": "sentrial",
            "name": "Sentrial https://api.sentrial.com",
            "endpoint": "https://api.sentrial.com/api/otel/v1/traces",
            "protocol": "http/json",
            "proxy": None,
            "key": "...6789",
            "outcome": "stored",
            "status": "200",
            "words": "",
            "rejected": 0,
            "seconds": 0.124,
            "clock_ahead_seconds": 0.1,
            "session_id": "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
        }
    ],
    "store": {
        "in_use": False,
        "path": "/home/ada/.local/share/sentrial/sessions.db",
        "exists": False,
        "writable": True,
        "bytes": None,
        "sessions": None,
        "schema_version": None,
        "known_schema_version": 1,
        "free_bytes": 78_512_000_000,
        "trouble": None,
    },
}


def ill() -> dict[str, Any]:
    """The same with trouble everywhere, inside a program."""
    found = copy.deepcopy(WELL)
    found["ok"], found["process"] = False, "program"
    found["findings"] = [
        {
            "level": "problem",
            "code": "key-refused",
            "words": "Sentrial https://api.sentrial.com refuses the test session: 401 Unauthorized: the key was "
            "refused; check SENTRIAL_API_KEY: unknown API key",
            "remedy": "The key is wrong or has been withdrawn: correct SENTRIAL_API_KEY (...6789).",
        },
        {
            "level": "problem",
            "code": "older-sentrial",
            "words": "the older SDK (distribution sentrial 0.6.0) is installed beside sentrial-otel",
            "remedy": 'Uninstall both, then install one: pip uninstall -y sentrial sentrial-otel && pip install "x"',
        },
        {"level": "note", "code": "content-off", "words": "no content is recorded", "remedy": ""},
    ]
    found["configuration"]["settings"].append(
        {
            "name": "store",
            "value": "/var/lib/a-service-with-a-long-name/sentrial/sessions.db",
            "source": "SENTRIAL_STORE",
        }
    )
    found["configuration"]["settings"][2] = {
        "name": "otlp_endpoint",
        "value": "http://collector:4317",
        "source": "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    }
    found["configuration"]["variables"] = [
        {"name": "OTEL_EXPORTER_OTLP_HEADERS", "value": "authorization=..., x-team=..."},
        {"name": "OTEL_RESOURCE_ATTRIBUTES", "value": "service.name=shop,deployment.environment.name=production,a=b"},
    ]
    found["tracing"] = {
        "kind": "joined",
        "provider": "opentelemetry.sdk.trace.TracerProvider",
        "sampler": "ParentBased{root:AlwaysOnSampler,remoteParentSampled:AlwaysOnSampler,"
        "remoteParentNotSampled:AlwaysOffSampler,localParentSampled:AlwaysOnSampler,"
        "localParentNotSampled:AlwaysOffSampler}",
        "processors": ["BatchSpanProcessor(OTLPSpanExporter)", "sentrial's Tap"],
    }
    found["clients"][0] |= {"state": "patched", "calls": 3, "also_patched_by": ["openinference.instrumentation.openai"]}
    found["clients"].append(found["clients"][0] | {"state": "waiting for import", "calls": 0, "also_patched_by": []})
    found["others"] = [
        {
            "name": "openinference-instrumentation-openai",
            "version": "0.1.30",
            "state": "active",
            "records": "openai",
            "means": "it records openai; where we record the same calls, ours stays out",
        },
        *(
            {"name": f"opentelemetry-instrumentation-{name}", "version": "0.66b2", "state": "installed",
             "records": None, "means": "its spans inside a session are stamped"}
            for name in ("asgi", "requests", "sqlalchemy")
        ),
    ]  # fmt: skip
    refused = found["destinations"][0]
    refused |= {"outcome": "refused", "status": "401", "words": "401 Unauthorized: the key was refused\x1b[2J"}
    found["destinations"].append(
        refused
        | {
            "name": "collector",
            "endpoint": "collector:4317",
            "protocol": "grpc",
            "proxy": "http://proxy:3128",
            "key": None,
            "outcome": None,
            "status": None,
            "words": "",
            "seconds": None,
        }
    )
    found["store"] |= {
        "in_use": True,
        "exists": True,
        "bytes": 12_345_678,
        "sessions": 1_234,
        "schema_version": 1,
        "writable": False,
    }
    return found


def page(found: dict[str, Any], columns: int, signs: Signs | None = None) -> str:
    lines = []
    for line in build_page(found, columns, signs or Signs()):
        line.rstrip()
        lines.append(line.plain)
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("name", ["well", "ill"])
def test_the_page_is_its_golden_file(name: str, columns: int) -> None:
    said = page(WELL if name == "well" else ill(), columns)
    file = GOLDEN / f"doctor_{name}_{columns}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(said, encoding="utf-8")
    assert said == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("columns", [60, 80, 100, 120])
def test_every_line_fits(columns: int) -> None:
    for found in (WELL, ill()):
        lines = page(found, columns).splitlines()
        assert [line for line in lines if len(line) > columns and " " in line.strip()] == []


def test_a_terminal_that_knows_ascii_only_gets_ascii() -> None:
    assert page(ill(), 80, ASCII).isascii()


def test_what_a_server_says_cannot_move_the_cursor() -> None:
    assert "\x1b" not in page(ill(), 80)
    assert "\\x1b[2J" in page(ill(), 80)


def test_a_part_that_could_not_be_looked_at_is_left_out() -> None:
    found = {**WELL, "tracing": None}
    assert "tracing" not in page(found, 80).splitlines()


def test_problems_are_red_and_what_is_well_is_green() -> None:
    def styles(found: dict[str, Any]) -> set[str]:
        lines: list[Text] = list(build_page(found, 80, Signs()))
        return {str(span.style) for span in lines[-1].spans}

    assert styles(WELL) == {"bold green"}
    assert styles(ill()) == {"bold red"}
