"""Two accounts in one process: each session goes to the account of the client that opened it, and only there.

Two receivers on the loopback interface stand in for Sentrial, and print what each of them got. With real keys leave
`api_url` out. `SENTRIAL_STORE=on` keeps the sessions in the local store as well.
"""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from offline_model import offline_model, says
from openai import OpenAI

import sentrial
from sentrial import SentrialClient


@contextmanager
def receiver(got: list):
    """A stand-in for Sentrial: gives its address, and adds to `got` the key and the name of each span that comes."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            key = self.headers["Authorization"].removeprefix("Bearer ")
            for resource in sent["resourceSpans"]:
                for scope in resource["scopeSpans"]:
                    got.extend(f"{key} got {span['name']}" for span in scope["spans"])
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format, *args):  # noqa: A002 - the name in the standard library
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def main() -> None:
    shop_got, bank_got = [], []
    answer = says("Your parcel is on its way.")
    with receiver(shop_got) as shop_url, receiver(bank_got) as bank_url, offline_model(answer) as base_url:
        shop = SentrialClient(api_key="sentrial_live_shop", api_url=shop_url)
        bank = SentrialClient(api_key="sentrial_live_bank", api_url=bank_url)
        model = OpenAI(api_key="not-needed-offline", base_url=base_url)

        with shop.begin(user_id="ann", event="shop-agent", input="Where is my parcel?") as session:
            messages = [{"role": "user", "content": "Where is my parcel?"}]
            reply = model.chat.completions.create(model="gpt-4o", messages=messages)
            session.set_output(reply.choices[0].message.content)

            # Another account's session, though it begins inside the block of this one.
            with bank.begin(user_id="ann", event="bank-agent", input="Was I charged?") as inner:
                inner.track_tool_call("read_account", {"customer": "ann"}, {"charged": True})
                inner.set_output("Yes.")

        session_id = bank.create_session(name="Nightly check", agent_name="auditor", user_id="system")
        bank.track_decision(session_id, "Nothing unusual today.", ["raise_an_alarm"], confidence=0.98)
        bank.complete_session(session_id, success=True)
        sentrial.flush()

    print(*sorted(shop_got), *sorted(bank_got), sep="\n")


if __name__ == "__main__":
    main()
