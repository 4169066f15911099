"""Whose tokens a fetched answer brings: those of the session that had it made, once."""

from __future__ import annotations

import pytest

from sentrial._session import Session
from sentrial._spans import llm, pending, root
from sentrial._spans.pending import MAX_PENDING
from sentrial._spans.root import Opening
from sentrial.types import LlmRequest, LlmResponse, Usage

TOKENS = Usage(input_tokens=1500, output_tokens=96)


def begin(session: Session, response_id: str = "resp_1") -> None:
    """A model call whose answer is made in the background."""
    call = llm.begin(LlmRequest("chat", "openai", "gpt-5-mini"), session=session)
    call.succeed(LlmResponse(id=response_id, model="gpt-5-mini", pending=True))


def fetch(session: Session, response: LlmResponse) -> None:
    llm.begin(LlmRequest("fetch_response", "openai", response_id=response.id), session=session).succeed(response)


def made(response_id: str = "resp_1") -> LlmResponse:
    return LlmResponse(id=response_id, model="gpt-5-mini", made_usage=TOKENS)


def counted(session: Session) -> tuple[int, int | None, int | None, int]:
    totals = session.totals
    return totals.llm_calls, totals.input_tokens, totals.output_tokens, len(totals.calls)


def test_the_first_fetch_that_finds_it_made_counts_and_no_other(session: Session) -> None:
    begin(session)
    fetch(session, LlmResponse(id="resp_1", pending=True))
    assert counted(session) == (1, None, None, 0)
    fetch(session, made())
    fetch(session, made())
    assert counted(session) == (1, 1500, 96, 1)


@pytest.mark.parametrize("response_id", ["resp_2", None])
def test_what_was_made_elsewhere_is_counted_there(session: Session, response_id: str | None) -> None:
    begin(session)
    fetch(session, LlmResponse(id=response_id, made_usage=TOKENS))
    other = root.open_session(Opening("other", "u2"), nested=False)
    fetch(other, made())
    assert counted(session) == (1, None, None, 0)
    assert counted(other) == (0, None, None, 0)


def test_it_counts_for_the_agent_that_had_it_made_and_those_around(session: Session) -> None:
    inner = Session(session.span, session.context, agent_name="inner", user_id=None, parent=session)
    beside = Session(session.span, session.context, agent_name="beside", user_id=None, parent=session)
    begin(inner)
    fetch(beside, made())
    assert counted(inner) == counted(session) == (1, 1500, 96, 1)
    assert counted(beside) == (0, None, None, 0)


def test_no_more_are_waited_for_than_a_session_can_need(session: Session) -> None:
    for number in range(MAX_PENDING + 1):
        pending.remember(session, LlmResponse(id=f"resp_{number}", pending=True))
    assert len(session.pending) == MAX_PENDING
    assert pending.take(session, made("resp_0")) is None
    assert pending.take(session, made("resp_1")) is session
