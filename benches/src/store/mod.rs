//! `omnify-benches store`: takes in the documented data set, then asks it Q1 to Q7.
//!
//! The log file is written first, then the store is opened on it: the catching up is the ingest
//! measurement. Each query is asked once cold (its files not in the page cache) and then many
//! times; then the dashboard's first pages are asked for over loopback HTTP while lines come in.
//! The floor beside it all is a plain scan of the log file for a word; a build of VictoriaLogs takes
//! in the same lines and answers the same questions where one is named.

mod columns;
mod floor;
mod generate;
mod pages;
mod victoria;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use omnify_trace_admin::store::{
    EmbeddedStore, Filter, LogStore, Order, Page, Query, StoreOptions, StoreStats,
};

use crate::{Options, report::Report};

const AREA: &str = "store";
/// Stands in a store that has all lines.
const DONE: &str = "done";
const HOUR: i64 = 3600 * 1_000_000_000;

/// Lines of a full and of a quick run.
const LINES: [u64; 2] = [10_000_000, 500_000];

/// Takes in the data and asks the questions.
///
/// # Errors
/// If the disk is full or the store does not answer.
pub fn run(options: &Options) -> Result<Report> {
    // As the server does.
    omnify_trace_admin::memory::few_arenas();
    let lines = options.lines.unwrap_or(LINES[usize::from(options.quick)]);
    let rounds = if options.quick { 5 } else { 20 };
    let peer = options.victoria_logs.as_deref();
    if let Some(directory) = &options.data {
        return measure(directory, lines, rounds, peer);
    }
    let directory = std::env::temp_dir().join(format!("omnify-bench-store-{}", std::process::id()));
    let result = measure(&directory, lines, rounds, peer);
    let _ = std::fs::remove_dir_all(&directory);
    result
}

fn measure(directory: &Path, lines: u64, rounds: usize, peer: Option<&Path>) -> Result<Report> {
    let logs = directory.join("logs");
    std::fs::create_dir_all(&logs).context("cannot make a directory for the data")?;
    let path = logs.join("backend.log");
    let bytes = match std::fs::metadata(&path) {
        Ok(there) => there.len(),
        Err(_) => generate::write(&path, lines).context("cannot write the data")?,
    };
    // What an earlier run wrote beside the data set is no part of it.
    let _ = std::fs::remove_file(logs.join("live.log"));
    let mut report = Report::default();
    report.note(format!(
        "{lines} lines, {} MB, {} bytes a line",
        bytes >> 20,
        bytes / lines
    ));
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let kept = directory.join("store");
        if !kept.join(DONE).exists() {
            ingest(&logs, &kept, lines, &mut report).await?;
        }
        // The pages' questions add lines: what is kept must not have them.
        let work = directory.join("work");
        link(&kept, &work)?;
        let started = Instant::now();
        let store = EmbeddedStore::open(StoreOptions::new(&logs, &work))?;
        report.add(
            AREA,
            "reopen",
            "omnify",
            started.elapsed().as_secs_f64() * 1000.0,
            "ms",
        );
        let stats = caught_up(&store, lines).await?;
        report.add(AREA, "disk", "omnify", stats.bytes as f64 / 1e6, "MB");
        columns::tell(&kept, &mut report)?;
        let request_id = questions(&store, directory, lines, rounds, &mut report).await?;
        floor::run(&path, &request_id, &mut report)?;
        let store = std::sync::Arc::new(store);
        pages::run(&store, directory, rounds, &mut report).await?;
        report.add(
            AREA,
            "memory with queries",
            "omnify",
            peak_memory(std::process::id()),
            "peak MB",
        );
        store.close().await;
        drop(store);
        if let Some(program) = peer {
            victoria::run(
                program,
                &path,
                directory,
                lines,
                rounds,
                &request_id,
                &mut report,
            )
            .await?;
        }
        anyhow::Ok(())
    })?;
    Ok(report)
}

/// Reads the log into a store from nothing.
async fn ingest(logs: &Path, kept: &Path, lines: u64, report: &mut Report) -> Result<()> {
    let _ = std::fs::remove_dir_all(kept);
    let (cpu, started) = (cpu_seconds(), Instant::now());
    let store = EmbeddedStore::open(StoreOptions::new(logs, kept))?;
    caught_up(&store, lines).await?;
    store.close().await;
    let seconds = started.elapsed().as_secs_f64();
    report.add(AREA, "ingest", "omnify", lines as f64 / seconds, "lines/s");
    report.add(AREA, "ingest", "omnify", cpu_seconds() - cpu, "CPU s");
    let peak = peak_memory(std::process::id());
    report.add(AREA, "ingest", "omnify", peak, "peak MB");
    std::fs::write(kept.join(DONE), "").context("cannot finish the store")
}

