//! The same data and questions for a build of VictoriaLogs, fed over HTTP as its documentation says.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    net::TcpListener,
    path::Path,
    process::{Child, Command},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};

use super::{AREA, HOUR, forget_under, generate, peak_memory};
use crate::report::Report;

const SUBJECT: &str = "VictoriaLogs";
/// Bytes of one insertion, and how many are under way at a time.
const BLOCK: usize = 8 << 20;
const FEEDERS: usize = 2;

/// A server of this run; ends with it.
struct Server {
    child: Child,
    base: String,
    client: reqwest::Client,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Feeds `log` to `program` and asks it what it can be asked.
pub(super) async fn run(
    program: &Path,
    log: &Path,
    directory: &Path,
    lines: u64,
    rounds: usize,
    request_id: &str,
    report: &mut Report,
) -> Result<()> {
    let data = directory.join("victoria");
    let _ = std::fs::remove_dir_all(&data);
    let server = Server::start(program, &data).await?;
    let started = Instant::now();
    server.feed(log).await?;
    server.post("/internal/force_flush", &[]).await?;
    let seconds = started.elapsed().as_secs_f64();
    let found = server.ask("* | stats count() lines", None).await?;
    ensure!(
        found.contains(&format!("\"{lines}\"")),
        "it holds {found} of {lines} lines"
    );
    report.add(AREA, "ingest", SUBJECT, lines as f64 / seconds, "lines/s");
    server.post("/internal/force_merge", &[]).await?;
    report.add(
        AREA,
        "ingest",
        SUBJECT,
        peak_memory(server.child.id()),
        "peak MB",
    );
    server.questions(&data, request_id, rounds, report).await?;
    report.add(
        AREA,
        "memory with queries",
        SUBJECT,
        peak_memory(server.child.id()),
        "peak MB",
    );
    report.add(
        AREA,
        "disk",
        SUBJECT,
        bytes_under(&data)? as f64 / 1e6,
        "MB",
    );
    Ok(())
}

impl Server {
    async fn start(program: &Path, data: &Path) -> Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let child = Command::new(program)
            .arg(format!("-storageDataPath={}", data.display()))
            .arg(format!("-httpListenAddr=127.0.0.1:{port}"))
            // The lines are of a fixed week, however long ago that is.
            .args(["-retentionPeriod=100y", "-loggerLevel=ERROR"])
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let server = Self {
            child,
            base: format!("http://127.0.0.1:{port}"),
            client: reqwest::Client::builder().build()?,
        };
        let deadline = Instant::now() + Duration::from_secs(30);
        while server.post("/health", &[]).await.is_err() {
            ensure!(Instant::now() < deadline, "it does not answer");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(server)
    }

    /// Sends the whole file, some blocks at a time.
    async fn feed(&self, log: &Path) -> Result<()> {
        let blocks = Arc::new(Mutex::new(BufReader::with_capacity(
            1 << 20,
            File::open(log)?,
        )));
        let mut feeders = tokio::task::JoinSet::new();
        for _ in 0..FEEDERS {
            let (blocks, client) = (Arc::clone(&blocks), self.client.clone());
            let address = format!(
                "{}/insert/jsonline?_time_field=timestamp&_msg_field=message&_stream_fields=service.name,level",
                self.base
            );
            feeders.spawn(async move {
                while let Some(block) = next_block(&blocks)? {
                    let answer = client.post(&address).body(block).send().await?;
                    answer.error_for_status()?;
                }
                anyhow::Ok(())
            });
        }
        while let Some(fed) = feeders.join_next().await {
            fed??;
        }
        Ok(())
    }

    /// The questions of ours, in its language.
    async fn questions(
        &self,
        data: &Path,
        request_id: &str,
        rounds: usize,
        report: &mut Report,
    ) -> Result<()> {
        let (day, week) = (24 * HOUR, 7 * 24 * HOUR);
        let newest = "| sort by (_time desc) limit 1000";
        let questions = [
            (
                "Q1 newest 1000 ERROR, last hour",
                format!("{{level=\"ERROR\"}} {newest}"),
                Some(HOUR),
            ),
            (
                "Q1b newest 1000, common substring, 24 h",
                format!("~\"payment\" {newest}"),
                Some(day),
            ),
            (
                "Q1c rare substring, 7 days",
                format!("~\"quarantine of\" {newest}"),
                Some(week),
            ),
            (
                "Q1d absent substring, 7 days",
                format!("~\"zebra crossing\" {newest}"),
                Some(week),
            ),
            (
                "Q6 one user, 24 h",
                format!("context.user_id:=\"user-4711\" {newest}"),
                Some(day),
            ),
            (
                "Q7 one request id",
                format!("context.request_id:=\"{request_id}\" {newest}"),
                None,
            ),
            (
                "Q2 count by level per minute, 24 h",
                "* | stats by (_time:1m, level) count() lines".to_owned(),
                Some(day),
            ),
            (
                "Q3 count by event_type, 7 days",
                "* | stats by (event_type) count() lines".to_owned(),
                Some(week),
            ),
            (
                "Q5 percentiles of duration by route, 24 h",
                "* | stats by (extra.route) quantile(0.5, extra.duration_ms) p50, quantile(0.95, extra.duration_ms) p95, quantile(0.99, extra.duration_ms) p99".to_owned(),
                Some(day),
            ),
        ];
        for (case, question, span) in &questions {
            forget_under(data);
            let mut times = Vec::with_capacity(rounds);
            let mut found = 0;
            for _ in 0..=rounds.max(1) {
                let started = Instant::now();
                found = self.ask(question, *span).await?.lines().count();
                times.push(started.elapsed().as_secs_f64() * 1000.0);
            }
            let cold = times.remove(0);
            times.sort_by(f64::total_cmp);
            report.add(AREA, case, SUBJECT, times[times.len() / 2], "ms");
            report.add(AREA, case, SUBJECT, times[times.len() - 1], "worst ms");
            report.add(AREA, case, SUBJECT, cold, "cold ms");
            report.compare(case, "ms", SUBJECT);
            report.note(format!("{case}, {SUBJECT}: {found} lines"));
        }
        Ok(())
    }

    /// The answer to a question about the last `span` of the data, or about all of it.
    async fn ask(&self, question: &str, span: Option<i64>) -> Result<String> {
        let end = generate::START + generate::SPAN;
        let mut form = vec![("query", question.to_owned())];
        if let Some(span) = span {
            form.push(("start", (end - span).to_string()));
            form.push(("end", end.to_string()));
        }
        self.post("/select/logsql/query", &form).await
    }

    async fn post(&self, path: &str, form: &[(&str, String)]) -> Result<String> {
        let address = format!("{}{path}", self.base);
        let answer = self.client.post(address).form(form).send().await?;
        Ok(answer.error_for_status()?.text().await?)
    }
}

/// Whole lines, about [`BLOCK`] bytes of them; `None` at the end of the file.
fn next_block(file: &Mutex<BufReader<File>>) -> Result<Option<Vec<u8>>> {
    let mut file = file
        .lock()
        .map_err(|_| anyhow::anyhow!("a feeder has failed"))?;
    let mut block = Vec::with_capacity(BLOCK + 4096);
    file.by_ref().take(BLOCK as u64).read_to_end(&mut block)?;
    file.read_until(b'\n', &mut block)?;
    Ok((!block.is_empty()).then_some(block))
}

/// Bytes of all files in a folder and its folders.
fn bytes_under(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.metadata()?;
        bytes += if kind.is_dir() {
            bytes_under(&entry.path())?
        } else {
            kind.len()
        };
    }
    Ok(bytes)
}
