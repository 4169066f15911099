"""Handlers of the program's that LangChain would leave out because ours are there.

Where one handler is to run inline, ``AsyncCallbackManager.on_llm_start`` tells no other of a completion model's start.
Ours have to run inline. So that nobody misses anything for it, LangChain tells the others without knowing of ours.
"""

from __future__ import annotations

import copy
import functools
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sentrial import _guard

if TYPE_CHECKING:
    from langchain_core.callbacks import AsyncCallbackManager, BaseCallbackHandler

_MARK = "_sentrial_tells_all"


@_guard.guarded("letting LangChain tell all handlers", _guard.nothing)
def tell_all(ours: type[BaseCallbackHandler]) -> None:
    """Let nobody be left out because a handler of the class ``ours`` is there; a second time does nothing."""
    from langchain_core.callbacks.manager import AsyncCallbackManager, ahandle_event

    original: Any = AsyncCallbackManager.on_llm_start
    if hasattr(original, _MARK):
        return

    @functools.wraps(original)
    async def on_llm_start(
        self: AsyncCallbackManager,
        serialized: dict[str, Any],
        prompts: list[str],
        run_id: UUID | None = None,
        **kwargs: Any,
    ) -> Any:
        inline = [handler for handler in self.handlers if isinstance(handler, ours) and handler.run_inline]
        if not inline or all(handler.run_inline for handler in self.handlers):
            return await original(self, serialized, prompts, run_id, **kwargs)
        others = copy.copy(self)
        others.handlers = [handler for handler in self.handlers if handler not in inline]
        runs = await original(others, serialized, prompts, run_id, **kwargs)
        for run, prompt in zip(runs, prompts, strict=True):
            run.handlers = self.handlers
            await ahandle_event(
                inline,
                "on_llm_start",
                "ignore_llm",
                serialized,
                [prompt],
                run_id=run.run_id,
                parent_run_id=self.parent_run_id,
                tags=self.tags,
                metadata=self.metadata,
                **kwargs,
            )
        return runs

    setattr(on_llm_start, _MARK, True)
    AsyncCallbackManager.on_llm_start = on_llm_start  # type: ignore[method-assign]  # to replace it is the point
