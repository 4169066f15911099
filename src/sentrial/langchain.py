"""LangChain and LangGraph: one handler that records all that an agent does.

    from sentrial.langchain import SentrialCallbackHandler

    handler = SentrialCallbackHandler(client, session_id)
    agent.invoke({"messages": [...]}, {"callbacks": [handler]})
    print(handler.total_cost, handler.total_tokens, handler.llm_calls)

Needs ``langchain-core``, which the program has anyway. Without a handler, ``sentrial.configure()`` records the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sentrial import _guard, _open_sessions, _setup
from sentrial._frameworks.langchain import kinds
from sentrial._frameworks.langchain.installed import (
    LANGCHAIN_MAJOR_VERSION,
    LANGCHAIN_VERSION,
    get_agent_executor,
    get_create_agent,
    get_openai_tools_agent_creator,
    get_react_agent,
)
from sentrial._frameworks.langchain.recorder import Recorder
from sentrial._session import Session, parse_id
from sentrial._spans.root import Ending, Opening
from sentrial.aio import AsyncInteraction, AsyncSentrialClient
from sentrial.client import SentrialClient
from sentrial.events_by_id import no_session_id
from sentrial.interaction import Interaction, end
from sentrial.process import default_client

try:
    from sentrial._frameworks.langchain.handler import RunHandler
except ModuleNotFoundError as missing:
    if (missing.name or "").partition(".")[0] != "langchain_core":
        raise
    raise ModuleNotFoundError(
        'SentrialCallbackHandler needs langchain-core: pip install "sentrial-otel[langchain]"', name=missing.name
    ) from None

__all__ = [
    "LANGCHAIN_MAJOR_VERSION",
    "LANGCHAIN_VERSION",
    "SentrialCallbackHandler",
    "create_agent_with_sentrial",
    "get_agent_executor",
    "get_openai_tools_agent_creator",
    "get_react_agent",
]


class SentrialCallbackHandler(RunHandler):
    """Records every model call, tool, retriever, agent and graph of the runs that it is given to.

    One handler may serve many runs, threads and tasks at once. Its totals are those of all of them.

    Args:
        client: whose session it is; the process's own client, if not given.
        session_id: the session that all runs belong to: its id, or what ``begin()`` returned. If not given, each run
            belongs to the session that is current where it begins; where none is, one is opened around the outermost
            run, and ends with it.
        track_llm_calls: whether model calls get spans; they count in any case.
        verbose: taken, and not used: what is recorded is shown by ``sentrial sessions``.

    What is no client, and what is no session id, is said, and counts as not given.

    Raises:
        ValueError: with ``fail_silently=False`` in the client, for what cannot be used.
    """

    def __init__(
        self,
        client: SentrialClient | AsyncSentrialClient | None = None,
        session_id: str | Interaction | AsyncInteraction | None = None,
        track_llm_calls: bool = True,
        verbose: bool = False,
    ) -> None:
        self.client = client
        self.session_id = session_id
        self.track_llm_calls = track_llm_calls
        self.verbose = verbose
        super().__init__(self._recorder_here())
        self._set_up()

    def _recorder_here(self) -> Recorder:
        return Recorder(_SessionsOf(self), models=self.track_llm_calls)

    @_guard.guarded("setting up a handler", _guard.nothing)
    def _set_up(self) -> None:
        _setup.ensure()
        with _guard.raising(not self._client().fail_silently):
            self._given()

    # --- what the runs add up to -------------------------------------------------------------------------------------

    @property
    def llm_calls(self) -> int:
        """How many model calls were answered."""
        return self._recorder.counters.llm_calls

    @property
    def total_tokens(self) -> int:
        """All tokens of those calls, as the providers count them: cached and reasoning tokens included."""
        return self._recorder.counters.total_tokens

    @property
    def total_prompt_tokens(self) -> int:
        """Their input tokens, cached ones included."""
        return self._recorder.counters.input_tokens

    @property
    def total_completion_tokens(self) -> int:
        """Their output tokens, reasoning included."""
        return self._recorder.counters.output_tokens

    @property
    def total_cost(self) -> float:
        """Dollars of those calls, as the provider states or else by genai-prices (extra ``cost``); a call without
        either adds nothing."""
        return self._recorder.counters.total_cost

    @property
    def step_count(self) -> int:
        """How often an agent chose what to do next."""
        return self._recorder.counters.steps

    @property
    def model_name(self) -> str | None:
        """The model that answered last."""
        return self._recorder.counters.model

    @property
    def user_input(self) -> str | None:
        """What was given by :meth:`set_input`."""
        return self._recorder.counters.given

    @property
    def assistant_output(self) -> str | None:
        """What a model or an agent said last."""
        return self._recorder.counters.gave

    @property
    def last_llm_reasoning(self) -> str | None:
        """What a model wrote last behind ``Thought:``."""
        return self._recorder.counters.reasoning

    @property
    def start_time(self) -> float | None:
        """When the first run began, in seconds since the epoch."""
        return self._recorder.counters.began

    @property
    def end_time(self) -> float | None:
        """When the last model call ended, in seconds since the epoch."""
        return self._recorder.counters.ended

    @property
    def duration_ms(self) -> int:
        """Milliseconds between the two; 0 before a model has answered."""
        return self._recorder.counters.duration_ms

    @property
    def tool_runs(self) -> dict[str, Any]:
        """The tools that run now: their names, by run."""
        return {str(run.id): run.name for run in self._recorder.runs.open() if run.kind == kinds.TOOL}

    @property
    def pending_actions(self) -> dict[str, Any]:
        """What older agents have chosen and not yet done: actions, by run."""
        return {str(run.id): list(run.actions) for run in self._recorder.runs.open() if run.actions}

    def get_usage_summary(self) -> dict[str, Any]:
        """The totals: ``llm_calls``, ``total_prompt_tokens``, ``total_completion_tokens``, ``total_tokens``,
        ``total_cost`` (dollars), ``model`` and ``duration_ms``."""
        return {
            "llm_calls": self.llm_calls,
            "total_prompt_tokens": self.total_prompt_tokens,
            "total_completion_tokens": self.total_completion_tokens,
            "total_tokens": self.total_tokens,
            "total_cost": self.total_cost,
            "model": self.model_name,
            "duration_ms": self.duration_ms,
        }

    def set_input(self, user_input: str) -> None:
        """What the user said, for a session that was opened without."""
        self._recorder.counters.given = user_input

    @_guard.guarded("finishing a handler", dict)
    def finish(
        self,
        success: bool = True,
        failure_reason: str | None = None,
        custom_metrics: Mapping[str, float] | None = None,
    ) -> dict[str, Any]:
        """Complete the handler's session, with what was said and the totals of its events.

        Returns:
            What the session became; ``{}`` where it had ended already, or where the handler has none of its own.

        Raises:
            ValueError: with ``fail_silently=False`` in the client, for what cannot be used.
        """
        session = self._given()
        if session is None:
            return {}
        return end(
            session,
            Ending(
                success=success,
                failure_reason=failure_reason,
                input=self.user_input,
                output=self.assistant_output,
                custom_metrics=custom_metrics,
            ),
            loud=self.client is not None and not self._client().fail_silently,
        )

    def _client(self) -> SentrialClient:
        client = self.client
        if _guard.is_a(client, AsyncSentrialClient):
            return client._behind
        return client if _guard.is_a(client, SentrialClient) else default_client()

    def _given(self) -> Session | None:
        """The session that the handler was made for."""
        session = None if self.session_id is None else self._client()._look_up(self.session_id)
        if self.client is not None and not _guard.is_a(self.client, SentrialClient, AsyncSentrialClient):
            _guard.refuse(
                "a handler's client",
                "sentrial: the client of a SentrialCallbackHandler is %s, and not used: give SentrialClient(...), then "
                "the session id. More of this kind is not logged.",
                # A text that is no session's id may be a key.
                "a text" if _guard.is_a(self.client, str) and not parse_id(self.client) else _guard.shown(self.client),
            )
        elif self.session_id is not None and session is None:
            _guard.refuse(
                "a handler's session", "sentrial: %s More of this kind is not logged.", no_session_id(self.session_id)
            )
        return session


def create_agent_with_sentrial(
    llm: Any,
    tools: Sequence[Any],
    client: SentrialClient,
    agent_name: str,
    user_id: str | None = "anonymous",
    verbose: bool = False,
) -> Callable[[str], str]:
    """Make an agent, by LangChain's ``create_agent``, each call of which is a session.

    Args:
        llm: the model.
        tools: what it may use.
        client: whose sessions they are.
        agent_name: the agent's name.
        user_id: whose interactions they are.
        verbose: taken, and not used.

    Returns:
        The agent: it takes a question and gives the answer's text. What the agent raises, it raises.

    Raises:
        ImportError: where ``langchain`` is not installed.
    """
    agent = get_create_agent()(llm, tools)

    def run_agent(query: str) -> str:
        with client.begin(user_id, agent_name, query) as session:
            handler = SentrialCallbackHandler(client, session.session_id, verbose=verbose)
            result = agent.invoke({"messages": [("user", query)]}, {"callbacks": [handler]})
            text = str(result["messages"][-1].text)
            session.set_output(text)
            return text

    return run_agent


class _SessionsOf:
    """Where the runs of a handler belong."""

    def __init__(self, handler: SentrialCallbackHandler) -> None:
        self._handler = handler

    def given(self) -> Session | None:
        return self._handler._given()

    def open(self, opening: Opening) -> Session | None:
        client = self._handler._client()
        session = _open_sessions.open_around(opening, client._account_now())
        session.client = client
        return session
