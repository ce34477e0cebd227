//! `cargo xtask test`: every test and check of the workspace, and one plain summary.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::{chromium, dashboard, databases, firefox, shell, steps::human, wasm};

/// The property tests' seed: the gate asks the same questions each time, so that a change is judged
/// by what it changed. Another seed is set from outside.
const RANDOM_SEED: &str = "PROPTEST_RNG_SEED";

/// What one group of tests came to.
struct Outcome {
    name: &'static str,
    passed: u64,
    failed: u64,
    skipped: u64,
    time: Duration,
}

struct Report {
    only: Option<String>,
    outcomes: Vec<Outcome>,
}

/// Runs every group whose name contains `only`, even after one has failed.
pub(crate) fn run(only: Option<&str>) -> Result<()> {
    let mut report = Report {
        only: only.map(str::to_owned),
        outcomes: Vec::new(),
    };
    let started = Instant::now();
    let mut chromium = None;
    report.setup("set-up: Chromium", || {
        chromium = Some(chromium::ensure()?);
        Ok(())
    })?;
    let mut firefox = None;
    report.setup("set-up: Firefox", || {
        firefox = firefox::ensure();
        Ok(())
    })?;
    report.setup("set-up: PostgreSQL and Redis", databases::ensure)?;
    report.setup("set-up: npm packages", dashboard::packages)?;
    report.setup("set-up: browser logger", dashboard::wasm)?;
    report.setup("set-up: dashboard", dashboard::dashboard)?;

    report.check("cargo fmt", || {
        shell::run(shell::cargo().args(["fmt", "--all", "--check"]))
    });
    report.check("cargo clippy", || {
        shell::run(shell::cargo().args([
            "clippy",
            "--workspace",
            "--all-targets",
            "--locked",
            "--",
            "-D",
            "warnings",
        ]))
    });
    report.check("cargo doc", || {
        shell::run(
            shell::cargo()
                .args(["doc", "--workspace", "--no-deps", "--locked"])
                .env("RUSTDOCFLAGS", "-D warnings"),
        )
    });
    report.tests("Rust tests and doc tests", || {
        let mut command = shell::cargo();
        // No `--all-targets`: it would build the examples as tests, and some tests run them.
        command.args(["test", "--workspace", "--no-fail-fast", "--locked"]);
        if std::env::var_os(RANDOM_SEED).is_none() {
            command.env(RANDOM_SEED, "20261121");
        }
        command
    });
    let mut wasm_tests = None;
    report.setup("set-up: runner of the wasm tests", || {
        wasm_tests = Some(wasm::test()?);
        Ok(())
    })?;
    if let Some(command) = wasm_tests {
        report.tests("wasm tests in Chromium", || command);
    }
    report.check("TypeScript checks", || {
        shell::run(dashboard::npm().args(["run", "check", "--workspaces", "--if-present"]))
    });
    report.tests("TypeScript tests", || {
        let mut command = dashboard::npm();
        command.args(["test", "--workspaces", "--if-present"]);
        command
    });
    report.setup("set-up: server", || {
        // As the tests have built it already: a test that starts it, with the whole workspace's
        // features and those that only tests ask for.
        shell::run(shell::cargo().args([
            "test",
            "--workspace",
            "--locked",
            "--no-run",
            "--test",
            "killed",
        ]))
    })?;
    for (name, script) in [
        ("logger in real browsers", "logger"),
        ("dashboard, end to end", "dashboard"),
    ] {
        report.tests(name, || {
            let mut command = dashboard::npm();
            command.args(["run", script, "-w", "tests/browser"]).env(
                "OMNIFY_SERVER_BIN",
                shell::target_dir().join("debug/omnify-server"),
            );
            if let Some(chromium) = &chromium {
                command
                    .env("CHROMIUM", &chromium.browser)
                    .env("CHROMEDRIVER", &chromium.driver);
            }
            if let Some(firefox) = &firefox {
                command.env("FIREFOX", firefox);
            }
            command
        });
    }
    report.finish(started)
}

impl Report {
    fn wanted(&self, name: &str) -> bool {
        self.only
            .as_deref()
            .is_none_or(|only| name.contains(only) || name.starts_with("set-up"))
    }

    fn begin(&self, name: &str) -> bool {
        if self.wanted(name) {
            println!("\n=== {name}");
            return true;
        }
        false
    }

    /// What the tests stand on: without it there is no point in going on.
    fn setup(&self, name: &'static str, work: impl FnOnce() -> Result<()>) -> Result<()> {
        if self.begin(name) {
            let started = Instant::now();
            work()?;
            println!("      done in {}", human(started.elapsed()));
        }
        Ok(())
    }

