"""What frameworks that call us back mean by what they tell: one folder a framework."""

from __future__ import annotations

from collections.abc import Sequence

from sentrial._frameworks.langchain import hook
from sentrial._patch.spec import Framework, Target

LANGCHAIN = Framework(
    "langchain",
    Target("langchain_core.tracers.context", None, "register_configure_hook"),
    hook.install,
    hook.uninstall,
    surfaces=(Target("langchain_core.callbacks.base", "BaseCallbackManager", "__init__"),),
)

FRAMEWORKS: Sequence[Framework] = (LANGCHAIN,)
"""All of them."""
