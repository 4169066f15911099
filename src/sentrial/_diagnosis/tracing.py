"""The TracerProvider as it is found: whose it is, what samples, who listens, and whether we do."""

from __future__ import annotations

import re
from typing import Any

from opentelemetry.trace import TracerProvider

from sentrial._config import Config
from sentrial._diagnosis.finding import Finding, note, problem
from sentrial._export import provider as providers
from sentrial._export.provider import SessionSampler
from sentrial._patch import propagator

NONE = "none"
OURS = "ours"
JOINED = "joined"
NOT_JOINED = "not joined"
FOREIGN = "foreign"

_DROPS_ALL = re.compile(r"AlwaysOff|TraceIdRatioBased\{0(\.0*)?\}")
_ROOT_OF_PARENT_BASED = re.compile(r"ParentBased\{root:(.*?)(,remoteParentSampled|$)", re.DOTALL)


def read_tracing(config: Config) -> dict[str, Any]:
    """The global provider.

    ``kind``: ``none`` (ours is built when the first span is wanted), ``ours``, ``joined`` (the application's, with a
    processor of ours), ``not joined`` (the application's, before our first span) or ``foreign`` (one that takes no
    processors). ``sessions_propagated``: whether the global propagator asks ours; ``None`` where none is wanted.
    """
    found = providers.find_provider()
    told = {"sessions_propagated": propagator.is_asked()}
    if found is None:
        return {"kind": NONE, "provider": None, "sampler": _sampler_to_come(config), "processors": [], **told}
    processors = processors_of(found)
    sampler = getattr(found, "sampler", None)
    return {
        "kind": _kind(found, processors, sampler),
        "provider": _name(found),
        "sampler": sampler.get_description() if sampler is not None else None,
        "processors": [_described(each) for each in processors],
        **told,
    }


def findings_of(tracing: dict[str, Any], config: Config) -> list[Finding]:
    """What is the matter with it."""
    found = []
    kind, sampler = tracing["kind"], tracing["sampler"]
    if sampler is not None and drops_all(sampler):
        remedy = "Change the sampler of your own TracerProvider."
        if kind in (NONE, OURS):
            remedy = "Set SENTRIAL_SAMPLE_RATE (or sample_rate=) above 0, and OTEL_TRACES_SAMPLER to another sampler."
        found.append(problem("sampler-drops-all", f"the sampler drops every session: {sampler}", remedy))
    if kind in (JOINED, NOT_JOINED) and config.sample_rate is not None:
        found.append(
            note(
                "sample-rate-unused",
                "the sample rate is not used: the sampler of your own TracerProvider decides",
                "Set the rate there.",
            )
        )
    if kind == FOREIGN:
        found.append(
            note(
                "provider-foreign",
                f"the global TracerProvider ({tracing['provider']}) takes no span processors: sessions go through a "
                "private one of ours, and its exporters do not see them",
            )
        )
    if tracing["sessions_propagated"] is False:
        found.append(
            problem(
                "propagator-replaced",
                "a global propagator was set after sentrial.configure(), in the place of the one that takes sessions "
                "along: they neither leave to other processes nor are received",
                "Set it before sentrial.configure(), or call sentrial.configure() again afterwards.",
            )
        )
    return found


def drops_all(description: str) -> bool:
    """Whether a sampler that describes itself so keeps no trace."""
    if description.startswith("SessionSampler("):
        description = description.removeprefix("SessionSampler(").removesuffix(")")
    root = _ROOT_OF_PARENT_BASED.match(description)
    return _DROPS_ALL.match(root[1] if root is not None else description) is not None


def processors_of(provider: TracerProvider) -> list[Any]:
    """The span processors of an SDK provider; none of another's.

    By private names, and the same from the lowest version that we support to the newest: there is no other way to ask.
    """
    composite = getattr(provider, "_active_span_processor", None)
    return list(getattr(composite, "_span_processors", ()))


def _kind(provider: TracerProvider, processors: list[Any], sampler: object) -> str:
    if isinstance(sampler, SessionSampler):
        return OURS
    if any(_is_ours(each) for each in processors):
        return JOINED
    return NOT_JOINED if hasattr(provider, "add_span_processor") else FOREIGN


def _sampler_to_come(config: Config) -> str:
    if config.sample_rate is not None:
        return f"TraceIdRatioBased{{{config.sample_rate}}}"
    return SessionSampler().get_description()


def _described(processor: object) -> str:
    """A processor by its class, with that of its exporter."""
    batch = getattr(processor, "_batch_processor", processor)
    exporter = getattr(processor, "span_exporter", None) or getattr(batch, "_exporter", None)
    words = type(processor).__qualname__
    if _is_ours(processor):
        words = f"sentrial's {words}"
    return words if exporter is None else f"{words}({type(exporter).__qualname__})"


def _is_ours(processor: object) -> bool:
    return type(processor).__module__.partition(".")[0] == __name__.partition(".")[0]


def _name(found: object) -> str:
    return f"{type(found).__module__}.{type(found).__qualname__}"
