"""Sentrial as a destination. Source: its documented OTLP endpoint, which takes OTLP/HTTP JSON only."""

from __future__ import annotations

from sentrial._export.destination import OtlpDestination
from sentrial._export.encode_json import encode_json
from sentrial._export.send_http import sentrial_sender

_TRACES_PATH = "/api/otel/v1/traces"


def sentrial(api_url: str, api_key: str) -> OtlpDestination:
    """Sentrial at ``api_url`` (``https://api.sentrial.com``; the path is added), for the account of ``api_key``.

    Opens no connection and never raises: with an address or a key that cannot work, every batch is refused in words.
    """
    base = api_url.strip().rstrip("/")
    url = base if base.endswith(_TRACES_PATH) else base + _TRACES_PATH
    return OtlpDestination(f"Sentrial {base.removesuffix(_TRACES_PATH)}", encode_json, sentrial_sender(url, api_key))
