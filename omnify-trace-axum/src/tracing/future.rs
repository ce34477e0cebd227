//! The response to come.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderName, Response, StatusCode};
use http_body::Body;
use omnify_trace::propagation::request_id::X_REQUEST_ID;
use pin_project_lite::pin_project;

use super::ResponseBody;
use super::active::Active;
use super::hooks::OnEnd;
use crate::classify::Classify;
use crate::problem::Problem;

pub(crate) static REQUEST_ID: HeaderName = HeaderName::from_static(X_REQUEST_ID);

pin_project! {
    /// The future of [`TracingService`](super::TracingService).
    pub struct ResponseFuture<F, C: Classify, R, E: OnEnd> {
        #[pin]
        inner: Called<F>,
        active: Option<Active<C, R, E>>,
    }
}

pin_project! {
    #[project = InnerProjection]
    pub(super) enum Called<F> {
        Running { #[pin] future: F },
        // The service panicked before it had a future.
        Panicked { payload: Option<Box<dyn Any + Send>> },
    }
}

impl<F, C: Classify, R, E: OnEnd> ResponseFuture<F, C, R, E> {
    pub(super) const fn new(inner: Called<F>, active: Active<C, R, E>) -> Self {
        Self {
            inner,
            active: Some(active),
        }
    }
}

impl<F, B, X, C, R, E> Future for ResponseFuture<F, C, R, E>
where
    F: Future<Output = Result<Response<B>, X>>,
    B: Body<Data = Bytes>,
    C: Classify,
    E: OnEnd,
{
    type Output = Result<Response<ResponseBody<B, C, R, E>>, X>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut polled = Poll::Pending;
        let caught = {
            let _entered = this.active.as_ref().map(|active| {
                active.arrival.forget();
                active.arrival.span.enter()
            });
            match this.inner.project() {
                InnerProjection::Panicked { payload } => {
                    Err(payload.take().unwrap_or_else(|| Box::new(())))
                }
                // The future is not polled again after a panic: its state does not matter.
                InnerProjection::Running { future } => {
                    // By reference: what goes through by value is copied on each side.
                    catch_unwind(AssertUnwindSafe(|| polled = future.poll(cx)))
                }
            }
        };
        if let Err(payload) = caught {
            return Poll::Ready(Ok(panicked(&*payload, this.active.take())));
        }
        match polled {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(response)) => Poll::Ready(Ok(answered(response, this.active.take()))),
            Poll::Ready(Err(error)) => {
                if let Some(active) = this.active.as_mut() {
                    active.fail("the service returned an error instead of a response");
                }
                Poll::Ready(Err(error))
            }
        }
    }
}

/// Names the request in the response's head and follows its body.
fn answered<B, C, R, E>(
    mut response: Response<B>,
    active: Option<Active<C, R, E>>,
) -> Response<ResponseBody<B, C, R, E>>
where
    B: Body<Data = Bytes>,
    C: Classify,
    E: OnEnd,
{
    let Some(mut active) = active else {
        return response.map(|body| ResponseBody::new(body, None));
    };
    let bodiless = active.head(response.status(), response.headers());
    if active.config.settings.echo_request_id
        && let Some(id) = active.arrival.name.header()
    {
        response.headers_mut().insert(&REQUEST_ID, id);
    }
    let ended = bodiless || response.body().is_end_stream();
    if ended {
        active.complete();
    }
    response.map(|body| ResponseBody::new(body, (!ended).then_some(active)))
}

/// What a client gets whose handler panicked: the ids to report, and nothing of what went wrong.
fn panicked<B, C, R, E>(
    payload: &(dyn Any + Send),
    active: Option<Active<C, R, E>>,
) -> Response<ResponseBody<B, C, R, E>>
where
    B: Body<Data = Bytes>,
    C: Classify,
    E: OnEnd,
{
    let mut problem = Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "OT0201",
        "Internal Server Error",
    )
    .detail("The server failed while it handled this request. Report the request id.");
    let mut request_id = None;
    if let Some(mut active) = active {
        problem = active.arrival.span.in_scope(|| problem.current_ids());
        problem = problem.ids(active.arrival.name.as_str(), None);
        active.head(StatusCode::INTERNAL_SERVER_ERROR, &http::HeaderMap::new());
        let message = payload
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("a value that is no text");
        active.fail(&format!("panic: {message}"));
        if active.config.settings.echo_request_id {
            request_id = active.arrival.name.header();
        }
    }
    let mut response = problem.into_http().map(ResponseBody::problem);
    if let Some(id) = request_id {
        response.headers_mut().insert(&REQUEST_ID, id);
    }
    response
}
