"""Work of a queue that knows nothing of us; the broker is a folder."""

import os

from celery import Celery
from openai import OpenAI
from opentelemetry import trace

FOLDER = os.environ["BROKER_FOLDER"]

app = Celery("celery_app")
app.conf.update(
    broker_url="filesystem://",
    broker_transport_options={"data_folder_in": FOLDER, "data_folder_out": FOLDER, "control_folder": FOLDER},
    task_ignore_result=True,
    broker_connection_retry_on_startup=True,
)


@app.task
def answer(user: str, text: str) -> None:
    trace.get_current_span().set_attribute("enduser.id", user)
    model = OpenAI()
    for part in ("", ", again"):
        model.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": text + part}])
    if user == "joe":
        raise ValueError("no such order")
