"""Every attribute, span, event and metric name that this package emits, and nothing else holds such strings.

``gen_ai.*`` and ``openai.*`` follow the OpenTelemetry GenAI semantic conventions (development status, autumn 2026);
``session.*``, ``user.*``, ``server.*``, ``error.*`` and ``exception.*`` are the core conventions;
``input.*``, ``output.*`` and ``openinference.*`` are OpenInference's, for readers that know no other.
What no convention names stands under ``sentrial.*``.
"""

SCHEMA_URL = "https://opentelemetry.io/schemas/gen-ai/1.42.0"

# --- operations and span names -----------------------------------------------------------------------------------
OPERATION_CHAT = "chat"
OPERATION_TEXT_COMPLETION = "text_completion"
OPERATION_FETCH_RESPONSE = "fetch_response"
OPERATION_EXECUTE_TOOL = "execute_tool"
OPERATION_INVOKE_AGENT = "invoke_agent"
OPERATION_INVOKE_WORKFLOW = "invoke_workflow"
OPERATION_PLAN = "plan"
OPERATION_RETRIEVAL = "retrieval"

SPAN_DECISION = "decision"
SPAN_ERROR = "error"
SPAN_SESSION_COMPLETED = "session completed"
SPAN_NODE = "node"

# --- gen_ai: common ----------------------------------------------------------------------------------------------
GEN_AI_OPERATION_NAME = "gen_ai.operation.name"
GEN_AI_PROVIDER_NAME = "gen_ai.provider.name"
GEN_AI_AGENT_NAME = "gen_ai.agent.name"
GEN_AI_CONVERSATION_ID = "gen_ai.conversation.id"

# --- gen_ai: request ---------------------------------------------------------------------------------------------
GEN_AI_REQUEST_MODEL = "gen_ai.request.model"
GEN_AI_REQUEST_MAX_TOKENS = "gen_ai.request.max_tokens"
GEN_AI_REQUEST_TEMPERATURE = "gen_ai.request.temperature"
GEN_AI_REQUEST_TOP_P = "gen_ai.request.top_p"
GEN_AI_REQUEST_TOP_K = "gen_ai.request.top_k"
GEN_AI_REQUEST_STOP_SEQUENCES = "gen_ai.request.stop_sequences"
GEN_AI_REQUEST_FREQUENCY_PENALTY = "gen_ai.request.frequency_penalty"
GEN_AI_REQUEST_PRESENCE_PENALTY = "gen_ai.request.presence_penalty"
GEN_AI_REQUEST_SEED = "gen_ai.request.seed"
GEN_AI_REQUEST_CHOICE_COUNT = "gen_ai.request.choice.count"
GEN_AI_REQUEST_STREAM = "gen_ai.request.stream"
GEN_AI_REQUEST_REASONING_LEVEL = "gen_ai.request.reasoning.level"
GEN_AI_REQUEST_PREVIOUS_RESPONSE_ID = "gen_ai.request.previous_response.id"
GEN_AI_REQUEST_STREAM_CURSOR = "gen_ai.request.stream_cursor"
GEN_AI_REQUEST_ENCODING_FORMATS = "gen_ai.request.encoding_formats"
GEN_AI_EMBEDDINGS_DIMENSION_COUNT = "gen_ai.embeddings.dimension.count"
GEN_AI_OUTPUT_TYPE = "gen_ai.output.type"
GEN_AI_PROMPT_NAME = "gen_ai.prompt.name"
GEN_AI_PROMPT_VERSION = "gen_ai.prompt.version"
GEN_AI_PROMPT_VARIABLE_PREFIX = "gen_ai.prompt.variable."
AWS_BEDROCK_GUARDRAIL_ID = "aws.bedrock.guardrail.id"
OPENAI_API_TYPE = "openai.api.type"
OPENAI_REQUEST_SERVICE_TIER = "openai.request.service_tier"

# --- gen_ai: response --------------------------------------------------------------------------------------------
GEN_AI_RESPONSE_ID = "gen_ai.response.id"
GEN_AI_RESPONSE_MODEL = "gen_ai.response.model"
GEN_AI_RESPONSE_FINISH_REASONS = "gen_ai.response.finish_reasons"
GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK = "gen_ai.response.time_to_first_chunk"
GEN_AI_RESPONSE_STATUS = "gen_ai.response.status"
GEN_AI_CONVERSATION_COMPACTED = "gen_ai.conversation.compacted"
OPENAI_RESPONSE_SERVICE_TIER = "openai.response.service_tier"
OPENAI_RESPONSE_SYSTEM_FINGERPRINT = "openai.response.system_fingerprint"

