"""A session made current in a block, wherever it was opened; the block's end does not end it."""

from __future__ import annotations

from types import TracebackType

from sentrial import _guard, _session
from sentrial._session import Activation, Session
from sentrial._spans import source
from sentrial.events import SessionEvents


class Attachment(SessionEvents):
    """What :func:`sentrial.attach` gives: ``with`` and ``async with`` make the session current in their block.

    Events can be added to it in the block and outside.
    """

    def __init__(self, session: Session, *, loud: bool) -> None:
        super().__init__(session, loud=loud)
        self._activations: list[Activation] = []

    def __enter__(self) -> Attachment:
        try:
            if self._session.span.get_span_context().is_valid:
                source.tracer()  # other instrumentations' spans need the provider that ours go through
                self._activations.append(_session.activate(self._session))
        except Exception as error:  # noqa: BLE001 - nothing of ours may keep the user's block from running
            _guard.failed("attaching to a session", error)
        return self

    async def __aenter__(self) -> Attachment:
        return self.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()

    @_guard.guarded("leaving a session", _guard.nothing)
    def _leave(self) -> None:
        if self._activations:
            self._activations.pop().leave()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)
