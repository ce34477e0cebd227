//! All routes, and their Prometheus text.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, LazyLock};

use axum::Router;
use http::{HeaderMap, Method, header};
use omnify_trace::exposition::Exposition;
use parking_lot::RwLock;

use super::budget::Budgets;
use super::histogram::{BOUNDS, Exemplar};
use super::route::{CLASSES, RouteStats};

/// Routes that have counters of their own; beyond, requests count under [`OTHER`].
const MAX_ROUTES: usize = 2048;
/// The route of requests that matched none.
pub(super) const UNMATCHED: &str = "";
const OTHER: &str = "{other}";

type Routes = HashMap<(Method, Box<str>), Arc<RouteStats>>;

/// Counters of requests by method and route. Cloning shares them.
///
/// ```
/// use omnify_trace_axum::performance::Metrics;
/// let text = Metrics::global().prometheus();
/// assert!(text.contains("# TYPE http_server_active_requests gauge"));
/// ```
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    routes: Arc<RwLock<Routes>>,
}

impl Metrics {
    /// Empty counters of one's own.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The counters that every [`PerformanceLayer`](super::PerformanceLayer) of this process
    /// shares unless told otherwise.
    #[must_use]
    pub fn global() -> Self {
        static GLOBAL: LazyLock<Metrics> = LazyLock::new(Metrics::new);
        GLOBAL.clone()
    }

    pub(super) fn route(&self, method: &Method, route: &str, budgets: &Budgets) -> Arc<RouteStats> {
        // Methods of the caller's invention must not become counters.
        let method = if is_known(method) {
            method.clone()
        } else {
            Method::GET
        };
        let key = (method, Box::from(route));
        if let Some(stats) = self.routes.read().get(&key) {
            return Arc::clone(stats);
        }
        let mut routes = self.routes.write();
        let key = if routes.len() < MAX_ROUTES {
            key
        } else {
            (key.0, OTHER.into())
        };
        let stats = || Arc::new(RouteStats::new(key.0.clone(), &key.1, budgets));
        Arc::clone(routes.entry(key.clone()).or_insert_with(stats))
    }

    /// A router with `GET /metrics`, for those who have no other figures to tell.
    ///
    /// ```
    /// use axum::Router;
    /// use omnify_trace_axum::performance::Metrics;
    /// let app: Router = Router::new().merge(Metrics::global().router());
    /// ```
    pub fn router<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        let metrics = self.clone();
        let answer = move |headers: HeaderMap| {
            let accept = headers.get(header::ACCEPT);
            let format = Exposition::accepted(accept.and_then(|value| value.to_str().ok()));
            let mut text = metrics.text(format);
            if format == Exposition::OpenMetrics {
                text.push_str(Exposition::END_MARK);
            }
            std::future::ready(([(header::CONTENT_TYPE, format.content_type())], text))
        };
        Router::new().route("/metrics", axum::routing::get(answer))
    }

    /// The counters in the text format of Prometheus: `http_server_request_duration_seconds`
    /// (histogram), `http_server_active_requests` and `http_server_request_budget_seconds`
    /// (gauges), `http_server_slow_requests_total` (counter).
    #[must_use]
    pub fn prometheus(&self) -> String {
        self.text(Exposition::Prometheus)
    }

    /// The same as OpenMetrics, with a trace id as the example of each bucket, and the end mark.
    #[must_use]
    pub fn openmetrics(&self) -> String {
        let mut out = self.text(Exposition::OpenMetrics);
        out.push_str(Exposition::END_MARK);
        out
    }

    /// The counters in either format, without an end mark: for an answer that holds the figures
    /// of others too.
    #[must_use]
    pub fn text(&self, format: Exposition) -> String {
        let exemplars = format == Exposition::OpenMetrics;
        let mut routes: Vec<_> = self.routes.read().values().cloned().collect();
        routes.sort_by(|a, b| (&a.route, a.method.as_str()).cmp(&(&b.route, b.method.as_str())));
        let mut out = String::with_capacity(1024 + routes.len() * 2048);
        // Writing to a String cannot fail.
        let _ = write_durations(&mut out, &routes, exemplars);
        let _ = write_gauges(&mut out, &routes, exemplars);
        out
    }
}

fn is_known(method: &Method) -> bool {
    matches!(
        *method,
        Method::GET
            | Method::POST
            | Method::PUT
            | Method::PATCH
            | Method::DELETE
            | Method::HEAD
            | Method::OPTIONS
    )
}

fn write_durations(
    out: &mut String,
    routes: &[Arc<RouteStats>],
    exemplars: bool,
) -> std::fmt::Result {
    const NAME: &str = "http_server_request_duration_seconds";
    writeln!(
        out,
        "# HELP {NAME} Time from arrival to the end of the response body."
    )?;
    writeln!(out, "# TYPE {NAME} histogram")?;
    for stats in routes {
        for (class, histogram) in CLASSES.iter().zip(&stats.classes) {
            let (counts, sum, examples) = histogram.snapshot();
            let total = counts[BOUNDS.len()];
            if total == 0 {
                continue;
            }
            let labels = format!("{},http_response_status_class=\"{class}\"", labels(stats));
            for (index, count) in counts.iter().enumerate() {
                let bound = BOUNDS
                    .get(index)
                    .map_or_else(|| "+Inf".to_owned(), ToString::to_string);
                write!(out, "{NAME}_bucket{{{labels},le=\"{bound}\"}} {count}")?;
                if let Some(Exemplar {
                    trace_id,
                    seconds,
                    at,
                }) = examples[index].filter(|_| exemplars)
                {
                    write!(
                        out,
                        " # {{trace_id=\"{trace_id}\"}} {seconds} {:.3}",
                        at.as_secs_f64()
                    )?;
                }
                out.push('\n');
            }
            writeln!(out, "{NAME}_sum{{{labels}}} {sum}")?;
            writeln!(out, "{NAME}_count{{{labels}}} {total}")?;
        }
    }
    Ok(())
}

fn write_gauges(
    out: &mut String,
    routes: &[Arc<RouteStats>],
    openmetrics: bool,
) -> std::fmt::Result {
    writeln!(
        out,
        "# HELP http_server_active_requests Requests under way."
    )?;
    writeln!(out, "# TYPE http_server_active_requests gauge")?;
    for stats in routes {
        writeln!(
            out,
            "http_server_active_requests{{{}}} {}",
            labels(stats),
            stats.active.load(Relaxed)
        )?;
    }
    writeln!(
        out,
        "# HELP http_server_request_budget_seconds Time that a request may take before it is called slow."
    )?;
    writeln!(out, "# TYPE http_server_request_budget_seconds gauge")?;
    for stats in routes {
        writeln!(
            out,
            "http_server_request_budget_seconds{{{}}} {}",
            labels(stats),
            stats.budget().as_secs_f64()
        )?;
    }
    let family = if openmetrics {
        "http_server_slow_requests"
    } else {
        "http_server_slow_requests_total"
    };
    writeln!(
        out,
        "# HELP {family} Requests that took longer than their budget."
    )?;
    writeln!(out, "# TYPE {family} counter")?;
    for stats in routes {
        writeln!(
            out,
            "http_server_slow_requests_total{{{}}} {}",
            labels(stats),
            stats.slow.load(Relaxed)
        )?;
    }
    Ok(())
}

fn labels(stats: &RouteStats) -> String {
    let route = stats
        .route
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n");
    format!(
        "http_request_method=\"{}\",http_route=\"{route}\"",
        stats.method
    )
}
