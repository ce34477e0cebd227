//! The live tail of every instance, wherever one looks at it.
//!
//! An instance publishes its lines only while another one listens, and listens only while somebody
//! looks at a live tail: where nobody looks, nothing is sent.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures::StreamExt as _;
use serde::{Deserialize, Serialize};
use tokio::{
    sync::{broadcast, watch},
    task::JoinHandle,
    time::timeout,
};

use super::{Redis, failed};
use crate::{
    state::StateError,
    store::{Line, LogStore},
};

/// Where the lines go.
const CHANNEL: &str = "omnify:lines";
/// How often an instance asks whether anybody listens, and how long it waits after a failure.
const EVERY: Duration = Duration::from_secs(1);
/// Lines that go together.
const MOST_TOGETHER: usize = 256;
/// Lines of other instances that wait for a slow stream.
const QUEUE: usize = 4_096;

/// What comes from another instance.
#[derive(Debug, Clone)]
pub(crate) enum Told {
    /// A line.
    Line(Arc<Line>),
    /// So many lines were missed; `None` for an unknown number.
    Missed(Option<u64>),
}

/// What goes over the channel.
#[derive(Debug, Serialize, Deserialize)]
struct Message {
    /// Whose lines these are.
    place: String,
    lines: Vec<SentLine>,
    missed: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct SentLine {
    id: String,
    timestamp: i64,
    raw: String,
    is_json: bool,
    file: String,
}

impl From<&Line> for SentLine {
    fn from(line: &Line) -> Self {
        Self {
            id: line.id.clone(),
            timestamp: line.timestamp,
            raw: line.raw.to_string(),
            is_json: line.is_json,
            file: line.file.to_string(),
        }
    }
}

impl From<SentLine> for Line {
    fn from(line: SentLine) -> Self {
        Self {
            id: line.id,
            timestamp: line.timestamp,
            raw: line.raw.into(),
            is_json: line.is_json,
            file: line.file.into(),
        }
    }
}

/// Sends this instance's lines to those who look elsewhere, and brings theirs. Ends when dropped.
pub(crate) struct Relay {
    elsewhere: broadcast::Sender<Told>,
    tasks: [JoinHandle<()>; 2],
}

impl Relay {
    /// A relay of the lines of this directory. `streams` says how many live tails are open here.
    pub(crate) fn start(
        redis: Redis,
        log_dir: &Path,
        store: Arc<dyn LogStore>,
        streams: watch::Receiver<usize>,
    ) -> Self {
        let (elsewhere, _) = broadcast::channel(QUEUE);
        let ends = Arc::new(Ends {
            redis,
            place: place(log_dir),
            listening: AtomicBool::new(false),
        });
        let speaking = Arc::clone(&ends);
        let tasks = [
            tokio::spawn(async move { speaking.speak(&*store).await }),
            tokio::spawn({
                let elsewhere = elsewhere.clone();
                async move { ends.listen(streams, &elsewhere).await }
            }),
        ];
        Self { elsewhere, tasks }
    }