# --- gen_ai: usage -----------------------------------------------------------------------------------------------
GEN_AI_USAGE_INPUT_TOKENS = "gen_ai.usage.input_tokens"
GEN_AI_USAGE_OUTPUT_TOKENS = "gen_ai.usage.output_tokens"
GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS = "gen_ai.usage.cache_read.input_tokens"
GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS = "gen_ai.usage.cache_write.input_tokens"
GEN_AI_USAGE_REASONING_OUTPUT_TOKENS = "gen_ai.usage.reasoning.output_tokens"
GEN_AI_USAGE_TEXT_INPUT_TOKENS = "gen_ai.usage.text.input_tokens"
GEN_AI_USAGE_IMAGE_INPUT_TOKENS = "gen_ai.usage.image.input_tokens"
GEN_AI_USAGE_AUDIO_INPUT_TOKENS = "gen_ai.usage.audio.input_tokens"
GEN_AI_USAGE_TEXT_OUTPUT_TOKENS = "gen_ai.usage.text.output_tokens"
GEN_AI_USAGE_IMAGE_OUTPUT_TOKENS = "gen_ai.usage.image.output_tokens"
GEN_AI_USAGE_AUDIO_OUTPUT_TOKENS = "gen_ai.usage.audio.output_tokens"
GEN_AI_USAGE_TEXT_CACHE_READ_INPUT_TOKENS = "gen_ai.usage.text.cache_read.input_tokens"
GEN_AI_USAGE_IMAGE_CACHE_READ_INPUT_TOKENS = "gen_ai.usage.image.cache_read.input_tokens"
GEN_AI_USAGE_AUDIO_CACHE_READ_INPUT_TOKENS = "gen_ai.usage.audio.cache_read.input_tokens"

# --- gen_ai: content ---------------------------------------------------------------------------------------------
GEN_AI_SYSTEM_INSTRUCTIONS = "gen_ai.system_instructions"
GEN_AI_INPUT_MESSAGES = "gen_ai.input.messages"
GEN_AI_OUTPUT_MESSAGES = "gen_ai.output.messages"
GEN_AI_TOOL_DEFINITIONS = "gen_ai.tool.definitions"

# --- gen_ai: tools -----------------------------------------------------------------------------------------------
GEN_AI_TOOL_NAME = "gen_ai.tool.name"
GEN_AI_TOOL_TYPE = "gen_ai.tool.type"
TOOL_TYPE_FUNCTION = "function"
GEN_AI_TOOL_DESCRIPTION = "gen_ai.tool.description"
GEN_AI_TOOL_CALL_ID = "gen_ai.tool.call.id"
GEN_AI_TOOL_CALL_ARGUMENTS = "gen_ai.tool.call.arguments"
GEN_AI_TOOL_CALL_RESULT = "gen_ai.tool.call.result"

# --- gen_ai: agents, workflows, retrieval ------------------------------------------------------------------------
GEN_AI_WORKFLOW_NAME = "gen_ai.workflow.name"
GEN_AI_DATA_SOURCE_ID = "gen_ai.data_source.id"
GEN_AI_RETRIEVAL_TOP_K = "gen_ai.retrieval.top_k"
GEN_AI_RETRIEVAL_QUERY_TEXT = "gen_ai.retrieval.query.text"
GEN_AI_RETRIEVAL_DOCUMENTS = "gen_ai.retrieval.documents"

# --- core conventions --------------------------------------------------------------------------------------------
SESSION_ID = "session.id"
USER_ID = "user.id"
ENDUSER_ID = "enduser.id"
SERVICE_NAME = "service.name"
SERVICE_NAME_UNKNOWN = "unknown_service"
SERVER_ADDRESS = "server.address"
SERVER_PORT = "server.port"
URL_FULL = "url.full"
HTTP_RESPONSE_STATUS_CODE = "http.response.status_code"
HTTP_STATUS_CODE = "http.status_code"
ERROR_TYPE = "error.type"
ERROR_TYPE_OTHER = "_OTHER"
EXCEPTION_EVENT = "exception"
EXCEPTION_TYPE = "exception.type"
EXCEPTION_MESSAGE = "exception.message"
EXCEPTION_STACKTRACE = "exception.stacktrace"

