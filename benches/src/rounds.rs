//! Many short rounds: in each, every subject is measured for some milliseconds, one right after the
//! other. What a machine that others share does to a figure, it does to all figures of a round, so
//! that a ratio is taken within each round; the median of those is what is told.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};

use crate::{
    Options,
    child::{self, Case, Sample, Subject},
    report::Report,
};

/// How often all processes are started anew: where the system puts their code and their memory is
/// a matter of luck that lasts as long as they do.
const STARTS: usize = 10;
/// Rounds of each start.
const ROUNDS: usize = 25;

/// Measures every subject of every case of an area.
///
/// # Errors
/// If a subject fails.
pub fn measure(area: &'static str, options: &Options) -> Result<Report> {
    let (starts, rounds) = if options.quick {
        (2, 10)
    } else {
        (STARTS, ROUNDS)
    };
    let mut report = Report::default();
    for case in child::cases(area) {
        let mut samples: Vec<Vec<Sample>> = case.subjects.iter().map(|_| Vec::new()).collect();
        for _ in 0..starts {
            start(area, case, rounds, &mut samples)?;
        }
        for (subject, samples) in case.subjects.iter().zip(samples) {
            let all = |what: fn(&Sample) -> f64| samples.iter().map(what).collect();
            let nanoseconds = all(|sample| sample.nanoseconds);
            report.add_rounds(area, case.name, subject.name, nanoseconds, "ns");
            let allocations = all(|sample| (sample.allocations * 100.0).round() / 100.0);
            report.add_rounds(area, case.name, subject.name, allocations, "allocations");
        }
    }
    Ok(report)
}

/// Starts a process for each subject, and asks them round after round.
fn start(area: &str, case: &Case, rounds: usize, samples: &mut [Vec<Sample>]) -> Result<()> {
    let time = Duration::from_millis(case.milliseconds);
    let mut workers = Vec::new();
    for subject in case.subjects {
        let mut worker = Worker::start(area, case, subject)?;
        let turns = turns_of(&mut worker, time)?;
        workers.push((worker, turns));
    }
    for round in 0..rounds {
        // Forwards, then backwards: whom somebody comes after changes.
        let count = workers.len();
        for at in (0..count).map(|at| if round % 2 == 0 { at } else { count - 1 - at }) {
            let (worker, turns) = &mut workers[at];
            samples[at].push(worker.ask(*turns)?);
        }
    }
    workers.into_iter().try_for_each(|(worker, _)| worker.end())
}

/// How many turns take about so long.
fn turns_of(worker: &mut Worker, time: Duration) -> Result<u64> {
    let wanted = time.as_nanos() as f64;
    let mut turns = 1_u64;
    loop {
        // The fastest of a few: the machine may have been with somebody else.
        let mut one = f64::INFINITY;
        for _ in 0..3 {
            one = one.min(worker.ask(turns)?.nanoseconds.max(0.01));
        }
        if one * turns as f64 >= wanted / 16.0 {
            return Ok(((wanted / one) as u64).max(1));
        }
        turns *= 4;
    }
}

/// A child, as its parent sees it.
struct Worker {
    name: &'static str,
    process: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Worker {
    fn start(area: &str, case: &Case, subject: &Subject) -> Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(["child", area, case.name, subject.name])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let questions = process.stdin.take();
        let answers = process.stdout.take().context("no answers")?;
        Ok(Self {
            name: subject.name,
            process,
            questions,
            answers: BufReader::new(answers),
        })
    }

    /// So many turns.
    fn ask(&mut self, turns: u64) -> Result<Sample> {
        let questions = self.questions.as_mut().context("already ended")?;
        writeln!(questions, "{turns}")?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        serde_json::from_str(&answer).with_context(|| format!("{} did no work", self.name))
    }

    /// Waits until the process has ended.
    fn end(mut self) -> Result<()> {
        self.questions = None;
        let status = self.process.wait()?;
        if !status.success() {
            bail!("{} ended with {status}", self.name);
        }
        Ok(())
    }
}
