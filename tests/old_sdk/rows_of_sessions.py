"""What the old names for sessions and events do here: functions, client, interaction, and their async forms."""

from __future__ import annotations

from old_sdk.rows import BETTER, LEFT_OUT, SAME, Row, Section

FUNCTIONS = Section(
    "Functions of `sentrial`",
    "sentrial",
    (
        Row(
            "configure",
            BETTER,
            "Sets up for this process; may be called again. Opens no connection; what an earlier call queued is still "
            "delivered. Takes every [setting](settings.md) besides.",
        ),
        Row(
            "begin",
            BETTER,
            "Opens a session and makes it current, at once: nothing waits for the network. Identity travels per task "
            "and thread. Inside the `with` block of another session of the same user it is a sub-agent.",
        ),
        Row(
            "configure_async begin_async",
            SAME,
            "Doors to `configure` and `begin`: awaiting them waits for nothing. No `httpx` is needed.",
        ),
        Row("get_current_session_id get_session_context", SAME, "The id of the session that is current here, or None."),
        Row(
            "get_current_interaction",
            BETTER,
            "The `Interaction` that is current here, also one that `begin` opened; the old package knew those of "
            "`@session` and `SessionContext` alone.",
        ),
        Row(
            "set_session_context clear_session_context",
            BETTER,
            "Makes the session of that id current for this task or thread, until it is cleared. Everything that "
            "happens inside lands in it, not model calls alone.",
        ),
        Row(
            "get_session_entry_points",
            SAME,
            "The functions under `@session`; the list keeps none of them alive.",
        ),
        Row("EventType EventType.*", SAME, "What `track_*` returns under `eventType`. `LLM_CALL` is new."),
        Row(
            "BatcherConfig",
            BETTER,
            "Taken, so that programs go on as they are. Spans are always delivered in batches, by a thread of ours: in "
            "`configure`, `flush_interval` counts; the other three have nothing left to decide.",
        ),
        Row(
            "EventBatcher EventBatcher.*",
            LEFT_OUT,
            "Every span is queued and delivered in batches by a thread of ours. `sentrial.flush()` waits for it.",
        ),
    ),
)

CLIENT = Section(
    "`SentrialClient`",
    "sentrial",
    (
        Row(
            "SentrialClient",
            BETTER,
            "Several with different keys may live in one process: each session goes to the account of the client that "
            "opened it, and only there. Can be copied and pickled. `langfuse` and `batching` have no effect.",
        ),
        Row(
            "SentrialClient.__enter__ SentrialClient.__exit__ SentrialClient.close",
            SAME,
            "Delivers what is queued, within `SENTRIAL_FLUSH_TIMEOUT`.",
        ),
        Row(
            "SentrialClient.create_session",
            BETTER,
            "Always returns an id, also with no server in reach. The id leads to the trace: "
            "`{trace id}-{root span id}`, 49 characters.",
        ),
        Row(
            "SentrialClient.track_tool_call SentrialClient.track_decision SentrialClient.track_error",
            BETTER,
            "Makes a span and returns at once. Takes any value. `trace_id` and `span_id` become a link. Works for "
            "sessions of other processes too.",
        ),
        Row(
            "SentrialClient.complete_session",
            BETTER,
            "Ends the session. A second call changes nothing. Called where the session was not opened, it sends a span "
            "`session completed`.",
        ),
        Row("SentrialClient.close_session", SAME, "`complete_session` with fewer parameters."),
        Row("SentrialClient.begin", SAME, "As `sentrial.begin`, for this client's account."),
        Row(
            "SentrialClient.update_state SentrialClient.current_state",
            BETTER,
            "State belongs to the session that is current, not to the thread; see above.",
        ),
        Row(
            "SentrialClient.calculate_openai_cost SentrialClient.calculate_anthropic_cost "
            "SentrialClient.calculate_google_cost",
            BETTER,
            "Prices of `genai-prices` (extra `cost`), kept up to date there. NaN for a model without a price, and one "
            "warning; the old package took the price of gpt-4.",
        ),
        Row(
            "SentrialClient.flush SentrialClient.shutdown",
            BETTER,
            "Waits until what is queued is delivered, 30 s at most; `flush` says whether it is. Clients share what "
            "delivers: `sentrial.shutdown()` stops it for all.",
        ),
        Row(
            "SentrialClient.api_key SentrialClient.api_url SentrialClient.fail_silently",
            SAME,
            "As given, else from the environment.",
        ),
        Row("SentrialClient.pii SentrialClient.langfuse", SAME, "As given."),
        Row(
            "SentrialClient.session",
            LEFT_OUT,
            "It was the `requests.Session` that every call went through; no call does.",
        ),
    ),
)

INTERACTION = Section(
    "`Interaction`, what `begin` returns",
    "sentrial",
    (
        Row("Interaction", SAME, "Made by `begin`; its constructor was never meant to be called."),
        Row(
            "Interaction.__enter__ Interaction.__exit__",
            BETTER,
            "Ends the session: failed if an exception leaves the block, cancelled if the task is cancelled or the "
            "program stopped. Works in `async with` too.",
        ),
        Row(
            "Interaction.finish",
            BETTER,
            "Ends the session; a second call does nothing and returns `{}`. `success` not given means yes, unless "
            "`track_error` was called. The session's own input is sent, not the thread's last.",
        ),
        Row("Interaction.set_output", BETTER, "Any value, not text alone."),
        Row(
            "Interaction.track_tool_call Interaction.track_decision Interaction.track_error",
            BETTER,
            "As on the client. `track_error` makes the session a failed one, in every way of ending it.",
        ),
        Row(
            "Interaction.client Interaction.event_id Interaction.user_id Interaction.event",
            SAME,
            "As given to `begin`.",
        ),
        Row("Interaction.session_id", BETTER, "Always text: a session exists without the server's help."),
    ),
)

ASYNC = Section(
    "Async: `AsyncSentrialClient`, `AsyncInteraction`",
    "sentrial",
    (
        Row(
            "AsyncSentrialClient AsyncSentrialClient.*",
            BETTER,
            "A door to `SentrialClient`: each method does what its namesake does, and awaiting it waits for nothing. "
            "No `httpx` is needed. Never raises for what a server answers.",
        ),
        Row(
            "AsyncSentrialClient.__aenter__ AsyncSentrialClient.__aexit__ AsyncSentrialClient.close",
            SAME,
            "Delivers what is queued; the event loop goes on meanwhile.",
        ),
        Row(
            "AsyncInteraction AsyncInteraction.*",
            BETTER,
            "A door to `Interaction`, whose methods are awaited. It is current in its task, so that tools and model "
            "calls land in it.",
        ),
        Row(
            "AsyncInteraction.add_tokens AsyncInteraction.total_prompt_tokens AsyncInteraction.total_completion_tokens "
            "AsyncInteraction.total_tokens AsyncInteraction.total_cost",
            SAME,
            "Sums of your own; `finish` takes them for what it is not given.",
        ),
    ),
)

SECTIONS = (FUNCTIONS, CLIENT, INTERACTION, ASYNC)