# --- OpenInference -----------------------------------------------------------------------------------------------
OPENINFERENCE_SPAN_KIND = "openinference.span.kind"
OPENINFERENCE_AGENT = "AGENT"
OPENINFERENCE_CHAIN = "CHAIN"
INPUT_VALUE = "input.value"
INPUT_MIME_TYPE = "input.mime_type"
OUTPUT_VALUE = "output.value"
OUTPUT_MIME_TYPE = "output.mime_type"
MIME_TEXT = "text/plain"
MIME_JSON = "application/json"

# --- sentrial: on every kind of span -----------------------------------------------------------------------------
SENTRIAL_SESSION_ID = "sentrial.session.id"
SENTRIAL_EVENT_TYPE = "sentrial.event.type"
EVENT_SESSION = "session"
EVENT_TOOL_CALL = "tool_call"
EVENT_LLM_CALL = "llm_call"
EVENT_DECISION = "decision"
EVENT_ERROR = "error"
SENTRIAL_REASONING = "sentrial.reasoning"
SENTRIAL_ESTIMATED_COST = "sentrial.estimated_cost"
SENTRIAL_USAGE_INPUT_TOKENS = "sentrial.usage.input_tokens"
SENTRIAL_USAGE_OUTPUT_TOKENS = "sentrial.usage.output_tokens"
SENTRIAL_USAGE_TOTAL_TOKENS = "sentrial.usage.total_tokens"
SENTRIAL_METADATA = "sentrial.metadata"
SENTRIAL_METADATA_PREFIX = "sentrial.metadata."
SENTRIAL_STREAM_END = "sentrial.stream.end"
SENTRIAL_OUTCOME = "sentrial.outcome"
SENTRIAL_NODE = "sentrial.node"
SENTRIAL_ERROR_CODE = "sentrial.error.code"
SENTRIAL_RETRY_COUNT = "sentrial.retry.count"
SENTRIAL_RETRY_WAIT = "sentrial.retry.wait"
RETRY_EVENT = "sentrial.retry"
SENTRIAL_TRUNCATED = "sentrial.truncated"
SENTRIAL_MASKED = "sentrial.masked"
SENTRIAL_LATE = "sentrial.late"

# --- sentrial: the session's root --------------------------------------------------------------------------------
SENTRIAL_SESSION_NAME = "sentrial.session.name"
SENTRIAL_STATE = "sentrial.state"
SENTRIAL_SESSION_OUTCOME = "sentrial.session.outcome"
OUTCOME_COMPLETED = "completed"
OUTCOME_FAILED = "failed"
OUTCOME_CANCELLED = "cancelled"
OUTCOME_PAUSED = "paused"
OUTCOME_ABANDONED = "abandoned"
OUTCOME_CONTINUED = "continued"
SENTRIAL_SESSION_SUCCESS = "sentrial.session.success"
SENTRIAL_SESSION_FAILURE_REASON = "sentrial.session.failure_reason"
SENTRIAL_SESSION_LLM_CALLS = "sentrial.session.llm_calls"
SENTRIAL_SESSION_TOOL_CALLS = "sentrial.session.tool_calls"
SENTRIAL_SESSION_DECISIONS = "sentrial.session.decisions"
SENTRIAL_SESSION_ERRORS = "sentrial.session.errors"
SENTRIAL_SESSION_DURATION_MS = "sentrial.session.duration_ms"
SENTRIAL_EVENT_ID = "sentrial.event_id"
SENTRIAL_CONVO_ID = "sentrial.convo_id"
SENTRIAL_PARENT_SESSION_ID = "sentrial.parent_session_id"
SENTRIAL_PROJECT = "sentrial.project"
SENTRIAL_METRICS = "sentrial.metric"
SENTRIAL_METRIC_PREFIX = "sentrial.metric."

# --- sentrial: decisions -----------------------------------------------------------------------------------------
SENTRIAL_DECISION_REASONING = "sentrial.decision.reasoning"
SENTRIAL_DECISION_ALTERNATIVES = "sentrial.decision.alternatives"
SENTRIAL_DECISION_CONFIDENCE = "sentrial.decision.confidence"
SENTRIAL_DECISION_CHOSEN = "sentrial.decision.chosen"

# --- sentrial: links ---------------------------------------------------------------------------------------------
SENTRIAL_LINK = "sentrial.link"
LINK_CALLER = "caller"
LINK_SESSION = "session"
LINK_PARENT_SESSION = "parent_session"
LINK_REQUESTED_BY = "requested_by"
LINK_GIVEN = "given"

