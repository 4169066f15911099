"""A program with every kind of span in it, for tests that run it against several destinations.

Reads the provider's address from MODEL_URL. Everything else is decided by the environment, as for any user.
"""

import os

from openai import OpenAI
from opentelemetry import trace

import sentrial

client = OpenAI(api_key="none", base_url=os.environ["MODEL_URL"], max_retries=0)
messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Wo ist mein Paket? \U0001f4e6"}]

with sentrial.begin(
    user_id="user_123",
    event="support-agent",
    input=messages[1]["content"],
    event_id="evt-12345678",
    convo_id="conv_456",
    metadata={"channel": "web_chat", "priority": 2, "tags": ["a", "b"], "vip": True},
) as session:
    with session.decision("The customer asks for a parcel", ["escalate"], chosen="look_up", confidence=0.75):
        plain = client.chat.completions.create(model="gpt-4o", messages=messages, temperature=0.5, max_tokens=99)
    with (
        session.tool("look_up", {"parcel": "P1", "api_key": "sk-abcdefghijklmnop"}, reasoning="It may be late") as tool,
        trace.get_tracer("a.database", "1.2").start_as_current_span("SELECT parcels") as query,
    ):
        query.set_attribute("db.system.name", "sqlite")
        query.set_attribute("rows", [1, 2, 3])
        query.add_event("slow", {"ms": 12.5})
        tool.set_output(["in Köln"])
    with sentrial.begin(user_id="user_123", event="translator", input="in Köln") as translator:
        stream = client.chat.completions.create(model="gpt-4o", messages=messages, stream=True)
        text = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
        translator.set_output(text)
    failure = {"message": "mailbox full", "type": "SMTPError"}
    session.track_tool_call("notify", {"to": "user_123"}, None, tool_error=failure)
    session.track_error("could not notify", "SMTPError", stack_trace="line 1\nline 2")
    session.finish(output=text, success=True, custom_metrics={"satisfaction": 4.5})
