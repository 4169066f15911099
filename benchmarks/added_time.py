"""What recording one model call adds to the user's thread: ours beside the floor, in one run.

    python benchmarks/added_time.py [--clients openai anthropic google] [--rounds N]

The model is an in-process HTTP transport that answers at once, so that what is measured is the client's work plus ours.
Blocks of calls alternate in one process: a block of a variant is compared with the plain block before it. The median
over these pairs is reported, and beside it the difference of the fastest blocks, which other work on the machine
disturbs least. ``plain`` against itself shows the noise.

* plain: the client as it is, with nothing patched.
* bare span: a span of the OpenTelemetry SDK with 20 attributes and no content, around it.
* floor: a hand-written wrapper of twenty lines with about 20 attributes and the messages as JSON, around it.
* sentrial: the patched client inside a session, content recorded. own: with the provider that sentrial builds; joined:
  with the application's provider, whose exporter is muted.

Each is measured twice. quiet: what is queued is thrown away, the floor's and ours, which shows the work on the user's
thread alone. sending: both deliver to a sink, a process of its own, so that the work of their threads, which share the
interpreter, shows too.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

from destinations import CLOCKS, PACES, environment, make_provider, mute, sink
from model_clients import CLIENTS, ModelClient

CALLS_PER_BLOCK = {"small": 14, "large": 7}
MODES = ("own", "joined")
Call = Callable[..., Any]


def make_floor(tracer: Any, client: ModelClient) -> Callable[[Call], Call]:
    from opentelemetry.trace import SpanKind

    def wrap(plain: Call) -> Call:
        def floor(**given: Any) -> Any:
            options: Mapping[str, Any] = given.get("config", given)
            messages, tools = client.read_request(given)
            attributes = {
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": client.provider,
                "gen_ai.request.model": given["model"],
                "gen_ai.request.temperature": options.get("temperature", 0.2),
                "gen_ai.request.max_tokens": options.get("max_tokens", 500),
                "server.address": "model.test",
                "server.port": 80,
                "app.api": client.name,
                "deployment.environment.name": "production",
                "app.agent": "support-agent",
                "session.id": "s",
                "user.id": "u",
                "gen_ai.conversation.id": "c",
                "gen_ai.input.messages": json.dumps(messages),
            }
            if tools:
                attributes["gen_ai.tool.definitions"] = json.dumps(tools)
            name = f"chat {given['model']}"
            with tracer.start_as_current_span(name, kind=SpanKind.CLIENT, attributes=attributes) as span:
                response = plain(**given)
                reasons, asked, answered, said = client.read_response(response)
                span.set_attribute("gen_ai.response.id", getattr(response, "id", "r1"))
                span.set_attribute("gen_ai.response.model", getattr(response, "model", given["model"]))
                span.set_attribute("gen_ai.response.finish_reasons", reasons)
                span.set_attribute("gen_ai.usage.input_tokens", asked)
                span.set_attribute("gen_ai.usage.output_tokens", answered)
                span.set_attribute("app.usage.total_tokens", asked + answered)
                span.set_attribute("gen_ai.output.messages", json.dumps(said))
                return response

        return floor

    return wrap


def make_bare_span(tracer: Any) -> Callable[[Call], Call]:
    attributes = {f"attribute.{n}": "value" if n % 2 else n for n in range(20)}

    def wrap(plain: Call) -> Call:
        def bare(**given: Any) -> Any:
            with tracer.start_as_current_span("chat", attributes=attributes):
                return plain(**given)

        return bare

    return wrap


class Patches:
    """What sentrial puts into a client's classes: so that blocks with it and without it can alternate."""

    def __init__(self, client: str) -> None:
        from sentrial._providers import PROVIDERS

        (provider,) = (each for each in PROVIDERS if each.name == client)
        targets = [(target.owner(), target.method) for target in provider.targets]
        self._places = [(owner, name) for owner, name in targets if owner is not None and name in vars(owner)]
        self._without = self._found()
        self._with = self._without

    def learn(self) -> None:
        """They are patched now."""
        self._with = self._found()
        assert all(new is not old for new, old in zip(self._with, self._without, strict=True)), "it is not patched"

    def put(self, patched: bool) -> None:
        for (owner, name), found in zip(self._places, self._with if patched else self._without, strict=True):
            setattr(owner, name, found)

    def _found(self) -> list[Any]:
        return [vars(owner)[name] for owner, name in self._places]


