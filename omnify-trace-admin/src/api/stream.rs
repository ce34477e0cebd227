//! The live tail as server-sent events.

use std::{collections::HashSet, convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::State as AxumState,
    http::HeaderMap,
    response::{
        IntoResponse, Response,
        sse::{Event as SseEvent, KeepAlive, Sse},
    },
};
use tokio::sync::{broadcast, mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;

use super::{
    App,
    caller::Caller,
    params::{Params, Which},
    problem::{ApiError, Problem},
};
use crate::{
    access::belongs_to,
    analysis::LineJson,
    instances::{Relay, Told},
    store::{Line, LogStore, Matcher, Order, Page, Query},
};

/// Streams open at the same time.
const MOST_STREAMS: usize = 200;
/// Lines waiting for one slow client.
const QUEUE: usize = 256;
/// Missed lines that a returning client gets.
const MOST_RESUMED: usize = 1_000;
/// How often a silent stream shows that it lives.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// How many streams are open.
#[derive(Debug)]
pub(crate) struct Streams(Arc<watch::Sender<usize>>);

impl Default for Streams {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(0)))
    }
}

impl Streams {
    /// Streams open now.
    pub(super) fn open(&self) -> usize {
        *self.0.borrow()
    }

    /// How many are open, as it changes.
    pub(super) fn watch(&self) -> watch::Receiver<usize> {
        self.0.subscribe()
    }

    fn enter(&self) -> Option<Place> {
        let entered = self.0.send_if_modified(|open| {
            let free = *open < MOST_STREAMS;
            *open += usize::from(free);
            free
        });
        entered.then(|| Place(Arc::clone(&self.0)))
    }
}

/// One open stream; counts down when it goes.
struct Place(Arc<watch::Sender<usize>>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.send_modify(|open| *open -= 1);
    }
}

/// Follow the lines as they come: `event: log` with a line, `event: lag` with `{"missed"}`.
#[utoipa::path(get, path = "/logs/stream", tag = "logs", params(Which,
    ("timeRange" = Option<String>, Query, description = "No effect: a search's own parameters can be followed as they are"),
    ("Last-Event-ID" = Option<String>, Header, description = "The last line seen; what came since is sent first")), responses(
    (status = 200, description = "Server-sent events", content_type = "text/event-stream", body = String),
    (status = 503, description = "Too many streams", body = Problem),
))]
pub(super) async fn stream(
    AxumState(app): AxumState<App>,
    caller: Caller,
    Params(which): Params<Which>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let (filters, _) = which.filters()?;
    let place = app.streams.enter().ok_or_else(|| {
        crate::store::StoreError::Unavailable(format!(
            "{MOST_STREAMS} live streams are open already"
        ))
    })?;
    let last_seen = headers
        .get("last-event-id")
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    let query = Query {
        filters,
        ..Query::default()
    };
    let follower = Follower {
        matcher: Matcher::new(&query),
        query,
        organization_id: caller.principal.organization_id.clone(),
        // Before the backlog is read, so that nothing falls between.
        tail: caller.lines.tail(),
        elsewhere: app.relay.as_ref().map(Relay::elsewhere),
        lines: caller.lines,
        sent: HashSet::new(),
    };
    let (sender, receiver) = mpsc::channel(QUEUE);
    tokio::spawn(async move {
        let _place = place;
        follower.run(last_seen, &sender).await;
    });
    let events =
        Sse::new(ReceiverStream::new(receiver)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
    Ok(([("x-accel-buffering", "no")], events).into_response())
}

type Sender = mpsc::Sender<Result<SseEvent, Infallible>>;

struct Follower {
    matcher: Matcher,
    query: Query,
    organization_id: Option<String>,
    tail: broadcast::Receiver<Arc<Line>>,
    /// The lines of the other instances, where there are any.
    elsewhere: Option<broadcast::Receiver<Told>>,
    lines: Arc<dyn LogStore>,
    /// Lines of the backlog, which the tail may repeat.
    sent: HashSet<String>,
}

impl Follower {
    /// Ends when the client goes or the store closes.
    async fn run(mut self, last_seen: Option<String>, sender: &Sender) {
        if let Some(id) = last_seen
            && self.resume(&id, sender).await.is_none()
        {
            return;
        }
        loop {
            let received = tokio::select! {
                received = self.tail.recv() => received.map(Told::Line),
                received = from_elsewhere(&mut self.elsewhere) => received,
                () = sender.closed() => return,
            };
            let event = match received {
                Ok(Told::Line(line)) if self.wants(&line) => log(&line),
                Ok(Told::Line(_)) => continue,
                Ok(Told::Missed(missed)) => lag(missed),
                Err(broadcast::error::RecvError::Lagged(missed)) => lag(Some(missed)),
                Err(broadcast::error::RecvError::Closed) => return,
            };
            // While a slow client keeps us waiting here, the tail counts what it misses.
            if sender.send(Ok(event)).await.is_err() {
                return;
            }
        }
    }

    /// What came since the client left. `None` if it has gone again.
    async fn resume(&mut self, id: &str, sender: &Sender) -> Option<()> {
        let Ok(Some(last)) = self.lines.get(id).await else {
            return Some(());
        };
        let query = Query {
            from: Some(last.timestamp),
            ..self.query.clone()
        };
        let page = Page {
            limit: MOST_RESUMED,
            cursor: None,
            order: Order::Newest,
        };
        let Ok(missed) = self.lines.search(&query, &page).await else {
            return Some(());
        };
        if missed.next_cursor.is_some() {
            sender.send(Ok(lag(None))).await.ok()?;
        }
        let mut lines = missed.lines;
        // Lines of the same instant as the last one seen, up to it, were seen as well.
        if let Some(place) = lines.iter().position(|line| line.id == id) {
            lines.truncate(place);
        }
        for line in lines.iter().rev() {
            sender.send(Ok(log(line))).await.ok()?;
            self.sent.insert(line.id.clone());
        }
        Some(())
    }

    fn wants(&mut self, line: &Line) -> bool {
        if !self.sent.is_empty() && self.sent.remove(&line.id) {
            return false;
        }
        if let Some(organization_id) = &self.organization_id
            && !belongs_to(line, organization_id)
        {
            return false;
        }
        self.matcher.matches(line)
    }
}

fn log(line: &Line) -> SseEvent {
    SseEvent::default()
        .event("log")
        .id(&line.id)
        .data(LineJson(line.clone()).to_json())
}

/// `None` for an unknown number.
fn lag(missed: Option<u64>) -> SseEvent {
    let missed = missed.map_or_else(|| "null".to_owned(), |missed| missed.to_string());
    SseEvent::default()
        .event("lag")
        .data(format!("{{\"missed\":{missed}}}"))
}

/// Never, where there are no other instances.
async fn from_elsewhere(
    elsewhere: &mut Option<broadcast::Receiver<Told>>,
) -> Result<Told, broadcast::error::RecvError> {
    match elsewhere {
        Some(elsewhere) => elsewhere.recv().await,
        None => std::future::pending().await,
    }
}
