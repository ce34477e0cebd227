//! GoHighLevel, the CRM: contacts, opportunities, messages, campaigns.

use async_trait::async_trait;
use http::Method;
use serde_json::{Value, json};

use super::{Agent, AgentError, Client, Endpoint, text};

const API: &str = "gohighlevel";

pub(super) struct GoHighLevel {
    client: Client,
    endpoint: Option<Endpoint>,
}

impl GoHighLevel {
    pub(super) fn new(client: Client, endpoint: Option<Endpoint>) -> Self {
        Self { client, endpoint }
    }
}

#[async_trait]
impl Agent for GoHighLevel {
    async fn call(&self, input: Value) -> Result<Value, AgentError> {
        let endpoint = self.endpoint.as_ref().ok_or(AgentError::NotConfigured {
            agent: "GoHighLevel",
            variable: "OMNIFY_GOHIGHLEVEL_URL",
        })?;
        let post = |route: &'static str, body: Value| {
            self.client
                .call(API, endpoint, Method::POST, route)
                .json(&body)
        };
        let (call, wrapper) = match text(&input, "operation")? {
            "create_contact" => {
                let body = json!({"email": text(&input, "email")?, "companyName": input.get("companyName")});
                (post("/contacts/", body), "contact")
            }
            "find_contact" => {
                let call = self
                    .client
                    .call(API, endpoint, Method::GET, "/contacts/lookup")
                    .query(&[("email", text(&input, "email")?)]);
                (call, "contact")
            }
            "create_opportunity" => {
                let body =
                    json!({"contactId": text(&input, "contactId")?, "name": text(&input, "name")?});
                (post("/opportunities/", body), "opportunity")
            }
            "send_message" => {
                let body = json!({"contactId": text(&input, "contactId")?, "message": text(&input, "message")?});
                (post("/conversations/messages", body), "message")
            }
            "start_campaign" => (
                post("/campaigns/", json!({"name": text(&input, "name")?})),
                "campaign",
            ),
            _ => {
                return Err(AgentError::Input(
                    "operation (create_contact, find_contact, create_opportunity, send_message or start_campaign)",
                ));
            }
        };
        let mut answer = call.send().await?;
        match answer.get_mut(wrapper) {
            Some(inner) => Ok(inner.take()),
            None => Err(AgentError::Malformed {
                api: API,
                reason: format!("no `{wrapper}` in the answer"),
            }),
        }
    }
}
