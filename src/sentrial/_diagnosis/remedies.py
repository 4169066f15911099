"""What is wrong with a destination, in plain words, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from sentrial._config import ARGUMENT, Config
from sentrial._diagnosis.destinations import (
    COLLECTOR,
    NO_ANSWER,
    NOT_NOW,
    NOT_REACHED,
    PARTLY,
    REFUSED,
    SENTRIAL,
    STORE,
    STORED,
)
from sentrial._diagnosis.finding import Finding, note, problem
from sentrial._export.trial import Trial

LARGEST_SKEW = 60.0
"""Seconds by which clocks may differ before it is said."""

_NAME_UNKNOWN = re.compile(
    "Failed to resolve|Name or service not known|nodename nor servname|getaddrinfo failed|name resolution|"
    "errors resolving|DNS resolution failed|Domain name not found"
)
_NOT_TLS = re.compile("WRONG_VERSION_NUMBER|record layer failure|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|BAD_PACKET_LENGTH")
_HTTP2 = re.compile(r"\\x00\\x00|\x00\x00")


def findings_of(places: list[dict[str, Any]], trials: dict[str, Trial], config: Config) -> list[Finding]:
    """What to say of each destination that was tried."""
    found = []
    for place in places:
        if place["outcome"] is None:
            continue
        trial = trials[place["name"]]
        found += _of_place(place, trial, config)
        skew = place["clock_ahead_seconds"]
        if skew is not None and abs(skew) > LARGEST_SKEW:
            found.append(
                problem(
                    "clock-skew",
                    f"this machine's clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} that of "
                    f"{place['name']}: sessions seem to be from another time",
                    "Set the clock, by NTP if you can.",
                )
            )
    return found


def _of_place(place: dict[str, Any], trial: Trial, config: Config) -> list[Finding]:
    found: list[Finding] = []
    if place["outcome"] != STORED or place["words"]:
        code, remedy = _remedy(place, trial, config)
        if place["outcome"] == STORED and code == "refused":
            found.append(note("server-warns", f"{place['name']} warns: {place['words']}"))
        else:
            found.append(problem(code, f"{place['name']} {_what(place)}", remedy))
    if place["proxy"] is not None:
        say: Callable[..., Finding] = note if place["outcome"] == STORED else problem
        found.append(
            say(
                "proxy-in-force",
                f"requests to {place['name']} go through the proxy {place['proxy']}, as the environment says",
                "" if place["outcome"] == STORED else f"If they should not, add {_host(place)} to NO_PROXY.",
            )
        )
    return found


def _what(place: dict[str, Any]) -> str:
    said = {
        STORED: "answers",
        PARTLY: "has not taken all",
        REFUSED: "refuses the test session",
        NOT_NOW: "does not take the test session now",
        NOT_REACHED: "cannot be reached",
        NO_ANSWER: "has not answered in time",
    }[place["outcome"]]
    return f"{said}: {place['words']}" if place["words"] else said


def _remedy(place: dict[str, Any], trial: Trial, config: Config) -> tuple[str, str]:
    """The finding's code, and the remedy."""
    if place["kind"] == STORE:
        return "store-unusable", "Let SENTRIAL_STORE name a file that may be written."
    by_answer = _of_answer(place, trial, config) if trial.answer is not None else None
    if by_answer is not None:
        return by_answer
    address = _address_setting(place, config)
    words, port = place["words"], _port(place)
    protocol = place["protocol"]
    if place["outcome"] == PARTLY:
        return "partly-rejected", "The server says why; its limits are to be raised there."
    if protocol == "grpc" and ("HTTP/2" in words or "http1" in words.lower() or port == 4318):
        return (
            "wrong-protocol",
            "It speaks HTTP, not gRPC: set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf (port 4318, as a rule), or name "
            "the port of gRPC (4317).",
        )
    if protocol != "grpc" and place["kind"] == COLLECTOR and (_HTTP2.search(words) or port == 4317):
        return (
            "wrong-protocol",
            "It speaks gRPC, not HTTP: set OTEL_EXPORTER_OTLP_PROTOCOL=grpc, or name the port of HTTP (4318).",
        )
    if _HTTP2.search(words):
        return "wrong-protocol", f"It speaks gRPC, and Sentrial's API is HTTP: correct {address}."
    if _NAME_UNKNOWN.search(words):
        return "name-unknown", f"The name {_host(place)} cannot be resolved: correct {address}, or see to your DNS."
    if "CERTIFICATE_VERIFY_FAILED" in words or "certificate verify failed" in words:
        hint = "let OTEL_EXPORTER_OTLP_CERTIFICATE" if place["kind"] == COLLECTOR else "let REQUESTS_CA_BUNDLE"
        return (
            "certificate-unknown",
            f"Its certificate is signed by nobody that this machine trusts: {hint} name the authority's file.",
        )
    if _NOT_TLS.search(words):
        return "not-tls", f"It speaks without TLS there: let {address} begin with http://, or name the TLS port."
    if "Connection refused" in words or "actively refused" in words:
        return "connection-refused", f"Nothing listens there: start the server, or correct {address}."
    if place["outcome"] == NO_ANSWER:
        return (
            "timeout",
            "It hangs, or a firewall swallows what is sent: see whether this machine may connect there, and whether "
            f"{address} is right.",
        )
    if place["status"] in ("UNAUTHENTICATED", "PERMISSION_DENIED"):
        return "key-refused", "Correct OTEL_EXPORTER_OTLP_HEADERS (or OTEL_EXPORTER_OTLP_TRACES_HEADERS)."
    if place["status"] == "UNIMPLEMENTED":
        return "not-found", f"It takes no traces over gRPC: correct {address}."
    if "closed" in words or "reset" in words or "aborted" in words:
        return (
            "connection-closed",
            f"It closes the connection: perhaps it wants TLS (https://) or another protocol; see {address}.",
        )
    return "refused", f"See what it says, and {address}."


