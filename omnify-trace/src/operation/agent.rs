//! Builders of calls of agents, models and tools.

use tracing::Span;

use super::builder::{Common, TARGET};
use super::op::{Detail, Text};

/// A call of the agent or model with this name.
pub fn agent(name: impl Into<Text>) -> Agent {
    Agent {
        name: name.into(),
        operation: "invoke_agent".into(),
        ..Agent::default()
    }
}

/// A call of the tool with this name, by the agent around it: `execute_tool` in OpenTelemetry's
/// words.
///
/// ```
/// use omnify_trace::{EventType, operation, testing};
/// let logs = testing::capture(|| {
///     operation::agent("researcher").run_sync(|| {
///         operation::tool("search").call_id("call-1").run_sync(|| {});
///     });
/// });
/// let call = &logs.all(EventType::AgentComplete)[0];
/// call.extra("gen_ai.tool.name", "search").extra("gen_ai.tool.call.id", "call-1");
/// call.extra("gen_ai.operation.name", "execute_tool").context("agent", "researcher");
/// ```
pub fn tool(name: impl Into<Text>) -> Agent {
    Agent {
        name: name.into(),
        operation: "execute_tool".into(),
        is_tool: true,
        ..Agent::default()
    }
}

/// An agent call to be: see [`agent`].
#[derive(Debug, Default)]
#[must_use = "nothing happens before `run`, `run_sync` or `start`"]
pub struct Agent {
    pub(crate) name: Text,
    pub(crate) operation: Text,
    pub(crate) provider: Option<Text>,
    pub(crate) model: Option<Text>,
    pub(crate) is_tool: bool,
    pub(crate) call_id: Option<Text>,
    /// How many bytes of prompt and answer are written, each.
    pub(crate) content: Option<usize>,
    pub(super) common: Common,
}

impl Agent {
    /// The vendor of the model or agent, such as `openai`. Defaults to unsaid.
    pub fn provider(mut self, provider: impl Into<Text>) -> Self {
        self.provider = Some(provider.into());
        self
    }

    /// The model asked for. Defaults to unsaid.
    pub fn model(mut self, model: impl Into<Text>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// `chat`, `execute_tool`, … as OpenTelemetry names them. Defaults to `invoke_agent`.
    pub fn operation(mut self, operation: impl Into<Text>) -> Self {
        self.operation = operation.into();
        self
    }

    /// The id that the model gave to this call of a tool. Defaults to unsaid.
    pub fn call_id(mut self, call_id: impl Into<Text>) -> Self {
        self.call_id = Some(call_id.into());
        self
    }

    /// Writes what [`record_prompt`](super::record_prompt) and
    /// [`record_answer`](super::record_answer) are told, up to so many bytes each, without what
    /// looks secret. Defaults to writing none of it: prompts are full of personal data.
    pub fn content(mut self, max_bytes: usize) -> Self {
        self.content = Some(max_bytes);
        self
    }

    pub(super) fn make_span(&mut self) -> Span {
        if self.is_tool {
            // The context keeps the agent that calls it.
            let name = self.name.as_ref();
            return tracing::error_span!(target: TARGET, "tool", gen_ai.tool.name = name);
        }
        tracing::error_span!(target: TARGET, "agent", agent = self.name.as_ref())
    }

    pub(crate) fn agent_name(&self) -> Option<&str> {
        (!self.is_tool).then_some(&*self.name)
    }

    pub(crate) fn tool_name(&self) -> Option<&str> {
        self.is_tool.then_some(&*self.name)
    }

    pub(super) fn into_detail(self) -> Detail {
        Detail::Agent(self)
    }
}
