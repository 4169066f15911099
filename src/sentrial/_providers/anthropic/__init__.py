"""Anthropic's client, and every service that is asked through it: one line a kind of call."""

from __future__ import annotations

from sentrial._patch.spec import Provider, Role, Target
from sentrial._providers import stainless
from sentrial._providers.anthropic import complete, messages, tools

_SURFACES = [
    Target(f"anthropic.resources.{module}messages.messages", f"{kind}Messages", method)
    for module in ("", "beta.")
    for kind in ("", "Async")
    for method in ("create", "stream")
]

PROVIDER = Provider(
    name="anthropic",
    packages=("anthropic",),
    targets=(
        *stainless.targets("anthropic"),
        *tools.TARGETS,
        Target("anthropic._base_client", "BaseClient", "_tracer", Role.OWN_TRACER),
    ),
    recognise=stainless.build_recognise({"/v1/messages": messages.OPERATION, "/v1/complete": complete.OPERATION}),
    shape=stainless.SHAPE,
    identify=stainless.identify,
    read_sent=stainless.read_sent,
    read_error_code=stainless.read_error_code,
    read_tool=tools.read_tool,
    read_tool_result=tools.read_tool_result,
    surfaces=_SURFACES,
)
