//! For tower clients.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{Request, Response};
use omnify_trace::operation::Active;
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::call::{self, Call, Target};
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

/// Goes outside of what retries, so that the attempts that [`ClientLayer`] sees inside are known
/// as those of one [`Call`]. What retries must keep the extensions of the requests that it clones.
///
/// ```
/// use omnify_trace_axum::client::{CallLayer, ClientLayer};
/// # #[derive(Clone)] struct Retry;
/// # impl<R, E> tower::retry::Policy<http::Request<String>, R, E> for Retry {
/// #     type Future = std::future::Ready<()>;
/// #     fn retry(&mut self, _: &mut http::Request<String>, _: &mut Result<R, E>) -> Option<Self::Future> { None }
/// #     fn clone_request(&mut self, request: &http::Request<String>) -> Option<http::Request<String>> { Some(request.clone()) }
/// # }
/// let client = tower::ServiceBuilder::new()
///     .layer(CallLayer)
///     .retry(Retry)
///     .layer(ClientLayer::new());
/// # let _ = client.service(tower::service_fn(|_: http::Request<String>| async { Ok::<_, std::io::Error>(http::Response::new(())) }));
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct CallLayer;

impl<S> Layer<S> for CallLayer {
    type Service = CallService<S>;

    fn layer(&self, inner: S) -> CallService<S> {
        CallService { inner }
    }
}

/// The service of [`CallLayer`].
#[derive(Debug, Clone)]
pub struct CallService<S> {
    inner: S,
}

impl<S: Service<Request<B>>, B> Service<Request<B>> for CallService<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> S::Future {
        request.extensions_mut().get_or_insert_with(Call::new);
        self.inner.call(request)
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
