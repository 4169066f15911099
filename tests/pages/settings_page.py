"""docs/settings.md, as the table of settings makes it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import sentrial
from sentrial._settings import SETTINGS

_HEAD = """\
# Settings

An argument of `sentrial.configure()` counts first, then its variable, then, where there is one, OpenTelemetry's
standard variable, then the default. A value that makes no sense is named in one warning and ignored, and so is an
argument that there is none of; with `configure(..., fail_silently=False)` both raise `ValueError`. `sentrial doctor`
shows what is in force, and from where.

This page is made of the code: change the words in `src/sentrial/_settings.py`.

| argument | variable | default | meaning |
| --- | --- | --- | --- |
"""

_TAIL = """
Where a provider of ours is built, `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_SPAN_*` limits and
`OTEL_TRACES_SAMPLER` count as usual, and `OTEL_TRACES_EXPORTER` says whether a collector gets its spans: a list without
`otlp` leaves it out, and with `sentrial` in it sessions of your own provider, too, are kept in the local store where
there is no key.
`OTEL_PYTHON_DISABLED_INSTRUMENTATIONS` leaves out libraries by name, however ours is started: see [model
clients](instrumentation.md#switching).
"""


def settings_page() -> str:
    """The whole page."""
    return _HEAD + "".join(_rows()) + _TAIL


def in_code() -> set[str]:
    """The settings that ``configure()`` takes."""
    return set(inspect.signature(sentrial.configure).parameters) & SETTINGS.keys()


def _rows() -> Iterator[str]:
    arguments = in_code()
    for name, setting in SETTINGS.items():
        variables = ", ".join(f"`{variable}`" for variable in (*setting.variables, *setting.standard))
        argument = f"`{name}`" if name in arguments else "none"
        yield f"| {argument} |{f' {variables}' if variables else ''} | {setting.default} | {setting.meaning} |\n"
