//! A server that keeps to the documented part of Loki's HTTP API: push, `query_range`, `query`
//! and `index/stats`, over the LogQL that the engine writes. It is strict: what the
//! documentation does not allow is refused as a Loki would.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    io::Read,
    sync::Arc,
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Query as Parameters, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

type Labels = BTreeMap<String, String>;
type Refusal = (StatusCode, String);

#[derive(Default)]
struct Loki {
    /// Stream, time, line and metadata: an entry is there once.
    entries: BTreeSet<(i64, Labels, String, Labels)>,
    pushed: usize,
    answers: VecDeque<u16>,
}

pub(super) struct Contract {
    address: std::net::SocketAddr,
    loki: Arc<Mutex<Loki>>,
    task: JoinHandle<()>,
}

impl Contract {
    pub(super) async fn start() -> Self {
        let loki = Arc::<Mutex<Loki>>::default();
        let router = Router::new()
            .route("/loki/api/v1/push", post(push))
            .route("/loki/api/v1/query_range", get(query_range))
            .route("/loki/api/v1/query", get(query))
            .route("/loki/api/v1/index/stats", get(index_stats))
            .with_state(Arc::clone(&loki));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            address,
            loki,
            task,
        }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// The next pushes are answered so, and not taken.
    pub(super) fn answer_with(&self, statuses: &[u16]) {
        self.loki.lock().answers.extend(statuses);
    }

    /// Lines taken in all, those that were there already included.
    pub(super) fn pushed(&self) -> usize {
        self.loki.lock().pushed
    }
}

