//! Every field name of schema v1 that code refers to, once.

// Top level.
/// RFC 3339, UTC, nanoseconds.
pub const TIMESTAMP: &str = "timestamp";
/// `TRACE`, `DEBUG`, `INFO`, `WARN` or `ERROR`.
pub const LEVEL: &str = "level";
/// What happened, for a person.
pub const MESSAGE: &str = "message";
/// A wire name of [`EventType`](super::EventType), or the application's own.
pub const EVENT_TYPE: &str = "event_type";
/// The module or component that spoke.
pub const TARGET: &str = "target";
/// `{name, version, environment, instance}`.
pub const SERVICE: &str = "service";
/// The correlation context: only what is known.
pub const CONTEXT: &str = "context";
/// The current span: `{name, fields}`; `fields` are those of all enclosing spans, the inner one winning.
pub const SPAN: &str = "span";
/// The event's own typed fields.
pub const EXTRA: &str = "extra";
/// `{type, message, chain, stacktrace, span_trace, category}`.
pub const EXCEPTION: &str = "exception";
/// Who made the line: absent for the service itself, `frontend` for a browser's line.
pub const SOURCE: &str = "source";

// Context.
/// The request, as named by `X-Request-ID`.
pub const REQUEST_ID: &str = "request_id";
/// 32 lowercase hexadecimal digits, W3C Trace Context.
pub const TRACE_ID: &str = "trace_id";
/// 16 lowercase hexadecimal digits.
pub const SPAN_ID: &str = "span_id";
/// The span that this one was opened in, here or in the calling service.
pub const PARENT_SPAN_ID: &str = "parent_span_id";
/// The browser session.
pub const SESSION_ID: &str = "session_id";
/// The user on whose behalf work is done.
pub const USER_ID: &str = "user_id";
/// The user's organization: the customer.
pub const ORGANIZATION_ID: &str = "organization_id";
/// The workflow's definition.
pub const WORKFLOW_ID: &str = "workflow_id";
/// One run of a workflow.
pub const RUN_ID: &str = "run_id";
/// One step of a run.
pub const STEP_ID: &str = "step_id";
/// The agent or model that acts.
pub const AGENT: &str = "agent";

/// The names that land in `context` when a span or an event carries them, in wire order.
pub const CONTEXT_FIELDS: [&str; 11] = [
    REQUEST_ID,
    TRACE_ID,
    SPAN_ID,
    PARENT_SPAN_ID,
    SESSION_ID,
    USER_ID,
    ORGANIZATION_ID,
    WORKFLOW_ID,
    RUN_ID,
    STEP_ID,
    AGENT,
];

// Extra: names that more than one crate writes or reads.
/// Milliseconds, a number.
pub const DURATION_MS: &str = "duration_ms";
/// Milliseconds until the response headers were ready.
pub const TTFB_MS: &str = "ttfb_ms";
/// Milliseconds that the operation was allowed.
pub const BUDGET_MS: &str = "budget_ms";
/// Milliseconds since the operation began.
pub const AGE_MS: &str = "age_ms";
/// HTTP method.
pub const METHOD: &str = "method";
/// Route template, such as `/users/{id}`: never the raw path.
pub const ROUTE: &str = "route";
/// Raw path.
pub const PATH: &str = "path";
/// Query string, redacted.
pub const QUERY: &str = "query";
/// HTTP status, an integer.
pub const STATUS_CODE: &str = "status_code";
/// Bytes of the request body.
pub const REQUEST_BYTES: &str = "request_bytes";
/// Bytes of the response body.
pub const RESPONSE_BYTES: &str = "response_bytes";
/// Address of the client, through trusted proxies only.
pub const CLIENT_ADDRESS: &str = "client_address";
/// The `User-Agent` header.
pub const USER_AGENT: &str = "user_agent";
/// State of a step or an operation: `started`, `completed`, `skipped`, `waiting`.
pub const STATUS: &str = "status";
/// The workflow's human name.
pub const WORKFLOW_NAME: &str = "workflow_name";
/// The step's human name.
pub const STEP_NAME: &str = "step_name";
/// The steps that had to end first, comma-separated.
pub const DEPENDS_ON: &str = "depends_on";
/// What kind of agent runs the step.
pub const AGENT_TYPE: &str = "agent_type";
/// 1 for the first try.
pub const ATTEMPT: &str = "attempt";
/// Whether another attempt follows.
pub const WILL_RETRY: &str = "will_retry";
/// Bytes of a step's input.
pub const INPUT_BYTES: &str = "input_bytes";
/// Bytes of a step's output.
pub const OUTPUT_BYTES: &str = "output_bytes";
/// The step that failed the run.
pub const FAILED_STEP: &str = "failed_step";
/// Host of an external API.
pub const HOST: &str = "host";
/// Name of an external API, such as `agentkit`.
pub const API: &str = "api";
/// An error in one line, where there is no exception object.
pub const ERROR: &str = "error";
/// Kind of operation: `workflow`, `step`, `agent`, `external_api`, `db_query`, `request`.
pub const OPERATION_KIND: &str = "operation_kind";
/// Name of the operation.
pub const OPERATION: &str = "operation";
/// `io`, `lock`, `channel`, `human` or `unknown`.
pub const WAIT_KIND: &str = "wait_kind";
/// `file:line:column` in source code.
pub const LOCATION: &str = "location";
/// How many.
pub const COUNT: &str = "count";
/// Why.
pub const REASON: &str = "reason";
/// Cost of a model call in US dollars.
pub const COST_USD: &str = "cost_usd";
/// Normalised statement of a database query: parameters never.
pub const DB_STATEMENT: &str = "db.statement";
/// Database product.
pub const DB_SYSTEM: &str = "db.system";

/// Ends of field names that say that what they hold is secret; compared without `_`, `-`, `.` and
/// spaces, in lower case. Server and browser redact by the same list.
pub const SECRET_NAMES: [&str; 22] = [
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "apikey",
    "authorization",
    "cookie",
    "credential",
    "credentials",
    "privatekey",
    "accesskey",
    "signingkey",
    "secretkey",
    "connectionstring",
    "creditcard",
    "cardnumber",
    "cvv",
    "cvc",
    "ssn",
    "iban",
];

/// OpenTelemetry GenAI names (development status, so kept together here).
pub mod gen_ai {
    /// `chat`, `invoke_agent`, `execute_tool`, …
    pub const OPERATION_NAME: &str = "gen_ai.operation.name";
    /// Vendor of the model or agent.
    pub const PROVIDER_NAME: &str = "gen_ai.provider.name";
    /// Name of the agent.
    pub const AGENT_NAME: &str = "gen_ai.agent.name";
    /// Model asked for.
    pub const REQUEST_MODEL: &str = "gen_ai.request.model";
    /// Model that answered.
    pub const RESPONSE_MODEL: &str = "gen_ai.response.model";
    /// Tokens of the prompt.
    pub const INPUT_TOKENS: &str = "gen_ai.usage.input_tokens";
    /// Tokens of the answer.
    pub const OUTPUT_TOKENS: &str = "gen_ai.usage.output_tokens";
    /// Name of the tool called.
    pub const TOOL_NAME: &str = "gen_ai.tool.name";
}
