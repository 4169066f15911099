"""gevent, which puts greenlets in the place of threads: nothing hangs, nothing runs twice, and all sessions arrive."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fake_provider import FakeProvider
from receivers import SentrialStandIn
from running import by_name, run_program

KEY = "sentrial_test_key"

# gevent itself warns where it comes late.
PATCH = """
import warnings
from gevent import monkey
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    monkey.patch_all()
"""
IMPORT = "import sentrial\n"
CONFIGURE = "sentrial.configure()\n"

ORDERS = {
    "gevent first": PATCH + IMPORT + CONFIGURE,
    "gevent after the import": IMPORT + PATCH + CONFIGURE,
    "gevent after the configuration": IMPORT + CONFIGURE + PATCH,
}

CALLS = """
import os
import gevent, openai
client = openai.OpenAI(api_key="k", max_retries=0)
ask = {"model": "gpt-4o", "messages": [{"role": "user", "content": "x"}]}

def work(number):
    with sentrial.begin("u", f"agent {number}"):
        client.chat.completions.create(**ask)
        for _ in client.chat.completions.create(**ask, stream=True):
            pass

gevent.joinall([gevent.spawn(work, number) for number in range(5)], raise_error=True)
print(int(sentrial.flush(30)))
work("last")
"""

FORK = """
import subprocess, gevent
with sentrial.begin("u", "agent"):
    pass
main = os.getpid()

def work(number):
    gevent.sleep(0)
    os.write(1, b"1\\n" if os.getpid() == main else b"2\\n")

greenlets = [gevent.spawn(work, number) for number in range(4)]
gevent.joinall([gevent.spawn(subprocess.check_output, ["true"]), *greenlets], raise_error=True)
"""


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        yield stand_in


def to(server: SentrialStandIn) -> dict[str, str]:
    return {"SENTRIAL_API_KEY": KEY, "SENTRIAL_API_URL": server.url, "SENTRIAL_FLUSH_TIMEOUT": "60"}


@pytest.mark.parametrize("order", ORDERS)
def test_sessions_of_greenlets_arrive_whenever_gevent_comes(server: SentrialStandIn, order: str) -> None:
    with FakeProvider() as model:
        ended = run_program(
            ORDERS[order] + CALLS,
            {**to(server), "OPENAI_BASE_URL": model.base_url},
        )
    assert ended.log == []
    assert ended.printed == [1]
    roots = sorted(span["name"] for span in server.spans if span["parent_span_id"] is None)
    assert roots == sorted(f"invoke_agent agent {number}" for number in (0, 1, 2, 3, 4, "last"))
    assert [span["name"] for span in server.spans].count("chat gpt-4o") == 12


@pytest.mark.parametrize("order", ORDERS)
def test_a_child_that_is_about_to_be_another_program_runs_nothing_of_this_one(
    server: SentrialStandIn, order: str
) -> None:
    """gevent forks with Python's hooks: a wait in one of them would be a switch to the program's other greenlets."""
    ended = run_program("import os\n" + ORDERS[order] + FORK, to(server))
    assert ended.log == []
    assert ended.printed == [1, 1, 1, 1]
    assert set(by_name(server.spans)) == {"invoke_agent agent"}


THREAD = """
import threading

@sentrial.tool
def search():
    return 1

with sentrial.begin("u", "agent"):
    thread = threading.Thread(target=search)
    thread.start()
    thread.join()
"""


@pytest.mark.parametrize("order", ORDERS)
def test_a_thread_that_is_a_greenlet_belongs_to_the_session_that_started_it(
    server: SentrialStandIn, order: str
) -> None:
    ended = run_program(ORDERS[order] + THREAD, {"SENTRIAL_API_KEY": KEY, "SENTRIAL_API_URL": server.url})
    assert ended.log == []
    spans = by_name(server.spans)
    assert spans["execute_tool search"]["parent_span_id"] == spans["invoke_agent agent"]["span_id"]
