//! From a request's token to its context.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body::Body;
use omnify_trace::schema::fields;
use pin_project_lite::pin_project;
use tower_service::Service;
use tracing::field::{FieldSet, Value};
use tracing::span::{Id, Record};
use tracing::{Dispatch, dispatcher};

use super::Identity;
use super::known::{bearer, left};
use super::verify::{Glance, Refusal, Verifier};
use crate::follow::BodyOrProblem;
use crate::problem::Problem;

/// The service of [`IdentityLayer`](super::IdentityLayer).
#[derive(Debug, Clone)]
pub struct IdentityService<S> {
    inner: S,
    verifier: Arc<Verifier>,
    required: bool,
}

impl<S> IdentityService<S> {
    pub(super) const fn new(inner: S, verifier: Arc<Verifier>, required: bool) -> Self {
        Self {
            inner,
            verifier,
            required,
        }
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for IdentityService<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone + Send + 'static,
    S::Future: Send,
    ReqBody: Send + 'static,
    ResBody: Body<Data = Bytes>,
{
    type Response = Response<BodyOrProblem<ResBody>>;
    type Error = S::Error;
    type Future = IdentityFuture<S::Future, ResBody, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        if let Some(identity) = left() {
            // The tracing layer asked a moment ago, and has opened the span with the answer.
            request.extensions_mut().insert(identity);
            return IdentityFuture::Running {
                future: self.inner.call(request),
            };
        }
        let Some(token) = bearer(request.headers()) else {
            if self.required {
                return IdentityFuture::refused(None);
            }
            return IdentityFuture::Running {
                future: self.inner.call(request),
            };
        };
        let now = now();
        match self.verifier.glance(token, now) {
            Glance::Decided(Ok(identity)) => {
                note(&mut request, identity);
                IdentityFuture::Running {
                    future: self.inner.call(request),
                }
            }
            Glance::Decided(Err(refusal)) => {
                report(refusal);
                if self.required {
                    return IdentityFuture::refused(Some(refusal));
                }
                IdentityFuture::Running {
                    future: self.inner.call(request),
                }
            }
            Glance::NeedsKeys(token, header) => {
                let (verifier, required) = (Arc::clone(&self.verifier), self.required);
                // The service that was polled ready is the one to call.
                let fresh = self.inner.clone();
                let mut inner = std::mem::replace(&mut self.inner, fresh);
                IdentityFuture::Waiting {
                    future: Box::pin(async move {
                        match verifier.wait(&token, &header, now).await {
                            Ok(identity) => note(&mut request, identity),
                            Err(refusal) => {
                                report(refusal);
                                if required {
                                    return Ok(refused(Some(refusal)));
                                }
                            }
                        }
                        inner
                            .call(request)
                            .await
                            .map(|response| response.map(BodyOrProblem::given))
                    }),
                }
            }
        }
    }
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}

/// Puts the identity into the request's span and extensions.
fn note<B>(request: &mut Request<B>, identity: Identity) {
    // Both at once, and without a share in the span: each would cost as much as the rest here.
    dispatcher::get_default(|dispatch| {
        let current = dispatch.current_span();
        if let (Some(id), Some(metadata)) = (current.id(), current.metadata()) {
            record(dispatch, id, metadata.fields(), &identity);
        }
    });
    request.extensions_mut().insert(identity);
}

fn record(dispatch: &Dispatch, id: &Id, known: &FieldSet, identity: &Identity) {
    let (user, organization) = (identity.user_id(), identity.organization_id());
    let user = user.as_ref().map(|user| user as &dyn Value);
    let organization = organization.as_ref().map(|id| id as &dyn Value);
    let fields = (
        known.field(fields::USER_ID),
        known.field(fields::ORGANIZATION_ID),
    );
    match &fields {
        (Some(first), Some(second)) => {
            let values = [(first, user), (second, organization)];
            dispatch.record(id, &Record::new(&known.value_set(&values)));
        }
        // A span that has one of them only is somebody else's.
        (Some(field), None) => {
            dispatch.record(id, &Record::new(&known.value_set(&[(field, user)])));
        }
        (None, Some(field)) => {
            let values = [(field, organization)];
            dispatch.record(id, &Record::new(&known.value_set(&values)));
        }
        (None, None) => {}
    }
}

fn report(refusal: Refusal) {
    tracing::warn!(
        target: "omnify_trace::identity",
        event_type = "authentication_failed",
        reason = refusal.as_str(),
        "Token not accepted"
    );
}

fn refused<B>(refusal: Option<Refusal>) -> Response<BodyOrProblem<B>> {
    let (detail, challenge) = match refusal {
        None => (
            "This needs a token: Authorization: Bearer <token>.",
            "Bearer",
        ),
        Some(Refusal::KeysUnavailable) => ("Tokens cannot be checked at the moment.", "Bearer"),
        Some(_) => (
            "The token was not accepted.",
            "Bearer error=\"invalid_token\"",
        ),
    };
    let problem = Problem::new(StatusCode::UNAUTHORIZED, "OT0203", "Unauthorized").detail(detail);
    let mut response = problem
        .current_ids()
        .into_http()
        .map(BodyOrProblem::problem);
    response.headers_mut().insert(
        header::WWW_AUTHENTICATE,
        HeaderValue::from_static(challenge),
    );
    response
}

pin_project! {
    /// The future of [`IdentityService`].
    #[project = Projection]
    pub enum IdentityFuture<F, B, X> {
        #[doc(hidden)]
        Running { #[pin] future: F },
        #[doc(hidden)]
        Waiting { future: Pin<Box<dyn Future<Output = Result<Response<BodyOrProblem<B>>, X>> + Send>> },
        #[doc(hidden)]
        Refused { refusal: Option<Refusal> },
    }
}

impl<F, B, X> IdentityFuture<F, B, X> {
    const fn refused(refusal: Option<Refusal>) -> Self {
        Self::Refused { refusal }
    }
}

impl<F, B, X> Future for IdentityFuture<F, B, X>
where
    F: Future<Output = Result<Response<B>, X>>,
{
    type Output = Result<Response<BodyOrProblem<B>>, X>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            Projection::Running { future } => future
                .poll(cx)
                .map(|output| output.map(|response| response.map(BodyOrProblem::given))),
            Projection::Waiting { future } => future.as_mut().poll(cx),
            Projection::Refused { refusal } => Poll::Ready(Ok(refused(*refusal))),
        }
    }
}
