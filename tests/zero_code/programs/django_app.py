"""A service in Django that knows nothing of us; its settings are beside it."""

from collections.abc import Iterator

import django
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path
from openai import OpenAI
from opentelemetry import trace

django.setup()
model = OpenAI()


def answer(text: str) -> str:
    reply = model.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": text}])
    return str(reply.choices[0].message.content)


def login(user: str) -> None:
    trace.get_current_span().set_attribute("enduser.id", user)


def health(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


def ask(request: HttpRequest, user: str) -> HttpResponse:
    login(user)
    text = request.GET["text"]
    return HttpResponse(answer(text) + answer(f"{text}, again"))


def stream(request: HttpRequest, user: str) -> StreamingHttpResponse:
    login(user)
    text = request.GET["text"]

    def words() -> Iterator[str]:
        for chunk in model.chat.completions.create(
            model="gpt-4o", messages=[{"role": "user", "content": text}], stream=True
        ):
            if chunk.choices and chunk.choices[0].delta.content:
                yield chunk.choices[0].delta.content

    return StreamingHttpResponse(words())


def fail(request: HttpRequest, user: str) -> HttpResponse:
    login(user)
    answer(request.GET["text"])
    raise ValueError("no such order")


urlpatterns = [
    path("health", health),
    path("ask/<user>", ask),
    path("stream/<user>", stream),
    path("fail/<user>", fail),
]

app = WSGIHandler()
asgi_app = ASGIHandler()
