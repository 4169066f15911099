"""SessionContext of the older SDK: a session as a block."""

from __future__ import annotations

from types import TracebackType

from sentrial._decorated.session import client_for
from sentrial.client import SentrialClient
from sentrial.interaction import Interaction


class SessionContext:
    """``with`` or ``async with``: a session for the block, as ``with sentrial.begin(...)`` is one.

    Args:
        user_id: whose interaction it is.
        agent: the agent's name.
        input: what the user said.
        client: whose account it goes to; else that of the session around, else the process's.
    """

    def __init__(
        self,
        user_id: str | None,
        agent: str,
        input: object = None,  # noqa: A002 - the name that begin() has for it
        client: SentrialClient | None = None,
    ) -> None:
        self.user_id = user_id
        self.agent = agent
        self.input = input
        self._client = client
        self._interaction: Interaction | None = None

    @property
    def session_id(self) -> str | None:
        """The session's id; ``None`` before the block."""
        return self._interaction.session_id if self._interaction is not None else None

    @property
    def interaction(self) -> Interaction | None:
        """The session as an object; ``None`` before the block."""
        return self._interaction

    def set_output(self, output: object) -> None:
        """What the agent answered."""
        if self._interaction is not None:
            self._interaction.set_output(output)

    def __enter__(self) -> SessionContext:
        interaction = client_for(self._client).begin(self.user_id, self.agent, self.input)
        self._interaction = interaction.__enter__()
        return self

    async def __aenter__(self) -> SessionContext:
        return self.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._interaction is not None:
            self._interaction.__exit__(kind, error, trace)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)
