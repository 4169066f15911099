"""The names that the setting ``instrument`` gives of libraries: which are known, and what is meant by others."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sentrial import _guard
from sentrial._config import ARGUMENT, Config

OURS = "sentrial-"
"""What the names of our instrumentors begin with."""

_OTHER_WORDS = {"langgraph": "langchain", "google-genai": "google", "gemini": "google", "claude": "anthropic"}
_SHOWN = 20


def named(config: Config, known: Collection[str]) -> Sequence[str] | None:
    """What the setting names of what is ``known``; ``None`` for all, as where it names nothing that is."""
    if not config.instrument:
        return config.instrument
    return [name for name in config.instrument if name in known] or None


def unknown(config: Config, known: Collection[str]) -> tuple[str, str] | None:
    """What the setting names that is not ``known``, and what is recorded now, a sentence each; ``None``: nothing."""
    strange = sorted(set(config.instrument or ()) - set(known))
    if not strange:
        return None
    source = config.sources.get("instrument", ARGUMENT)
    said = ", ".join(_guard.shown(name) + _meant(name, known) for name in strange[:_SHOWN])
    counting = named(config, known)
    everything = ", ".join(sorted(known))
    return (
        f"{'instrument=' if source == ARGUMENT else source} names {said}, and no library is known by that name.",
        f"It is ignored, and all that are known are recorded: {everything}."
        if counting is None
        else f"Recorded of what it names: {', '.join(counting)}. Known are: {everything}.",
    )


def _meant(name: str, known: Collection[str]) -> str:
    plain = name.removeprefix(OURS)
    plain = _OTHER_WORDS.get(plain, plain)
    if plain in known:
        return f" (say {plain})"
    if ";" in name or len(name.split()) > 1:
        return " (put commas between names)"
    from difflib import get_close_matches  # not before somebody mistypes

    nearest = get_close_matches(plain, known, 1)
    return f" (did you mean {nearest[0]}?)" if nearest else ""
