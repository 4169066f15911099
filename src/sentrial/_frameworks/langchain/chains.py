"""The chains of LangChain: graphs, their nodes, agents and workflows. Most chains are none of these: no span."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sentrial import _session
from sentrial._frameworks.langchain import breakpoints, kinds, spoken, untold
from sentrial._frameworks.langchain.recorder import Opened, Recorder
from sentrial._frameworks.langchain.runs import Run, Start, current
from sentrial._session import Session
from sentrial._spans import agent_profile, event, root, step
from sentrial._spans.agent_profile import AgentProfile
from sentrial._spans.messages import defer_input, defer_output
from sentrial._spans.root import Opening
from sentrial._spans.step import Step


class AgentRun:
    """A run of an agent. ``session``: its own as a sub-agent, or the one that it is the whole of."""

    __slots__ = ("profile", "session")

    def __init__(self, session: Session) -> None:
        self.session = session
        self.profile = AgentProfile()

    def end(self, error: BaseException | None = None, end_time: int | None = None) -> None:
        """Write down what it was; its session ends elsewhere."""
        self.profile.write(self.session)


def started(recorder: Recorder, start: Start, given: object) -> None:
    """A chain is about to run."""
    breakpoints.watch()
    recorder.counters.start()
    kind = kinds.CHAIN
    if kinds.is_node(start.tags):
        kind = kinds.HIDDEN if kinds.is_hidden(start.tags) else kinds.NODE
    if spoken.is_to_come(given):
        given = None
    run = recorder.begin(kind, start._replace(run_id=untold.copy(start.run_id)), given)
    if run is None:
        return
    run.given = given
    is_task = _is_task(run, start)
    if is_task:
        run.kind = kind = kinds.HIDDEN if kinds.is_hidden(start.tags) else kinds.NODE
    if run.session is None or run.told is not None:
        if kind == kinds.NODE:
            run.enter()
    elif kind == kinds.NODE and run.parent is not None:
        if not is_task:
            _show_graph(run.parent, run, start)
        _begin_node(run, run.parent, start.name or "")
    elif kinds.is_executor(start.name):
        _begin_agent(run)
    elif run.parent is None and run.opened is None and kinds.own_name(start.name) is not None:
        # It may be a graph, which shows by its first node.
        run.appear = _begin_workflow
    if kind == kinds.CHAIN and run.session is not None and untold.is_around_body():
        # A function of the program's, as far as anybody can tell: what it calls belongs here.
        run.show()
        run.enter()
    if run.parent is None or (kind == kinds.CHAIN and run.activation is not None):
        # What else is inside of others ends with them. A stream may be read in one task after the other, but begins
        # before it is read. On Python 3.10, asyncio itself may hold for good what was cancelled.
        untold.watch(run, start.run_id, goes_on=lambda done: bool(run.children) or not done.cancelled())


def _is_task(run: Run, start: Start) -> bool:
    """Whether a run is a task that a node calls, or another task. What runs in it stands in the same place."""
    is_within = run.parent is not None and run.parent.place == run.place
    return not is_within and kinds.has_name_of_task(start.name, start.metadata)


def _show_graph(graph: Run, node: Run, start: Start) -> None:
    """A graph shows by its first ``node`` that it is one."""
    if graph.span is not None or graph.kind != kinds.CHAIN:
        return
    graph.kind, graph.appear = kinds.GRAPH, None
    name = start.name or ""
    if kinds.is_entrypoint(start.metadata) and kinds.own_name(graph.name) is None:
        graph.name = name
        if graph.opened is not None:
            agent_profile.learn_name(graph.opened.session, name)
    if kinds.makes_agent(name) or _is_sub(graph):
        _begin_agent(graph)
    else:
        _begin_workflow(graph)
    node.context = graph.context


def _begin_node(run: Run, outer: Run, name: str) -> None:
    session = run.session
    if session is not None and not (outer.kind == kinds.AGENT and kinds.is_loop_of_agent(name)):
        with current(run.context):
            begin = step.begin_plan if kinds.is_planner(name) else step.begin_node
            found = begin(session, name)
            run.span = found
            run.contain(event.context_of(found.span, session))
    run.enter()


def _is_sub(graph: Run) -> bool:
    """Whether a graph runs inside another one, or inside an agent."""
    outer = graph.parent
    while outer is not None:
        if outer.kind in (kinds.GRAPH, kinds.AGENT, kinds.NODE, kinds.TOOL):
            return True
        outer = outer.parent
    return False


def _begin_agent(run: Run) -> None:
    session = run.session
    if session is None:
        return
    run.kind = kinds.AGENT
    name = kinds.own_name(run.name) or (run.parent.name if _is_sub(run) and run.parent is not None else None)
    if not _is_sub(run) and (run.opened is not None or name is None or name == session.agent_name):
        run.span = AgentRun(session)
        return
    opening = Opening(
        agent_name=name or session.agent_name,
        user_id=session.user_id,
        conversation_id=session.conversation_id,
        account=session.account,
        input=spoken.read_given(run.given),
    )
    sub = root.start(opening, run.context, parent=session, start_time=run.since)
    run.span, run.opened = AgentRun(sub), Opened(sub)
    with current(run.context):
        run.contain(_session.inside(sub))


def _begin_workflow(run: Run) -> None:
    session = run.session
    if session is None:
        return
    with current(run.context):
        workflow = step.begin_workflow(session, kinds.own_name(run.name), start_time=run.since)
        if run.given is not None:
            workflow.set_input(defer_input(spoken.read_given(run.given)))
        run.span = workflow
        run.contain(event.context_of(workflow.span, session))


def ended(recorder: Recorder, run_id: UUID, gave: object, given: object) -> None:
    """The chain has given ``gave``. ``given``: what it was given, where that is known only now."""
    run = recorder.runs.find(run_id)
    if run is not None:
        _learn_given(run, given)
        if breakpoints.is_at_one(run_id):
            # Before its first node nothing else has shown what it is.
            run.kind = kinds.GRAPH if run.kind == kinds.CHAIN else run.kind
            run.paused = True
        run.show()
        if isinstance(run.span, Step) and run.kind in (kinds.GRAPH, kinds.CHAIN):
            run.span.set_output(defer_output(spoken.read_gave(gave)))
    recorder.finish(run_id, given=gave)


def failed(recorder: Recorder, run_id: UUID, error: BaseException, given: object) -> None:
    """The chain has raised ``error``, or was left by it."""
    run = recorder.runs.find(run_id)
    if run is not None:
        _learn_given(run, given)
    recorder.finish(run_id, error)


def _learn_given(run: Run, given: object) -> None:
    """Take what the chain was given: of what is streamed through it LangChain tells at the end alone."""
    if run.given is not None or given is None:
        return
    run.given = run.given_late = given
    if isinstance(run.span, Step) and run.kind == kinds.CHAIN:
        run.span.set_input(defer_input(spoken.read_given(given)))


def agent_around(run: Run) -> AgentRun | None:
    """The agent whose own work a run is: none where the run is part of a tool or of another session."""
    outer = run.parent
    while outer is not None:
        if isinstance(outer.span, AgentRun):
            return outer.span
        if outer.kind == kinds.TOOL:
            return None
        outer = outer.parent
    return None


def acted(recorder: Recorder, run_id: UUID, action: Any) -> None:
    """An older agent has chosen ``action``: the run of its tool follows."""
    run = recorder.runs.find(run_id)
    # A list of callbacks may hold one handler twice.
    if run is not None and any(action is known for known in run.actions):
        return
    recorder.counters.step()
    if run is not None:
        run.actions.append(action)


def answered(recorder: Recorder, finish: Any) -> None:
    """An older agent has come to its answer."""
    values = getattr(finish, "return_values", None)
    output = values.get("output") if isinstance(values, dict) else None
    if output is not None:
        recorder.counters.gave = str(output)
