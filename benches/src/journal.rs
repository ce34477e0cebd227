//! The journal: what a line costs its caller, and how fast lines reach their file.
//!
//! In one process, subjects alternating round by round. A burst is timed, the draining after it is
//! not: that is what a handler that logs feels. "One every 20 µs" is a service at work: a channel's
//! reader sleeps between its lines, and the caller pays for waking it.

use std::fs::File;
use std::hint::black_box;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use omnify_trace::journal::{Journal, JournalOptions, WhenFull};
use omnify_trace::schema::Stream;
use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};

use crate::{Options, report::Report};

const AREA: &str = "emit";
const LINE: usize = 400;
const OURS: &str = "omnify-trace journal";
const PEER: &str = "tracing_appender::non_blocking";
const WARM: &str = "floor: memcpy to one place, two atomics";
const COLD: &str = "floor: memcpy through 8 MiB, two atomics";
const BURST: &str = "journal: 400-byte line, bursts of 1,000";
const PACED: &str = "journal: 400-byte line, one every 20 µs";
const DRAIN: &str = "journal: two producers at full speed, to disk";

/// Measures everything of the journal.
///
/// # Errors
/// If a file cannot be written.
pub fn run(options: &Options) -> Result<Report> {
    let dir = tempfile::tempdir()?;
    let mut report = Report::default();
    let mut subjects = Subjects::new(dir.path())?;
    bursts(
        &mut subjects,
        if options.quick { 50 } else { 500 },
        &mut report,
    )?;
    paced(
        &mut subjects,
        if options.quick { 2_000 } else { 20_000 },
        &mut report,
    )?;
    drop(subjects);
    drain(
        dir.path(),
        if options.quick { 2 } else { 9 },
        if options.quick { 200_000 } else { 500_000 },
        &mut report,
    )?;
    Ok(report)
}

/// Who takes a line.
struct Subjects {
    line: Vec<u8>,
    journal: Journal,
    peer: NonBlocking,
    _guard: WorkerGuard,
    memory: Vec<u8>,
    at: usize,
    atomics: [AtomicU64; 2],
}

impl Subjects {
    fn new(dir: &Path) -> Result<Self> {
        let (journal, _) = Journal::open(JournalOptions::new(dir.join("ours")))?;
        let (peer, guard) = NonBlockingBuilder::default()
            .lossy(true)
            .finish(File::create(dir.join("peer.log"))?);
        let memory = vec![1; 8 << 20];
        let (line, atomics) = (vec![b'x'; LINE], Default::default());
        Ok(Self {
            line,
            journal,
            peer,
            _guard: guard,
            memory,
            at: 0,
            atomics,
        })
    }

    fn ours(&mut self) {
        let _ = self.journal.write(Stream::Backend, black_box(&self.line));
    }

    fn peer(&mut self) {
        let _ = self.peer.write_all(black_box(&self.line));
    }

    fn warm(&mut self) {
        self.at = 0;
        self.cold();
    }

    fn cold(&mut self) {
        if self.at + LINE > self.memory.len() {
            self.at = 0;
        }
        self.atomics[0].fetch_add(1, SeqCst);
        self.memory[self.at..self.at + LINE].copy_from_slice(black_box(&self.line));
        self.atomics[1].swap(1, SeqCst);
        self.at += LINE.next_multiple_of(8) + 8;
        black_box(&mut self.memory);
    }

    /// Lets the readers come to rest, so that each subject meets the same machine.
    fn settle(&self) -> Result<()> {
        self.journal.flush(Duration::from_secs(60))?;
        thread::sleep(Duration::from_millis(5));
        Ok(())
    }
}

type Take = fn(&mut Subjects);
const TAKERS: [(&str, Take); 4] = [
    (OURS, Subjects::ours),
    (PEER, Subjects::peer),
    (WARM, Subjects::warm),
    (COLD, Subjects::cold),
];

fn bursts(subjects: &mut Subjects, rounds: usize, report: &mut Report) -> Result<()> {
    const TURNS: u32 = 1_000;
    let mut samples = [const { Vec::new() }; TAKERS.len()];
    for _ in 0..rounds {
        for ((_, take), samples) in TAKERS.iter().zip(&mut samples) {
            let start = Instant::now();
            for _ in 0..TURNS {
                take(subjects);
            }
            samples.push(start.elapsed().as_nanos() as f64 / f64::from(TURNS));
            subjects.settle()?;
        }
    }
    ensure!(
        subjects.journal.stats().lost() == 0,
        "the journal dropped lines of a burst"
    );
    for ((name, _), samples) in TAKERS.iter().zip(samples) {
        report.add_rounds(AREA, BURST, name, samples, "ns");
    }
    report.compare(BURST, "ns", PEER);
    Ok(())
}

