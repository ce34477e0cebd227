//! GoHighLevel's contacts, opportunities, messages and campaigns.

use axum::{
    Json, Router,
    extract::Query,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{ms, one_in, takes};

#[derive(Deserialize)]
struct Lookup {
    email: String,
}

pub(super) fn router() -> Router {
    Router::new()
        .route("/contacts/", post(|body| create("contact", body)))
        .route("/contacts/lookup", get(lookup))
        .route("/opportunities/", post(|body| create("opportunity", body)))
        .route(
            "/conversations/messages",
            post(|body| create("message", body)),
        )
        .route("/campaigns/", post(|body| create("campaign", body)))
}

async fn create(kind: &'static str, Json(mut record): Json<Value>) -> Response {
    takes(ms(15), ms(220)).await;
    if one_in(30) {
        tracing::warn!(kind, "Rate limit reached");
        let body = Json(json!({"message": "rate limit reached"}));
        let mut answer = (StatusCode::TOO_MANY_REQUESTS, body).into_response();
        answer
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        return answer;
    }
    if record["companyName"]
        .as_str()
        .is_some_and(|name| name.starts_with("Brittle"))
    {
        tracing::error!(kind, "The record was refused: duplicate key");
        return (
            StatusCode::UNPROCESSABLE_ENTITY,
            Json(json!({"message": "duplicate key"})),
        )
            .into_response();
    }
    let id = format!("{}_{}", &kind[..3], uuid::Uuid::now_v7().simple());
    tracing::info!(kind, record = id.as_str(), "Record created");
    if let Value::Object(fields) = &mut record {
        fields.insert("id".to_owned(), Value::String(id));
    }
    (StatusCode::CREATED, Json(json!({ kind: record }))).into_response()
}

async fn lookup(Query(query): Query<Lookup>) -> Response {
    takes(ms(10), ms(120)).await;
    if query.email.starts_with("nobody@") {
        tracing::warn!("No contact has that address");
        return (
            StatusCode::NOT_FOUND,
            Json(json!({"message": "no such contact"})),
        )
            .into_response();
    }
    let hash = query.email.bytes().fold(5381_u32, |hash, byte| {
        hash.wrapping_mul(33) ^ u32::from(byte)
    });
    let id = format!("con_{hash:08x}");
    tracing::info!(record = id.as_str(), "Contact found");
    Json(json!({"contact": {"id": id, "email": query.email}})).into_response()
}
