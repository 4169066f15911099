"""No fork in the middle of an import on a thread of ours, whoever imports."""

from __future__ import annotations

import pytest

from receivers import SentrialStandIn
from running import run_program

KEY = "sentrial_test_key"

SLOW = """
    import contextlib, importlib.abc, importlib.util, json, os, sys, threading, time

    importing, over, forked = threading.Event(), threading.Event(), threading.Event()

    class Slow(importlib.abc.MetaPathFinder, importlib.abc.Loader):
        def find_spec(self, name, path, target=None):
            return importlib.util.spec_from_loader(name, self) if name == os.environ["IMPORTED"] else None

        def exec_module(self, module):
            importing.set()
            forked.wait(1)
            over.set()
            raise ImportError(module.__name__)

    def fork():
        child = os.fork()
        if not child:
            os._exit(0)
        print(json.dumps(over.is_set()))
        forked.set()
        os.waitpid(child, 0)
"""

ON_A_THREAD = (
    SLOW
    + """
    from sentrial._export.pii import PiiMasker
    from sentrial._export.send_grpc import _retry_delay
    from sentrial._pii import PiiConfig

    sys.meta_path.insert(0, Slow())
    needs = (lambda: _retry_delay(())) if "rpc" in os.environ["IMPORTED"] else (lambda: PiiMasker(PiiConfig()))

    def work():
        with contextlib.suppress(ImportError):
            needs()

    thread = threading.Thread(target=work)
    thread.start()
    assert importing.wait(30)
    fork()
    thread.join()
"""
)


@pytest.mark.parametrize("name", ["google.rpc.error_details_pb2", "phonenumbers", "stdnum", "regex"])
def test_a_fork_waits_for_what_we_import_late(name: str) -> None:
    assert run_program(ON_A_THREAD, {"IMPORTED": name}).printed == [True]


WHILE_A_FORK_WAITS = (
    SLOW
    + """
    import sentrial
    from sentrial import SentrialClient, _late_imports

    def mask(text):
        if text == "import":
            with contextlib.suppress(ImportError):
                import of_the_application
        return text

    def fork_waits():
        frame = sys._current_frames()[threading.main_thread().ident]
        while frame is not None:
            if frame.f_code is _late_imports._before_fork.__code__:
                return True
            frame = frame.f_back
        return False

    sentrial.configure(mask=mask)
    session = SentrialClient().begin("u", "agent")
    held = threading.Event()

    def meanwhile():
        with _late_imports.undisturbed():
            held.set()
            while not fork_waits():
                time.sleep(0.001)
            session.finish("import")
            assert importing.wait(30)

    sys.meta_path.insert(0, Slow())
    other = threading.Thread(target=meanwhile)
    other.start()
    held.wait()
    fork()
    other.join()
"""
)


def test_a_fork_waits_for_what_others_import_on_our_threads_while_it_waits_for_us() -> None:
    with SentrialStandIn([KEY]) as server:
        variables = {"SENTRIAL_API_KEY": KEY, "SENTRIAL_API_URL": server.url, "IMPORTED": "of_the_application"}
        assert run_program(WHILE_A_FORK_WAITS, variables).printed == [True]
