//! Measuring a subject in a process of its own. The process sets its subject up, and then does so
//! many turns whenever it is asked to: `rounds` asks.

use std::{process::Command, time::Instant};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use crate::alloc;

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
    /// For how long a subject is measured in a round.
    pub milliseconds: u64,
    /// Who does it.
    pub subjects: &'static [Subject],
}

/// What the child is told.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    area: String,
    case: String,
    subject: String,
    /// So many turns, once, without timing: for callgrind and perf. Without, each line of the
    /// input asks for as many turns as it says.
    turns: Option<u64>,
}

/// What the child answers, in a line.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Sample {
    /// Nanoseconds of a turn.
    pub nanoseconds: f64,
    /// Allocations of a turn.
    pub allocations: f64,
}

/// All cases of an area that is measured this way.
pub(crate) fn cases(area: &str) -> &'static [Case] {
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

/// The child's side: sets one subject up and does its work whenever it is asked to.
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
    let mut result = Ok(());
    (subject.run)(&mut |work| match arguments.turns {
        Some(turns) => {
            work(1);
            counted(work, turns);
        }
        None => result = answer(work),
    });
    result
}

/// What callgrind counts: it begins and ends with this function.
#[inline(never)]
fn counted(work: &mut dyn FnMut(u64), turns: u64) {
    work(turns);
}

/// A sample for each line of the input, until it ends.
fn answer(work: &mut dyn FnMut(u64)) -> Result<()> {
    for line in std::io::stdin().lines() {
        let turns: u64 = line?.parse()?;
        // The caches are another subject's.
        work(turns / 8 + 1);
        let allocations = alloc::count();
        let start = Instant::now();
        work(turns);
        let elapsed = start.elapsed();
        let allocations = alloc::count() - allocations;
        let sample = Sample {
            nanoseconds: elapsed.as_nanos() as f64 / turns as f64,
            allocations: allocations as f64 / turns as f64,
        };
        println!("{}", serde_json::to_string(&sample)?);
    }
    Ok(())
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
        .args(["child", area, case, subject, &TURNS.to_string()])
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let line = text.lines().find(|line| line.contains("Collected"))?;
    let count: f64 = line.rsplit(' ').next()?.parse().ok()?;
    Some(count / TURNS as f64)
}