# --- metrics (names as released in opentelemetry-util-genai 1.3b0; upstream is renaming them) ---------------------
METRIC_OPERATION_DURATION = "gen_ai.client.operation.duration"
METRIC_TOKEN_USAGE = "gen_ai.client.token.usage"
GEN_AI_TOKEN_TYPE = "gen_ai.token.type"
TOKEN_TYPE_INPUT = "input"
TOKEN_TYPE_OUTPUT = "output"

# --- metrics of our own: what became of spans --------------------------------------------------------------------
METRIC_SPANS_STORED = "sentrial.spans.stored"
METRIC_SPANS_LOST = "sentrial.spans.lost"
SENTRIAL_DESTINATION = "sentrial.destination"
SENTRIAL_LOST_REASON = "sentrial.lost.reason"

# Span types on which the conventions allow gen_ai.conversation.id.
OPERATIONS_OF_A_CONVERSATION = frozenset(
    {"chat", "generate_content", "text_completion", "invoke_agent", "invoke_workflow", "execute_tool"}
)

# Those of a call that asks a model for an answer.
OPERATIONS_OF_INFERENCE = frozenset({"chat", "generate_content", "text_completion"})

# Span types on which the conventions allow gen_ai.agent.name.
OPERATIONS_OF_AN_AGENT = frozenset({"invoke_agent", "create_agent", "execute_tool", "plan"})

# What tells the AI spans of others: how their attributes begin, in every dialect that we know.
AI_PREFIXES = ("gen_ai.", "llm.", "ai.", "openinference.", "traceloop.", "openai.", "anthropic.", "cohere.")

# Where Sentrial looks for a conversation, and where others write one.
KEYS_OF_A_CONVERSATION = (
    SENTRIAL_CONVO_ID, "conversation.id", "thread.id", GEN_AI_CONVERSATION_ID, SESSION_ID,
)  # fmt: skip

# --- what others write of where an HTTP request goes: its host, its whole address
KEYS_OF_A_HOST = (SERVER_ADDRESS, "net.peer.name")
KEYS_OF_AN_ADDRESS = (URL_FULL, "http.url")

# --- baggage -----------------------------------------------------------------------------------------------------
BAGGAGE_SESSION = "sentrial.session"

# --- what others write of a model call, in the current conventions and in older and other ones: the first that is there
FOREIGN_INPUT_TOKENS = (
    GEN_AI_USAGE_INPUT_TOKENS, "gen_ai.usage.prompt_tokens", "llm.token_count.prompt", "llm.usage.prompt_tokens",
)  # fmt: skip
FOREIGN_OUTPUT_TOKENS = (
    GEN_AI_USAGE_OUTPUT_TOKENS, "gen_ai.usage.completion_tokens", "llm.token_count.completion",
    "llm.usage.completion_tokens",
)  # fmt: skip
FOREIGN_TOTAL_TOKENS = ("gen_ai.usage.total_tokens", "llm.usage.total_tokens", "llm.token_count.total")
FOREIGN_CACHE_READ_TOKENS = (
    GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS, "gen_ai.usage.cache_read_input_tokens",
    "llm.token_count.prompt_details.cache_read",
)  # fmt: skip
FOREIGN_CACHE_WRITE_TOKENS = (
    GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS, "gen_ai.usage.cache_creation.input_tokens",
    "gen_ai.usage.cache_creation_input_tokens", "llm.token_count.prompt_details.cache_write",
)  # fmt: skip
FOREIGN_MODEL = (
    GEN_AI_RESPONSE_MODEL, GEN_AI_REQUEST_MODEL, "llm.model_name", "embedding.model_name", "llm.response.model",
    "llm.request.model",
)  # fmt: skip
FOREIGN_PROVIDER = (GEN_AI_PROVIDER_NAME, "gen_ai.system", "llm.provider", "llm.system", "llm.vendor")
FOREIGN_KIND = (GEN_AI_OPERATION_NAME, OPENINFERENCE_SPAN_KIND, "llm.request.type", "traceloop.span.kind")
FOREIGN_MODEL_CALLS = frozenset(
    {"chat", "generate_content", "text_completion", "embeddings", "completion", "embedding", "llm"}
)
FOREIGN_TOOL_CALLS = frozenset({"execute_tool", "tool"})
