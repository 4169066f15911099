"""The ids that a provider of ours gives: another one each time, whatever the program does with its random numbers."""

from __future__ import annotations

import random

import sentrial
from receivers import SentrialStandIn
from running import run_program

KEY = "sentrial_test_key"


def test_seeding_the_programs_random_numbers_repeats_no_id() -> None:
    """Programs seed at the start, for the same results each time; a worker does, and a request handler may."""
    ids = []
    with SentrialStandIn([KEY]) as server:
        sentrial.configure(api_key=KEY, api_url=server.url)
        for _ in range(3):
            random.seed(7)
            with sentrial.begin("u", "agent") as session:
                ids.append(session.session_id)
        sentrial.shutdown(20)
        assert {f"{span['trace_id']}-{span['span_id']}" for span in server.spans} == set(ids)
    assert len({each.split("-")[0] for each in ids}) == len({each.split("-")[1] for each in ids}) == 3


def test_a_forked_child_makes_ids_of_its_own() -> None:
    ended = run_program(
        """
        import json, os, sentrial
        sentrial.configure()
        sentrial.begin("u", "before").finish()
        read, write = os.pipe()
        child = os.fork()
        session_id = sentrial.begin("u", "agent").session_id
        if child == 0:
            os.write(write, session_id.encode())
            os._exit(0)
        print(json.dumps([session_id, os.read(read, 100).decode()]))
        os.waitpid(child, 0)
        """
    )
    (parents, childs) = ended.printed[0]
    assert parents != childs
