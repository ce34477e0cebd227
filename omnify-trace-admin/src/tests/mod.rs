//! The whole API, in process: real SQLite files, a store in memory.
#![expect(
    clippy::needless_pass_by_value,
    reason = "`json!` at the call is easier to read"
)]

mod access;
mod audit;
mod embedded;
mod live;
mod memory;
mod robust;
mod routes;
mod story;

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    http::{Method, Request, StatusCode, header},
    response::Response,
};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use self::memory::MemoryStore;
use crate::{
    Admin,
    access::{Role, hash},
    state::TokenRow,
    time,
};

/// The administrator's token of every test.
const TOKEN: &str = "test-token-of-the-administrator";

/// A running API over lines in memory.
struct Bench {
    admin: Admin,
    router: Router,
    store: Arc<MemoryStore>,
    _directory: tempfile::TempDir,
}

/// An answer, read to the end.
struct Answer {
    status: StatusCode,
    headers: axum::http::HeaderMap,
    text: String,
    bytes: Vec<u8>,
}

impl Answer {
    async fn of(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Self {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8_lossy(&bytes).into_owned(),
            bytes: bytes.to_vec(),
        }
    }

    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    #[track_caller]
    fn ok(&self) -> Value {
        assert!(self.status.is_success(), "{}: {}", self.status, self.text);
        self.json()
    }

    /// Asserts a problem+json with this status and code.
    #[track_caller]
    fn problem(&self, status: u16, code: &str) {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        assert_eq!(
            self.headers[header::CONTENT_TYPE],
            "application/problem+json"
        );
        let problem = self.json();
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["status"], status);
        assert!(problem["request_id"].is_string(), "{problem}");
    }
}

impl Bench {
    async fn new() -> Self {
        Self::with(|builder| builder).await
    }

    async fn with(change: impl FnOnce(crate::AdminBuilder) -> crate::AdminBuilder) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Arc::new(MemoryStore::new());
        let builder = Admin::builder()
            .data_dir(directory.path())
            .store(Arc::<MemoryStore>::clone(&store))
            .token(Some(TOKEN.to_owned()));
        let admin = change(builder).build().await.unwrap();
        Self {
            router: admin.router(),
            admin,
            store,
            _directory: directory,
        }
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        Answer::of(self.router.clone().oneshot(request).await.unwrap()).await
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<Value>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let body = match body {
            None => Body::empty(),
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(body.to_string())
            }
        };
        self.send(request.body(body).unwrap()).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.call(
            Method::GET,
            &format!("/api/admin/{path}"),
            Some(TOKEN),
            None,
        )
        .await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(
            Method::POST,
            &format!("/api/admin/{path}"),
            Some(TOKEN),
            Some(body),
        )
        .await
    }

    /// A token of this role and organization.
    async fn token(&self, role: Role, organization_id: Option<&str>) -> String {
        let secret = format!(
            "token-{}-{}",
            role.as_str(),
            organization_id.unwrap_or("all")
        );
        self.admin
            .state()
            .put_token(&TokenRow {
                id: secret.clone(),
                name: secret.clone(),
                hash: hash(&secret),
                role: role.as_str().to_owned(),
                organization_id: organization_id.map(str::to_owned),
                created_at: time::now(),
                expires_at: None,
                last_used_at: None,
            })
            .await
            .unwrap();
        secret
    }

    /// Writes a line `ago` milliseconds in the past.
    fn line(&self, ago: i64, event_type: &str, context: Value, extra: Value) -> String {
        self.leveled(ago, "INFO", event_type, context, extra, Value::Null)
    }

    fn leveled(
        &self,
        ago: i64,
        level: &str,
        event_type: &str,
        context: Value,
        extra: Value,
        exception: Value,
    ) -> String {
        let mut line = json!({
            "timestamp": time::rfc3339(time::now() - ago * 1_000_000),
            "level": level,
            "message": format!("{event_type} happened"),
            "event_type": event_type,
            "target": "test",
            "service": {"name": "shop", "version": "1", "environment": "test", "instance": "host-1"},
            "context": context,
            "extra": extra,
        });
        if !exception.is_null() {
            line["exception"] = exception;
        }
        self.store.push(&line.to_string())
    }
}