    /// One yes-or-no check.
    fn check(&mut self, name: &'static str, work: impl FnOnce() -> Result<()>) {
        if !self.begin(name) {
            return;
        }
        let started = Instant::now();
        let failed = match work() {
            Ok(()) => 0,
            Err(error) => {
                eprintln!("error: {error:#}");
                1
            }
        };
        self.outcomes.push(Outcome {
            name,
            passed: 1 - failed,
            failed,
            skipped: 0,
            time: started.elapsed(),
        });
    }

    /// A test runner, whose closing lines are counted.
    fn tests(&mut self, name: &'static str, command: impl FnOnce() -> std::process::Command) {
        if !self.begin(name) {
            return;
        }
        let started = Instant::now();
        let mut counts = Counts::default();
        let mut failed_tests = Vec::new();
        let ended_well = shell::run_watched(&mut command(), |line| {
            counts.read(line);
            if let Some(test) = line
                .strip_prefix("test ")
                .and_then(|l| l.strip_suffix(" ... FAILED"))
            {
                failed_tests.push(test.to_owned());
            }
        });
        match ended_well {
            Ok(true) => {}
            Ok(false) => counts.failed = counts.failed.max(1),
            Err(error) => {
                eprintln!("error: {error:#}");
                counts.failed = counts.failed.max(1);
            }
        }
        if counts.passed + counts.failed == 0 {
            eprintln!("error: the group `{name}` ran no test at all");
            counts.failed = 1;
        }
        for test in failed_tests {
            eprintln!("failed: {test}");
        }
        self.outcomes.push(Outcome {
            name,
            passed: counts.passed,
            failed: counts.failed,
            skipped: counts.skipped,
            time: started.elapsed(),
        });
    }

    fn finish(self, started: Instant) -> Result<()> {
        println!(
            "\n{:<28}{:>8}{:>8}{:>9}{:>14}",
            "", "passed", "failed", "skipped", "time"
        );
        let (mut passed, mut failed, mut skipped) = (0, 0, 0);
        for outcome in &self.outcomes {
            println!(
                "{:<28}{:>8}{:>8}{:>9}{:>14}",
                outcome.name,
                outcome.passed,
                outcome.failed,
                outcome.skipped,
                human(outcome.time)
            );
            passed += outcome.passed;
            failed += outcome.failed;
            skipped += outcome.skipped;
        }
        println!("\nAll in {}.", human(started.elapsed()));
        println!("{passed} passed, {failed} failed, {skipped} skipped");
        if failed > 0 {
            bail!("{failed} failed; the table above says where");
        }
        Ok(())
    }
}

/// Counts read from the runners' closing lines.
#[derive(Default)]
struct Counts {
    passed: u64,
    failed: u64,
    skipped: u64,
}

impl Counts {
    /// cargo: `test result: ok. 12 passed; 0 failed; 1 ignored; …`; Vitest: `Tests  2 failed | 12 passed (14)`;
    /// Playwright: `  5 passed (12.3s)`, `  1 failed`.
    fn read(&mut self, line: &str) {
        let plain = strip_colour(line);
        let line = plain.trim();
        let counted = line.starts_with("test result:")
            || line.starts_with("Tests ")
            || line.split_once(' ').is_some_and(|(number, rest)| {
                number.parse::<u64>().is_ok()
                    && ["passed", "failed", "skipped", "flaky"]
                        .iter()
                        .any(|word| rest == *word || rest.starts_with(&format!("{word} (")))
            });
        if !counted {
            return;
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        for pair in words.windows(2) {
            let [number, word] = pair else { continue };
            let Ok(number) = number.parse::<u64>() else {
                continue;
            };
            match word.trim_end_matches([';', ',']) {
                "passed" | "flaky" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" | "skipped" | "todo" => self.skipped += number,
                _ => {}
            }
        }
    }
}

/// Drops `ESC [ … letter` sequences.
fn strip_colour(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            for c in chars.by_ref() {
                if c.is_ascii_alphabetic() {
                    break;
                }
            }
        } else {
            plain.push(c);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_of_each_runner_are_counted() {
        let mut counts = Counts::default();
        counts.read("test result: ok. 12 passed; 1 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.01s");
        counts.read("\u{1b}[2m      Tests \u{1b}[22m \u{1b}[1m\u{1b}[31m1 failed\u{1b}[39m\u{1b}[22m | \u{1b}[32m3 passed\u{1b}[39m (4)");
        counts.read("  5 passed (12.3s)");
        counts.read("  1 skipped");
        counts.read("the 7 passed over this");
        assert_eq!((counts.passed, counts.failed, counts.skipped), (20, 2, 3));
    }
}
