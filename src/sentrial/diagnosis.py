"""The doctor, inside a program: how things stand, and whether a test session arrives."""

from __future__ import annotations

from typing import Any

from sentrial._diagnosis import DEFAULT_TIMEOUT


def doctor(*, send: bool = True, timeout: float = DEFAULT_TIMEOUT) -> dict[str, Any]:
    """What ``sentrial doctor --json`` prints, for this process: its settings, its TracerProvider, what it has patched.

    Nothing of the program changes. It waits for answers, so that it has no place in the handling of a request.

    Args:
        send: whether a marked test session (agent ``sentrial-doctor``) is sent to each destination; ``False`` opens no
            connection.
        timeout: seconds that all destinations together may take.

    Returns:
        The document that ``docs/doctor.md`` describes: ``ok``, ``findings`` and what they rest on, all plain data.
    """
    # Programs that never ask load none of it.
    from sentrial._diagnosis.examination import examine

    return examine(send=send, timeout=timeout, own_process=False)
