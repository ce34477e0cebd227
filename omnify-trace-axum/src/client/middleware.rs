//! For reqwest-middleware.

use http::Extensions;
use reqwest::{Request, Response};
use reqwest_middleware::{Middleware, Next, Result};

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
            Err(error) => active.fail(error),
        }
        result
    }
}
