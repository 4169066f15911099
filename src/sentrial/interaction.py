"""An interaction: one session as an object, from ``begin()`` to ``finish()``."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn

from sentrial import _config, _guard, _session, _setup, semconv
from sentrial._handle import write_handle
from sentrial._session import Activation, Session
from sentrial._snapshot import Tally, snapshot
from sentrial._spans import amounts, failure, root, source
from sentrial._spans.root import Ending, Opening
from sentrial._unknown_arguments import lenient
from sentrial.events import SessionEvents

if TYPE_CHECKING:
    from sentrial.client import SentrialClient


class Interaction(SessionEvents):
    """One agent interaction, made by :func:`sentrial.begin` or :func:`sentrial.resume`.

    It is current until :meth:`finish`: calls of patched clients, tools and other instrumentations' spans inside land
    in it. Used as ``with`` or ``async with`` it finishes by itself, failed if an exception leaves the block; sessions
    begun inside such a block, for the same user, are its sub-agents.

    Attributes:
        client: the client that began it.
        event: the agent's name.
        event_id: the id that ``begin`` was given or made; ``None`` where another process began it.
        user_id: whose interaction it is.
        total_prompt_tokens: the sum of what :meth:`add_tokens` was given; so the next two.
        total_completion_tokens: output tokens.
        total_cost: dollars.
    """

    def __init__(self, client: SentrialClient, opening: Opening, *, current: bool = True) -> None:
        session = open_session(opening, nested=True, loud=not client.fail_silently)
        self._hold(client, session, opening.event_id)
        if current:
            self.make_current()

    @classmethod
    def of(cls, client: SentrialClient, session: Session) -> Interaction:
        """The interaction of a session that is open already; it is not made current."""
        if session.interaction is None:
            self = cls.__new__(cls)
            self._hold(client, session, None)
        found: Interaction = session.interaction
        return found

    def _hold(self, client: SentrialClient, session: Session, event_id: str | None) -> None:
        super().__init__(session, loud=not client.fail_silently)
        self.client = client
        self.event = session.agent_name
        self.event_id = event_id
        self.user_id = session.user_id
        self.total_prompt_tokens = 0
        self.total_completion_tokens = 0
        self.total_cost = 0.0
        self._output: object = None
        self._activations: list[Activation] = []
        session.client = client
        session.interaction = self

    def make_current(self) -> None:
        """Make it current here too: in the task or thread that calls, until :meth:`finish`."""
        try:
            if self._session.span.get_span_context().is_valid and not self._session.ended:
                source.tracer()  # other instrumentations' spans need the provider that ours go through
                self._activations.append(_session.activate(self._session))
        except Exception as error:  # noqa: BLE001 - nothing of ours may reach the user's program; the session is open
            _guard.failed("making an interaction current", error)

    def export(self) -> str:
        """A handle for :func:`sentrial.resume`: the session goes on elsewhere, in another process or later.

        Unless :meth:`finish` is called here all the same, its root ends here as ``continued``. The handle is no secret,
        but names the user; it fits into a URL or a header. To let another process add events to a session that is
        finished here, give it the :attr:`session_id`.
        """
        return self._write_handle() or self._session.id

    @_guard.guarded("exporting a session", _guard.nothing)
    def _write_handle(self) -> str | None:
        self._session.outermost.exported = self._session.exported = True
        return write_handle(self._session)

    @_guard.guarded("setting an interaction's output", _guard.nothing)
    def set_output(self, output: object) -> None:
        """What :meth:`finish` sends as output if it is given none; a snapshot is taken now."""
        self._output = snapshot(output, Tally())

    @_guard.guarded("adding tokens", _guard.nothing)
    @lenient()
    def add_tokens(self, prompt_tokens: int = 0, completion_tokens: int = 0, cost: float = 0.0) -> None:
        """Count tokens and dollars of calls that nothing else records: the sums are what :meth:`finish` says."""
        with _guard.raising(self._loud):
            self.total_prompt_tokens += int(_amount("prompt_tokens", prompt_tokens))
            self.total_completion_tokens += int(_amount("completion_tokens", completion_tokens))
            self.total_cost += _amount("cost", cost)

    @_guard.guarded("finishing an interaction", dict)
    @lenient()
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
        reason = self._read_reason(failure_reason)
        if success is None:
            reason = reason or self._last_error
        said = (output, success, failure_reason, estimated_cost, custom_metrics, prompt_tokens, completion_tokens)
        answer = self._finish(
            semconv.OUTCOME_COMPLETED if reason is None else semconv.OUTCOME_FAILED,
            success=success,
            output=output,
            failure_reason=reason,
            estimated_cost=estimated_cost,
            custom_metrics=custom_metrics,
            duration_ms=duration_ms,
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            total_tokens=total_tokens,
        )
        if not answer and self._session.outcome is not None and any(each is not None for each in said):
            _guard.say_once(
                "finished already",
                "sentrial: session %s has ended already, as %s; what finish() says of it now is not recorded. Call it "
                "once, with all there is to say. More of this kind is not logged.",
                self._session.id,
                self._session.outcome,
            )
        return answer

    @_guard.guarded("reading why an interaction failed", _guard.nothing)
    def _read_reason(self, reason: object) -> str | None:
        return failure.read_reason(reason)

    def _finish(self, outcome: str, **said: Any) -> dict[str, Any]:
        for name, known in (
            ("output", self._output),
            ("prompt_tokens", self.total_prompt_tokens or None),
            ("completion_tokens", self.total_completion_tokens or None),
            ("estimated_cost", self.total_cost or None),
        ):
            if said.get(name) is None:
                said[name] = known
        try:
            return end(self._session, Ending(outcome, **said), loud=self._loud)
        finally:
            self._leave()

    def _leave(self) -> None:
        while self._activations:
            try:
                self._activations.pop().leave()
            except Exception as error:  # noqa: BLE001 - the others have to be left too
                _guard.failed("leaving an interaction", error)

    def __enter__(self) -> Interaction:
        self._enter()
        return self

    @_guard.guarded("entering an interaction", _guard.nothing)
    def _enter(self) -> None:
        self._session.lexical = True
        if _session.current() is not self._session:
            self.make_current()

    async def __aenter__(self) -> Interaction:
        return self.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._end_block(error)
        finally:
            self._leave()

    @_guard.guarded("leaving an interaction's block", _guard.nothing)
    def _end_block(self, error: BaseException | None) -> None:
        left = None if error is None else failure.outcome_of_control_flow(error)
        if left is not None:
            self._finish(left)
        elif error is not None:
            self._finish(semconv.OUTCOME_FAILED, error=error)
        elif not self._session.exported:
            self.finish()
        elif not self._session.foreign:
            # Else its root is elsewhere, and whoever has the newest handle says how it ended.
            self._finish(semconv.OUTCOME_CONTINUED)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    def __deepcopy__(self, memo: dict[int, Any]) -> Interaction:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("an Interaction cannot be pickled: send its export(), and sentrial.resume(handle) there")


def interaction_of_nothing(client: SentrialClient) -> Interaction:
    """One that takes all calls, where none could be begun."""
    interaction = Interaction.__new__(Interaction)
    interaction._hold(client, root.NOWHERE, None)
    return interaction


def open_session(opening: Opening, *, nested: bool, loud: bool) -> Session:
    """Open a session. ``nested``: whether it may be a sub-agent of the session around it.

    Raises:
        ValueError: where ``loud``, for what cannot be used; the session is recorded as failed.
    """
    session: Session | None = None
    try:
        root.end_idle(_config.active.session_timeout)
        with _guard.raising(loud):
            session = root.open_session(opening, nested=nested)
    except _guard.RefusedError as error:
        if session is not None:
            root.end_session(session, Ending(semconv.OUTCOME_FAILED, error=error))
        raise
    except Exception as error:  # noqa: BLE001 - nothing of ours may reach the user's program
        _guard.failed("opening a session", error)
        session = root.session_without_span(opening)
    return session


def end(session: Session, ending: Ending, *, loud: bool) -> dict[str, Any]:
    """End ``session``. Gives what it became; ``{}`` if it had ended already.

    Raises:
        ValueError: where ``loud``, for what cannot be used; the session has ended by then.
    """
    try:
        _setup.settle()
        with _guard.raising(loud):
            ended = root.end_session(session, ending)
    except _guard.RefusedError:
        raise
    except Exception as error:  # noqa: BLE001 - nothing of ours may reach the user's program
        _guard.failed("ending a session", error)
        return {}
    if not ended:
        return {}
    return {"id": session.id, "status": session.outcome, "success": session.outcome == semconv.OUTCOME_COMPLETED}


def _amount(name: str, value: object) -> float:
    """``value`` where it can be added up; what cannot, is said, and counts as nothing."""
    number = amounts.number(value)
    if number is not None and number >= 0:
        return number
    if value is not None:
        _guard.refuse(
            f"add_tokens {name}",
            "sentrial: add_tokens(%s=%s) is not usable: it must be a number not below 0. It counts as nothing.",
            name,
            _guard.shown(value),
        )
    return 0.0
