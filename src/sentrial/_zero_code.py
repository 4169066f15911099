"""Without code: what ``opentelemetry-instrument`` and ``sentrial run`` start in a program that knows nothing of us.

The entry points in ``pyproject.toml`` name what is in here. Nothing of it keeps the program from starting.
"""

from __future__ import annotations

from sentrial import _config, _guard, _open_sessions, _setting_values, _setup, _sigterm
from sentrial._spans import source


def post_instrument() -> None:
    """For ``opentelemetry-instrument``, when a distribution has set up what it sets up, and others have patched."""
    _start((_setting_values.AUTO_REQUEST, _setting_values.AUTO_CALL))


def start_run() -> None:
    """For ``sentrial run``, before the program."""
    _start((_setting_values.AUTO_PROCESS,))


@_guard.guarded("starting without code", _guard.nothing)
def _start(modes: tuple[str, ...]) -> None:
    _config.set_auto_by_default(modes)
    config = _setup.set_up({})
    if not config.enabled:
        return
    # At once: instrumentations that have patched already hand their spans to whatever is global.
    source.tracer()
    _sigterm.deliver_first(_stop, config.flush_timeout)


def _stop() -> None:
    _open_sessions.stopped_by_signal()
    _setup.shut_down()
