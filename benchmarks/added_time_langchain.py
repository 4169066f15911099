"""What recording adds to the user's thread per model call and per node of a graph: ours beside others, in one run.

    python benchmarks/added_time_langchain.py [--rounds N]

Instrumentations cannot all be switched off again, and what they need clashes: each variant is a process of its own, in
the environment of its peer (the newest of everything; made in .compare/ when it is missing). Blocks of runs go round
through all processes, so that what else the machine does meets them alike. A block of a variant is compared with the
plain block that its environment ran in the same round.

* plain: LangChain as it is, without callbacks.
* empty handler: a handler that does nothing; what LangChain itself takes to call one.
* floor: a hand-written handler: a span for each node, one with about 20 attributes and the messages as JSON for each
  model call.
* sentrial, handler: ``SentrialCallbackHandler`` in a session. sentrial, zero code: ``sentrial.configure()`` alone, in a
  session.
* OpenTelemetry, OpenInference: their instrumentations of LangChain.

The graph has nodes that do nothing, or one node that calls a model, which answers at once without a network. What one
node costs is a tenth of the difference between eleven nodes and one; what a model call costs, a tenth of the difference
between ten calls in one node and none. What is queued is thrown away, everybody's, unless ``--pace sending``.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from destinations import CLOCKS, PACES, environment, make_provider, mute, sink

SHAPES = {"start": (1, 0), "nodes": (11, 0), "small": (1, 10), "large": (1, 10)}
"""By program: how many nodes, and how many model calls in the first. ``start`` is what the others are compared with."""
RUNS_PER_BLOCK = 4
CONTENT = {
    "OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental",
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY",
}


# --- the programs --------------------------------------------------------------------------------------------------


def make_model(size: str) -> Any:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage
    from langchain_core.outputs import ChatGeneration, ChatResult

    answer = "word " * (40 if size == "small" else 800)

    class Canned(BaseChatModel):
        temperature: float = 0.2
        max_tokens: int = 500
        model: str = "gpt-4o"

        @property
        def _llm_type(self) -> str:
            return "canned"

        def _get_ls_params(self, stop: Any = None, **kwargs: Any) -> Any:
            return {
                "ls_provider": "openai", "ls_model_name": self.model, "ls_model_type": "chat",
                "ls_temperature": self.temperature, "ls_max_tokens": self.max_tokens,
            }  # fmt: skip

        def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
            message = AIMessage(
                answer,
                usage_metadata={"input_tokens": 1200, "output_tokens": 340, "total_tokens": 1540},
                response_metadata={"finish_reason": "stop", "model_name": "gpt-4o-2024-08-06", "id": "chatcmpl-1"},
            )
            return ChatResult(generations=[ChatGeneration(message=message)])

    return Canned()


def make_program(name: str) -> Callable[..., Any]:
    """A graph, ready to be run: ``program(config)``."""
    from langchain_core.messages import AIMessage, HumanMessage
    from langgraph.graph import END, START, StateGraph
    from typing_extensions import TypedDict

    State = TypedDict("State", {"n": int})  # noqa: UP013 - what LangGraph reads of it has to be in reach of its module
    nodes, calls = SHAPES[name]
    model = make_model(name)
    if name == "large":
        kinds = (HumanMessage, AIMessage)
        messages: list[Any] = [kinds[n % 2](f"{n} " + "word " * 400) for n in range(20)]
    else:
        messages = [HumanMessage("Where is my parcel? I have been waiting for days.")]

    def ask(state: State) -> State:
        for _ in range(calls):
            model.invoke(messages)
        return {"n": state["n"] + 1}

    def idle(state: State) -> State:
        return {"n": state["n"] + 1}

    graph = StateGraph(State)
    names = [f"step_{n}" for n in range(nodes)]
    for n, node in enumerate(names):
        graph.add_node(node, idle if n else ask)
    for before, after in zip([START, *names], [*names, END], strict=True):
        graph.add_edge(before, after)
    return partial(graph.compile().invoke, {"n": 0})


# --- the variants --------------------------------------------------------------------------------------------------


def make_floor(tracer: Any) -> Any:
    from langchain_core.callbacks import BaseCallbackHandler
    from opentelemetry.trace import SpanKind, set_span_in_context

    class Floor(BaseCallbackHandler):
        def __init__(self) -> None:
            self.spans: dict[Any, Any] = {}

        def _start(self, run_id: Any, parent: Any, name: str, attributes: Any, kind: Any = SpanKind.INTERNAL) -> None:
            above = self.spans.get(parent)
            context = set_span_in_context(above) if above is not None else None
            self.spans[run_id] = tracer.start_span(name, context, kind, attributes)

        def on_chain_start(self, _serialized: Any, _inputs: Any, *, run_id: Any, **kwargs: Any) -> None:
            name = kwargs.get("name") or "chain"
            self._start(
                run_id, kwargs.get("parent_run_id"), name, {"app.node": name, "session.id": "s", "user.id": "u"}
            )

        def on_chain_end(self, _outputs: Any, *, run_id: Any, **kwargs: Any) -> None:
            self.spans.pop(run_id).end()

        def on_chat_model_start(self, _serialized: Any, messages: Any, *, run_id: Any, **kwargs: Any) -> None:
            known = kwargs["metadata"]
            attributes = {
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": known["ls_provider"],
                "gen_ai.request.model": known["ls_model_name"],
                "gen_ai.request.temperature": known["ls_temperature"],
                "gen_ai.request.max_tokens": known["ls_max_tokens"],
                "server.address": "model.test",
                "server.port": 80,
                "app.api": "langchain",
                "deployment.environment.name": "production",
                "app.agent": "support-agent",
                "session.id": "s",
                "user.id": "u",
                "gen_ai.conversation.id": "c",
                "gen_ai.input.messages": json.dumps([{"role": m.type, "content": m.content} for m in messages[0]]),
            }
            name = f"chat {known['ls_model_name']}"
            self._start(run_id, kwargs.get("parent_run_id"), name, attributes, SpanKind.CLIENT)

        def on_llm_end(self, response: Any, *, run_id: Any, **kwargs: Any) -> None:
            span = self.spans.pop(run_id)
            message = response.generations[0][0].message
            span.set_attribute("gen_ai.response.id", message.response_metadata["id"])
            span.set_attribute("gen_ai.response.model", message.response_metadata["model_name"])
            span.set_attribute("gen_ai.response.finish_reasons", [message.response_metadata["finish_reason"]])
            span.set_attribute("gen_ai.usage.input_tokens", message.usage_metadata["input_tokens"])
            span.set_attribute("gen_ai.usage.output_tokens", message.usage_metadata["output_tokens"])
            span.set_attribute("app.usage.total_tokens", message.usage_metadata["total_tokens"])
            span.set_attribute("gen_ai.output.messages", json.dumps([{"role": "ai", "content": message.content}]))
            span.end()

    return Floor()


def begin_ours(pace: str, address: str, counted: list[int], instrument: list[str]) -> Any:
    import sentrial
    from sentrial._export.pipeline import Pipeline

    if pace == "quiet":
        mute()
    taken = Pipeline.take

    def take(pipeline: Pipeline, span: Any, **said: Any) -> None:
        counted[0] += 1
        taken(pipeline, span, **said)

    Pipeline.take = take  # type: ignore[method-assign]  # counted where all pass
    sentrial.configure(api_key="key", api_url=address, queue_size=10**10, instrument=instrument)
    return sentrial.begin(user_id="u", event="benchmark", convo_id="c")


def start(variant: str, pace: str, address: str, counted: list[int]) -> dict[str, Any]:
    """Switch ``variant`` on; the config that the programs are run with. ``counted``: how many spans have ended."""
    if variant == "plain":
        return {}
    if variant == "empty handler":
        from langchain_core.callbacks import BaseCallbackHandler

        return {"callbacks": [BaseCallbackHandler()]}
    if variant == "sentrial, zero code":
        begin_ours(pace, address, counted, ["langchain"])
        return {}
    if variant == "sentrial, handler":
        session = begin_ours(pace, address, counted, [])
        from sentrial.langchain import SentrialCallbackHandler

        return {"callbacks": [SentrialCallbackHandler(session.client, session.session_id)]}
    provider = make_provider(pace, address, counted)
    if variant == "floor":
        return {"callbacks": [make_floor(provider.get_tracer("benchmark"))]}
    os.environ |= CONTENT
    if variant == "OpenTelemetry":
        from opentelemetry.instrumentation.genai.langchain import LangChainInstrumentor
    else:
        from openinference.instrumentation.langchain import LangChainInstrumentor
    LangChainInstrumentor().instrument(tracer_provider=provider)
    return {}


def serve(variant: str, pace: str, address: str, clock: str) -> None:
    """Run blocks of the programs that the parent names; say what one run took, in microseconds, and its spans."""
    import logging

    logging.disable()
    now = CLOCKS[clock]
    counted = [0]
    programs = {name: make_program(name) for name in SHAPES}
    config = start(variant, pace, address, counted)
    for line in sys.stdin:
        program = programs[line.strip()]
        counted[0] = 0
        begun = now()
        for _ in range(RUNS_PER_BLOCK):
            program(config)
        taken = (now() - begun) / RUNS_PER_BLOCK * 1e6
        print(json.dumps([taken, counted[0] / RUNS_PER_BLOCK]), flush=True)


# --- the comparison ------------------------------------------------------------------------------------------------

VARIANTS = {
    "langchain": ("plain", "empty handler", "floor", "sentrial, handler", "sentrial, zero code"),
    "langchain_official": ("plain", "OpenTelemetry"),
    "langchain_openinference": ("plain", "OpenInference"),
}
"""By environment."""


class Process:
    """A variant that waits to be told what to run."""

    def __init__(self, python: str, variant: str, *how: str) -> None:
        self._process = subprocess.Popen(
            [python, __file__, "--child", variant, *how],
            env=environment(LANGSMITH_TRACING="false"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.times: dict[str, list[float]] = {name: [] for name in SHAPES}
        self.spans: dict[str, float] = {}

    def run(self, program: str, *, warm: bool = False) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(program, file=self._process.stdin, flush=True)
        taken, self.spans[program] = json.loads(self._process.stdout.readline())
        if not warm:
            self.times[program].append(taken)

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def per_piece(process: Process, program: str) -> tuple[list[float], float]:
    """What a node or a call of ``program`` takes, by rounds, and by the fastest blocks."""
    whole, start = process.times[program], process.times["start"]
    return [(a - b) / 10 for a, b in zip(whole, start, strict=True)], (min(whole) - min(start)) / 10


def cell(process: Process, plain: Process, program: str) -> str:
    """What a node or a call of ``program`` adds to that of ``plain``; of ``plain`` itself, what it takes."""
    taken, fastest = per_piece(process, program)
    if process is plain:
        return f"(takes {statistics.median(taken):.0f} / {fastest:.0f})"
    plain_taken, plain_fastest = per_piece(plain, program)
    median = statistics.median([a - b for a, b in zip(taken, plain_taken, strict=True)])
    return f"{median:.0f} / {fastest - plain_fastest:.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=60, help="blocks of each variant (default: %(default)s)")
    parser.add_argument("--pace", choices=PACES, default="quiet")
    parser.add_argument("--clock", choices=CLOCKS, default="wall", help="(default: wall)")
    parser.add_argument("--without-peers", action="store_true", help="this environment alone, without making others")
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        serve(*options.child)
        return
    if options.without_peers:
        pythons = {"langchain": sys.executable}
    else:
        sys.path.append(str(Path(__file__).parents[1] / "tests"))
        from compare.environment import python_of

        pythons = {name: str(python_of(name)) for name in VARIANTS}
    with ExitStack() as stack:
        address = stack.enter_context(sink())
        processes: dict[tuple[str, str], Process] = {}
        for name, python in pythons.items():
            for variant in VARIANTS[name]:
                processes[name, variant] = Process(python, variant, options.pace, address, options.clock)
                stack.callback(processes[name, variant].close)
        for n in range(3 + options.rounds):
            for program in SHAPES:
                for process in processes.values():
                    process.run(program, warm=n < 3)
    print(f"Microseconds added, {options.pace}, {options.clock} time: median of the rounds / of the fastest blocks.\n")
    print("| variant | spans of 11 nodes | per node | per small model call | per large model call |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for (name, variant), process in processes.items():
        plain = processes[name, "plain"]
        cells = [cell(process, plain, program) for program in ("nodes", "small", "large")]
        print(f"| {variant} ({name}) | {process.spans['nodes']:.0f} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