fn paced(subjects: &mut Subjects, turns: usize, report: &mut Report) -> Result<()> {
    let takers: [(&str, Take); 3] = [
        ("floor: nothing", |_| ()),
        (OURS, Subjects::ours),
        (PEER, Subjects::peer),
    ];
    const ROUNDS: usize = 20;
    const HIGH: &str = "ns, 99 of 100";
    let mut medians = [const { Vec::new() }; 3];
    let mut highs = [const { Vec::new() }; 3];
    for _ in 0..ROUNDS {
        let mut clock = 0.0;
        for (at, (_, take)) in takers.iter().enumerate() {
            let mut samples: Vec<f64> = (0..turns / ROUNDS)
                .map(|_| one_in_peace(subjects, *take))
                .collect();
            subjects.settle()?;
            let [median, high] = [0.5, 0.99].map(|part| quantile(&mut samples, part));
            // The first is nothing: what reading the clock takes.
            if at == 0 {
                clock = median;
            }
            medians[at].push((median - clock).max(0.0));
            highs[at].push((high - clock).max(0.0));
        }
    }
    for (((name, _), medians), highs) in takers.iter().zip(medians).zip(highs) {
        report.add_rounds(AREA, PACED, name, medians, "ns");
        report.add_rounds(AREA, PACED, name, highs, HIGH);
    }
    report.compare(PACED, "ns", PEER);
    Ok(())
}

/// How long one line takes, 20 µs after the one before.
fn one_in_peace(subjects: &mut Subjects, take: Take) -> f64 {
    let start = Instant::now();
    while start.elapsed() < Duration::from_micros(20) {
        std::hint::spin_loop();
    }
    let start = Instant::now();
    take(subjects);
    start.elapsed().as_nanos() as f64
}

/// From the first line written to the last one in its file.
fn drain(dir: &Path, rounds: usize, lines: u32, report: &mut Report) -> Result<()> {
    let line = [[b'x'; LINE - 1].as_slice(), b"\n"].concat();
    let takers: [(&str, Drain); 3] = [
        (OURS, drain_ours),
        (PEER, drain_peer),
        ("floor: one thread, one buffer", drain_plainly),
    ];
    let mut samples = [const { Vec::new() }; 3];
    for _ in 0..rounds {
        for ((_, drain), samples) in takers.iter().zip(&mut samples) {
            let dir = tempfile::tempdir_in(dir)?;
            let time = drain(dir.path(), &line, lines)?;
            samples.push(f64::from(lines) / time.as_secs_f64());
        }
    }
    for ((name, _), samples) in takers.iter().zip(samples) {
        report.add_rounds(AREA, DRAIN, name, samples, "lines/s");
    }
    if let Some(more) = report.over(DRAIN, "lines/s", OURS, PEER) {
        report.note(format!(
            "Two producers at full speed: {more:.1} times the lines of {PEER}, none lost."
        ));
    }
    Ok(())
}

/// Writes so many lines, which end with `\n`, into a folder.
type Drain = fn(&Path, &[u8], u32) -> Result<Duration>;

fn drain_ours(dir: &Path, line: &[u8], lines: u32) -> Result<Duration> {
    let options = JournalOptions::new(dir)
        .when_full(WhenFull::Block(Duration::from_secs(60)))
        .max_file_bytes(u64::MAX);
    let (journal, _) = Journal::open(options)?;
    let line = line.trim_ascii_end();
    let time = two_producers(lines, || {
        let journal = journal.clone();
        move || {
            let _ = journal.write(Stream::Backend, line);
        }
    });
    let start = Instant::now();
    journal.flush(Duration::from_secs(60))?;
    let time = time + start.elapsed();
    ensure!(journal.stats().lost() == 0, "lines were lost");
    Ok(time)
}

fn drain_peer(dir: &Path, line: &[u8], lines: u32) -> Result<Duration> {
    let (peer, guard) = NonBlockingBuilder::default()
        .lossy(false)
        .finish(File::create(dir.join("peer.log"))?);
    let time = two_producers(lines, || {
        let mut peer = peer.clone();
        move || {
            let _ = peer.write_all(line);
        }
    });
    let start = Instant::now();
    drop(guard);
    Ok(time + start.elapsed())
}

fn drain_plainly(dir: &Path, line: &[u8], lines: u32) -> Result<Duration> {
    let mut file = BufWriter::with_capacity(256 << 10, File::create(dir.join("plain.log"))?);
    let start = Instant::now();
    for _ in 0..lines {
        file.write_all(black_box(line))?;
    }
    file.flush()?;
    Ok(start.elapsed())
}

fn two_producers<W: FnMut() + Send>(lines: u32, producer: impl Fn() -> W) -> Duration {
    let start = Instant::now();
    thread::scope(|scope| {
        for mut write in [producer(), producer()] {
            scope.spawn(move || (0..lines / 2).for_each(|_| write()));
        }
    });
    start.elapsed()
}

fn quantile(samples: &mut [f64], part: f64) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[((samples.len() - 1) as f64 * part) as usize]
}
