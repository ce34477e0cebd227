//! AgentKit: start an agent run, wait for its end, take its output and its token counts.
//!
//! `POST /v1/agent-runs` `{"agent","model","input"}` → 202 `{"id","status"}`;
//! `GET /v1/agent-runs/{id}?wait=20` → `{"id","status":"queued|running|completed|failed","output","usage","error"}`.

use async_trait::async_trait;
use http::Method;
use omnify_trace::operation;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Agent, AgentError, Client, Endpoint, text};

const API: &str = "agentkit";

pub(super) struct AgentKit {
    client: Client,
    endpoint: Option<Endpoint>,
}

#[derive(Deserialize)]
struct Run {
    id: String,
    status: String,
    #[serde(default)]
    output: Value,
    usage: Option<Usage>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Usage {
    input_tokens: u64,
    output_tokens: u64,
}

impl AgentKit {
    pub(super) fn new(client: Client, endpoint: Option<Endpoint>) -> Self {
        Self { client, endpoint }
    }

    async fn start(
        &self,
        endpoint: &Endpoint,
        agent: &str,
        model: &str,
        input: &Value,
    ) -> Result<Run, AgentError> {
        let body = json!({"agent": agent, "model": model, "input": input});
        parse(
            self.client
                .call(API, endpoint, Method::POST, "/v1/agent-runs")
                .json(&body)
                .send()
                .await?,
        )
    }

    async fn wait(&self, endpoint: &Endpoint, mut run: Run) -> Result<Run, AgentError> {
        while matches!(run.status.as_str(), "queued" | "running") {
            let path = format!("/v1/agent-runs/{}?wait=20", run.id);
            let call =
                self.client
                    .call_path(API, endpoint, Method::GET, "/v1/agent-runs/{id}", &path);
            run = parse(call.send().await?)?;
        }
        Ok(run)
    }
}

fn parse(answer: Value) -> Result<Run, AgentError> {
    serde_json::from_value(answer).map_err(|error| AgentError::Malformed {
        api: API,
        reason: error.to_string(),
    })
}

#[async_trait]
impl Agent for AgentKit {
    async fn call(&self, input: Value) -> Result<Value, AgentError> {
        let endpoint = self.endpoint.as_ref().ok_or(AgentError::NotConfigured {
            agent: "AgentKit",
            variable: "OMNIFY_AGENTKIT_URL",
        })?;
        let agent = text(&input, "agent")?;
        let model = input
            .get("model")
            .and_then(Value::as_str)
            .unwrap_or("default");
        operation::agent(agent.to_owned())
            .provider(API)
            .model(model.to_owned())
            .run(async {
                let run = self.start(endpoint, agent, model, &input).await?;
                let run = self.wait(endpoint, run).await?;
                if let Some(usage) = &run.usage {
                    operation::record_usage(usage.input_tokens, usage.output_tokens);
                }
                match run.status.as_str() {
                    "completed" => Ok(run.output),
                    _ => Err(AgentError::Failed(
                        run.error.unwrap_or_else(|| "no reason given".to_owned()),
                    )),
                }
            })
            .await
    }
}
