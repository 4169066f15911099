"""The configuration as it was resolved, and where each value came from. Keys are never shown whole."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Collection
from typing import Any

from sentrial import _library_names
from sentrial._config import ARGUMENT, Config
from sentrial._diagnosis.finding import Finding, note, problem
from sentrial._pii import PiiConfig
from sentrial._setting_values import ALL, AUTO_OFF, CAPTURE_OFF, DEFAULT_API_URL, NONE, STORE_OFF
from sentrial._settings import SETTINGS

DEFAULT = "default"

_SECRETS = ("api_key", "pii_key")
_TELLING = 12
"""A key shorter than that shows nothing of itself: four of its characters would be too many."""

_OTHERS_OF_OURS = frozenset({"SENTRIAL_PROJECT", "SENTRIAL_RUN_SESSION"})
"""Variables that are read elsewhere than in :mod:`sentrial._config`."""

_IN_A_WORD = {("instrument", None): ALL, ("instrument", ()): NONE, ("auto_session", ()): AUTO_OFF, ("pii", None): False}
"""What is written of a setting to have a value that is no word itself."""

_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "grpc_proxy", "no_grpc_proxy")
_HIDDEN = re.compile(r"PASSWORD|SECRET|TOKEN|API_KEY", re.IGNORECASE)
_USER = re.compile(r"(^|//)[^/@]*@")


def read_settings(config: Config) -> dict[str, Any]:
    """Each setting with its value and source, and the variables of OpenTelemetry and of proxies that are set."""
    return {
        "settings": [
            {"name": name, "value": _value(name, config), "source": config.sources.get(name, DEFAULT)}
            for name in SETTINGS
        ],
        "variables": [{"name": name, "value": _shown(name, os.environ[name])} for name in _variables()],
    }


def findings_of(config: Config, libraries: Collection[str]) -> list[Finding]:
    """What the settings themselves give away. ``libraries``: the names that ``instrument`` may hold."""
    found = [problem("setting-unusable", words, "Correct the value, or take it away.") for words in config.problems]
    found += _of_switches(config, libraries)
    found += _of_the_key(config)
    found += _misspelled()
    return found


def _of_switches(config: Config, libraries: Collection[str]) -> list[Finding]:
    found = []
    if not config.enabled:
        source = config.sources.get("enabled", DEFAULT)
        found.append(
            problem(
                "switched-off",
                f"everything is switched off ({_named('enabled', 'false', source)}): nothing is recorded or sent",
                "Set enabled=True." if source == ARGUMENT else f"Unset {source}.",
            )
        )
    unknown = _library_names.unknown(config, libraries)
    if unknown is not None:
        found.append(problem("client-unknown", *unknown))
    if config.capture_content == CAPTURE_OFF:
        source = config.sources.get("capture_content", DEFAULT)
        found.append(
            note(
                "content-off",
                f"no content is recorded ({_named('capture_content', 'off', source)}): sessions arrive without "
                "prompts, answers, tool arguments and results",
            )
        )
    return found


def _of_the_key(config: Config) -> list[Finding]:
    if config.api_key is not None:
        if config.api_key.startswith("sentrial_"):
            return []
        return [
            note(
                "key-odd",
                f"the API key ({hidden(config.api_key)}) does not begin with sentrial_, as keys of Sentrial do",
                "If it is refused, copy it again from Sentrial's settings.",
            )
        ]
    if config.api_url != DEFAULT_API_URL:
        return [
            problem(
                "key-missing",
                f"Sentrial's address is set ({address(config.api_url)}), and no key: nothing is sent there",
                "Set SENTRIAL_API_KEY, or api_key= in configure().",
            )
        ]
    if not config.collector:
        stay = "sessions stay in the local store"
        if config.store == STORE_OFF:
            stay = f"no destination of ours gets sessions ({_named('store', STORE_OFF, config.sources['store'])})"
        return [
            note(
                "no-destination",
                f"no key and no collector is set: {stay}",
                "To send them to Sentrial, set SENTRIAL_API_KEY; to a collector, OTEL_EXPORTER_OTLP_ENDPOINT.",
            )
        ]
    return []


def known_variables() -> set[str]:
    """Every variable of ours that something reads."""
    return {variable for setting in SETTINGS.values() for variable in setting.variables} | _OTHERS_OF_OURS


def _misspelled() -> list[Finding]:
    known = known_variables()
    found = []
    for name in sorted(os.environ):
        if name.upper().startswith("SENTRIAL") and name not in known:
            meant = difflib.get_close_matches(name.upper(), known, 1, cutoff=0.8)
            if meant:
                found.append(
                    problem("variable-unknown", f"{name} is set, and nothing reads it", f"Did you mean {meant[0]}?")
                )
    return found


def hidden(key: str) -> str:
    """``key`` by its last four characters, no more."""
    return f"...{key[-4:]}" if len(key) >= _TELLING else "(set, not shown)"


def address(url: str) -> str:
    """``url`` without a user, a password and what stands behind a question mark."""
    return _USER.sub(r"\1", url).partition("?")[0]


def _named(setting: str, value: str, source: str) -> str:
    if source == ARGUMENT:
        return f"{setting}={value}, given in code"
    return f"{source}={os.environ.get(source, value)}"


def _value(name: str, config: Config) -> Any:
    """The value as it would be written to have it; ``None`` where there is none."""
    value = getattr(config, name)
    if name in _SECRETS:
        return None if value is None else hidden(value)
    if name == "otlp_endpoint" and value is None:
        value = os.environ.get(config.sources.get(name, ""))
    if name in ("api_url", "otlp_endpoint"):
        return None if value is None else address(value)
    if isinstance(value, PiiConfig):
        return value.mode
    if callable(value):
        return getattr(value, "__qualname__", type(value).__qualname__)
    value = _IN_A_WORD.get((name, value), value)
    return list(value) if isinstance(value, tuple) else value


def _variables() -> list[str]:
    proxies = {*_PROXIES, *(name.upper() for name in _PROXIES)}
    return sorted(name for name, text in os.environ.items() if text and (name.startswith("OTEL_") or name in proxies))


def _shown(name: str, text: str) -> str:
    if name.endswith("_HEADERS"):
        # Values of headers are keys, more often than not.
        names = (pair.partition("=")[0].strip() for pair in text.split(","))
        return ", ".join(f"{each}=..." for each in names if each)
    return "(not shown)" if _HIDDEN.search(name) else _USER.sub(r"\1", text)