def _of_answer(place: dict[str, Any], trial: Trial, config: Config) -> tuple[str, str] | None:
    answer = trial.answer
    assert answer is not None
    status, is_page = answer.status, answer.content_type == "text/html"
    address = _address_setting(place, config)
    ours = place["kind"] == SENTRIAL
    key = _key_setting(place, config)
    if status == 401:
        return "key-refused", f"The key is wrong or has been withdrawn: correct {key}."
    if status == 403:
        rights = " It needs the scopes sessions:write and events:write." if ours else ""
        return "key-refused", f"The key is not allowed to do this: correct {key}.{rights}"
    if status == 407:
        return "proxy-in-force", "The proxy wants a name and a password: put them into the proxy variable."
    if 300 <= status < 400:
        return "redirect", f"Redirects are not followed, for the key would go along: let {address} name the target."
    if status in (404, 405) or (is_page and status < 500):
        return "wrong-address", _right_address(place, address)
    if 200 <= status < 300 and "not OTLP" in place["words"]:
        return "wrong-address", _right_address(place, address)
    if status == 415:
        return (
            "wrong-protocol",
            "It does not take this encoding: set OTEL_EXPORTER_OTLP_PROTOCOL to another one (http/protobuf is what "
            "every collector takes), and OTEL_EXPORTER_OTLP_COMPRESSION to none.",
        )
    if status == 413:
        return "too-large", "It takes next to nothing: have its limit raised."
    if status == 429:
        return "server-busy", "It limits how often one may send. Real sessions are sent again; try later."
    if status == 408 or status >= 500:
        return "server-error", "The trouble is on its side. Real sessions are sent again; try later."
    return None


def _right_address(place: dict[str, Any], address: str) -> str:
    if place["kind"] == SENTRIAL:
        return f"That is not Sentrial's API: let {address} be its address alone, such as https://api.sentrial.com."
    if address == "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT":
        return f"No OTLP is spoken there: {address} is used as it is, and ends in /v1/traces as a rule."
    return f"No OTLP is spoken there: let {address} be the address alone, since /v1/traces is added to it."


def _address_setting(place: dict[str, Any], config: Config) -> str:
    """What holds the address, in the words of whoever set it."""
    if place["kind"] == SENTRIAL:
        return "api_url" if config.sources.get("api_url") == ARGUMENT else "SENTRIAL_API_URL"
    source = config.sources.get("otlp_endpoint", "OTEL_EXPORTER_OTLP_ENDPOINT")
    return "otlp_endpoint" if source == ARGUMENT else source


def _key_setting(place: dict[str, Any], config: Config) -> str:
    if place["kind"] != SENTRIAL:
        return "OTEL_EXPORTER_OTLP_HEADERS (or OTEL_EXPORTER_OTLP_TRACES_HEADERS)"
    name = "api_key" if config.sources.get("api_key") == ARGUMENT else "SENTRIAL_API_KEY"
    return f"{name} ({place['key']})"


def _split(place: dict[str, Any]) -> Any:
    endpoint = place["endpoint"] or ""
    return urlsplit(endpoint if "//" in endpoint else f"//{endpoint}")


def _host(place: dict[str, Any]) -> str:
    return str(_split(place).hostname or "the host")


def _port(place: dict[str, Any]) -> int | None:
    try:
        port: int | None = _split(place).port
    except ValueError:
        return None
    return port
