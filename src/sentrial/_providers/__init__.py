"""What the objects of client libraries mean. One file a kind of call, one line here."""

from __future__ import annotations

from collections.abc import Sequence

from sentrial._patch.spec import Provider
from sentrial._providers import openai_chat

PROVIDERS: Sequence[Provider] = (openai_chat.PROVIDER,)
