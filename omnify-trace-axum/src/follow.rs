//! A response body that is followed to its end, and the body of a problem in place of another.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

/// Whoever wants to know what becomes of a body. Dropped before an end, it was given up.
pub trait Follow {
    /// Polls the body in whatever has to be around it, and hears what came of it.
    fn follow(&mut self, poll: impl FnOnce() -> Progress);
}

/// What came of polling a body.
#[derive(Debug)]
pub enum Progress {
    /// Nothing yet.
    Pending,
    /// So many bytes have been handed over.
    Data(u64),
    /// So many more, and the body has been sent to its end.
    End(u64),
    /// The body broke off.
    Failed(String),
}

pin_project! {
    /// A body whose end is told to `T`.
    pub struct Followed<B, T> {
        #[pin]
        inner: BodyOrProblem<B>,
        follower: Option<T>,
        // What is left of a body of known length: the server may not ask for more after that.
        left: Option<u64>,
    }
}

impl<B: Body, T> Followed<B, T> {
    /// Tells `follower` of the end of `body`; `None` when the end has been told already.
    pub(crate) fn new(body: B, follower: Option<T>) -> Self {
        let left = body.size_hint().exact();
        Self {
            inner: BodyOrProblem::given(body),
            follower,
            left,
        }
    }

    /// Text of our own, that nobody follows.
    pub(crate) fn problem(bytes: Bytes) -> Self {
        Self {
            inner: BodyOrProblem::problem(bytes),
            follower: None,
            left: None,
        }
    }
}

impl<B, T> Body for Followed<B, T>
where
    B: Body<Data = Bytes>,
    B::Error: std::fmt::Display,
    T: Follow,
{
    type Data = Bytes;
    type Error = B::Error;

    #[inline]
    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let mut this = self.project();
        let Some(follower) = this.follower.as_mut() else {
            return this.inner.poll_frame(cx);
        };
        let mut polled = Poll::Pending;
        let mut goes_on = false;
        follower.follow(|| {
            polled = this.inner.as_mut().poll_frame(cx);
            let progress = match &polled {
                Poll::Pending => Progress::Pending,
                Poll::Ready(None) => Progress::End(0),
                Poll::Ready(Some(Err(error))) => Progress::Failed(error.to_string()),
                Poll::Ready(Some(Ok(frame))) => {
                    sent(frame, this.left, || this.inner.is_end_stream())
                }
            };
            goes_on = matches!(progress, Progress::Pending | Progress::Data(_));
            progress
        });
        if !goes_on {
            *this.follower = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// What a frame means for its body. The server does not poll for the end of a body that says it
/// is at its end.
fn sent(
    frame: &Frame<Bytes>,
    left: &mut Option<u64>,
    is_end_stream: impl FnOnce() -> bool,
) -> Progress {
    let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
    if let Some(left) = left {
        *left = left.saturating_sub(bytes);
    }
    if *left == Some(0) || frame.is_trailers() || is_end_stream() {
        Progress::End(bytes)
    } else {
        Progress::Data(bytes)
    }
}

pin_project! {
    /// The body of a service, or text of our own in its place.
    pub struct BodyOrProblem<B> {
        #[pin]
        given: Option<B>,
        // Ours, until it is sent.
        problem: Option<Bytes>,
    }
}

impl<B> BodyOrProblem<B> {
    pub(crate) const fn given(body: B) -> Self {
        Self {
            given: Some(body),
            problem: None,
        }
    }

    pub(crate) const fn problem(bytes: Bytes) -> Self {
        Self {
            given: None,
            problem: Some(bytes),
        }
    }
}

impl<B: Body<Data = Bytes>> Body for BodyOrProblem<B> {
    type Data = Bytes;
    type Error = B::Error;

    #[inline]
    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.project();
        match this.given.as_pin_mut() {
            Some(body) => body.poll_frame(cx),
            None => Poll::Ready(this.problem.take().map(|bytes| Ok(Frame::data(bytes)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.given
            .as_ref()
            .map_or(self.problem.is_none(), Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let ours =
            || SizeHint::with_exact(self.problem.as_ref().map_or(0, |bytes| bytes.len() as u64));
        self.given.as_ref().map_or_else(ours, Body::size_hint)
    }
}

/// Whether nobody will poll the body of this answer: the end is when the head is ready.
pub(crate) fn is_bodiless(method: &http::Method, status: http::StatusCode) -> bool {
    *method == http::Method::HEAD
        || status.is_informational()
        || status == http::StatusCode::NO_CONTENT
        || status == http::StatusCode::NOT_MODIFIED
        || (*method == http::Method::CONNECT && status.is_success())
}
