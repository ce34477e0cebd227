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
        if options.quick { 200_000 } else { 2_000_000 },
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
    for ((name, _), samples) in TAKERS.iter().zip(&mut samples) {
        report.add(AREA, BURST, name, quantile(samples, 0.5), "ns");
    }
    report.compare(BURST, "ns", PEER);
    Ok(())
}

fn paced(subjects: &mut Subjects, turns: usize, report: &mut Report) -> Result<()> {
    let takers: [(&str, Take); 3] = [
        (OURS, Subjects::ours),
        (PEER, Subjects::peer),
        ("floor: nothing", |_| ()),
    ];
    let mut samples = [const { Vec::new() }; 3];
    for _ in 0..10 {
        for ((_, take), samples) in takers.iter().zip(&mut samples) {
            for _ in 0..turns / 10 {
                let start = Instant::now();
                while start.elapsed() < Duration::from_micros(20) {
                    std::hint::spin_loop();
                }
                let start = Instant::now();
                take(subjects);
                samples.push(start.elapsed().as_nanos() as f64);
            }
            subjects.settle()?;
        }
    }
    let clock = quantile(&mut samples[2], 0.5);
    for ((name, _), samples) in takers.iter().zip(&mut samples) {
        let [median, high] = [0.5, 0.99].map(|part| (quantile(samples, part) - clock).max(0.0));
        report.add(AREA, PACED, name, median, "ns");
        report.add(AREA, PACED, name, high, "ns, 99 of 100");
    }
    report.compare(PACED, "ns", PEER);
    Ok(())
}

/// From the first line written to the last one in its file.
fn drain(dir: &Path, lines: u32, report: &mut Report) -> Result<()> {
    let line = vec![b'x'; LINE - 1];
    let with_end = [line.as_slice(), b"\n"].concat();
    for round in 0..3 {
        let path = dir.join(format!("drain-{round}"));
        let policy = WhenFull::Block(Duration::from_secs(60));
        let (journal, _) = Journal::open(
            JournalOptions::new(&path)
                .when_full(policy)
                .max_file_bytes(u64::MAX),
        )?;
        let ours = two_producers(lines, || {
            let (journal, line) = (journal.clone(), &line);
            move || {
                let _ = journal.write(Stream::Backend, line);
            }
        });
        let start = Instant::now();
        journal.flush(Duration::from_secs(60))?;
        let ours = ours + start.elapsed();
        ensure!(journal.stats().lost() == 0, "lines were lost");
        drop(journal);
        std::fs::remove_dir_all(&path)?;

        let file = dir.join("drain-peer");
        let (peer, guard) = NonBlockingBuilder::default()
            .lossy(false)
            .finish(File::create(&file)?);
        let theirs = two_producers(lines, || {
            let (mut peer, line) = (peer.clone(), &with_end);
            move || {
                let _ = peer.write_all(line);
            }
        });
        let start = Instant::now();
        drop(guard);
        let theirs = theirs + start.elapsed();

        let mut floor = BufWriter::with_capacity(256 << 10, File::create(&file)?);
        let start = Instant::now();
        for _ in 0..lines {
            floor.write_all(black_box(&with_end))?;
        }
        floor.flush()?;
        let plain = start.elapsed();
        std::fs::remove_file(&file)?;
        if round == 2 {
            for (name, time) in [
                (OURS, ours),
                (PEER, theirs),
                ("floor: one thread, one buffer", plain),
            ] {
                report.add(
                    AREA,
                    DRAIN,
                    name,
                    f64::from(lines) / time.as_secs_f64(),
                    "lines/s",
                );
            }
        }
    }
    Ok(())
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
