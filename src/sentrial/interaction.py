"""An interaction: one session as an object, from ``begin()`` to ``finish()``."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any

from sentrial import _guard, _session, _setup
from sentrial._session import Activation, Session
from sentrial._snapshot import Tally, snapshot
from sentrial._spans import failure, root
from sentrial._spans.root import Ending, Opening
from sentrial.events import SessionEvents


class Interaction(SessionEvents):
    """One agent interaction, made by :func:`sentrial.begin`.

    It is current until :meth:`finish`: calls of patched clients, tools and other instrumentations' spans inside land
    in it. Used as ``with`` or ``async with`` it finishes by itself, failed if an exception leaves the block; sessions
    begun inside such a block, for the same user, are its sub-agents.
    """

    def __init__(self, opening: Opening) -> None:
        self.event = opening.agent_name
        self.event_id = opening.event_id
        self.user_id = opening.user_id
        self._output: object = None
        self._activation: Activation | None = None
        try:
            session = root.open_session(opening, nested=True)
        except Exception as error:  # noqa: BLE001 - nothing of ours may reach the user's program
            _guard.failed("beginning an interaction", error)
            session = root.session_without_span(opening)
        super().__init__(session)
        try:
            if session.span.get_span_context().is_valid:
                self._activation = _session.activate(session)
        except Exception as error:  # noqa: BLE001 - as above; the session is open all the same
            _guard.failed("making an interaction current", error)

    def set_output(self, output: object) -> None:
        """What :meth:`finish` sends as output if it is given none; a snapshot is taken now."""
        self._output = snapshot(output, Tally())

    def finish(
        self,
        output: object = None,
        success: bool | None = None,
        failure_reason: str | None = None,
        estimated_cost: float | None = None,
        custom_metrics: Mapping[str, float] | None = None,
        duration_ms: float | None = None,
        prompt_tokens: int | None = None,
        completion_tokens: int | None = None,
        total_tokens: int | None = None,
    ) -> dict[str, Any]:
        """End the interaction; a second time does nothing.

        Args:
            output: what the agent answered.
            success: whether it succeeded; if not given, it did unless :meth:`track_error` was called.
            failure_reason: why not.
            estimated_cost: dollars; if not given, the sum of the costs that are known.
            custom_metrics: numbers of your own.
            duration_ms: milliseconds, if your own measure differs from the span's.
            prompt_tokens: input tokens; if not given, the sum over the model calls. So the next two.
            completion_tokens: output tokens.
            total_tokens: both.

        Returns:
            ``{"id": ..., "status": ..., "success": ...}``; ``{}`` if it had ended already.
        """
        if success is None:
            failure_reason = failure_reason or self._last_error
            success = failure_reason is None
        return self._finish(
            Ending(
                outcome=root.COMPLETED if success else root.FAILED,
                failure_reason=failure_reason,
                output=self._output if output is None else output,
                estimated_cost=estimated_cost,
                custom_metrics=custom_metrics or {},
                duration_ms=duration_ms,
                prompt_tokens=prompt_tokens,
                completion_tokens=completion_tokens,
                total_tokens=total_tokens,
            )
        )

    def _finish(self, ending: Ending) -> dict[str, Any]:
        try:
            _setup.settle()
            ended = root.end_session(self._session, ending)
        except Exception as error:  # noqa: BLE001 - nothing of ours may reach the user's program
            _guard.failed("finishing an interaction", error)
            ended = False
        finally:
            if self._activation is not None:
                self._activation.leave()
        return outcome(self._session, ending) if ended else {}

    def __enter__(self) -> Interaction:
        self._session.lexical = True
        return self

    async def __aenter__(self) -> Interaction:
        return self.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.finish()
            return
        if failure.is_control_flow(error):
            self._finish(Ending(outcome=root.CANCELLED, output=self._output))
        else:
            self._finish(Ending(outcome=root.FAILED, error=error, output=self._output))

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)


def outcome(session: Session, ending: Ending) -> dict[str, Any]:
    """What completing a session gives back."""
    return {"id": session.id, "status": ending.outcome, "success": ending.outcome == root.COMPLETED}
