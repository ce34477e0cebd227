//! The same services behind a socket, with as many keep-alive connections as keep them busy.
//!
//! Each measurement is a process of its own that holds a server, on a runtime as `#[tokio::main]`
//! makes it, and the load generator on a thread beside it; subjects alternate, round after round.

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use super::{BARE, FMT, OURS, STACK, subjects};
use crate::{Options, report::Report};

const LOAD: &str = "loopback, keep-alive";
const CONNECTIONS: usize = 16;
const SUBJECTS: [&str; 4] = [BARE, OURS, STACK, FMT];

/// What the child is told.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    subject: String,
    milliseconds: u64,
}

/// What the child answers.
#[derive(Debug, Serialize, Deserialize)]
struct Sample {
    requests_per_second: f64,
    p99_micros: f64,
}

/// The parent's side: every subject, round after round; the medians.
pub(super) fn run(options: &Options) -> Result<Report> {
    let (rounds, milliseconds) = if options.quick { (3, 300) } else { (11, 2_000) };
    let mut samples: [Vec<Sample>; SUBJECTS.len()] = Default::default();
    for _ in 0..rounds {
        for (subject, samples) in SUBJECTS.iter().zip(&mut samples) {
            samples.push(start(subject, milliseconds)?);
        }
    }
    let mut report = Report::default();
    let mut rates = Vec::new();
    for (subject, samples) in SUBJECTS.iter().zip(&samples) {
        let rate = median(samples.iter().map(|sample| sample.requests_per_second));
        let p99 = median(samples.iter().map(|sample| sample.p99_micros));
        report.add("http", LOAD, subject, rate.round(), "requests/s");
        report.add("http", LOAD, subject, p99.round(), "p99 µs");
        rates.push((rate, p99));
    }
    if let [bare, _, stack, fmt] = rates[..] {
        report.note(format!(
            "On loopback the whole stack has {:.1} % of bare axum's requests per second (goal 97), TraceLayer with fmt \
             json {:.1} %; its p99 is {:+.1} % of bare axum's (goal 5). The load generator shares the processors with \
             the server.",
            stack.0 / bare.0 * 100.0,
            fmt.0 / bare.0 * 100.0,
            (stack.1 / bare.1 - 1.0) * 100.0,
        ));
    }
    Ok(report)
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

fn start(subject: &str, milliseconds: u64) -> Result<Sample> {
    let output = Command::new(std::env::current_exe()?)
        .args(["load", subject, &milliseconds.to_string()])
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        bail!("{subject} under load ended with {}", output.status);
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// The child's side: serves one subject, sends requests for so long, and prints the sample.
///
/// # Errors
/// If there is no such subject, or no connection.
pub fn serve(arguments: &Arguments) -> Result<()> {
    let (app, token) = subjects::server(&arguments.subject).context("no such subject")?;
    let server = tokio::runtime::Runtime::new()?;
    let listener = server.block_on(TcpListener::bind("127.0.0.1:0"))?;
    let address = listener.local_addr()?;
    server.spawn(async { axum::serve(listener, app).await });
    let request = format!(
        "GET /hello/jo HTTP/1.1\r\nhost: {address}\r\nuser-agent: bench/1.0\r\nauthorization: {token}\r\n\r\n"
    );
    let time = Duration::from_millis(arguments.milliseconds);
    let generator = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let sample = generator.block_on(async {
        // What it takes to become warm does not count.
        load(address, &request, time / 5).await?;
        load(address, &request, time).await
    })?;
    println!("{}", serde_json::to_string(&sample)?);
    server.shutdown_background();
    Ok(())
}

/// All connections at once, for so long.
async fn load(address: std::net::SocketAddr, request: &str, time: Duration) -> Result<Sample> {
    let begin = Instant::now();
    let mut connections = tokio::task::JoinSet::new();
    for _ in 0..CONNECTIONS {
        let request = request.to_owned();
        connections.spawn(async move { connection(address, &request, begin + time).await });
    }
    let mut latencies = Vec::new();
    while let Some(ended) = connections.join_next().await {
        latencies.extend(ended??);
    }
    let elapsed = begin.elapsed().as_secs_f64();
    latencies.sort_unstable();
    let p99 = latencies.get(latencies.len() * 99 / 100);
    Ok(Sample {
        requests_per_second: latencies.len() as f64 / elapsed,
        p99_micros: p99.map_or(0.0, |latency| latency.as_nanos() as f64 / 1e3),
    })
}

/// One request after the other; how long each took.
async fn connection(
    address: std::net::SocketAddr,
    request: &str,
    until: Instant,
) -> Result<Vec<Duration>> {
    const END: &[u8] = b"\r\n\r\nhello";
    let mut socket = TcpStream::connect(address).await?;
    socket.set_nodelay(true)?;
    let mut latencies = Vec::new();
    let mut answer = Vec::with_capacity(1024);
    loop {
        let begin = Instant::now();
        if begin >= until {
            return Ok(latencies);
        }
        socket.write_all(request.as_bytes()).await?;
        answer.clear();
        while !answer.ends_with(END) {
            if socket.read_buf(&mut answer).await? == 0 {
                bail!("the server closed the connection");
            }
        }
        latencies.push(begin.elapsed());
    }
}
