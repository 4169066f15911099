"""Libraries that are recorded without a configuration: their spans go to the application's provider, and nowhere else.

That is what OpenTelemetry's instrumentors do. A configuration, or the first session, may come at any time: then
everything is as if it had been there before.
"""

from __future__ import annotations

from opentelemetry import trace
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import TracerProvider

from sentrial import _config, _guard, _payload, _process_end, _setup, _switching
from sentrial._config import Config
from sentrial._export.pii import build_pii_masker
from sentrial._export.redact import SecretMasker
from sentrial._setting_values import CAPTURE_SPAN, STORE_OFF
from sentrial._spans import metrics, source


def instrument(
    name: str,
    tracer_provider: TracerProvider | None = None,
    meter_provider: MeterProvider | None = None,
    *,
    automatic: bool = False,
) -> None:
    """Record the calls of every client of the library ``name``.

    Args:
        name: the client, as users name it.
        tracer_provider: where all spans of ours go from now on; the global one, if not given.
        meter_provider: where their metrics go; the global one, if not given.
        automatic: whether nobody has asked for this library in particular, so that the settings have a say.
    """
    config = _config.active if _setup.is_set_up() else _config.read_config({})
    if not config.enabled:
        return
    names = _switching.wanted(config)
    if automatic and names is not None and name not in names:
        return
    if tracer_provider is not None and _is_provider(tracer_provider):
        _setup.use_provider(tracer_provider)
    if meter_provider is not None:
        metrics.use_provider(meter_provider)
    if not _setup.is_set_up():
        if not automatic and _names_a_place(config):
            _setup.ensure(patch=False)
        else:
            _stand_alone(config)
    _switching.switch_on(name)


def _is_provider(given: object) -> bool:
    if callable(getattr(given, "get_tracer", None)):
        return True
    _guard.say_once(
        "no tracer_provider",
        "sentrial: tracer_provider=%s is not usable: it must be a TracerProvider. The global one counts.",
        _guard.shown(given),
    )
    return False


def _names_a_place(config: Config) -> bool:
    """Whether the environment says where sessions go: that is a configuration."""
    return bool(config.api_key or config.store not in (None, STORE_OFF) or config.asked_for)


def _stand_alone(config: Config) -> None:
    _config.set_active(config)
    masker = SecretMasker(config.mask, build_pii_masker(config.pii, config.pii_key))
    on_span = config.capture_content == CAPTURE_SPAN
    _payload.set_policy(_payload.Policy(to_us=False, on_span=on_span, masker=masker))
    source.resolve_with(lambda: _setup.used_provider() or trace.get_tracer_provider())
    _process_end.call_at_end(_setup.shut_down)


@_guard.guarded("uninstrumenting", _guard.nothing)
def uninstrument(name: str) -> None:
    """Record no call of ``name`` any more, whoever has switched it on."""
    _switching.switch_off(name)
