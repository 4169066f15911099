"""Which API a request is for, and what that API answers: one line a provider."""

from __future__ import annotations

import re

from fake_provider import anthropic, google, openai
from fake_provider.answer import Answer, Request, Routes

APIS: tuple[Routes, ...] = (anthropic.ROUTES, google.ROUTES, openai.ROUTES)


def answer_to(request: Request) -> Answer:
    """The answer of the first API that knows the path; a refusal of a path that none knows."""
    path = request.path.partition("?")[0]
    for routes in APIS:
        for (method, pattern), answer in routes.items():
            if method == request.method and re.fullmatch(pattern, path):
                return answer(request)
    return Answer.error(404, f"no such path: {request.method} {path}", code="not_found")
