"""Where a call of Google's client goes: who serves it, and which model or endpoint it names."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from sentrial._patch.spec import Outgoing
from sentrial._providers.hosts import read_endpoint
from sentrial._providers.values import fields_of, string


class CallEndpoint(NamedTuple):
    """Where a call goes."""

    provider: str
    model: str | None
    address: str | None
    port: int | None


def read_call_endpoint(outgoing: Outgoing) -> CallEndpoint:
    """Where ``outgoing`` goes. Its path is a whole address where the call alone has a base URL."""
    client, path = outgoing.client, outgoing.path
    endpoint = read_endpoint(path if "://" in path else read_base_url(client._http_options) or "")
    return CallEndpoint(
        provider="gcp.vertex_ai" if client.vertexai else "gcp.gemini",
        model=read_model(path),
        address=endpoint.address,
        port=endpoint.port,
    )


def read_base_url(options: Any) -> str | None:
    """The base URL in the HTTP options of a client or of a call: an object, a dict or nothing."""
    return string(fields_of(options).get("base_url"))


@lru_cache(maxsize=256)
def read_model(path: str) -> str | None:
    """The model that ``path`` names, as prices and pages name it: ``gemini-2.5-flash``.

    ``models/gemini-2.5-flash:generateContent``, ``publishers/google/models/gemini-2.5-flash:predict``; of what has no
    such name the kind and the number: ``tunedModels/123``, ``projects/p/locations/l/endpoints/123``.
    """
    resource = path.partition("?")[0].rpartition(":")[0]
    _, found, model = resource.rpartition("models/")
    return (model if found else "/".join(resource.split("/")[-2:])) or None
