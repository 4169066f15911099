"""A LangChain chain behind FastAPI: it looks an order up and streams the answer; each request is a session.

`pip install fastapi uvicorn langchain-openai`, then `python 09_streaming_endpoint.py` (or
`uvicorn 09_streaming_endpoint:app`) and

    curl localhost:8000/chat --json '{"user_id": "ann", "text": "Where is order 1042?", "convo_id": "c1"}' -N

The handler is made once and serves all requests at the same time. A reader who goes away ends the session as cancelled;
the call that was under way keeps what was said until then.
"""

import asyncio
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from langchain_core.documents import Document
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnablePassthrough
from langchain_openai import ChatOpenAI
from offline_model import offline_model, says
from pydantic import BaseModel

import sentrial
from sentrial.langchain import SentrialCallbackHandler

ORDERS = {"1042": "delivered", "1043": "on its way"}
PROMPT = ChatPromptTemplate([("system", "Orders:\n{orders}"), ("user", "{question}")])


class Question(BaseModel):
    user_id: str
    text: str
    convo_id: str | None = None


class OrdersByNumber(BaseRetriever):
    def _get_relevant_documents(self, query: str, *, run_manager: object) -> list[Document]:
        numbers = [number for number in re.findall(r"\d+", query) if number in ORDERS]
        return [Document(ORDERS[number], id=number) for number in numbers]


def as_lines(documents: list[Document]) -> str:
    return "\n".join(f"{document.id}: {document.page_content}" for document in documents)


def answer(messages: list[dict]) -> dict:
    return says(f"Your order is {messages[0]['content'].partition(': ')[2]}.")


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    with offline_model(answer, pause=0.05) as base_url:
        model = ChatOpenAI(model="gpt-4o", stream_usage=True, api_key="not-needed-offline", base_url=base_url)
        orders = OrdersByNumber(name="orders") | as_lines
        app.state.chain = {"orders": orders, "question": RunnablePassthrough()} | PROMPT | model
        yield
    # A server that is told to stop by a signal leaves Python no time for it later.
    await asyncio.to_thread(sentrial.shutdown)


app = FastAPI(lifespan=lifespan)
handler = SentrialCallbackHandler()


@app.post("/chat")
async def chat(question: Question) -> StreamingResponse:
    return StreamingResponse(words_for(question), media_type="text/plain")


async def words_for(question: Question) -> AsyncIterator[str]:
    config = {
        "run_name": "support-agent",
        "callbacks": [handler],
        "metadata": {"user_id": question.user_id, "conversation_id": question.convo_id},
    }
    async for chunk in app.state.chain.astream(question.text, config):
        if chunk.content:
            yield chunk.content


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ.get("PORT", "8000")), log_level="warning")
