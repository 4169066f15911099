"""Logfire, sending to a server of its own kind, with its instrumentation of the OpenAI client."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager

import logfire


def start() -> None:
    logfire.configure(
        token="pylf_v1_local_0123456789abcdef",
        send_to_logfire=True,
        service_name="shop",
        console=False,
        inspect_arguments=False,
        advanced=logfire.AdvancedOptions(base_url=os.environ["PEER_URL"]),
    )


def own() -> AbstractContextManager[object]:
    return logfire.span("own of {peer}", peer="logfire")


def finish() -> None:
    logfire.shutdown()
