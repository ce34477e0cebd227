//! Who does a step's work: one trait, one file per kind of agent.

mod agentkit;
mod client;
mod gohighlevel;
mod http;
mod openai;

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use serde_json::Value;

pub(crate) use client::{Client, Endpoint};

use crate::workflow::definition::AgentType;

/// Does a step's work: input in, output out.
#[async_trait]
pub(crate) trait Agent: Send + Sync {
    /// One attempt. Dropping the future gives the attempt up.
    async fn call(&self, input: Value) -> Result<Value, AgentError>;
}

/// Why an agent gave no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AgentError {
    #[error("OT0711: {api} could not be reached")]
    Unreachable {
        api: &'static str,
        #[source]
        source: reqwest_middleware::Error,
    },
    #[error("OT0712: {api} answered {status}: {body}")]
    Status {
        api: &'static str,
        status: u16,
        body: String,
    },
    #[error("OT0713: {api} answered something that is not what its API promises: {reason}")]
    Malformed { api: &'static str, reason: String },
    #[error("OT0714: the agent run failed: {0}")]
    Failed(String),
    #[error("OT0715: the step's input lacks `{0}`")]
    Input(&'static str),
    #[error("OT0716: no {agent} service is configured; set {variable}")]
    NotConfigured {
        agent: &'static str,
        variable: &'static str,
    },
    #[error("OT0717: no answer within {} s", .0.as_secs_f64())]
    TimedOut(Duration),
    #[error("OT0718: a person said no: {0}")]
    Declined(String),
}

impl AgentError {
    /// Whether another attempt may end better.
    pub(crate) fn is_retryable(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::TimedOut(_)
            | Self::Failed(_)
            | Self::Malformed { .. } => true,
            Self::Status { status, .. } => *status >= 500 || matches!(status, 408 | 425 | 429),
            Self::Input(_) | Self::NotConfigured { .. } | Self::Declined(_) => false,
        }
    }
}

/// Where the services are. A missing one is an error of the step that needs it, not of the start.
#[derive(Debug, Clone, Default)]
pub(crate) struct Endpoints {
    pub(crate) agentkit: Option<Endpoint>,
    pub(crate) gohighlevel: Option<Endpoint>,
    pub(crate) openai: Option<Endpoint>,
}

/// Every kind of agent, ready to be called.
pub(crate) struct Agents(BTreeMap<&'static str, Box<dyn Agent>>);

impl Agents {
    /// Connects nothing yet: each call does.
    pub(crate) fn new(endpoints: Endpoints, client: &Client) -> Self {
        let mut all: BTreeMap<&'static str, Box<dyn Agent>> = BTreeMap::new();
        let mut add = |kind: AgentType, agent: Box<dyn Agent>| all.insert(kind.as_str(), agent);
        add(
            AgentType::AgentKit,
            Box::new(agentkit::AgentKit::new(client.clone(), endpoints.agentkit)),
        );
        add(
            AgentType::GoHighLevel,
            Box::new(gohighlevel::GoHighLevel::new(
                client.clone(),
                endpoints.gohighlevel,
            )),
        );
        add(
            AgentType::OpenAi,
            Box::new(openai::OpenAi::new(client.clone(), endpoints.openai)),
        );
        add(AgentType::Http, Box::new(http::Http::new(client.clone())));
        Self(all)
    }

    /// The agent of this kind; `None` for the kinds that the engine does itself.
    pub(crate) fn get(&self, kind: AgentType) -> Option<&dyn Agent> {
        self.0.get(kind.as_str()).map(AsRef::as_ref)
    }
}

/// A text field of a step's input.
fn text<'a>(input: &'a Value, field: &'static str) -> Result<&'a str, AgentError> {
    input
        .get(field)
        .and_then(Value::as_str)
        .ok_or(AgentError::Input(field))
}
