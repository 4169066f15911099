"""The defects of the old SDK's handler for LangChain, by number: each program of tests/defects under ours."""

from __future__ import annotations

import json

from defects.run import right


def test_defect_18a_calls_of_models_are_on_the_timeline() -> None:
    events = right("18a_langchain_calls").of_user("alice").events
    assert [event.kind for event in events] == ["llm_call", "llm_call"]


def test_defect_18b_errors_of_models_chains_and_retrievers_are_on_the_timeline() -> None:
    session = right("18b_langchain_errors").of_user("alice")
    assert [json.loads(event.text)["name"] for event in session.events] == [
        "chat",
        "invoke_workflow chain",
        "retrieval",
    ]
    assert session.status == "failed"


def test_defect_18c_parallel_tools_have_their_own_names_and_inputs() -> None:
    events = right("18c_langchain_parallel_tools").of_user("alice").events
    found = {event.name: (event.input, event.output) for event in events if event.kind == "tool_call"}
    assert found == {
        "search": ({"what": "parcel"}, {"result": "in Lisbon"}),
        "weigh": ({"what": "the box"}, {"result": "2 kg"}),
    }


def test_defect_18d_a_tool_that_raises_is_a_failed_call() -> None:
    (event,) = right("18d_langchain_tool_error").of_user("alice").events
    assert (event.kind, event.name, event.output) == ("tool_call", "refund", None)
    assert json.loads(event.text)["attributes"]["error.type"] == "OSError"


def test_defect_18e_the_model_is_priced_that_the_answer_names() -> None:
    seen = right("18e_langchain_price")
    assert seen.printed == {"cost": 0.0125}
    assert seen.of_user("alice").cost == 0.0125


def test_defect_18f_a_session_that_nobody_completes_is_abandoned() -> None:
    assert right("18f_langchain_session_left_open").of_user("alice").status == "abandoned"


def test_defect_18g_a_tool_of_which_nothing_is_told_is_recorded() -> None:
    (event,) = right("18g_langchain_nothing_serialized").of_user("alice").events
    assert (event.input, event.output) == ({"input": "order 1042"}, {"result": "in Lisbon"})


def test_defect_18h_finish_keeps_costs_that_were_told() -> None:
    assert right("18h_langchain_finish_cost").of_user("alice").cost == 0.5


def test_defect_18i_no_prompt_is_changed() -> None:
    assert right("18i_langchain_prompt").printed == {"prompts": ["Where is my parcel?"]}


def test_defect_18j_no_input_is_no_error() -> None:
    assert right("18j_langchain_no_input").printed == {"raised": None}


def test_defect_18k_retrievers_are_on_the_timeline() -> None:
    (event,) = right("18k_langchain_retriever").of_user("alice").events
    assert json.loads(event.text)["name"] == "retrieval"


def test_defect_18l_a_second_finish_changes_nothing() -> None:
    session = right("18l_langchain_finish_twice").of_user("alice")
    assert (session.status, "no such parcel" in session.text) == ("failed", True)
