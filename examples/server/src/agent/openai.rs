//! Any OpenAI-compatible model: `POST /v1/chat/completions`.

use async_trait::async_trait;
use http::Method;
use omnify_trace::operation;
use serde_json::{Value, json};

use super::{Agent, AgentError, Client, Endpoint, text};

const API: &str = "openai";

pub(super) struct OpenAi {
    client: Client,
    endpoint: Option<Endpoint>,
}

impl OpenAi {
    pub(super) fn new(client: Client, endpoint: Option<Endpoint>) -> Self {
        Self { client, endpoint }
    }
}

#[async_trait]
impl Agent for OpenAi {
    async fn call(&self, input: Value) -> Result<Value, AgentError> {
        let endpoint = self.endpoint.as_ref().ok_or(AgentError::NotConfigured {
            agent: "OpenAI-compatible",
            variable: "OMNIFY_OPENAI_URL",
        })?;
        let model = text(&input, "model")?;
        let prompt = text(&input, "prompt")?;
        operation::agent("chat")
            .provider(API)
            .model(model.to_owned())
            .run(async {
                let body =
                    json!({"model": model, "messages": [{"role": "user", "content": prompt}]});
                let call = self
                    .client
                    .call(API, endpoint, Method::POST, "/v1/chat/completions");
                let answer = call.json(&body).send().await?;
                let tokens = |field: &str| answer["usage"][field].as_u64().unwrap_or(0);
                operation::record_usage(tokens("prompt_tokens"), tokens("completion_tokens"));
                match answer["choices"][0]["message"]["content"].as_str() {
                    Some(content) => Ok(json!({"summary": content})),
                    None => Err(AgentError::Malformed {
                        api: API,
                        reason: "no choices[0].message.content in the answer".to_owned(),
                    }),
                }
            })
            .await
    }
}
