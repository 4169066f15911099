"""Which spans outside sessions are of interest to Sentrial, and what is said about their traces."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from opentelemetry.sdk.trace import ReadableSpan

from sentrial import _config, _guard, semconv
from sentrial._session import Account


@dataclass(frozen=True)
class AiRules:
    """The wishes of one span processor.

    Attributes:
        filter_ai_spans: whether AI spans alone are sent.
        custom_filter: the application's own word about an ended span; ``None`` leaves it to ``filter_ai_spans``.
        project: the agent's name where a trace says none.
        user_id_attribute: under which attribute the application keeps its user.
        api_key: the key to send with; ``None`` takes the one in force.
        api_url: where to send; ``None`` takes the one in force.
    """

    filter_ai_spans: bool = True
    custom_filter: Callable[[ReadableSpan], bool | None] | None = None
    project: str | None = None
    user_id_attribute: str = semconv.USER_ID
    api_key: str | None = None
    api_url: str | None = None

    def __repr__(self) -> str:
        return f"AiRules(project={self.project!r})"

    @property
    def account(self) -> Account | None:
        """Where the spans go, as things stand; ``None`` without any key."""
        key = self.api_key or _config.active.api_key
        return Account(self.api_url or _config.active.api_url, key) if key is not None else None

    def wants(self, span: ReadableSpan) -> bool:
        """Whether ``span``, which has ended, is to be sent."""
        if self.custom_filter is not None:
            try:
                opinion = self.custom_filter(span)
            except Exception as error:  # noqa: BLE001 - the application's own code
                _guard.say_once(
                    "custom_filter",
                    "sentrial: the custom_filter of a SentrialSpanProcessor failed (%s: %s); where it fails, "
                    "filter_ai_spans decides.",
                    type(error).__name__,
                    _guard.shown(error, str),
                )
                opinion = None
            if opinion is not None:
                return bool(opinion)
        return not self.filter_ai_spans or is_ai(span)

    def will_want(self, span: ReadableSpan) -> bool:
        """Whether ``span``, which still runs, is to be sent whatever comes: attributes are added, never taken away."""
        return self.custom_filter is None and (not self.filter_ai_spans or is_ai(span))


def is_ai(span: ReadableSpan) -> bool:
    """Whether ``span`` comes from a model, an agent or a framework for them, as its attributes and its scope say.

    Its name says nothing: ``generate_invoice_pdf`` is no model call.
    """
    scope = span.instrumentation_scope
    if scope is not None and f"{scope.name}.".startswith(semconv.AI_PREFIXES):
        return True
    return any(key.startswith(semconv.AI_PREFIXES) for key in span.attributes or ())
