"""The root of a session that begins by itself: where it stands, and how it ends."""

from __future__ import annotations

from opentelemetry import trace
from opentelemetry.context import Context

from sentrial import _config, _session, semconv
from sentrial._ambient import Told
from sentrial._session import Session
from sentrial._spans import failure, root
from sentrial._spans.root import Ending, Opening


def open_root(opening: Opening, context: Context, since: int) -> Session:
    """Open a session that began at ``since`` (nanoseconds since the epoch).

    It lies in the trace of what is current in ``context``, where that is one: the spans of a request that belong to the
    session are there, and whoever sampled the request has sampled the session.
    """
    root.end_idle(_config.active.session_timeout)
    session = root.start(opening, context, start_time=since)
    session.auto = True
    if trace.get_current_span(context).get_span_context().is_valid:
        # Sentrial makes one session of one trace, and this one is shared with the request and others of its sessions.
        session.trace_id_for_sentrial = _session.trace_id_apart(session.context)
    return session


def end_root(session: Session, told: Told, end_time: int | None) -> None:
    """End a session as what it was made for has ended, at ``end_time``; now, if that is ``None``."""
    outcome, error = semconv.OUTCOME_COMPLETED, told.error
    left = None if error is None else failure.outcome_of_control_flow(error)
    if told.cancelled:
        left = semconv.OUTCOME_CANCELLED
    if left is not None:
        outcome, error = left, None
    elif told.failed or error is not None:
        outcome = semconv.OUTCOME_FAILED
    root.end_session(
        session,
        Ending(
            outcome,
            failure_reason=told.reason if outcome == semconv.OUTCOME_FAILED else None,
            error=error,
            error_type=told.error_type,
            end_time=end_time,
        ),
    )
