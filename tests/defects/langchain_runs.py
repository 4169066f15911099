"""What the programs about LangChain share: the handler of a session, and a model that answers as it is told."""

from __future__ import annotations

from typing import Any

QUESTION = "Where is my parcel?"


def client_and_handler() -> tuple[Any, Any]:
    """The handler of a session of alice's, and the client that completes it."""
    import sentrial
    from sentrial.langchain import SentrialCallbackHandler

    client = sentrial.SentrialClient()
    session_id = client.create_session(name="Parcels", agent_name="agent", user_id="alice")
    return client, SentrialCallbackHandler(client, session_id)


def model(*answers: Any) -> Any:
    """A chat model of OpenAI's, as it says, that gives ``answers``, texts or messages, and takes any tools."""
    from langchain_core.language_models.fake_chat_models import GenericFakeChatModel

    class Told(GenericFakeChatModel):
        def bind_tools(self, tools: Any, **more: Any) -> Any:
            return self

        def _get_ls_params(self, stop: Any = None, **more: Any) -> Any:
            return {"ls_provider": "openai", "ls_model_type": "chat"}

    return Told(messages=iter(answers))


def raised(work: Any) -> str | None:
    """The kind of exception that came of ``work``."""
    try:
        work()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what the program saw
        return type(error).__name__
    return None