/// The segments of one folder in another, without copying them.
fn link(from: &Path, to: &Path) -> Result<()> {
    let _ = std::fs::remove_dir_all(to);
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        if entry.path().extension().is_some_and(|end| end == "parquet") {
            std::fs::hard_link(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

async fn caught_up(store: &EmbeddedStore, lines: u64) -> Result<StoreStats> {
    loop {
        let stats = store.stats().await?;
        if stats.lines >= lines && stats.behind_bytes == 0 {
            ensure!(
                stats.lines == lines,
                "{} lines instead of {lines}",
                stats.lines
            );
            return Ok(stats);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Q1 to Q7 of the goals.
async fn questions(
    store: &EmbeddedStore,
    directory: &Path,
    lines: u64,
    rounds: usize,
    report: &mut Report,
) -> Result<String> {
    let end = generate::START + generate::SPAN;
    let last = |span: i64, filters: Vec<Filter>| Query {
        from: Some(end - span),
        to: Some(end),
        filters,
        ..Query::default()
    };
    let is = |field: &str, value: &str| Filter::OneOf {
        field: field.to_owned(),
        values: vec![value.to_owned()],
    };
    let text = |text: &str| vec![Filter::Text(text.to_owned())];
    let (day, week) = (24 * HOUR, 7 * 24 * HOUR);
    let newest = |limit| Page {
        limit,
        cursor: None,
        order: Order::Newest,
    };
    let middle = generate::time_of(lines / 2, lines);
    // Not every line has both ids.
    let around = Query {
        from: Some(middle),
        filters: vec![Filter::Exists("trace_id".to_owned())],
        ..Query::default()
    };
    let page = Page {
        order: Order::Oldest,
        ..newest(1)
    };
    let found = store
        .search(&around, &page)
        .await?
        .lines
        .pop()
        .context("no line")?;
    let line: serde_json::Value = serde_json::from_str(&found.raw)?;
    let id = |name: &str| {
        line["context"][name]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let everything = |filters| Query {
        filters,
        ..Query::default()
    };
    let searches = [
        (
            "Q1 newest 1000 ERROR, last hour",
            last(HOUR, vec![is("level", "ERROR")]),
            1000,
        ),
        (
            "Q1b newest 1000, common substring, 24 h",
            last(day, text("payment")),
            1000,
        ),
        (
            "Q1c rare substring, 7 days",
            last(week, text("quarantine of")),
            1000,
        ),
        (
            "Q1d absent substring, 7 days",
            last(week, text("zebra crossing")),
            1000,
        ),
        (
            "Q6 one user, 24 h",
            last(day, vec![is("user_id", "user-4711")]),
            1000,
        ),
        (
            "Q7 one request id",
            everything(vec![is("request_id", &id("request_id"))]),
            1000,
        ),
        (
            "Q7b one trace id",
            everything(vec![is("trace_id", &id("trace_id"))]),
            1000,
        ),
        ("page of 100, no filter", everything(Vec::new()), 100),
    ];
    for (case, query, limit) in &searches {
        let page = newest(*limit);
        forget(directory);
        let found = std::cell::Cell::new(0);
        timed(report, case, rounds, async || {
            let answer = store.search(query, &page).await?;
            ensure!(answer.partial.is_none(), "{case} was not answered whole");
            found.set(answer.lines.len());
            anyhow::Ok(())
        })
        .await?;
        report.note(format!("{case}: {} lines", found.get()));
    }
    let minute = 60 * 1_000_000_000;
    let in_a_day = last(day, Vec::new());
    forget(directory);
    timed(
        report,
        "Q2 count by level per minute, 24 h",
        rounds,
        async || {
            store
                .histogram(&in_a_day, minute, Some("level"))
                .await
                .map(drop)
        },
    )
    .await?;
    let in_a_week = last(week, Vec::new());
    forget(directory);
    timed(
        report,
        "Q3 count by event_type, 7 days",
        rounds,
        async || {
            store
                .facets(&in_a_week, &["event_type"], 50)
                .await
                .map(drop)
        },
    )
    .await?;
    forget(directory);
    timed(
        report,
        "Q5 percentiles of duration by route, 24 h",
        rounds,
        async || {
            store
                .numbers(&in_a_day, "duration_ms", &["route"], None)
                .await
                .map(drop)
        },
    )
    .await?;
    Ok(id("request_id"))
}

/// Takes the segments out of the page cache, so that the next question is cold.
fn forget(directory: &Path) {
    forget_under(&directory.join("store"));
}

/// Takes the files of a folder and its folders out of the page cache, but for what is mapped.
fn forget_under(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            forget_under(&path);
        } else if let Ok(file) = std::fs::File::open(path) {
            let _ = rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed);
        }
    }
}

/// The first of many rounds, then their median and worst, in milliseconds.
async fn timed<E: Into<anyhow::Error>>(
    report: &mut Report,
    case: &str,
    rounds: usize,
    ask: impl AsyncFn() -> Result<(), E>,
) -> Result<()> {
    let mut times = Vec::with_capacity(rounds);
    let started = Instant::now();
    ask().await.map_err(Into::into)?;
    let cold = started.elapsed().as_secs_f64() * 1000.0;
    for _ in 0..rounds.max(1) {
        let started = Instant::now();
        ask().await.map_err(Into::into)?;
        times.push(started.elapsed().as_secs_f64() * 1000.0);
    }
    times.sort_by(f64::total_cmp);
    report.add(AREA, case, "omnify", times[times.len() / 2], "ms");
    report.add(AREA, case, "omnify", times[times.len() - 1], "worst ms");
    report.add(AREA, case, "omnify", cold, "cold ms");
    Ok(())
}

/// The most memory that a process has had at a time, in MB.
fn peak_memory(process: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM"));
    let number = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    number.unwrap_or(0.0) / 1024.0
}

/// User and system time of this process so far.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = stat.rsplit(')').next().unwrap_or_default();
    let ticks = after.split_whitespace().skip(11).take(2);
    ticks
        .filter_map(|ticks| ticks.parse::<f64>().ok())
        .sum::<f64>()
        / 100.0
}
