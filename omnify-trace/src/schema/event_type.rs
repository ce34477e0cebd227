//! Event types: one closed enum with stable wire names. User code adds its own by name.

use super::Stream;

macro_rules! event_types {
    ($($(#[doc = $doc:literal])* $variant:ident = $wire:literal => $stream:ident,)*) => {
        /// What kind of thing a line tells of.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum EventType {
            $($(#[doc = $doc])* $variant,)*
        }

        impl EventType {
            /// Every event type, in the order of the enum.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The stable name on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $wire,)* }
            }

            /// The stream whose file holds lines of this type.
            #[must_use]
            pub const fn stream(self) -> Stream {
                match self { $(Self::$variant => Stream::$stream,)* }
            }

            /// The event type with this wire name, or `None` for an application's own.
            #[must_use]
            pub fn from_wire(name: &str) -> Option<Self> {
                match name { $($wire => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

event_types! {
    /// A request arrived.
    RequestStart = "request_start" => Backend,
    /// A request was answered, its body sent.
    RequestComplete = "request_complete" => Backend,
    /// A request failed on our side.
    RequestError = "request_error" => Backend,
    /// The client went away first.
    RequestCancelled = "request_cancelled" => Backend,
    /// A request took longer than its budget.
    SlowRequest = "slow_request" => Backend,
    /// A request looks like an attack.
    SuspiciousRequest = "suspicious_request" => Backend,
    /// A token or password was not accepted.
    AuthenticationFailed = "authentication_failed" => Backend,
    /// A run began.
    WorkflowStart = "workflow_start" => Workflow,
    /// A step started, completed, was skipped or waits: see `status`.
    WorkflowStep = "workflow_step" => Workflow,
    /// A step's attempt failed.
    WorkflowStepError = "workflow_step_error" => Workflow,
    /// A run ended well.
    WorkflowComplete = "workflow_complete" => Workflow,
    /// A run failed.
    WorkflowError = "workflow_error" => Workflow,
    /// An agent or model call began.
    AgentStart = "agent_start" => Workflow,
    /// An agent or model call ended well.
    AgentComplete = "agent_complete" => Workflow,
    /// An agent or model call failed.
    AgentError = "agent_error" => Workflow,
    /// One attempt of a call to another service ended.
    ExternalApiCall = "external_api_call" => Backend,
    /// A database query ended.
    DbQuery = "db_query" => Backend,
    /// A database query took longer than its threshold.
    SlowQuery = "slow_query" => Backend,
    /// A click, a form, a key.
    UserAction = "user_action" => Frontend,
    /// The page or route changed.
    Navigation = "navigation" => Frontend,
    /// The browser sent a request.
    ApiRequest = "api_request" => Frontend,
    /// The browser got its answer.
    ApiResponse = "api_response" => Frontend,
    /// The browser's request failed.
    ApiError = "api_error" => Frontend,
    /// A web vital or a page load.
    PagePerformance = "page_performance" => Frontend,
    /// An error in the page.
    FrontendError = "frontend_error" => Frontend,
    /// A browser session began.
    SessionStart = "session_start" => Frontend,
    /// An open operation is past its budget.
    OperationStalled = "operation_stalled" => Backend,
    /// A stalled operation ended after all.
    OperationRecovered = "operation_recovered" => Backend,
    /// A cycle of lock waits.
    DeadlockDetected = "deadlock_detected" => Backend,
    /// An async runtime does not run its tasks.
    RuntimeStalled = "runtime_stalled" => Backend,
    /// A thread or task panicked.
    Panic = "panic" => Backend,
    /// The previous run did not end cleanly.
    CrashDetected = "crash_detected" => Backend,
    /// `todo!`, `unimplemented!` or `unreachable!` was reached.
    IncompleteCode = "incomplete_code" => Backend,
    /// Lines were lost: how many and why.
    LogLoss = "log_loss" => Backend,
    /// The service started.
    ServiceStart = "service_start" => Backend,
    /// The service stopped cleanly.
    ServiceStop = "service_stop" => Backend,
    /// An alert's rule became true.
    AlertFired = "alert_fired" => Backend,
    /// An alert's rule became false.
    AlertResolved = "alert_resolved" => Backend,
    /// Support analysed a customer's last hours.
    ClientSupport = "client_support" => Backend,
    /// An administrator did something.
    AdminAction = "admin_action" => Backend,
}

impl core::fmt::Display for EventType {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.as_str())
    }
}
