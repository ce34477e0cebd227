//! For reqwest-middleware.

use http::Extensions;
use reqwest::Url;
use reqwest::{Request, Response};
use reqwest_middleware::{Error, Middleware, Next, Result};

use super::call::{self, Target};
use super::options::ClientOptions;

/// Follows the calls of a reqwest client.
///
/// ```no_run
/// use omnify_trace_axum::client::{ApiCall, ClientMiddleware};
/// # async fn example() -> Result<(), reqwest_middleware::Error> {
/// let client = reqwest_middleware::ClientBuilder::new(reqwest::Client::new())
///     .with(ClientMiddleware::new())
///     .build();
/// let call = client.get("http://127.0.0.1:9/contacts/4711");
/// call.with_extension(ApiCall::new("crm", "/contacts/{id}")).send().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct ClientMiddleware {
    options: ClientOptions,
}

impl ClientMiddleware {
    /// With the default [`ClientOptions`].
    pub fn new() -> Self {
        Self::default()
    }

    /// What is known of other services beforehand. Defaults to nothing.
    pub fn options(mut self, options: ClientOptions) -> Self {
        self.options = options;
        self
    }
}

#[async_trait::async_trait]
impl Middleware for ClientMiddleware {
    async fn handle(
        &self,
        mut request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response> {
        let (method, url) = (request.method().clone(), request.url().clone());
        let target = Target {
            method: &method,
            host: url.host_str().unwrap_or("unknown"),
            port: url.port(),
            path: url.path(),
        };
        let active = call::begin(&self.options, &target, extensions, request.headers_mut());
        let result =
            tracing::Instrument::instrument(next.run(request, extensions), active.span().clone())
                .await;
        match &result {
            Ok(response) => call::answered(active, response.status()),
            Err(error) => active.fail(&without_address(error, &url)),
        }
        result
    }
}

/// What went wrong, cause by cause, without the address: its path and query may hold ids and keys.
fn without_address(error: &Error, url: &Url) -> String {
    let mut text = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    let host = url.host_str().unwrap_or_default();
    text.replace(&format!("for url ({url})"), "")
        .replace(url.as_str(), host)
        .replace(" :", ":")
}
