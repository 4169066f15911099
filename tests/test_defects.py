"""The defects of the old SDK, by number: each program of tests/defects under ours, and the page that shows both.

The wrappers of clients and LangChain's handler have files of their own.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from pathlib import Path

from defects import run, side_by_side
from defects.blocked import SOON
from defects.run import right

PAGE = Path(__file__).parents[1] / "docs" / "old-and-new.md"


def test_defect_01_import_needs_no_httpx() -> None:
    assert right("01_without_httpx").printed == {"raised": None}


def test_defect_02a_two_sessions_on_one_thread_keep_their_own_input_and_output() -> None:
    found = {s.user: (s.input, s.output) for s in right("02a_two_at_a_time").sessions}
    assert found == {user: (f"the question of {user}", f"the answer for {user}") for user in ("alice", "bob")}


def test_defect_02b_fifty_handlers_at_the_same_time_keep_theirs_apart() -> None:
    found = [(s.user, s.input, s.output, s.tools) for s in right("02b_fifty_handlers").sessions]
    users = [f"user{number:02}" for number in range(50)]
    expected = [(user, f"question of {user}", f"answer for {user}", [f"look_up_{user}"]) for user in users]
    assert sorted(found) == expected


def test_defect_03_session_on_async_def_holds_what_happens_inside() -> None:
    seen = right("03_session_on_async_def")
    session = seen.of_user("alice")
    assert (session.input, session.output, session.status) == ("parcels", "found parcels", "completed")
    assert [(event.name, event.input, event.output) for event in session.events] == [
        ("search", {"query": "parcels"}, {"result": "found parcels"})
    ]
    assert seen.printed == {"returned": "found parcels"}


def test_defect_04a_a_server_that_hangs_blocks_no_call() -> None:
    assert right("04a_server_hangs").sessions == []


def test_defect_04b_a_server_that_is_down_blocks_no_call() -> None:
    assert right("04b_server_down").requests == 0


def test_defect_04c_a_server_that_answers_503_blocks_no_call() -> None:
    assert right("04c_server_answers_503").sessions == []


def test_defect_04d_a_slow_server_blocks_no_call_and_gets_all() -> None:
    assert right("04d_slow_server").of_user("alice").tools == ["search"] * 8


def test_defect_05a_the_async_client_raises_nothing_for_what_a_server_answers() -> None:
    seen = right("05a_async_client_raises")
    assert (seen.printed, seen.sessions) == ({"raised": {}}, [])


def test_defect_05b_values_that_are_no_json_arrive() -> None:
    seen = right("05b_values_that_are_no_json")
    values = {session.user: session.events[0].input["value"] for session in seen.sessions if session.events}
    assert (values["datetime in a tool call"], values["Decimal in a tool call"]) == (
        "2026-11-21T00:00:00+00:00",
        "1.20",
    )
    assert (values["set in a tool call"], values["dataclass in a tool call"]) == ([1, 2], {"number": 7})


def test_defect_05c_a_cost_of_none_and_tokens_of_the_tools_own_are_taken() -> None:
    found = {s.user: s.events[0].output for s in right("05c_none_and_tokens").sessions}
    assert found == {"alice": {"found": 1}, "bob": {"tokens": {"prompt": "ask again", "completion": None}}}


def test_defect_05d_html_as_answer_costs_neither_result_nor_exception() -> None:
    assert right("05d_answer_is_no_json").printed == {"result": "the answer", "raised": "LookupError"}


def test_defect_05e_a_bad_pattern_is_named_and_the_session_arrives() -> None:
    seen = right("05e_bad_pattern")
    assert seen.of_user("alice").input == "hello"
    assert "'('" in seen.log


def test_defect_05f_metadata_that_is_no_dict_is_kept() -> None:
    seen = right("05f_metadata_no_dict")
    assert "from the web" in seen.of_user("text").text
    assert {session.status for session in seen.sessions} == {"completed"}


def test_defect_06_the_event_loop_goes_on_while_a_server_hangs() -> None:
    assert right("06_event_loop").printed == {"went_on": True}


def test_defect_08a_personal_data_is_masked_in_every_place() -> None:
    seen = right("08a_pii_places")
    assert "example.com" not in seen.sent
    assert seen.of_user("alice").input == "write to [EMAIL]"


def test_defect_08b_a_card_is_masked_and_an_order_number_is_not() -> None:
    (event,) = right("08b_pii_numbers").of_user("alice").events
    assert (event.input["card"], event.output) == (
        "card [CREDIT_CARD]", {"order": "order ORD-1234567890", "at": "at 1712345678 s"},
    )  # fmt: skip


def test_defect_08c_personal_data_is_masked_for_async_functions_too() -> None:
    session = right("08c_pii_async").of_user("alice")
    assert (session.input, session.events[0].input) == ("I am [EMAIL]", {"who": "[EMAIL]"})


def test_defect_08d_keys_and_passwords_are_masked() -> None:
    seen = right("08d_keys_in_texts")
    assert seen.of_user("alice").tools == ["fetch"]
    assert "hunter2" not in seen.sent


def test_defect_09_each_result_is_sent_once() -> None:
    seen = right("09_payload_size")
    assert Counter(seen.of_user("alice").tools) == {f"tool_{number}": 1 for number in range(200)}


def test_defect_10a_sessions_finished_crosswise_keep_what_is_theirs() -> None:
    found = {session.user: session.tools for session in right("10a_finished_crosswise").sessions}
    assert found == {"alice": [], "bob": ["in_bobs"]}


def test_defect_10b_a_forgotten_session_catches_nothing_of_the_next_user() -> None:
    found = {s.user: (s.status, s.key, s.tools) for s in right("10b_forgotten_begin").sessions}
    assert found == {
        "alice": ("abandoned", run.KEY, []),
        "bob": ("completed", run.OTHER_KEY, ["search"]),
    }


def test_defect_10c_a_session_that_the_server_was_too_busy_for_is_nobody_elses() -> None:
    found = {session.user: session.tools for session in right("10c_failed_inner_session").sessions}
    assert found == {"alice": [], "bob": ["search_for_bob"]}


def test_defect_10d_tools_on_a_pools_threads_are_in_the_session() -> None:
    events = right("10d_tools_on_threads").of_user("alice").events
    assert sorted(event.input["number"] for event in events) == [0, 1, 2, 3]


def test_defect_11a_a_cancelled_task_ends_its_session() -> None:
    assert right("11a_cancelled_task").of_user("alice").status == "cancelled"


def test_defect_11b_ctrl_c_and_exit_end_their_sessions() -> None:
    found = {s.user: (s.status, s.tools) for s in right("11b_ctrl_c_and_exit").sessions}
    assert found == {"alice": ("cancelled", []), "bob": ("cancelled", [])}


def test_defect_11c_a_forgotten_finish_is_made_up_for_when_the_program_ends() -> None:
    session = right("11c_forgotten_finish").of_user("alice")
    assert (session.status, session.tools) == ("abandoned", ["search"])


def test_defect_12a_the_session_of_a_generator_lasts_as_long_as_it() -> None:
    session = right("12a_generator").of_user("alice")
    assert (session.status, session.input, session.tools) == ("completed", "parcels", ["search"])


def test_defect_12b_the_session_of_an_async_generator_lasts_as_long_as_it() -> None:
    session = right("12b_async_generator").of_user("alice")
    assert (session.status, session.input, session.tools) == ("completed", "parcels", ["search"])


def test_defect_12c_a_tool_that_is_a_generator_has_what_it_gave_as_result() -> None:
    (event,) = right("12c_tool_generator").of_user("alice").events
    assert event.input == {"name": "notes"}


def test_defect_13a_a_model_that_nobody_knows_has_no_price() -> None:
    printed = right("13a_unknown_model").printed
    assert [math.isnan(cost) for costs in printed.values() for cost in costs] == [True] * 6


def test_defect_13b_prices_are_those_of_the_lists() -> None:
    printed = right("13b_known_models").printed
    assert math.isclose(printed["gpt-5-nano"], 0.00045)


def test_defect_14a_self_is_not_recorded() -> None:
    (event,) = right("14a_self_of_a_method").of_user("alice").events
    assert (event.input, event.output) == ({"number": 6}, {"result": 7})


def test_defect_14b_arguments_named_like_secrets_are_masked() -> None:
    (event,) = right("14b_arguments_named_like_secrets").of_user("alice").events
    assert set(event.input) == {"url", "api_key", "password", "token"}


def test_defect_14c_a_huge_argument_is_cut_and_the_tool_gets_it_whole() -> None:
    seen = right("14c_huge_argument")
    assert seen.printed == {"returned": 20_000_000}
    assert seen.of_user("alice").events[0].text.count("sentrial.truncated") == 1


def test_defect_16_what_is_sent_again_makes_no_second_session() -> None:
    seen = right("16_sent_again")
    assert (seen.requests, len(seen.sessions)) == (4, 1)


def test_defect_17a_an_argument_that_contains_itself_stops_no_tool() -> None:
    assert right("17a_argument_that_contains_itself").printed == {"raised": {}, "ran": 2}


def test_defect_17b_a_tool_without_a_session_costs_no_text() -> None:
    assert right("17b_no_session").printed == {"returned": 1000, "made": 0}


def test_defect_19a_an_error_makes_a_failed_session() -> None:
    session = right("19a_error_then_finish").of_user("alice")
    assert (session.status, [event.kind for event in session.events]) == ("failed", ["error"])


def test_defect_19b_an_error_makes_a_failed_session_of_a_function_too() -> None:
    session = right("19b_error_in_session_function").of_user("alice")
    assert (session.status, session.output) == ("failed", "sorry")


def test_defect_20_a_session_can_be_finished_on_another_thread() -> None:
    session = right("20_finish_on_another_thread").of_user("alice")
    assert (session.status, session.input, session.output) == ("completed", "hello", "done")


def test_defect_21a_a_client_can_be_copied() -> None:
    assert [session.key for session in right("21a_deepcopy").sessions] == [run.KEY]


def test_defect_21b_a_client_can_be_pickled() -> None:
    assert [session.key for session in right("21b_pickle").sessions] == [run.KEY]


def test_defect_22a_results_that_were_delivered_are_let_go() -> None:
    assert right("22a_results_kept").printed == {"kept": 0}


def test_defect_22b_functions_that_were_decorated_are_let_go() -> None:
    assert right("22b_decorated_functions").printed == {"kept": 0}


def test_defect_22c_sessions_that_are_never_completed_take_a_bounded_place() -> None:
    statuses = Counter(session.status for session in right("22c_sessions_never_completed").sessions)
    assert statuses == {"abandoned": 12_000}


def test_defect_23_nan_and_infinity_cost_no_event() -> None:
    events = right("23_nan").of_user("alice").events
    assert [(event.input, event.output) for event in events] == [
        ({"value": "nan"}, {"found": 1}), ({"value": 1}, {"found": "inf"}), ({"value": 1}, {"found": 1}),
    ]  # fmt: skip


def test_defect_24_tools_inside_an_async_interaction_are_in_its_session() -> None:
    assert right("24_tools_in_async_interaction").of_user("alice").input == "hello"


def test_defect_26_no_call_waits_for_settings_from_a_server() -> None:
    assert right("26_pii_settings_from_a_server").printed["seconds"] < SOON


def test_defect_28_a_bad_key_is_named_and_the_loss_is_counted() -> None:
    seen = right("28_bad_key")
    assert seen.printed == {"lost": 10}
    assert "SENTRIAL_API_KEY" in seen.log


def test_defect_29_configuring_again_leaves_no_thread_behind() -> None:
    assert right("29_configured_again").printed["more"] <= 1


def test_defect_30a_one_switch_turns_it_off() -> None:
    seen = right("30a_off_switch")
    assert (seen.requests, seen.home) == (0, [])


def test_defect_30b_without_an_account_sessions_are_kept_on_the_machine() -> None:
    assert any(path.endswith("sentrial/sessions.db") for path in right("30b_no_account").home)


def test_defect_30c_sessions_can_be_sampled() -> None:
    assert right("30c_sampling").sessions == []


# --- the page --------------------------------------------------------------------------------------------------------


def test_every_defect_has_its_test() -> None:
    here = Path(__file__).parent
    files = [*here.glob("test_defects*.py"), here / "test_langchain_defects.py"]
    tests = "".join(path.read_text(encoding="utf-8") for path in files)
    tested = {found.lstrip("0") for found in re.findall(r"^def test_defect_(\d+[a-z]?)_", tests, re.MULTILINE)}
    assert tested == {run.number(name) for name in run.names()}


def test_the_page_has_a_row_for_each_program_and_ours_is_right_in_all() -> None:
    rows = side_by_side.rows_of(PAGE.read_text(encoding="utf-8"))
    assert [(row.number, row.title) for row in rows] == [(run.number(name), run.title(name)) for name in run.names()]
    assert [row.number for row in rows if not row.ours.startswith("ok: ")] == []


def test_the_page_says_when_and_with_what_it_was_measured() -> None:
    (measured,) = re.findall(r"^Measured on .*$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert re.fullmatch(
        r"Measured on \d{4}-\d\d-\d\d with CPython [\d.]+: `sentrial` 0\.6\.0 \(httpx [\d.]+, requests [\d.]+\), "
        r"`sentrial-otel` [\d.a-z]+\.",
        measured,
    )
