"""What the old names for LangChain do here: the handler, and the functions around it."""

from __future__ import annotations

from old_sdk.rows import BETTER, SAME, Row, Section

LANGCHAIN = Section(
    "LangChain",
    "sentrial",
    (
        Row(
            "SentrialCallbackHandler SentrialCallbackHandler.on_agent_action SentrialCallbackHandler.on_agent_finish "
            "SentrialCallbackHandler.on_llm_start SentrialCallbackHandler.on_llm_end "
            "SentrialCallbackHandler.on_llm_error SentrialCallbackHandler.on_tool_start "
            "SentrialCallbackHandler.on_tool_end SentrialCallbackHandler.on_tool_error",
            BETTER,
            "Every model call, tool, retriever, agent, graph and node is on the timeline, below what called it, with "
            "its error where it failed. Without arguments too. One handler serves many runs at once. See "
            "[LangChain](langchain.md).",
        ),
        Row(
            "SentrialCallbackHandler.llm_calls SentrialCallbackHandler.total_cost "
            "SentrialCallbackHandler.total_tokens SentrialCallbackHandler.total_prompt_tokens "
            "SentrialCallbackHandler.total_completion_tokens SentrialCallbackHandler.get_usage_summary",
            BETTER,
            "As the providers count: cached and reasoning tokens included, streams too. The cost is that of the model "
            "that answered; a model without a price adds nothing.",
        ),
        Row(
            "SentrialCallbackHandler.finish",
            BETTER,
            "Completes the session, once. Tokens and cost are those of all its events, not of the handler's calls "
            "alone.",
        ),
        Row("SentrialCallbackHandler.set_input", BETTER, "Takes None, and what is no text."),
        Row(
            "SentrialCallbackHandler.track_llm_calls",
            BETTER,
            "`False` leaves the spans of model calls out, a patched client's too; the old package never looked at it. "
            "They count all the same, in the handler and in the session.",
        ),
        Row("SentrialCallbackHandler.verbose", SAME, "Taken; nothing is printed: `sentrial sessions show last`."),
        Row(
            "SentrialCallbackHandler.client SentrialCallbackHandler.session_id SentrialCallbackHandler.model_name "
            "SentrialCallbackHandler.user_input SentrialCallbackHandler.assistant_output "
            "SentrialCallbackHandler.last_llm_reasoning SentrialCallbackHandler.step_count "
            "SentrialCallbackHandler.start_time SentrialCallbackHandler.end_time SentrialCallbackHandler.duration_ms "
            "SentrialCallbackHandler.tool_runs SentrialCallbackHandler.pending_actions",
            SAME,
            "To be read. `client` and `session_id` are what was given, or None.",
        ),
        Row(
            "create_agent_with_sentrial",
            BETTER,
            "By `create_agent` of `langchain` 1.x. A cancelled run is no failure. The session is named as `begin` "
            "names it, without the question.",
        ),
        Row(
            "get_agent_executor get_openai_tools_agent_creator",
            BETTER,
            "From `langchain-classic`, where LangChain 1.0 has put them. Without it an ImportError says what to "
            "install; the old package found them in LangChain 0.x alone, which is not supported here.",
        ),
        Row(
            "get_react_agent",
            SAME,
            "LangGraph's `create_react_agent`, which LangGraph itself calls deprecated: `create_agent` of `langchain` "
            "has taken over.",
        ),
        Row("LANGCHAIN_VERSION LANGCHAIN_MAJOR_VERSION", SAME, "`core-1.x` and 1, with `langchain` installed."),
        Row("langchain", SAME, "The module, with all these names; they are in `sentrial` too."),
    ),
)
