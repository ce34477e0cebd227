//! Loki's HTTP API, as far as it is needed: `query_range`, `query`, `index/stats`, `push`.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use http::{HeaderName, HeaderValue, header};
use serde::Deserialize;

use crate::{
    state::without_password,
    store::{Order, StoreError},
};

/// Sets the tenant where Loki has several.
const TENANT: HeaderName = HeaderName::from_static("x-scope-orgid");
/// How much of an error's text is told on.
const MOST_SAID: usize = 400;

/// What Loki answers instead of an answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// It took longer than the query may take.
    TimedOut,
    /// It is not there, or not able to answer now; perhaps it says when it will be.
    Away {
        says: String,
        retry_after: Option<Duration>,
    },
    /// It will not answer this, however often it is asked.
    Refused { status: u16, says: String },
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::TimedOut => Self::Unavailable("Loki took too long".to_owned()),
            Failure::Away { says, .. } => Self::Unavailable(format!("Loki is away: {says}")),
            Failure::Refused { status, says } => Self::Refused { status, says },
        }
    }
}

/// A line as Loki has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) timestamp: i64,
    pub(super) line: Arc<str>,
    /// The stream's labels say which file it came from, or at least which service.
    pub(super) file: Arc<str>,
}

/// A value of a metric query: the label of its group, the time, the number.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sample {
    pub(super) group: String,
    pub(super) time_ns: i64,
    pub(super) value: f64,
}

/// What Loki knows without reading lines.
#[derive(Debug, Default, Deserialize)]
pub(super) struct IndexStats {
    pub(super) chunks: u64,
    pub(super) entries: u64,
    pub(super) bytes: u64,
}

#[derive(Debug, Deserialize)]
struct Answer {
    data: Data,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
enum Data {
    Streams(Vec<Stream>),
    Matrix(Vec<Series>),
    Vector(Vec<Point>),
}

#[derive(Debug, Deserialize)]
struct Stream {
    stream: BTreeMap<String, String>,
    /// Nanoseconds as text, the line, and sometimes an object of labels.
    values: Vec<Vec<serde_json::Value>>,
}

#[derive(Debug, Deserialize)]
struct Series {
    metric: BTreeMap<String, String>,
    values: Vec<(f64, String)>,
}

#[derive(Debug, Deserialize)]
struct Point {
    metric: BTreeMap<String, String>,
    value: (f64, String),
}

/// A Loki at an address.
#[derive(Debug, Clone)]
pub(super) struct Client {
    http: reqwest::Client,
    base: String,
    tenant: Option<HeaderValue>,
}

impl Client {
    /// `base` is the address without `/loki/api/v1`.
    pub(super) fn new(base: &str, tenant: Option<&str>) -> Result<Self, StoreError> {
        let wrong = |reason: String| StoreError::BadAddress {
            address: without_password(base),
            reason,
        };
        let url = reqwest::Url::parse(base).map_err(|error| wrong(error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(wrong("it is not an http:// or https:// address".to_owned()));
        }
        let tenant = tenant
            .map(HeaderValue::from_str)
            .transpose()
            .map_err(|_| wrong("the tenant's name cannot stand in a header".to_owned()))?;
        crate::tls::provide();
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(5))
            // Credentials go to the configured address and no other.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| wrong(error.to_string()))?;
        Ok(Self {
            http,
            base: base.trim_end_matches('/').to_owned(),
            tenant,
        })
    }

    /// At most `limit` lines of `[from, to)`, from the end that the order names on.
    pub(super) async fn lines(
        &self,
        query: &str,
        (from, to): (i64, i64),
        order: Order,
        limit: usize,
        patience: Duration,
    ) -> Result<Vec<Entry>, Failure> {
        let direction = match order {
            Order::Newest => "backward",
            Order::Oldest => "forward",
        };
        let parameters = [
            ("query", query.to_owned()),
            ("start", from.to_string()),
            ("end", to.to_string()),
            ("direction", direction.to_owned()),
            ("limit", limit.to_string()),
        ];
        match self.ask("query_range", &parameters, patience).await? {
            Data::Streams(streams) => streams
                .into_iter()
                .flat_map(Stream::entries)
                .collect::<Option<Vec<Entry>>>()
                .ok_or_else(unreadable),
            _ => Err(unreadable()),
        }
    }

    /// A metric query at each of the times from `first` to `last`, `step_ns` apart.
    pub(super) async fn series(
        &self,
        query: &str,
        (first, last): (i64, i64),
        step_ns: i64,
        patience: Duration,
    ) -> Result<Vec<Sample>, Failure> {
        let parameters = [
            ("query", query.to_owned()),
            ("start", first.to_string()),
            ("end", last.to_string()),
            ("step", format!("{}", step_ns as f64 / 1e9)),
        ];
        let Data::Matrix(series) = self.ask("query_range", &parameters, patience).await? else {
            return Err(unreadable());
        };
        let samples = series.into_iter().flat_map(|series| {
            let group = series.metric.into_values().next().unwrap_or_default();
            series
                .values
                .into_iter()
                .map(move |(time, value)| sample(group.clone(), time, &value))
        });
        samples
            .collect::<Option<Vec<Sample>>>()
            .ok_or_else(unreadable)
    }

