"""Where a call of OpenAI's client goes: who serves it, and in which tier."""

from __future__ import annotations

from typing import NamedTuple

from sentrial._patch.spec import Outgoing
from sentrial._providers.hosts import read_endpoint
from sentrial._providers.values import string


class CallEndpoint(NamedTuple):
    """Where a call goes."""

    provider: str
    address: str | None
    port: int | None
    service_tier: str | None


def read_call_endpoint(outgoing: Outgoing) -> CallEndpoint:
    """Where ``outgoing`` goes. Azure's and Bedrock's clients tell their cloud, behind any gateway."""
    endpoint = read_endpoint(str(outgoing.client.base_url))
    kind = type(outgoing.client).__name__
    cloud = "azure.ai.openai" if "Azure" in kind else "aws.bedrock" if "Bedrock" in kind else None
    tier = string(outgoing.body.get("service_tier"))
    return CallEndpoint(
        cloud or endpoint.provider or "openai",
        endpoint.address,
        endpoint.port,
        tier if tier != "auto" else None,
    )
