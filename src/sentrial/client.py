"""The client: sessions by id, for one account."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

from sentrial import _config, _guard, _registry, _setting_values, _setup
from sentrial._handle import read_handle
from sentrial._session import Account, Session
from sentrial._spans import amounts, cost, failure, root
from sentrial._spans.name import MAX_NAME, quietly
from sentrial._spans.root import Ending, Opening
from sentrial._unknown_arguments import lenient
from sentrial.attachment import Attachment
from sentrial.events_by_id import EventsById
from sentrial.interaction import Interaction, end, interaction_of_nothing, open_session
from sentrial.state import SessionState

if TYPE_CHECKING:
    from sentrial.redact import PiiConfig

DEFAULT_FLUSH = 30.0


class SentrialClient(EventsById, SessionState):
    """Sessions for one account. Making one sets up what it needs, and opens no connection.

    A client can be copied, and pickled: its key does not go into the pickle, so that where it arrives, ``configure()``
    or ``SENTRIAL_API_KEY`` names it.

    Args:
        api_url: Sentrial's address; else that of ``configure()``, else ``SENTRIAL_API_URL``, else the public one.
        api_key: your key; else that of ``configure()``, else ``SENTRIAL_API_KEY``. Without one, sessions go wherever
            else is configured, or into the local store.
        fail_silently: ``False`` raises on bad input; else it is logged, and your program goes on.
        langfuse: has no effect, and is logged: Langfuse takes OTLP itself, so that a collector can serve both.
        pii: as in :func:`sentrial.configure`; masking is the whole process's.
        batching: has no effect: every span is batched.

    Raises:
        ValueError: with ``fail_silently=False``, for a value that makes no sense.
    """

    @lenient()
    def __init__(
        self,
        api_url: str | None = None,
        api_key: str | None = None,
        fail_silently: bool = True,
        langfuse: object = None,
        pii: PiiConfig | bool | str | None = None,
        batching: object = None,
    ) -> None:
        self.fail_silently = fail_silently is not False
        self.langfuse = langfuse
        self.pii = pii
        self.api_url = _setting_values.DEFAULT_API_URL
        self._account: Account | None = None
        self._set_up(api_url, api_key, fail_silently, langfuse, pii)

    @_guard.guarded("setting up a client", _guard.nothing)
    def _set_up(self, api_url: object, api_key: object, fail_silently: object, langfuse: object, pii: object) -> None:
        self.fail_silently = fail_silently = amounts.read_switch("fail_silently", fail_silently, {}, default=True)
        with _guard.raising(not fail_silently):
            process = _setup.ensure()
            if pii is not None:
                process = _setup.amend({"pii": pii}, strict=not fail_silently)
            # The address and the key may be this client's own; everything else is the process's.
            given = {
                "api_url": process.api_url if api_url is None else api_url,
                "api_key": process.api_key if api_key is None else api_key,
            }
            config = _config.read_config(given, strict=not fail_silently)
            self.api_url = config.api_url
            self._account = _setup.account_of(config)
            if langfuse is not None:
                self._complain(
                    "langfuse",
                    "langfuse= has no effect: let OTEL_EXPORTER_OTLP_ENDPOINT name Langfuse, or a collector for both.",
                )

    @property
    def api_key(self) -> str | None:
        """The key of this client's account."""
        return self._account.api_key if self._account is not None else None

    def __repr__(self) -> str:
        return f"SentrialClient(api_url={self.api_url!r}, api_key={'***' if self._account else None!r})"

    def __deepcopy__(self, memo: dict[int, Any]) -> SentrialClient:
        return self

    def __reduce__(self) -> tuple[type[SentrialClient], tuple[str, None, bool]]:
        return SentrialClient, (self.api_url, None, self.fail_silently)

    def __enter__(self) -> SentrialClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- sessions ----------------------------------------------------------------------------------------------------

    @lenient()
    def create_session(
        self,
        name: str,
        agent_name: str,
        user_id: str | None,
        parent_session_id: str | None = None,
        convo_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> str:
        """Open a session. It is not made current: events are added to it by its id.

        Args:
            name: a descriptive name.
            agent_name: groups sessions; low in cardinality.
            user_id: whose interaction it is.
            parent_session_id: the session that caused this one; it gets a link.
            convo_id: the conversation that it belongs to.
            metadata: anything else.

        Returns:
            The session's id: 49 characters, trace and root span in hex.
        """
        return self._create(name, agent_name, user_id, parent_session_id, convo_id, metadata) or _id_of_nothing()

    @_guard.guarded("creating a session", _guard.nothing)
    def _create(
        self, name: Any, agent_name: Any, user_id: Any, parent_session_id: Any, convo_id: Any, metadata: Any
    ) -> str | None:
        opening = Opening(
            agent_name=agent_name,
            user_id=user_id,
            name=name,
            conversation_id=convo_id,
            parent_session_id=parent_session_id,
            metadata=metadata,
            account=self._account_now(),
        )
        session = open_session(opening, nested=False, loud=not self.fail_silently)
        session.client = self
        return session.id

    @_guard.guarded("completing a session", dict)
    @lenient()
    def complete_session(
        self,
        session_id: str,
        success: bool = True,
        failure_reason: str | None = None,
        estimated_cost: float | None = None,
        custom_metrics: Mapping[str, float] | None = None,
        duration_ms: float | None = None,
        prompt_tokens: int | None = None,
        completion_tokens: int | None = None,
        total_tokens: int | None = None,
        user_input: object = None,
        assistant_output: object = None,
    ) -> dict[str, Any]:
        """End a session, from any process.

        Args:
            session_id: what :meth:`create_session` gave.
            success: whether it succeeded.
            failure_reason: why not.
            estimated_cost: dollars; if not given, the sum of the costs that are known.
            custom_metrics: numbers of your own.
            duration_ms: milliseconds, if your own measure differs from the span's.
            prompt_tokens: input tokens; if not given, the sum over the model calls. So the next two.
            completion_tokens: output tokens.
            total_tokens: both.
            user_input: what the user said.
            assistant_output: what the agent answered.

        Returns:
            ``{"id": ..., "status": ..., "success": ...}``; ``{}`` for an unknown session, or one that has ended.
        """
        session = self._find(session_id)
        if session is None:
            return {}
        ending = Ending(
            success=success,
            failure_reason=failure_reason,
            input=user_input,
            output=assistant_output,
            estimated_cost=estimated_cost,
            custom_metrics=custom_metrics,
            duration_ms=duration_ms,
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            total_tokens=total_tokens,
        )
        answer = end(session, ending, loud=not self.fail_silently)
        if not answer:
            self._complain(
                "completed already",
                f"session {session_id!r} is completed already; the second completion is not recorded.",
            )
        return answer

    @lenient()
    def close_session(
        self,
        session_id: str,
        duration_ms: float | None = None,
        success: bool | None = None,
        failure_reason: str | None = None,
    ) -> dict[str, Any]:
        """End a session; :meth:`complete_session` says more. ``success``: it did, if not given."""
        succeeded = True if success is None else success
        return self.complete_session(session_id, succeeded, failure_reason, duration_ms=duration_ms)

    @lenient()
    def begin(
        self,
        user_id: str | None,
        event: str,
        input: object = None,  # noqa: A002 - the name that the users of the old SDK know
        event_id: str | None = None,
        convo_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Interaction:
        """Open a session as an object, and make it current until its ``finish()``; see :func:`sentrial.begin`."""
        return self._begin(user_id, event, input, event_id, convo_id, metadata) or interaction_of_nothing(self)

    @_guard.guarded("beginning an interaction", _guard.nothing)
    def _begin(
        self, user_id: Any, event: Any, said: object, event_id: Any, convo_id: Any, metadata: Any
    ) -> Interaction | None:
        event_id = quietly(event_id) if failure.is_told(event_id) else str(uuid.uuid4())
        return Interaction(
            self,
            Opening(
                agent_name=event,
                user_id=user_id,
                name=f"{quietly(event)}:{event_id[:8]}"[:MAX_NAME],
                conversation_id=convo_id,
                event_id=event_id,
                metadata=metadata,
                input=said,
                account=self._account_now(),
            ),
        )

    def resume(self, handle: str) -> Interaction:
        """Go on with a session that :meth:`Interaction.export` handed over; see :func:`sentrial.resume`."""
        return self._resume(handle) or interaction_of_nothing(self)

    @_guard.guarded("resuming a session", _guard.nothing)
    def _resume(self, handle: Any) -> Interaction | None:
        read = read_handle(handle)
        if read is None:
            self._complain(
                "no handle", f"{_guard.shown(handle)} is no handle: give what export() returned. A new session begins."
            )
            return self.begin(None, "resumed", metadata={"handle": _guard.shown(handle)})
        session = _registry.find(read.session_id)
        if session is None or session.ended or session.outcome is not None or not session.agent_name:
            session = _registry.remember_foreign(read, self._account_now()) or session
        assert session is not None  # read_handle() has looked at the id
        interaction = Interaction.of(self, session)
        interaction.make_current()
        return interaction

    def attach(self, session_id: str) -> Attachment:
        """Make a session current in a block, without ending it; see :func:`sentrial.attach`."""
        return Attachment(self._find_or_make_up(session_id) or root.NOWHERE, loud=not self.fail_silently)

    @_guard.guarded("attaching to a session", _guard.nothing)
    def _find_or_make_up(self, session_id: object) -> Session | None:
        return self._find(session_id) or root.nowhere(Opening("", None, account=self._account_now()))

    # --- cost --------------------------------------------------------------------------------------------------------

    @staticmethod
    def calculate_openai_cost(model: str, input_tokens: int, output_tokens: int) -> float:
        """Dollars that a call of OpenAI's costs, by genai-prices (extra ``cost``); NaN where nobody knows the price."""
        return cost.quote("openai", model, input_tokens, output_tokens)

    @staticmethod
    def calculate_anthropic_cost(model: str, input_tokens: int, output_tokens: int) -> float:
        """The same for Anthropic."""
        return cost.quote("anthropic", model, input_tokens, output_tokens)

    @staticmethod
    def calculate_google_cost(model: str, input_tokens: int, output_tokens: int) -> float:
        """The same for Google."""
        return cost.quote("google", model, input_tokens, output_tokens)

    # --- the end -----------------------------------------------------------------------------------------------------

    @_guard.guarded("flushing", bool)
    def flush(self, timeout: float = DEFAULT_FLUSH) -> bool:
        """Wait until everything that has ended is dealt with; see :func:`sentrial.flush`."""
        with _guard.raising(not self.fail_silently):
            return _setup.flush(amounts.read_seconds("timeout", timeout, DEFAULT_FLUSH))

    def shutdown(self, timeout: float = DEFAULT_FLUSH) -> None:
        """Like :meth:`flush`: other clients share what delivers. :func:`sentrial.shutdown` ends it all."""
        self.flush(timeout)

    def close(self) -> None:
        """Like :meth:`shutdown`, within ``SENTRIAL_FLUSH_TIMEOUT``. What is tracked later is delivered all the same."""
        self.flush(_config.active.flush_timeout)

    def _account_now(self) -> Account | None:
        # Named again, for after a shutdown the road no longer knows it.
        config = _setup.ensure()
        if self._account is not None and config.enabled:
            _setup.add_account(self._account)
        return self._account


def _id_of_nothing() -> str:
    return f"{uuid.uuid4().hex}-{uuid.uuid4().hex[:16]}"
