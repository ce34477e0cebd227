//! Scoring on the way in, headers on the way out.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::layer::Config;
use super::score::{self, Finding};
use crate::follow::BodyOrProblem;
use crate::problem::Problem;
use crate::tracing::client_address::{self, AddressText};

/// The service of [`SecurityLayer`](super::SecurityLayer).
#[derive(Debug, Clone)]
pub struct SecurityService<S> {
    pub(super) inner: S,
    pub(super) config: Arc<Config>,
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for SecurityService<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    ResBody: Body<Data = Bytes>,
{
    type Response = Response<BodyOrProblem<ResBody>>;
    type Error = S::Error;
    type Future = SecurityFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let config = Arc::clone(&self.config);
        let special = config.special(request.uri().path());
        if is_blocked(&config, &request) {
            let inner = Inner::Blocked;
            return SecurityFuture {
                inner,
                config,
                special,
            };
        }
        SecurityFuture {
            inner: Inner::Running {
                future: self.inner.call(request),
            },
            config,
            special,
        }
    }
}

/// Scores the request, reports it if it has to be, and tells whether it has to stop here.
fn is_blocked<B>(config: &Config, request: &Request<B>) -> bool {
    let Some(least) = config.report_at.into_iter().chain(config.block_at).min() else {
        return false;
    };
    let finding = score::score(request.method(), request.uri(), request.headers());
    if finding.score() < least {
        return false;
    }
    let blocked = config.block_at.is_some_and(|at| finding.score() >= at);
    report(config, request, &finding, blocked);
    blocked
}

#[cold]
fn report<B>(config: &Config, request: &Request<B>, finding: &Finding, blocked: bool) {
    let peer = client_address::peer(request.extensions());
    let client = config
        .proxies
        .client(peer, request.headers())
        .map(AddressText::new);
    let rules: Vec<_> = finding.rules().map(|(rule, _, _)| rule.as_str()).collect();
    let strongest = finding.strongest();
    tracing::warn!(
        target: crate::tracing::hooks::TARGET,
        event_type = "suspicious_request",
        method = request.method().as_str(),
        path = crate::tracing::cut(request.uri().path()),
        score = finding.score(),
        rule = strongest.map(|(rule, _)| rule.as_str()),
        location = strongest.map(|(_, location)| location.as_str()),
        rules = rules.join(","),
        client_address = client.as_ref().map(AddressText::as_str),
        blocked,
        "Suspicious request"
    );
}

pin_project! {
    /// The future of [`SecurityService`].
    pub struct SecurityFuture<F> {
        #[pin]
        inner: Inner<F>,
        config: Arc<Config>,
        special: Option<usize>,
    }
}

pin_project! {
    #[project = Projection]
    enum Inner<F> {
        Running { #[pin] future: F },
        Blocked,
    }
}

impl<F, B, X> Future for SecurityFuture<F>
where
    F: Future<Output = Result<Response<B>, X>>,
    B: Body<Data = Bytes>,
{
    type Output = Result<Response<BodyOrProblem<B>>, X>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut response = match this.inner.project() {
            Projection::Running { future } => match ready!(future.poll(cx)) {
                Ok(response) => response.map(BodyOrProblem::given),
                Err(error) => return Poll::Ready(Err(error)),
            },
            Projection::Blocked => blocked(),
        };
        let headers = this.config.headers(*this.special);
        headers.apply(response.headers_mut());
        Poll::Ready(Ok(response))
    }
}

fn blocked<B>() -> Response<BodyOrProblem<B>> {
    Problem::new(StatusCode::FORBIDDEN, "OT0202", "Forbidden")
        .detail("This request looks like an attack. If it is none, report the request id.")
        .current_ids()
        .into_http()
        .map(BodyOrProblem::problem)
}