    /// A metric query at one time.
    pub(super) async fn value(
        &self,
        query: &str,
        at: i64,
        patience: Duration,
    ) -> Result<Vec<Sample>, Failure> {
        let parameters = [("query", query.to_owned()), ("time", at.to_string())];
        let Data::Vector(points) = self.ask("query", &parameters, patience).await? else {
            return Err(unreadable());
        };
        let samples = points.into_iter().map(|point| {
            let group = point.metric.into_values().next().unwrap_or_default();
            sample(group, point.value.0, &point.value.1)
        });
        samples
            .collect::<Option<Vec<Sample>>>()
            .ok_or_else(unreadable)
    }

    /// Counts of a selector's lines by the index.
    pub(super) async fn index_stats(
        &self,
        query: &str,
        (from, to): (i64, i64),
        patience: Duration,
    ) -> Result<IndexStats, Failure> {
        let parameters = [
            ("query", query.to_owned()),
            ("start", from.to_string()),
            ("end", to.to_string()),
        ];
        let body = self.get("index/stats", &parameters, patience).await?;
        serde_json::from_slice(&body).map_err(|_| unreadable())
    }

    /// Hands over streams: JSON, packed with gzip.
    pub(super) async fn push(&self, packed: Vec<u8>, patience: Duration) -> Result<(), Failure> {
        let request = self
            .http
            .post(format!("{}/loki/api/v1/push", self.base))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::CONTENT_ENCODING, "gzip")
            .body(packed);
        self.send(request, patience).await.map(drop)
    }

    async fn ask(
        &self,
        path: &str,
        parameters: &[(&str, String)],
        patience: Duration,
    ) -> Result<Data, Failure> {
        let body = self.get(path, parameters, patience).await?;
        let answer: Answer = serde_json::from_slice(&body).map_err(|_| unreadable())?;
        Ok(answer.data)
    }

    async fn get(
        &self,
        path: &str,
        parameters: &[(&str, String)],
        patience: Duration,
    ) -> Result<bytes::Bytes, Failure> {
        let request = self
            .http
            .get(format!("{}/loki/api/v1/{path}", self.base))
            .query(parameters);
        self.send(request, patience).await
    }

    async fn send(
        &self,
        mut request: reqwest::RequestBuilder,
        patience: Duration,
    ) -> Result<bytes::Bytes, Failure> {
        if let Some(tenant) = &self.tenant {
            request = request.header(TENANT, tenant);
        }
        let away = |error: reqwest::Error| {
            if error.is_timeout() && !error.is_connect() {
                return Failure::TimedOut;
            }
            Failure::Away {
                says: root(&error.without_url()),
                retry_after: None,
            }
        };
        let response = request.timeout(patience).send().await.map_err(away)?;
        let status = response.status().as_u16();
        let retry_after = response
            .headers()
            .get(header::RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.trim().parse().ok())
            .map(Duration::from_secs);
        let body = response.bytes().await.map_err(away)?;
        let says = || {
            let text = String::from_utf8_lossy(&body);
            text.trim().chars().take(MOST_SAID).collect::<String>()
        };
        match status {
            200 | 204 => Ok(body),
            429 | 500.. => Err(Failure::Away {
                says: format!("it answered {status}: {}", says()),
                retry_after,
            }),
            // Also 260: the operator's policy blocks the stream.
            _ => Err(Failure::Refused {
                status,
                says: says(),
            }),
        }
    }
}

impl Stream {
    fn entries(self) -> impl Iterator<Item = Option<Entry>> {
        let label = |name: &str| self.stream.get(name).map(String::as_str);
        let path = label("filename").or_else(|| label("service_name"));
        let file: Arc<str> = path
            .and_then(|path| path.rsplit('/').next())
            .unwrap_or("loki")
            .into();
        self.values.into_iter().map(move |value| {
            Some(Entry {
                timestamp: value.first()?.as_str()?.parse().ok()?,
                line: value.get(1)?.as_str()?.into(),
                file: Arc::clone(&file),
            })
        })
    }
}

fn sample(group: String, seconds: f64, value: &str) -> Option<Sample> {
    Some(Sample {
        group,
        // Loki tells whole milliseconds.
        time_ns: ((seconds * 1e3).round() as i64).checked_mul(1_000_000)?,
        value: value.parse().ok()?,
    })
}

fn unreadable() -> Failure {
    Failure::Away {
        says: "it answered in a form that is not that of its documentation; is it a Loki?"
            .to_owned(),
        retry_after: None,
    }
}

/// The innermost reason, which says the most.
fn root(error: &dyn std::error::Error) -> String {
    let mut inner = error;
    while let Some(next) = inner.source() {
        inner = next;
    }
    inner.to_string()
}
