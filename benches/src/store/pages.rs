//! The dashboard's first pages over loopback HTTP, while lines come in.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom, Write},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use omnify_trace_admin::{Admin, store::EmbeddedStore};

use super::{AREA, HOUR, generate};
use crate::report::Report;

const TOKEN: &str = "bench-token-of-the-administrator";
/// Lines that come in while pages are asked for, a second.
const LINES_A_SECOND: usize = 10_000;

/// Asks for each page many times.
pub(super) async fn run(
    store: &Arc<EmbeddedStore>,
    directory: &Path,
    rounds: usize,
    report: &mut Report,
) -> Result<()> {
    let admin = Admin::builder()
        .data_dir(directory.join("admin"))
        .store(Arc::<EmbeddedStore>::clone(store))
        .token(Some(TOKEN.to_owned()))
        .alert_period(Duration::ZERO)
        .build()
        .await?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let base = format!("http://{}/api/admin", listener.local_addr()?);
    let server = tokio::spawn(axum::serve(listener, admin.router()).into_future());
    let writer = Writer::start(&directory.join("logs"))?;
    // Nothing is encrypted here, but the client asks for a provider all the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().build()?;
    let asked = ask_all(&client, &base, rounds, report).await;
    let lines = writer.stop();
    server.abort();
    report.note(format!("{lines} lines came in while pages were asked for"));
    asked
}

async fn ask_all(
    client: &reqwest::Client,
    base: &str,
    rounds: usize,
    report: &mut Report,
) -> Result<()> {
    let end = generate::START + generate::SPAN;
    let range = |span: i64| {
        let ms = |time: i64| time / 1_000_000;
        format!("from={}&to={}", ms(end - span), ms(end))
    };
    let (hour, day, week) = (range(HOUR), range(24 * HOUR), range(7 * 24 * HOUR));
    let pages = [
        ("logs, first page", format!("logs?{day}")),
        (
            "Q1 logs, 1000 ERROR, last hour",
            format!("logs?{hour}&level=ERROR&limit=1000"),
        ),
        (
            "Q1b logs, 1000 with a common word",
            format!("logs?{day}&search=payment&limit=1000"),
        ),
        (
            "Q1c logs with rare words",
            format!("logs?{week}&search=%22quarantine+of%22"),
        ),
        (
            "Q6 logs of a user, 24 h",
            format!("logs?{day}&userId=user-4711"),
        ),
        (
            "Q2 histogram by level, 24 h",
            format!("logs/histogram?{day}"),
        ),
        (
            "Q3 facets of the types, 7 days",
            format!("logs/facets?{week}&fields=event_type"),
        ),
        ("facets of the side bar, 24 h", format!("logs/facets?{day}")),
        ("overview (stats), 24 h", format!("stats?{day}")),
        ("Q5 performance, 24 h", format!("performance?{day}")),
        ("workflows, 24 h", format!("workflows?{day}")),
        ("errors, 24 h", format!("errors?{day}")),
        ("health", "health".to_owned()),
    ];
    for (name, path) in &pages {
        let mut times = Vec::with_capacity(rounds);
        for _ in 0..rounds.max(1) {
            let started = Instant::now();
            let answer = client
                .get(format!("{base}/{path}"))
                .bearer_auth(TOKEN)
                .send()
                .await?;
            ensure!(answer.status().is_success(), "{path}: {}", answer.status());
            let text = answer.text().await?;
            ensure!(
                !text.contains("\"partial\":{"),
                "{path} was not answered whole"
            );
            times.push(started.elapsed().as_secs_f64() * 1000.0);
        }
        times.sort_by(f64::total_cmp);
        let case = format!("HTTP {name}");
        let rank = |percent: usize| times[(times.len() * percent).div_ceil(100).max(1) - 1];
        report.add(AREA, &case, "omnify", rank(50), "ms");
        report.add(AREA, &case, "omnify", rank(95), "p95 ms");
    }
    Ok(())
}

/// Writes lines at a steady pace.
struct Writer {
    stop: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<usize>,
}

impl Writer {
    /// The last lines of the data set again and again, in a second file.
    fn start(logs: &Path) -> Result<Self> {
        let mut file = File::open(logs.join("backend.log"))?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(1 << 20)))?;
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        let lines: Vec<String> = text
            .lines()
            .skip(1)
            .map(|line| format!("{line}\n"))
            .collect();
        ensure!(!lines.is_empty(), "the log file is empty");
        let mut out = File::create(logs.join("live.log")).context("cannot write live lines")?;
        let stop = Arc::new(AtomicBool::new(false));
        let told = stop.clone();
        let thread = std::thread::spawn(move || {
            let mut lines = lines.iter().cycle();
            let mut written = 0;
            while !told.load(Ordering::Relaxed) {
                let batch: String = lines
                    .by_ref()
                    .take(LINES_A_SECOND / 20)
                    .map(String::as_str)
                    .collect();
                if out.write_all(batch.as_bytes()).is_err() {
                    break;
                }
                written += LINES_A_SECOND / 20;
                std::thread::sleep(Duration::from_millis(50));
            }
            written
        });
        Ok(Self { stop, thread })
    }

    fn stop(self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap_or(0)
    }
}
