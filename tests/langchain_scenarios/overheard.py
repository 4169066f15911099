"""What LangChain tells a callback handler of its calls to models, as it came."""

from __future__ import annotations

from typing import Any

from langchain_core.callbacks import BaseCallbackHandler

from sentrial._frameworks.langchain.answer import read_response
from sentrial._frameworks.langchain.request import read_request
from sentrial._snapshot import Tally, snapshot
from sentrial.types import Deferred, LlmRequest, LlmResponse


class Overheard(BaseCallbackHandler):
    """Keeps what the last call was and what it gave; pass ``asking`` as a run's config."""

    def __init__(self) -> None:
        self.began: dict[str, Any] = {}
        self.result: Any = None

    @property
    def asking(self) -> dict[str, Any]:
        """The config of a run that is to be overheard."""
        return {"callbacks": [self]}

    @property
    def request(self) -> LlmRequest:
        """What the last call was, as we read it."""
        return read_request(**self.began)

    @property
    def response(self) -> LlmResponse:
        """What the last call gave, as we read it."""
        return read_response(self.result)

    def on_chat_model_start(self, serialized: Any, messages: Any, **said: Any) -> None:
        """Keep it."""
        self._keep("chat", serialized, messages, said)

    def on_llm_start(self, serialized: Any, prompts: Any, **said: Any) -> None:
        """Keep it."""
        self._keep("text_completion", serialized, prompts, said)

    def on_llm_end(self, response: Any, **_: Any) -> None:
        """Keep it."""
        self.result = response

    def on_llm_error(self, error: BaseException, **said: Any) -> None:
        """Keep what came before."""
        self.result = said.get("response")

    def _keep(self, operation: str, serialized: Any, given: Any, said: dict[str, Any]) -> None:
        self.began = {
            "operation": operation,
            "serialized": serialized,
            "given": given,
            "invocation_params": said.get("invocation_params"),
            "metadata": said.get("metadata"),
        }


def read(deferred: Deferred[Any] | None) -> Any:
    """What is deferred, read from its snapshot as our own thread does it, as JSON objects."""
    assert deferred is not None
    found = deferred.read(snapshot(deferred.value, Tally()))
    return [each.to_json() if hasattr(each, "to_json") else each for each in found]