def configure(mode: str, pace: str, address: str) -> None:
    import sentrial

    if mode == "joined":
        from opentelemetry import trace

        trace.set_tracer_provider(make_provider("quiet", address))
    if pace == "quiet":
        mute()
    # Anthropic's client makes spans itself where there is a global provider: plain calls would pay for them.
    alone = False if mode == "own" else None
    sentrial.configure(api_key="key", api_url=address, queue_size=10**10, set_global=alone)
    sentrial.begin(user_id="u", event="benchmark", convo_id="c")


def measure(client: ModelClient, mode: str, pace: str, address: str, clock: str, rounds: int) -> list[dict[str, Any]]:
    now = CLOCKS[clock]
    client.make("small")  # so that what is to be patched is imported
    tracer = make_provider(pace, address).get_tracer("benchmark")
    patches = Patches(client.name)
    configure(mode, pace, address)
    patches.learn()
    wraps: dict[str, Callable[[Call], Call]] = {
        "plain": lambda plain: plain,
        "bare span": make_bare_span(tracer),
        "floor": make_floor(tracer, client),
        f"sentrial, {mode}": lambda plain: plain,
    }
    rows = []
    for size, calls in CALLS_PER_BLOCK.items():
        plain, arguments = client.make(size), client.arguments(size)
        functions = {name: wrap(plain) for name, wrap in wraps.items()}

        def block(
            name: str, calls: int = calls, functions: Mapping[str, Call] = functions, given: Any = arguments
        ) -> float:
            patches.put(name.startswith("sentrial"))
            function = functions[name]
            # The interpreter learns anew what a changed class has.
            function(**given)
            start = now()
            for _ in range(calls):
                function(**given)
            return (now() - start) / calls * 1e6

        for name in functions:
            block(name)
        added: dict[str, list[float]] = {name: [] for name in functions}
        fastest = dict.fromkeys(functions, float("inf"))
        plain_times = []
        for _ in range(rounds):
            for name in functions:
                before, taken = block("plain"), block(name)
                plain_times.append(before)
                fastest[name] = min(fastest[name], taken)
                added[name].append(taken - before)
        rows.append(
            {
                "call": f"{client.name}, {size}, {mode}, {pace}",
                "plain_us": statistics.median(plain_times),
                "median_us": {name: statistics.median(times) for name, times in added.items()},
                "fastest_us": {name: taken - min(plain_times) for name, taken in fastest.items()},
            }
        )
    import sentrial

    sentrial.shutdown(60)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=150, help="blocks of each variant (default: %(default)s)")
    parser.add_argument("--clients", nargs="+", choices=CLIENTS, default=["openai"], help="(default: openai)")
    parser.add_argument("--modes", nargs="+", choices=MODES, default=MODES)
    parser.add_argument("--paces", nargs="+", choices=PACES, default=PACES)
    parser.add_argument("--clock", choices=CLOCKS, default="wall", help="(default: wall)")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    parser.add_argument("--child", nargs=5, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        name, *where = options.child
        print(json.dumps(measure(CLIENTS[name], *where, options.rounds)))
        return
    rows = []
    with sink() as address:
        for client in options.clients:
            for mode in options.modes:
                for pace in options.paces:
                    command = [sys.executable, __file__, "--rounds", str(options.rounds)]
                    command += ["--child", client, mode, pace, address, options.clock]
                    child = subprocess.run(command, env=environment(), stdout=subprocess.PIPE, text=True, check=True)
                    rows += json.loads(child.stdout)
    if options.json:
        print(json.dumps(rows, indent=1))
        return
    print("| call | plain call, us | variant | added us, median | x floor | added us, fastest | x floor |")
    print("| --- | ---: | --- | ---: | ---: | ---: | ---: |")
    for row in rows:
        median, fastest = row["median_us"], row["fastest_us"]
        for name, added in median.items():
            print(
                f"| {row['call']} | {row['plain_us']:.0f} | {name} | {added:.0f} | {added / median['floor']:.2f} "
                f"| {fastest[name]:.0f} | {fastest[name] / fastest['floor']:.2f} |"
            )


if __name__ == "__main__":
    main()