impl Drop for Contract {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn refuse(says: impl Into<String>) -> Refusal {
    (StatusCode::BAD_REQUEST, says.into())
}

async fn push(
    State(loki): State<Arc<Mutex<Loki>>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, Refusal> {
    let mut loki = loki.lock();
    if let Some(status) = loki.answers.pop_front() {
        return Err((StatusCode::from_u16(status).unwrap(), "not now".to_owned()));
    }
    assert_eq!(headers["content-type"], "application/json");
    assert_eq!(headers["content-encoding"], "gzip");
    let mut text = String::new();
    flate2::read::GzDecoder::new(&*body)
        .read_to_string(&mut text)
        .map_err(|error| refuse(error.to_string()))?;
    let request: Value = serde_json::from_str(&text).map_err(|error| refuse(error.to_string()))?;
    for stream in request["streams"]
        .as_array()
        .ok_or_else(|| refuse("no streams"))?
    {
        let labels = labels(&stream["stream"])?;
        if labels.is_empty() || labels.len() > 15 {
            return Err(refuse("a stream has 1 to 15 labels"));
        }
        for value in stream["values"]
            .as_array()
            .ok_or_else(|| refuse("no values"))?
        {
            let time = value[0].as_str().and_then(|text| text.parse().ok());
            let time: i64 = time.ok_or_else(|| refuse("time is not nanoseconds as text"))?;
            let line = value[1]
                .as_str()
                .ok_or_else(|| refuse("line is not text"))?;
            if line.len() > 256 << 10 {
                return Err(refuse("max entry size exceeded"));
            }
            let metadata = labels_of_metadata(&value[2])?;
            loki.entries
                .insert((time, labels.clone(), line.to_owned(), metadata));
            loki.pushed += 1;
        }
    }
    Ok(StatusCode::NO_CONTENT)
}

fn labels(value: &Value) -> Result<Labels, Refusal> {
    let object = value
        .as_object()
        .ok_or_else(|| refuse("labels are no object"))?;
    let mut labels = Labels::new();
    for (name, value) in object {
        let valid = name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':')
            && !name.starts_with(|c: char| c.is_ascii_digit());
        let value = value.as_str().filter(|value| value.len() <= 2048 && valid);
        let value = value.ok_or_else(|| refuse(format!("label {name} is not valid")))?;
        labels.insert(name.clone(), value.to_owned());
    }
    Ok(labels)
}

fn labels_of_metadata(value: &Value) -> Result<Labels, Refusal> {
    match value {
        Value::Null => Ok(Labels::new()),
        other => labels(other),
    }
}

type Asked = HashMap<String, String>;

fn number(asked: &Asked, name: &str) -> Result<i64, Refusal> {
    let value = asked.get(name).and_then(|value| value.parse().ok());
    value.ok_or_else(|| refuse(format!("{name} is not a number of nanoseconds")))
}

fn range(asked: &Asked) -> Result<(i64, i64), Refusal> {
    let (start, end) = (number(asked, "start")?, number(asked, "end")?);
    if end - start > 721 * 3600 * 1_000_000_000 {
        return Err(refuse("the query time range exceeds the limit (30d1h)"));
    }
    Ok((start, end))
}

fn success(kind: &str, result: &Value) -> Response {
    let data = json!({ "resultType": kind, "result": result, "stats": {} });
    Json(json!({ "status": "success", "data": data })).into_response()
}

async fn query_range(
    State(loki): State<Arc<Mutex<Loki>>>,
    Parameters(asked): Parameters<Asked>,
) -> Result<Response, Refusal> {
    let (start, end) = range(&asked)?;
    if asked["query"].starts_with("sum") {
        let count = Count::parse(&asked["query"]).ok_or_else(|| refuse("parse error"))?;
        let step: f64 = asked["step"].parse().map_err(|_| refuse("step"))?;
        let step = (step * 1e9).round() as i64;
        if (end - start) / step > 11_000 {
            return Err(refuse(
                "exceeded maximum resolution of 11,000 points per time series",
            ));
        }
        let mut series: BTreeMap<Option<String>, Vec<Value>> = BTreeMap::new();
        let mut at = start;
        while at <= end {
            for (group, value) in count.at(&loki.lock(), at) {
                let point = json!([(at / 1_000_000) as f64 / 1e3, value.to_string()]);
                series.entry(group).or_default().push(point);
            }
            at += step;
        }
        let series: Vec<Value> = series
            .into_iter()
            .map(|(group, values)| json!({ "metric": count.metric(group), "values": values }))
            .collect();
        return Ok(success("matrix", &json!(series)));
    }
    let limit = number(&asked, "limit")?;
    if limit > 5000 {
        return Err(refuse("max entries limit per query exceeded"));
    }
    let logql = LogQl::parse(&asked["query"]).ok_or_else(|| refuse("parse error"))?;
    let loki = loki.lock();
    let mut found: Vec<_> = loki
        .entries
        .iter()
        .filter(|(time, labels, line, metadata)| {
            (start..end).contains(time) && logql.holds(labels, line, metadata)
        })
        .collect();
    if asked["direction"] == "backward" {
        found.reverse();
    }
    found.truncate(usize::try_from(limit).unwrap());
    let mut streams: BTreeMap<Labels, Vec<Value>> = BTreeMap::new();
    for (time, labels, line, metadata) in found {
        let mut all = labels.clone();
        all.extend(metadata.clone());
        streams
            .entry(all)
            .or_default()
            .push(json!([time.to_string(), line]));
    }
    let streams: Vec<Value> = streams
        .into_iter()
        .map(|(stream, values)| json!({ "stream": stream, "values": values }))
        .collect();
    Ok(success("streams", &json!(streams)))
}

async fn query(
    State(loki): State<Arc<Mutex<Loki>>>,
    Parameters(asked): Parameters<Asked>,
) -> Result<Response, Refusal> {
    let count = Count::parse(&asked["query"]).ok_or_else(|| refuse("parse error"))?;
    let at = number(&asked, "time")?;
    let values: Vec<Value> = count
        .at(&loki.lock(), at)
        .into_iter()
        .map(|(group, value)| {
            let point = json!([(at / 1_000_000) as f64 / 1e3, value.to_string()]);
            json!({ "metric": count.metric(group), "value": point })
        })
        .collect();
    Ok(success("vector", &json!(values)))
}

async fn index_stats(
    State(loki): State<Arc<Mutex<Loki>>>,
    Parameters(asked): Parameters<Asked>,
) -> Result<Response, Refusal> {
    let _ = (
        range(&asked)?,
        LogQl::parse(&asked["query"]).ok_or_else(|| refuse("parse error"))?,
    );
    let loki = loki.lock();
    let bytes: usize = loki.entries.iter().map(|entry| entry.2.len()).sum();
    let stats = json!({ "streams": 1, "chunks": 1, "entries": loki.entries.len(), "bytes": bytes });
    Ok(Json(stats).into_response())
}

/// Stages of a pipeline after the selector.
enum Stage {
    Contains(Vec<String>),
    Matches(regex::Regex),
    Label(String, regex::Regex),
}

struct LogQl(Vec<Stage>);

/// A Go string at the start of a text, and what follows it.
fn string(text: &str) -> Option<(String, &str)> {
    let mut escaped = false;
    let end = text.char_indices().skip(1).find(|(_, c)| {
        let ends = *c == '"' && !escaped;
        escaped = *c == '\\' && !escaped;
        ends
    });
    let (literal, rest) = text.split_at(end?.0 + 1);
    // Go's escapes that are used are JSON's.
    Some((serde_json::from_str(literal).ok()?, rest))
}

impl LogQl {
    fn parse(text: &str) -> Option<Self> {
        let (query, rest) = Self::prefix(text)?;
        rest.is_empty().then_some(query)
    }

