//! Timing one request.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, LazyLock, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Instant;

use axum::extract::MatchedPath;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, Uri};
use http_body::Body;
use omnify_trace::CorrelationContext;
use omnify_trace::operation::{self, Spent};
use pin_project_lite::pin_project;
use serde_json::{Value, json};
use tower_service::Service;
use tracing::Span;

use super::layer::Config;
use super::metrics::UNMATCHED;
use super::route::RouteStats;
use crate::follow::{Follow, Followed, Progress, is_bodiless};
use crate::tracing::StreamKind;
use crate::tracing::hooks::{TARGET, milliseconds};

/// A slow request names this many of its operations, the most expensive ones.
const MOST_OPERATIONS: usize = 8;

/// The service of [`PerformanceLayer`](super::PerformanceLayer).
#[derive(Debug, Clone)]
pub struct PerformanceService<S> {
    pub(super) inner: S,
    pub(super) config: Arc<Config>,
    /// A router has a service per route: what the first request found is nearly always right.
    pub(super) nearest: Arc<OnceLock<Arc<RouteStats>>>,
}

impl<S> PerformanceService<S> {
    fn stats<B>(&self, request: &Request<B>) -> Arc<RouteStats> {
        let route = request
            .extensions()
            .get::<MatchedPath>()
            .map_or(UNMATCHED, MatchedPath::as_str);
        let find = || {
            self.config
                .metrics
                .route(request.method(), route, &self.config.budgets)
        };
        let nearest = self.nearest.get_or_init(find);
        if *nearest.route == *route && nearest.method == request.method() {
            Arc::clone(nearest)
        } else {
            find()
        }
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for PerformanceService<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    ResBody: Body<Data = Bytes>,
{
    type Response = Response<Followed<ResBody, Timing>>;
    type Error = S::Error;
    type Future = PerformanceFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let timing = Timing::start(self.stats(&request), &request);
        PerformanceFuture {
            future: self.inner.call(request),
            timing: Some(timing),
        }
    }
}

/// The clock of one request. Dropped before the end, the request was cancelled.
pub struct Timing {
    stats: Arc<RouteStats>,
    span: Span,
    method: Method,
    uri: Uri,
    started: Instant,
    ttfb: Option<std::time::Duration>,
    status: Option<StatusCode>,
    stream: StreamKind,
    finished: bool,
}

impl Timing {
    fn start<B>(stats: Arc<RouteStats>, request: &Request<B>) -> Self {
        stats.active.fetch_add(1, Relaxed);
        Self {
            stats,
            span: Span::current(),
            method: request.method().clone(),
            uri: request.uri().clone(),
            started: Instant::now(),
            ttfb: None,
            status: None,
            stream: StreamKind::Plain,
            finished: false,
        }
    }

    fn finish(&mut self, cancelled: bool) {
        if std::mem::replace(&mut self.finished, true) {
            return;
        }
        let duration = self.started.elapsed();
        let stats = &*self.stats;
        stats.active.fetch_sub(1, Relaxed);
        // A stream lasts as long as its reader likes: its head is what can be slow.
        let judged = match (self.stream, self.ttfb) {
            (StreamKind::Plain, _) | (_, None) => duration,
            (_, Some(ttfb)) => ttfb,
        };
        let class = match self.status {
            Some(status) if !cancelled || self.stream != StreamKind::Plain => {
                usize::from(status.as_u16() / 100) - 1
            }
            _ => 5,
        };
        let budget = stats.budget();
        stats.classes[class.min(5)].record(judged, second(self.started), || {
            self.span
                .in_scope(CorrelationContext::current)
                .and_then(|context| context.trace_id())
        });
        if !cancelled {
            stats.learn(judged);
        }
        if judged > budget {
            stats.slow.fetch_add(1, Relaxed);
            self.report(judged, budget);
        }
    }

    #[cold]
    fn report(&self, duration: std::time::Duration, budget: std::time::Duration) {
        let _entered = self.span.enter();
        let operations = CorrelationContext::current()
            .and_then(|context| operations(&operation::spent(&context, self.started)));
        tracing::warn!(
            target: TARGET,
            event_type = "slow_request",
            method = self.method.as_str(),
            route = Some(&*self.stats.route).filter(|route| !route.is_empty()),
            path = crate::tracing::cut(self.uri.path()),
            status_code = self.status.map(|status| status.as_u16()),
            duration_ms = milliseconds(duration),
            ttfb_ms = self.ttfb.map(milliseconds),
            budget_ms = milliseconds(budget),
            "json:operations" = operations.as_deref(),
            "Slow request"
        );
    }
}

/// What took the time, as a JSON array; nothing if no operation is known to have.
fn operations(spent: &[Spent]) -> Option<String> {
    if spent.is_empty() {
        return None;
    }
    let list = spent.iter().take(MOST_OPERATIONS).map(|spent| {
        json!({
            "operation_kind": spent.kind.as_str(),
            "operation": spent.name,
            "count": spent.count,
            "open": spent.open,
            "total_ms": milliseconds(spent.total),
        })
    });
    Some(Value::from_iter(list).to_string())
}

/// Whole seconds since the first request.
fn second(now: Instant) -> u64 {
    static FIRST: LazyLock<Instant> = LazyLock::new(Instant::now);
    now.saturating_duration_since(*FIRST).as_secs() + 1
}

impl Follow for Timing {
    fn follow(&mut self, poll: impl FnOnce() -> Progress) {
        match poll() {
            Progress::Pending | Progress::Data(_) => {}
            Progress::End(_) | Progress::Failed(_) => self.finish(false),
        }
    }
}

impl Drop for Timing {
    fn drop(&mut self) {
        self.finish(true);
    }
}

pin_project! {
    /// The future of [`PerformanceService`].
    pub struct PerformanceFuture<F> {
        #[pin]
        future: F,
        timing: Option<Timing>,
    }
}

impl<F, B, X> Future for PerformanceFuture<F>
where
    F: Future<Output = Result<Response<B>, X>>,
    B: Body<Data = Bytes>,
{
    type Output = Result<Response<Followed<B, Timing>>, X>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = match ready!(this.future.poll(cx)) {
            Ok(response) => response,
            Err(error) => return Poll::Ready(Err(error)),
        };
        let mut timing = this.timing.take();
        if let Some(timing) = &mut timing {
            timing.ttfb = Some(timing.started.elapsed());
            timing.status = Some(response.status());
            timing.stream = StreamKind::of(response.status(), response.headers());
            if is_bodiless(&timing.method, response.status()) || response.body().is_end_stream() {
                timing.finish(false);
            }
        }
        let timing = timing.filter(|timing| !timing.finished);
        Poll::Ready(Ok(response.map(|body| Followed::new(body, timing))))
    }
}