    /// The lines of other instances, from now on.
    pub(crate) fn elsewhere(&self) -> broadcast::Receiver<Told> {
        self.elsewhere.subscribe()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

struct Ends {
    redis: Redis,
    place: String,
    /// Whether this instance is one of the channel's subscribers.
    listening: AtomicBool,
}

impl Ends {
    async fn speak(&self, store: &dyn LogStore) {
        loop {
            let mut tail = None;
            // A Redis that is away has no listeners; what is told of it is said by `health`.
            while self.others_listen().await.unwrap_or(false) {
                let tail = tail.get_or_insert_with(|| store.tail());
                if self.speak_for_a_while(tail).await.is_none() {
                    return;
                }
            }
            // A store that nobody follows spares itself the work.
            drop(tail);
            tokio::time::sleep(EVERY).await;
        }
    }

    async fn others_listen(&self) -> Result<bool, StateError> {
        let mut command = redis::pipe();
        command.cmd("PUBSUB").arg("NUMSUB").arg(CHANNEL);
        let ((_, count),): ((String, usize),) =
            self.redis.ask("count the listeners", &command).await?;
        Ok(count > usize::from(self.listening.load(Ordering::Relaxed)))
    }

    /// Publishes what comes until it is time to ask again. `None` once the store has closed.
    async fn speak_for_a_while(&self, tail: &mut broadcast::Receiver<Arc<Line>>) -> Option<()> {
        let until = tokio::time::Instant::now() + EVERY;
        while let Ok(first) = tokio::time::timeout_at(until, tail.recv()).await {
            let mut message = Message {
                place: self.place.clone(),
                lines: Vec::new(),
                missed: 0,
            };
            let mut received = first;
            loop {
                match received {
                    Ok(line) => message.lines.push((&*line).into()),
                    Err(broadcast::error::RecvError::Lagged(missed)) => message.missed += missed,
                    Err(broadcast::error::RecvError::Closed) => return None,
                }
                if message.lines.len() == MOST_TOGETHER {
                    break;
                }
                received = match tail.try_recv() {
                    Ok(line) => Ok(line),
                    Err(broadcast::error::TryRecvError::Lagged(missed)) => {
                        Err(broadcast::error::RecvError::Lagged(missed))
                    }
                    Err(_) => break,
                };
            }
            let mut command = redis::pipe();
            let text = serde_json::to_string(&message).unwrap_or_default();
            command.cmd("PUBLISH").arg(CHANNEL).arg(text).ignore();
            // If they cannot be sent, the question whether anybody listens fails next.
            let _: Result<(), _> = self.redis.ask("publish lines", &command).await;
        }
        Some(())
    }

    async fn listen(
        &self,
        mut streams: watch::Receiver<usize>,
        elsewhere: &broadcast::Sender<Told>,
    ) {
        while streams.wait_for(|open| *open > 0).await.is_ok() {
            tokio::select! {
                ended = self.hear(elsewhere) => {
                    if let Err(error) = ended {
                        tracing::warn!(target: "omnify_trace_admin::instances", %error, "Lines of other instances cannot be followed");
                    }
                    // Whoever looks is told that something may be missing.
                    let _ = elsewhere.send(Told::Missed(None));
                    tokio::time::sleep(EVERY).await;
                }
                () = async { drop(streams.wait_for(|open| *open == 0).await) } => {}
            }
            self.listening.store(false, Ordering::Relaxed);
        }
    }

    /// Receives until the connection ends.
    async fn hear(&self, elsewhere: &broadcast::Sender<Told>) -> Result<(), StateError> {
        let connecting = timeout(super::PATIENCE, self.redis.client.get_async_pubsub());
        let mut connection = connecting
            .await
            .unwrap_or_else(|_| Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()))
            .map_err(failed("be reached"))?;
        connection
            .subscribe(CHANNEL)
            .await
            .map_err(failed("follow the lines of other instances"))?;
        self.listening.store(true, Ordering::Relaxed);
        let mut messages = connection.into_on_message();
        while let Some(message) = messages.next().await {
            let Ok(message) = serde_json::from_slice::<Message>(message.get_payload_bytes()) else {
                // A later version may say more than this one understands.
                continue;
            };
            if message.place == self.place {
                continue;
            }
            // No stream is open any more if these fail.
            if message.missed > 0 {
                let _ = elsewhere.send(Told::Missed(Some(message.missed)));
            }
            for line in message.lines {
                let _ = elsewhere.send(Told::Line(Arc::new(line.into())));
            }
        }
        Ok(())
    }
}

/// Names a directory over all hosts: instances that follow the same one tell the same lines, and
/// need not tell them to each other.
fn place(log_dir: &Path) -> String {
    let host = rustix::system::uname();
    let host = host.nodename().to_string_lossy();
    match rustix::fs::stat(log_dir) {
        Ok(stat) => format!("{host}/{}:{}", stat.st_dev, stat.st_ino),
        Err(_) => format!("{host}/{}", log_dir.display()),
    }
}
