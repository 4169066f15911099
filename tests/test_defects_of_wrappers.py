"""The defects of the old SDK's wrappers of clients, by number: each program of tests/defects/defect_07* under ours."""

from __future__ import annotations

from defects.model_calls import calls, number
from defects.run import right


def test_defect_07a_async_azure_and_classes_of_ones_own_work_and_are_recorded() -> None:
    assert right("07a_async_azure").printed == {"raised": None}


def test_defect_07b_a_raw_response_works_and_is_recorded() -> None:
    assert right("07b_raw_response").printed == {"raised": None}


def test_defect_07c_a_stream_has_no_chunks_that_nobody_asked_for() -> None:
    assert right("07c_chunks_of_a_stream").printed == {"raised": None}


def test_defect_07d_a_stream_of_anthropics_is_still_a_context_manager() -> None:
    assert right("07d_with_a_stream").printed == {"raised": None}


def test_defect_07e_a_stream_that_is_left_by_break_is_recorded_as_far_as_it_came() -> None:
    (call,) = calls(right("07e_break_out_of_a_stream"))
    assert "Rotterdam" not in call.text


def test_defect_07f_a_stream_that_is_read_after_its_session_is_recorded_in_it() -> None:
    (call,) = right("07f_stream_after_its_session").of_user("alice").events
    assert call.kind == "llm_call"


def test_defect_07g_a_client_that_is_wrapped_twice_records_once() -> None:
    assert len(right("07g_wrapped_twice").of_user("alice").events) == 1


def test_defect_07h_the_tools_that_an_answer_asks_for_are_recorded() -> None:
    (call,) = calls(right("07h_tool_calls"))
    assert "4711" in call.text


def test_defect_07i_tokens_from_openais_cache_have_their_price() -> None:
    (call,) = calls(right("07i_cached_tokens_of_openai"))
    assert number(call, "", "gen_ai.usage.cache_read.input_tokens") == 900


def test_defect_07j_tokens_from_anthropics_cache_are_counted_and_have_their_price() -> None:
    (call,) = calls(right("07j_cached_tokens_of_anthropic"))
    assert number(call, "", "gen_ai.usage.cache_read.input_tokens") == 7000


def test_defect_07k_the_helpers_of_anthropics_streams_are_recorded_with_usage() -> None:
    found = calls(right("07k_text_of_a_stream"))
    assert [number(call, "", "gen_ai.usage.output_tokens") for call in found] == [13, 13]


def test_defect_07l_the_event_loop_goes_on_while_a_wrapped_client_is_used() -> None:
    assert right("07l_event_loop").printed == {"went_on": True}


def test_defect_07m_a_call_without_a_session_is_recorded() -> None:
    assert len(right("07m_without_a_session").sessions) == 1


def test_defect_07n_googles_client_is_wrapped_and_recorded() -> None:
    assert right("07n_google_genai").printed == {"raised": None}


def test_defect_07o_a_large_image_is_not_sent() -> None:
    seen = right("07o_large_image")
    assert "iVBORw0KiVBORw0K" not in seen.sent


def test_defect_07p_every_way_to_call_is_recorded() -> None:
    events = right("07p_other_ways_to_call").of_user("alice").events
    assert [event.kind for event in events] == ["llm_call"] * 5
