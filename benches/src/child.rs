//! Measuring a subject in a process of its own, subjects alternating.

use std::{
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};

use crate::{Options, alloc, report::Report};

/// What a subject hands its work to: a loop of so many turns.
pub type Measure<'a> = &'a mut dyn FnMut(&mut dyn FnMut(u64));

/// Who is measured: a name, and what is done so many times after setting itself up.
pub struct Subject {
    /// Its name in the table.
    pub name: &'static str,
    /// Sets up, then hands `measure` the work: a loop of so many turns.
    pub run: fn(measure: Measure<'_>),
}

/// One thing that several subjects can do.
pub struct Case {
    /// Its name in the table.
    pub name: &'static str,
    /// Turns of a full run.
    pub turns: u64,
    /// Who does it.
    pub subjects: &'static [Subject],
}

/// What the child is told.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    area: String,
    case: String,
    subject: String,
    turns: u64,
    /// Without a warm-up and without timing: for callgrind.
    #[arg(long)]
    bare: bool,
}

/// What the child answers.
#[derive(Debug, Serialize, Deserialize)]
struct Sample {
    nanoseconds: f64,
    allocations: f64,
}

/// All cases of an area that is measured this way.
fn cases(area: &str) -> &'static [Case] {
    match area {
        #[cfg(feature = "emit")]
        "emit" => crate::emit::CASES,
        #[cfg(feature = "operations")]
        "operations" => crate::operations::CASES,
        #[cfg(feature = "http")]
        "http" => crate::http::CASES,
        _ => &[],
    }
}

/// The child's side: measures one subject and prints the sample.
///
/// # Errors
/// If there is no such subject.
pub fn serve(arguments: &Arguments) -> Result<()> {
    let case = cases(&arguments.area)
        .iter()
        .find(|case| case.name == arguments.case)
        .context("no such case")?;
    let subject = case
        .subjects
        .iter()
        .find(|subject| subject.name == arguments.subject)
        .context("no such subject")?;
    let turns = arguments.turns.max(1);
    let bare = arguments.bare;
    let mut sample = None;
    (subject.run)(&mut |work| {
        if bare {
            work(1);
            counted(work, turns);
            return;
        }
        work(turns / 10 + 1);
        let allocations = alloc::count();
        let start = Instant::now();
        work(turns);
        let elapsed = start.elapsed();
        let allocations = alloc::count() - allocations;
        sample = Some(Sample {
            nanoseconds: elapsed.as_nanos() as f64 / turns as f64,
            allocations: allocations as f64 / turns as f64,
        });
    });
    println!("{}", serde_json::to_string(&sample)?);
    Ok(())
}

/// What callgrind counts: it begins and ends with this function.
#[inline(never)]
fn counted(work: &mut dyn FnMut(u64), turns: u64) {
    work(turns);
}

fn start(area: &str, case: &Case, subject: &Subject, turns: u64) -> Result<Sample> {
    let output = Command::new(std::env::current_exe()?)
        .args(["child", area, case.name, subject.name, &turns.to_string()])
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        bail!(
            "{} in {} ended with {}",
            subject.name,
            case.name,
            output.status
        );
    }
    let sample: Option<Sample> = serde_json::from_slice(&output.stdout)?;
    sample.with_context(|| format!("{} in {} did no work", subject.name, case.name))
}

/// The parent's side: every subject of every case, round after round; the median of the rounds.
///
/// # Errors
/// If a subject fails.
pub fn measure(area: &'static str, options: &Options) -> Result<Report> {
    let rounds = if options.quick { 3 } else { 15 };
    let mut report = Report::default();
    for case in cases(area) {
        let turns = if options.quick {
            case.turns / 10
        } else {
            case.turns
        };
        let mut samples: Vec<Vec<Sample>> = case.subjects.iter().map(|_| Vec::new()).collect();
        for _ in 0..rounds {
            for (subject, samples) in case.subjects.iter().zip(&mut samples) {
                samples.push(start(area, case, subject, turns)?);
            }
        }
        for (subject, samples) in case.subjects.iter().zip(&mut samples) {
            samples.sort_by(|a, b| a.nanoseconds.total_cmp(&b.nanoseconds));
            let median = &samples[samples.len() / 2];
            report.add(area, case.name, subject.name, median.nanoseconds, "ns");
            let allocations = (median.allocations * 100.0).round() / 100.0;
            report.add(area, case.name, subject.name, allocations, "allocations");
        }
    }
    Ok(report)
}

/// Instructions of one turn, by callgrind. `None` without valgrind.
#[must_use]
pub fn instructions(area: &str, case: &str, subject: &str) -> Option<f64> {
    const TURNS: u64 = 2_000;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .args([
            "--collect-atstart=no",
            "--toggle-collect=omnify_benches::child::counted",
        ])
        .arg(std::env::current_exe().ok()?)
        .args(["child", area, case, subject, &TURNS.to_string(), "--bare"])
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let line = text.lines().find(|line| line.contains("Collected"))?;
    let count: f64 = line.rsplit(' ').next()?.parse().ok()?;
    Some(count / TURNS as f64)
}
