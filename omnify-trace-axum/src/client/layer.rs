//! For tower clients.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{Request, Response};
use omnify_trace::operation::Active;
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::call::{self, Target};
use super::options::ClientOptions;

/// Follows the calls of a client that is a tower service.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct ClientLayer {
    options: ClientOptions,
}

impl ClientLayer {
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

impl<S> Layer<S> for ClientLayer {
    type Service = ClientService<S>;

    fn layer(&self, inner: S) -> ClientService<S> {
        ClientService {
            inner,
            options: self.options.clone(),
        }
    }
}

/// The service of [`ClientLayer`].
#[derive(Debug, Clone)]
pub struct ClientService<S> {
    inner: S,
    options: ClientOptions,
}

impl<S, B, R> Service<Request<B>> for ClientService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: std::fmt::Display,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = ClientFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        let target = Target {
            method: &parts.method,
            host: parts.uri.host().unwrap_or("unknown"),
            port: parts.uri.port_u16(),
            path: parts.uri.path(),
        };
        let active = call::begin(
            &self.options,
            &target,
            &mut parts.extensions,
            &mut parts.headers,
        );
        let future = active.in_scope(|| self.inner.call(Request::from_parts(parts, body)));
        ClientFuture {
            future,
            active: Some(active),
        }
    }
}

pin_project! {
    /// The future of [`ClientService`].
    pub struct ClientFuture<F> {
        #[pin]
        future: F,
        active: Option<Active>,
    }
}

impl<F, R, X> Future for ClientFuture<F>
where
    F: Future<Output = Result<Response<R>, X>>,
    X: std::fmt::Display,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let output = match this.active.as_ref() {
            Some(active) => ready!(active.in_scope(|| this.future.poll(cx))),
            None => ready!(this.future.poll(cx)),
        };
        if let Some(active) = this.active.take() {
            match &output {
                Ok(response) => call::answered(active, response.status()),
                Err(error) => active.fail(&error.to_string()),
            }
        }
        Poll::Ready(output)
    }
}
