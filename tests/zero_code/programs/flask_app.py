"""A service in Flask that knows nothing of us."""

from collections.abc import Iterator

from flask import Flask, Response
from flask import request as asked
from openai import OpenAI
from opentelemetry import trace

app = Flask(__name__)
model = OpenAI()


def answer(text: str) -> str:
    reply = model.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": text}])
    return str(reply.choices[0].message.content)


def login(user: str) -> str:
    trace.get_current_span().set_attribute("enduser.id", user)
    return asked.args["text"]


@app.get("/health")
def health() -> str:
    return "ok"


@app.get("/ask/<user>")
def ask(user: str) -> str:
    text = login(user)
    return answer(text) + answer(f"{text}, again")


@app.get("/stream/<user>")
def stream(user: str) -> Response:
    text = login(user)

    def words() -> Iterator[str]:
        for chunk in model.chat.completions.create(
            model="gpt-4o", messages=[{"role": "user", "content": text}], stream=True
        ):
            if chunk.choices and chunk.choices[0].delta.content:
                yield chunk.choices[0].delta.content

    return Response(words())


@app.get("/fail/<user>")
def fail(user: str) -> str:
    answer(login(user))
    raise ValueError("no such order")
