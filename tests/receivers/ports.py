"""Ports that stay free until somebody listens on them: below those that the system gives to whoever asks for any."""

from __future__ import annotations

import random
import socket

_RANGE = range(20_000, 32_000)
_given: set[int] = set()
# Several test runs at once do not begin at the same number, and tests that seed ``random`` not either.
_draw = random.SystemRandom()


def free_ports(count: int) -> list[int]:
    """Ports on the loopback interface that nobody listens on now, each given once."""
    found: list[int] = []
    while len(found) < count:
        port = _draw.choice(_RANGE)
        if port not in _given and _is_free(port):
            _given.add(port)
            found.append(port)
    return found


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
