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

/// As many connections as keep the server busy, and one: what a request takes when nobody else asks.
const CASES: [(&str, usize); 2] = [
    ("loopback, keep-alive", 16),
    ("loopback, one connection", 1),
];
const SUBJECTS: [&str; 4] = [BARE, OURS, STACK, FMT];

/// What the child is told.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    subject: String,
    connections: usize,
    milliseconds: u64,
}

/// What the child answers.
#[derive(Debug, Serialize, Deserialize)]
struct Sample {
    requests_per_second: f64,
    p99_micros: f64,
    /// Time of processors that a request took, its client's included; nothing where the system does not tell.
    cpu_micros: Option<f64>,
}

/// The parent's side: every subject, round after round.
pub(super) fn run(options: &Options) -> Result<Report> {
    const RATE: &str = "requests/s";
    const P99: &str = "p99 µs";
    const CPU: &str = "CPU µs";
    let mut report = Report::default();
    for (case, connections) in CASES {
        for (subject, samples) in SUBJECTS.iter().zip(samples(options, connections)?) {
            let all = |what: fn(&Sample) -> f64| samples.iter().map(what).collect::<Vec<_>>();
            let rates = all(|sample| sample.requests_per_second.round());
            report.add_rounds("http", case, subject, rates, RATE);
            let p99 = all(|sample| sample.p99_micros.round());
            report.add_rounds("http", case, subject, p99, P99);
            let cpu = samples.iter().filter_map(|sample| sample.cpu_micros);
            let cpu: Vec<_> = cpu.map(|micros| (micros * 100.0).round() / 100.0).collect();
            if !cpu.is_empty() {
                report.add_rounds("http", case, subject, cpu, CPU);
            }
        }
        let part = |unit, subject| report.over(case, unit, subject, BARE).unwrap_or_default();
        let more = report.pairs(case, CPU, STACK, BARE, |stack, bare| stack - bare);
        let (more, bare) = more.zip(report.value(case, CPU, BARE)).unwrap_or_default();
        let note = format!(
            "{case}: the whole stack has {:.1} % of bare axum's requests per second (goal 97), TracingLayer {:.1} %, \
             TraceLayer with fmt json {:.1} %; its p99 is {:+.1} % of bare axum's (goal 5). A request takes {bare:.1} µs of \
             processors when bare, kernel and load generator included, {more:+.1} µs with the stack: 97 % would allow {:.2} µs.",
            part(RATE, STACK) * 100.0,
            part(RATE, OURS) * 100.0,
            part(RATE, FMT) * 100.0,
            (part(P99, STACK) - 1.0) * 100.0,
            bare * (1.0 / 0.97 - 1.0),
        );
        report.note(note);
    }
    Ok(report)
}

/// So many samples of each subject.
fn samples(options: &Options, connections: usize) -> Result<[Vec<Sample>; SUBJECTS.len()]> {
    let (rounds, milliseconds) = match (options.quick, connections) {
        (true, _) => (3, 300),
        (false, 1) => (25, 400),
        (false, _) => (25, 800),
    };
    let mut samples: [Vec<Sample>; SUBJECTS.len()] = Default::default();
    for _ in 0..rounds {
        for (subject, samples) in SUBJECTS.iter().zip(&mut samples) {
            samples.push(start(subject, connections, milliseconds)?);
        }
    }
    Ok(samples)
}

fn start(subject: &str, connections: usize, milliseconds: u64) -> Result<Sample> {
    let output = Command::new(std::env::current_exe()?)
        .args(["load", subject])
        .args([connections.to_string(), milliseconds.to_string()])
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
        load(address, &request, arguments.connections, time / 5).await?;
        load(address, &request, arguments.connections, time).await
    })?;
    println!("{}", serde_json::to_string(&sample)?);
    server.shutdown_background();
    Ok(())
}

/// All connections at once, for so long.
async fn load(
    address: std::net::SocketAddr,
    request: &str,
    count: usize,
    time: Duration,
) -> Result<Sample> {
    let cpu = cpu();
    let begin = Instant::now();
    let mut connections = tokio::task::JoinSet::new();
    for _ in 0..count {
        let request = request.to_owned();
        connections.spawn(async move { connection(address, &request, begin + time).await });
    }
    let mut latencies = Vec::new();
    while let Some(ended) = connections.join_next().await {
        latencies.extend(ended??);
    }
    let cpu = cpu.zip(self::cpu()).map(|(before, after)| after - before);
    let elapsed = begin.elapsed().as_secs_f64();
    latencies.sort_unstable();
    let p99 = latencies.get(latencies.len() * 99 / 100);
    Ok(Sample {
        requests_per_second: latencies.len() as f64 / elapsed,
        p99_micros: p99.map_or(0.0, |latency| latency.as_nanos() as f64 / 1e3),
        cpu_micros: cpu.map(|nanos| nanos as f64 / 1e3 / latencies.len() as f64),
    })
}

/// Nanoseconds for which the threads of this process have run, as Linux tells.
fn cpu() -> Option<u64> {
    let mut sum = 0;
    for thread in std::fs::read_dir("/proc/self/task").ok()? {
        let text = std::fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        sum += text.split(' ').next()?.parse::<u64>().ok()?;
    }
    Some(sum)
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
