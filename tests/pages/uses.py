"""What the pages take for granted, and what makes a block do something that only defines it."""

from __future__ import annotations

BEFORE = {
    "README.md": """
question, messages = "Where is my order?", [{"role": "user", "content": "Where is my order?"}]
def search_orders(customer):
    return [{"order_id": "1042"}]
""",
    "docs/content.md": """
import re
import sentrial
EMAIL = re.compile(r"[a-z]+@[a-z.]+")
""",
    "docs/errors.md": """
import sentrial
""",
    "docs/first-session.md": """
question = "I was charged twice"
def answer(question):
    return "Refunded."
""",
    "docs/web-service.md": """
async def answer(text):
    return f"About: {text}"

async def answer_in_words(text):
    for word in ("On ", "its ", "way."):
        yield word

def post(path, text="Where is it?", **question):
    import asyncio, httpx

    async def ask():
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service")
        async with app.router.lifespan_context(app), client:
            return await client.post(path, json={"user_id": "user_123", "text": text, **question})

    return asyncio.run(ask())
""",
}
"""By page."""

_WITH_PERSONAL_DATA = """
with sentrial.begin("user_123", "support-agent", input="I am ann@example.com, EMP-17"):
    pass
"""

AFTERWARDS = {
    ("docs/web-service.md", 0): """
assert post("/ask", convo_id="conv_456").json()["answer"] == "About: Where is it?"
""",
    ("docs/web-service.md", 1): """
assert post("/stream").text == "On its way."
""",
    ("docs/web-service.md", 2): """
assert post("/refund").json() == {"answer": "It is on its way."}
""",
    ("docs/web-service.md", 3): """
@app.post("/forgetful")
async def forgetful(question: Question):
    sentrial.begin(question.user_id, "forgetful-agent")

post("/forgetful")
""",
    ("docs/content.md", 0): _WITH_PERSONAL_DATA,
    ("docs/content.md", 1): _WITH_PERSONAL_DATA,
}
"""By page and number of the block."""
