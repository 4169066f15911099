"""What the objects of client libraries mean. One file a client, one line here."""

from __future__ import annotations

from collections.abc import Sequence

from sentrial._patch.spec import Provider
from sentrial._providers import anthropic, google, openai

PROVIDERS: Sequence[Provider] = (anthropic.PROVIDER, google.PROVIDER, openai.PROVIDER)
