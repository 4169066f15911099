"""A script that knows nothing of us: one call of a model for each argument."""

import sys

from openai import OpenAI

for text in sys.argv[1:] or ["Where is my parcel?"]:
    reply = OpenAI().chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": text}])
    print(reply.choices[0].message.content)