    fn prefix(text: &str) -> Option<(Self, &str)> {
        let mut rest = text.strip_prefix(r#"{job="omnify"}"#)?;
        let mut stages = Vec::new();
        loop {
            if let Some(mut after) = rest.strip_prefix(" |= ") {
                let mut texts = Vec::new();
                loop {
                    let (text, next) = string(after)?;
                    texts.push(text);
                    match next.strip_prefix(" or ") {
                        Some(more) => after = more,
                        None => {
                            rest = next;
                            break;
                        }
                    }
                }
                stages.push(Stage::Contains(texts));
            } else if let Some(after) = rest.strip_prefix(" |~ ") {
                let (pattern, next) = string(after)?;
                stages.push(Stage::Matches(regex::Regex::new(&pattern).ok()?));
                rest = next;
            } else if let Some(after) = rest.strip_prefix(" | ") {
                let (name, after) = after.split_once("=~")?;
                let (pattern, next) = string(after)?;
                let anchored = format!("^(?:{pattern})$");
                stages.push(Stage::Label(
                    name.to_owned(),
                    regex::Regex::new(&anchored).ok()?,
                ));
                rest = next;
            } else {
                return Some((Self(stages), rest));
            }
        }
    }

    fn holds(&self, labels: &Labels, line: &str, metadata: &Labels) -> bool {
        labels.get("job").is_some_and(|job| job == "omnify")
            && self.0.iter().all(|stage| match stage {
                Stage::Contains(texts) => texts.iter().any(|text| line.contains(text.as_str())),
                Stage::Matches(pattern) => pattern.is_match(line),
                Stage::Label(name, pattern) => {
                    let value = metadata.get(name).or_else(|| labels.get(name));
                    pattern.is_match(value.map_or("", String::as_str))
                }
            })
    }
}

/// `sum by (label) (count_over_time(… [5ns] offset 1ns))`
struct Count {
    by: Option<String>,
    logql: LogQl,
    range: i64,
}

impl Count {
    fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("sum")?;
        let (by, rest) = match rest.strip_prefix(" by (") {
            Some(rest) => {
                let (name, rest) = rest.split_once(')')?;
                (Some(name.to_owned()), rest)
            }
            None => (None, rest),
        };
        let rest = rest.strip_prefix(" (count_over_time(")?;
        let (logql, rest) = LogQl::prefix(rest)?;
        let (range, rest) = rest.strip_prefix(" [")?.split_once("ns] offset 1ns))")?;
        let range = range.parse().ok()?;
        rest.is_empty().then_some(Self { by, logql, range })
    }

    /// Counts of `(at - 1 - range, at - 1]`.
    fn at(&self, loki: &Loki, at: i64) -> BTreeMap<Option<String>, u64> {
        let mut counts = BTreeMap::new();
        for (time, labels, line, metadata) in &loki.entries {
            let inside = *time > at - 1 - self.range && *time < at;
            if inside && self.logql.holds(labels, line, metadata) {
                let value = |name: &String| metadata.get(name).or_else(|| labels.get(name));
                let group = self.by.as_ref().and_then(value).cloned();
                *counts.entry(group).or_default() += 1;
            }
        }
        counts
    }

    fn metric(&self, group: Option<String>) -> Value {
        match (&self.by, group) {
            (Some(name), Some(value)) => json!({ name.as_str(): value }),
            _ => json!({}),
        }
    }
}
