"""The sessions that each block of a page leaves: the outlines of their trees, the oldest first."""

from __future__ import annotations

LEAVES = {
    "README.md": [
        ["invoke_agent support-agent", "  execute_tool search_orders", "  chat gpt-4o"],
    ],
    "docs/accounts.md": [
        ["invoke_agent shop-agent", "invoke_agent auditor"],
    ],
    "docs/across-processes.md": [
        ["invoke_agent refund-agent", "  execute_tool request_refund", "    execute_tool refund"],
        ["invoke_agent report-agent", "  execute_tool run", "    execute_tool convert"],
        [
            "invoke_agent refund-agent",
            "  execute_tool ask_for_approval",
            "  execute_tool refund",
            "  session completed",
        ],
        ["invoke_agent text-agent", "  execute_tool count_words"],
        ["invoke_agent text-agent"],
    ],
    "docs/content.md": [
        ["invoke_agent support-agent"],
        ["invoke_agent support-agent"],
    ],
    "docs/errors.md": [
        ["invoke_agent support-agent", "  decision support-agent"],
        ["invoke_agent support-agent", "  decision support-agent"],
        ["invoke_agent support-agent", "  execute_tool refund", "  error"],
    ],
    "docs/first-session.md": [
        ["invoke_agent support-agent"],
        ["invoke_agent support-agent"],
        ["invoke_agent support-agent", "  execute_tool search"],
        ["invoke_agent support-agent"],
    ],
    "docs/threads.md": [
        ["invoke_agent research-agent", *["  execute_tool search"] * 3],
        ["invoke_agent support-agent", "  execute_tool send_mail"],
    ],
    "docs/tools-and-decisions.md": [
        ["invoke_agent support-agent", "  execute_tool look_up_order", "  decision support-agent"],
        ["invoke_agent triage", "  invoke_agent refunds", "    decision refunds"],
        [
            "invoke_agent search-agent",
            "  execute_tool pages",
            "  decision search-agent",
            "  decision search-agent",
        ],
        ["invoke_agent support-agent", "  execute_tool look_up_order", "  decision support-agent"],
        ["invoke_agent support-agent", "  execute_tool look_up_order", "  decision support-agent", "  error"],
    ],
    "docs/web-service.md": [
        ["invoke_agent support-agent"],
        ["invoke_agent streaming-agent"],
        ["invoke_agent refund-agent", "  execute_tool pay_back", "  session completed"],
        ["invoke_agent forgetful-agent"],
    ],
}
