//! Timing one request.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, LazyLock, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use axum::extract::MatchedPath;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::Body;
use omnify_trace::CorrelationContext;
use omnify_trace::operation::{self, Watched, Watching};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::layer::Config;
use super::metrics::UNMATCHED;
use super::open::{Open, Slow};
use super::route::RouteStats;
use crate::follow::{Follow, Followed, Progress, is_bodiless};
use crate::tracing::StreamKind;
use crate::tracing::arrival::{self, Arrival};

/// The service of [`PerformanceLayer`](super::PerformanceLayer).
#[derive(Debug, Clone)]
pub struct PerformanceService<S> {
    pub(super) inner: S,
    pub(super) route: Arc<Route>,
}

/// What the services of one route share.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) config: Arc<Config>,
    /// A router has a service per route: what the first request found is nearly always right.
    pub(super) nearest: OnceLock<Arc<RouteStats>>,
}

impl<S> PerformanceService<S> {
    fn stats<B>(&self, request: &Request<B>) -> Arc<RouteStats> {
        let route = request
            .extensions()
            .get::<MatchedPath>()
            .map_or(UNMATCHED, MatchedPath::as_str);
        let find = || {
            let config = &self.route.config;
            let metrics = &config.metrics;
            metrics.route(request.method(), route, &config.budgets)
        };
        let nearest = self.route.nearest.get_or_init(find);
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

    #[inline]
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
    open: Arc<Open>,
    /// Until the request has ended, or is a stream that lasts as long as its reader likes.
    watching: Option<Watching>,
    ttfb: Option<Duration>,
    status: Option<StatusCode>,
    stream: StreamKind,
    finished: bool,
}

impl Timing {
    fn start<B>(stats: Arc<RouteStats>, request: &Request<B>) -> Self {
        stats.active.fetch_add(1, Relaxed);
        let arrival = arrival::left().unwrap_or_else(|| {
            let now = Instant::now();
            Arc::new(Arrival::unnamed(request, now, second(now)))
        });
        let open = Arc::new(Open::new(stats, arrival));
        let watched: Arc<dyn Watched> = Arc::<Open>::clone(&open);
        Self {
            watching: Some(operation::watch(&watched)),
            open,
            ttfb: None,
            status: None,
            stream: StreamKind::Plain,
            finished: false,
        }
    }

    /// Notes the response's head.
    fn head<B>(&mut self, response: &Response<B>) {
        self.ttfb = Some(self.open.arrival.look());
        self.status = Some(response.status());
        self.stream = StreamKind::of(response.status(), response.headers());
        if self.stream != StreamKind::Plain {
            self.watching = None;
        }
    }

    fn finish(&mut self, cancelled: bool) {
        if std::mem::replace(&mut self.finished, true) {
            return;
        }
        self.watching = None;
        let open = &*self.open;
        let stats = &*open.stats;
        stats.active.fetch_sub(1, Relaxed);
        // A stream lasts as long as its reader likes: its head is what can be slow.
        let judged = match (self.stream, self.ttfb) {
            (StreamKind::Plain, _) | (_, None) => open.arrival.look(),
            (_, Some(ttfb)) => ttfb,
        };
        let class = match self.status {
            Some(status) if !cancelled || self.stream != StreamKind::Plain => {
                usize::from(status.as_u16() / 100) - 1
            }
            _ => 5,
        };
        let budget = stats.budget();
        stats.classes[class.min(5)].record(judged, open.arrival.second, || {
            open.arrival
                .span
                .in_scope(CorrelationContext::current)
                .and_then(|context| context.trace_id())
        });
        if !cancelled {
            stats.learn(judged);
        }
        if judged > budget {
            stats.slow.fetch_add(1, Relaxed);
            open.arrival.span.in_scope(|| {
                open.report(&Slow {
                    duration: judged,
                    budget,
                    ttfb: self.ttfb,
                    status: self.status,
                    open: None,
                });
            });
        }
    }
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

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = match ready!(this.future.poll(cx)) {
            Ok(response) => response,
            Err(error) => return Poll::Ready(Err(error)),
        };
        let mut timing = this.timing.take();
        if let Some(timing) = &mut timing {
            timing.head(&response);
            if is_bodiless(&timing.open.arrival.method, response.status())
                || response.body().is_end_stream()
            {
                timing.finish(false);
            }
        }
        let timing = timing.filter(|timing| !timing.finished);
        Poll::Ready(Ok(response.map(|body| Followed::new(body, timing))))
    }
}
