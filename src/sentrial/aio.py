"""The names that the older SDK had for asynchronous code: doors to the same flow, which waits for nothing.

Nothing here needs ``await``: the client and the interaction without "async" do the same, in any task.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Coroutine, Mapping
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, TypeVar

from sentrial import process
from sentrial._unknown_arguments import lenient
from sentrial.client import SentrialClient
from sentrial.events import OfSession
from sentrial.interaction import Interaction

P = ParamSpec("P")
R = TypeVar("R")


def _through(method: Callable[Concatenate[Any, P], R]) -> Callable[Concatenate[Any, P], R]:
    """``method`` of the object behind the door."""

    @functools.wraps(method)
    def call(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return method(self._behind, *args, **kwargs)

    return call


def _awaited(
    method: Callable[Concatenate[Any, P], R],
) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, R]]:
    """``method`` of the object behind the door, to be awaited."""

    @functools.wraps(method)
    async def call(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return method(self._behind, *args, **kwargs)

    return call


class AsyncInteraction(OfSession):
    """An :class:`Interaction` whose methods are awaited: ``async with await client.begin(...) as interaction``.

    Attributes:
        client: the client that began it.
        user_input: what ``begin`` was given as input.
    """

    def __init__(self, client: AsyncSentrialClient, interaction: Interaction, user_input: object = None) -> None:
        self._behind = interaction
        self._session = interaction._session
        self.client = client
        self.session_id = interaction.session_id
        self.event_id = interaction.event_id
        self.user_id = interaction.user_id
        self.event = interaction.event
        self.user_input = user_input

    @property
    def total_prompt_tokens(self) -> int:
        """Input tokens that :meth:`add_tokens` was given."""
        return self._behind.total_prompt_tokens

    @property
    def total_completion_tokens(self) -> int:
        """Output tokens that :meth:`add_tokens` was given."""
        return self._behind.total_completion_tokens

    @property
    def total_tokens(self) -> int:
        """Both."""
        return self.total_prompt_tokens + self.total_completion_tokens

    @property
    def total_cost(self) -> float:
        """Dollars that :meth:`add_tokens` was given."""
        return self._behind.total_cost

    tool = _through(Interaction.tool)
    llm = _through(Interaction.llm)
    decision = _through(Interaction.decision)
    add_tokens = _through(Interaction.add_tokens)
    set_output = _through(Interaction.set_output)
    export = _through(Interaction.export)
    track_tool_call = _awaited(Interaction.track_tool_call)
    track_decision = _awaited(Interaction.track_decision)
    track_llm_call = _awaited(Interaction.track_llm_call)
    track_error = _awaited(Interaction.track_error)
    finish = _awaited(Interaction.finish)

    async def __aenter__(self) -> AsyncInteraction:
        self._behind.__enter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._behind.__exit__(kind, error, trace)


class AsyncSentrialClient:
    """A :class:`SentrialClient` whose methods are awaited; the arguments are the same."""

    @lenient()
    def __init__(self, api_url: str | None = None, api_key: str | None = None, fail_silently: bool = True) -> None:
        self._hold(SentrialClient(api_url, api_key, fail_silently))

    @classmethod
    def of(cls, client: SentrialClient) -> AsyncSentrialClient:
        """The asynchronous door to ``client``."""
        self = cls.__new__(cls)
        self._hold(client)
        return self

    def _hold(self, client: SentrialClient) -> None:
        self._behind = client
        self.api_url = client.api_url
        self.api_key = client.api_key
        self.fail_silently = client.fail_silently

    create_session = _awaited(SentrialClient.create_session)
    track_tool_call = _awaited(SentrialClient.track_tool_call)
    track_decision = _awaited(SentrialClient.track_decision)
    track_llm_call = _awaited(SentrialClient.track_llm_call)
    track_error = _awaited(SentrialClient.track_error)
    complete_session = _awaited(SentrialClient.complete_session)
    attach = _through(SentrialClient.attach)
    update_state = _through(SentrialClient.update_state)
    calculate_openai_cost = staticmethod(SentrialClient.calculate_openai_cost)
    calculate_anthropic_cost = staticmethod(SentrialClient.calculate_anthropic_cost)
    calculate_google_cost = staticmethod(SentrialClient.calculate_google_cost)

    @property
    def current_state(self) -> dict[str, Any]:
        """See :attr:`SentrialClient.current_state`."""
        return self._behind.current_state

    @current_state.setter
    def current_state(self, state: Mapping[str, Any]) -> None:
        self._behind.current_state = state

    async def begin(
        self,
        user_id: str | None,
        event: str,
        input: object = None,  # noqa: A002 - the name that the users of the old SDK know
        event_id: str | None = None,
        convo_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> AsyncInteraction:
        """Open a session, and make it current in this task until its ``finish()``; see :func:`sentrial.begin`."""
        return AsyncInteraction(self, self._behind.begin(user_id, event, input, event_id, convo_id, metadata), input)

    async def close(self) -> None:
        """See :meth:`SentrialClient.close`; the event loop goes on meanwhile."""
        await asyncio.to_thread(self._behind.close)

    async def __aenter__(self) -> AsyncSentrialClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


async def configure_async(api_key: str | None = None, api_url: str | None = None, fail_silently: bool = True) -> None:
    """Set up the account, and leave what :func:`sentrial.configure` has set up besides as it is."""
    process.configure_client(api_key, api_url, fail_silently)


async def begin_async(
    user_id: str | None,
    event: str,
    input: object = None,  # noqa: A002 - the name that the users of the old SDK know
    event_id: str | None = None,
    convo_id: str | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> AsyncInteraction:
    """The same as :func:`sentrial.begin`, with methods to be awaited."""
    client = AsyncSentrialClient.of(process.default_client())
    return await client.begin(user_id, event, input, event_id, convo_id, metadata)
