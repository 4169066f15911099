"""Sessions over threads, executors and event loops: work belongs to the session that asked for it.

Two users ask at the same time; the tools of both run on one pool of threads, and none ends up in the wrong session.
Nothing is passed along but the question. Look at it with `sentrial sessions show last`.
"""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from offline_model import offline_model, says
from openai import OpenAI

import sentrial

POOL = ThreadPoolExecutor(max_workers=8, thread_name_prefix="tools")


@sentrial.tool
def read(source: str) -> str:
    time.sleep(0.03)
    return f"what {source} says"


@sentrial.tool
async def read_later(source: str) -> str:
    await asyncio.sleep(0.03)
    return f"what {source} says"


async def read_from_an_event_loop() -> list[str]:
    loop = asyncio.get_running_loop()
    return await asyncio.gather(
        read_later("the wiki"),
        asyncio.to_thread(read, "the archive"),
        loop.run_in_executor(POOL, read, "the tickets"),
    )


def answer(model: OpenAI, user: str, question: str) -> str:
    with sentrial.begin(user_id=user, event="research-agent", input=question) as session:
        notes = list(POOL.map(read, ["the handbook", "the changelog"]))

        watching = threading.Thread(target=lambda: notes.append(read("the status page")))
        watching.start()
        watching.join()

        notes += asyncio.run(read_from_an_event_loop())

        messages = [{"role": "user", "content": "\n".join([question, *notes])}]
        reply = model.chat.completions.create(model="gpt-4o", messages=messages).choices[0].message.content
        session.set_output(reply)
        return reply


def main() -> None:
    def reply_to(messages):
        return says(f"Six sources agree on: {messages[0]['content'].splitlines()[0]}")

    questions = {"ann": "Is the service up?", "bob": "What changed last week?"}
    with offline_model(reply_to) as base_url, ThreadPoolExecutor() as users:
        model = OpenAI(api_key="not-needed-offline", base_url=base_url)
        answers = users.map(lambda user: answer(model, user, questions[user]), questions)
        print(*(f"{user}: {text}" for user, text in zip(questions, answers, strict=True)), sep="\n")
    POOL.shutdown()


if __name__ == "__main__":
    main()
