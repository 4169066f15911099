"""The server answers 200 with a page of HTML: what becomes of the program's own result and own exception."""

from __future__ import annotations

import itertools
from typing import Any

from defects.seen import Seen, Verdict

VARIABLES = {"SENTRIAL_FLUSH_TIMEOUT": "1"}


def scene(receiver: Any) -> None:
    from receivers import OldRestApi

    if isinstance(receiver, OldRestApi):
        # The answers to the creation of a session are sound, those to its completion are not.
        for number in itertools.count(1):
            receiver.respond(200, {"Content-Type": "application/json"}, b'{"id": "sess_%d"}' % number)
            receiver.respond(200, {"Content-Type": "text/html"}, b"<html>Please log in</html>")
            if number == 2:
                return
    receiver.respond(200, {"Content-Type": "text/html"}, b"<html>Please log in</html>", times=1000)


def program() -> dict[str, Any]:
    import sentrial

    @sentrial.session("agent")
    def answer(user_id: str, message: str) -> str:
        return "the answer"

    seen: dict[str, Any] = {}
    try:
        seen["result"] = answer("alice", message="hello")
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what the program saw
        seen["result"] = type(error).__name__
    try:
        with sentrial.begin("bob", "agent"):
            raise LookupError("the program's own")
    except Exception as error:  # noqa: BLE001 - as above
        seen["raised"] = type(error).__name__
    return seen


def judge(seen: Seen) -> Verdict:
    result, raised = seen.printed["result"], seen.printed["raised"]
    return Verdict(
        (result, raised) == ("the answer", "LookupError"),
        f"instead of 'the answer': {result!r}; instead of LookupError: {raised}"
        if (result, raised) != ("the answer", "LookupError")
        else "'the answer' is returned, LookupError is raised",
    )
