"""A service in FastAPI that knows nothing of us; who asks is told to OpenTelemetry, as a login would do."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor

from fastapi import BackgroundTasks, FastAPI, HTTPException
from fastapi.responses import StreamingResponse
from openai import AsyncOpenAI, OpenAI
from opentelemetry import trace

app = FastAPI()
model, sync_model = AsyncOpenAI(), OpenAI()
tracer = trace.get_tracer("shop")


def login(user: str) -> None:
    trace.get_current_span().set_attribute("enduser.id", user)


async def answer(text: str) -> str:
    reply = await model.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": text}])
    return str(reply.choices[0].message.content)


def answer_in_thread(text: str) -> str:
    reply = sync_model.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": text}])
    return str(reply.choices[0].message.content)


@app.get("/health")
async def health() -> str:
    with tracer.start_as_current_span("SELECT 1"):
        return "ok"


@app.get("/ask/{user}")
async def ask(user: str, text: str) -> str:
    login(user)
    with tracer.start_as_current_span("SELECT orders"):
        await asyncio.sleep(0)
    with tracer.start_as_current_span("plan the answer"):
        first = await answer(text)
    return first + await answer(f"{text}, again")


@app.get("/sync/{user}")
def sync(user: str, text: str) -> str:
    login(user)
    return answer_in_thread(text)


@app.get("/many/{user}")
async def many(user: str, text: str) -> list[str]:
    login(user)
    return await asyncio.gather(*[answer(f"{text} {number}") for number in range(3)])


@app.get("/pool/{user}")
def pool(user: str, text: str) -> list[str]:
    login(user)
    with ThreadPoolExecutor(3) as workers:
        return list(workers.map(answer_in_thread, [f"{text} {number}" for number in range(3)]))


@app.get("/stream/{user}")
async def stream(user: str, text: str) -> StreamingResponse:
    login(user)

    async def words() -> AsyncIterator[str]:
        chunks = await model.chat.completions.create(
            model="gpt-4o", messages=[{"role": "user", "content": text}], stream=True
        )
        async for chunk in chunks:
            if chunk.choices and chunk.choices[0].delta.content:
                yield chunk.choices[0].delta.content

    return StreamingResponse(words())


@app.get("/sync-stream/{user}")
def sync_stream(user: str, text: str) -> StreamingResponse:
    login(user)

    def words() -> Iterator[str]:
        for chunk in sync_model.chat.completions.create(
            model="gpt-4o", messages=[{"role": "user", "content": text}], stream=True
        ):
            if chunk.choices and chunk.choices[0].delta.content:
                yield chunk.choices[0].delta.content

    return StreamingResponse(words())


@app.get("/background/{user}")
async def background(user: str, text: str, tasks: BackgroundTasks) -> str:
    login(user)
    tasks.add_task(answer, f"{text}, afterwards")
    tasks.add_task(answer, f"{text}, and after that")
    return "soon"


@app.get("/fail/{user}")
async def fail(user: str, text: str) -> str:
    login(user)
    await answer(text)
    raise ValueError("no such order")


@app.get("/refuse/{user}")
async def refuse(user: str, text: str) -> str:
    login(user)
    await answer(text)
    raise HTTPException(404, "no such order")


@app.get("/explicit/{user}")
async def explicit(user: str, text: str) -> str:
    import sentrial

    login("somebody else")
    with sentrial.begin(user_id=user, event="explicit-agent", input=text) as session:
        with tracer.start_as_current_span("SELECT orders"):
            session.set_output(await answer(text))
        return session.session_id
