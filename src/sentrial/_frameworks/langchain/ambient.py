"""What records the runs that the program has given no handler to: one for the whole process."""

from __future__ import annotations

from functools import cache

from sentrial import _ambient
from sentrial._frameworks.langchain.recorder import Recorder
from sentrial._session import Session
from sentrial._spans.root import Opening


@cache
def recorder() -> Recorder:
    """The recorder; silent until the hook is installed."""
    recorder = Recorder(_Sessions(), for_nobody=True)
    recorder.silent = True
    return recorder


class _Sessions:
    """They begin as the settings say."""

    def given(self) -> Session | None:
        return None

    def open(self, opening: Opening) -> Session | None:
        return None if _ambient.opener is None else _ambient.opener(opening)
