//! A plain HTTP call: `{"method","url","headers"?,"body"?}`.

use async_trait::async_trait;
use http::Method;
use serde_json::Value;

use super::{Agent, AgentError, Client, text};

pub(super) struct Http {
    client: Client,
}

impl Http {
    pub(super) fn new(client: Client) -> Self {
        Self { client }
    }
}

#[async_trait]
impl Agent for Http {
    async fn call(&self, input: Value) -> Result<Value, AgentError> {
        let method = input.get("method").and_then(Value::as_str).unwrap_or("GET");
        let method = Method::from_bytes(method.as_bytes())
            .map_err(|_| AgentError::Input("method (such as GET or POST)"))?;
        let mut call = self.client.call_url("http", method, text(&input, "url")?);
        for (name, value) in input
            .get("headers")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            if let Some(value) = value.as_str() {
                call = call.header(name, value);
            }
        }
        if let Some(body) = input.get("body") {
            call = call.json(body);
        }
        call.send().await
    }
}
