"""A support agent behind FastAPI: many users at once, a streamed answer, work after the response, errors.

`pip install fastapi uvicorn`, then `python 03_web_service.py` (or `uvicorn 03_web_service:app`) and

    curl localhost:8000/ask    --json '{"user_id": "ann", "text": "Where is order 1042?", "convo_id": "c1"}'
    curl localhost:8000/stream --json '{"user_id": "bob", "text": "Where is order 1043?"}' -N
    curl localhost:8000/refund --json '{"user_id": "cy", "text": "Order 1042 came broken."}'
    curl localhost:8000/ask    --json '{"user_id": "dan", "text": "Where is order 9?"}'

Each request is a session; look at them with `sentrial sessions list` and `sentrial sessions show last`.
"""

import asyncio
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from fastapi import BackgroundTasks, FastAPI, Request
from fastapi.responses import JSONResponse, StreamingResponse
from offline_model import offline_model, says
from openai import AsyncOpenAI
from pydantic import BaseModel

import sentrial

ORDERS = {"1042": {"status": "delivered", "price": 49.0}, "1043": {"status": "on its way", "price": 20.0}}


class Question(BaseModel):
    user_id: str
    text: str
    convo_id: str | None = None


class OrderNotFoundError(Exception):
    pass


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    with offline_model(lambda messages: says(f"Your order is {messages[0]['content']}."), pause=0.05) as base_url:
        app.state.model = AsyncOpenAI(api_key="not-needed-offline", base_url=base_url)
        yield
    # A server that is told to stop by a signal leaves Python no time for it later.
    await asyncio.to_thread(sentrial.shutdown)


app = FastAPI(lifespan=lifespan)


@sentrial.tool
async def find_order(text: str) -> dict:
    await asyncio.sleep(0.01)
    order_id = re.search(r"\d+", text)[0]
    if order_id not in ORDERS:
        raise OrderNotFoundError(f"There is no order {order_id}.")
    return {"order_id": order_id, **ORDERS[order_id]}


def messages_about(order: dict, question: Question) -> list[dict]:
    return [{"role": "system", "content": order["status"]}, {"role": "user", "content": question.text}]


@app.post("/ask")
async def ask(question: Question) -> dict:
    with sentrial.begin(question.user_id, "support-agent", question.text, convo_id=question.convo_id) as session:
        order = await find_order(question.text)
        reply = await app.state.model.chat.completions.create(model="gpt-4o", messages=messages_about(order, question))
        text = reply.choices[0].message.content
        session.set_output(text)
        return {"answer": text, "session_id": session.session_id}


@app.exception_handler(OrderNotFoundError)
async def order_not_found(request: Request, error: OrderNotFoundError) -> JSONResponse:
    # By now the session has failed, and says why; the exception goes its way as ever.
    return JSONResponse({"answer": str(error)}, status_code=404)


@app.post("/stream")
async def stream(question: Question) -> StreamingResponse:
    words = answer_in_words(question.user_id, question.text, question)
    return StreamingResponse(words, media_type="text/plain")


@sentrial.session("streaming-agent")
async def answer_in_words(user_id: str, message: str, question: Question) -> AsyncIterator[str]:
    # The session is open from the first word to the last, or until the reader goes away.
    order = await find_order(message)
    chunks = await app.state.model.chat.completions.create(
        model="gpt-4o",
        messages=messages_about(order, question),
        stream=True,
        stream_options={"include_usage": True},
    )
    async for chunk in chunks:
        if chunk.choices:
            yield chunk.choices[0].delta.content or ""


@app.post("/refund")
async def refund(question: Question, tasks: BackgroundTasks) -> dict:
    with sentrial.begin(question.user_id, "refund-agent", question.text, convo_id=question.convo_id) as session:
        order = await find_order(question.text)
        with session.decision("It came broken.", ["send_a_new_one"]) as decision:
            decision.choose("refund", confidence=0.9)
        # The session goes on after the response: whoever has the handle ends it, here or in another process.
        tasks.add_task(pay_back, session.export(), order)
        return {"answer": f"We will pay {order['price']:.2f} back.", "session_id": session.session_id}


async def pay_back(handle: str, order: dict) -> None:
    with sentrial.resume(handle) as session:
        with session.tool("pay_back", {"order_id": order["order_id"], "amount": order["price"]}) as tool:
            await asyncio.sleep(0.01)
            tool.set_output({"paid": order["price"]})
        session.set_output(f"{order['price']:.2f} paid back.")


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ.get("PORT", "8000")), log_level="warning")
