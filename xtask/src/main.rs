//! Everything a person does with this workspace, one word each: `cargo xtask demo`, `cargo xtask test`.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool talks on its terminal"
)]

mod bench;
mod chromium;
mod dashboard;
mod databases;
mod demo;
mod firefox;
mod fuzz;
mod record;
mod shell;
mod steps;
mod test;
mod wasm;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    about = "Set-up, demo, tests and benches of Omnify Trace"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Set everything up, build, and start the demo server with its dashboard
    Demo {
        /// Build and set up, but do not start the server
        #[arg(long)]
        build_only: bool,
    },
    /// Set everything up and run every test and check: Rust, browser, TypeScript, end to end
    Test {
        /// Only the groups whose name contains this (`cargo xtask test --only clippy`)
        #[arg(long)]
        only: Option<String>,
    },
    /// Measure beside the peers: emit, http, operations, store, browser
    Bench(bench::Options),
    /// Feed one of the fuzz targets: json_line, journal_recovery, propagation
    Fuzz(fuzz::Options),
    /// Build the browser logger and its npm package
    Wasm {
        /// Then run the crate's own tests in headless Chromium
        #[arg(long)]
        test: bool,
    },
    /// Build the dashboard (and the browser logger that it imports)
    Dashboard,
    /// What `.ci/run` calls: the same as `test`
    Ci,
}

fn main() -> std::process::ExitCode {
    let outcome = match Cli::parse().command {
        Command::Demo { build_only } => demo::run(build_only),
        Command::Test { only } => test::run(only.as_deref()),
        Command::Bench(options) => bench::run(&options),
        Command::Fuzz(options) => fuzz::run(&options),
        Command::Wasm { test } => dashboard::build_wasm().and_then(|()| {
            if test {
                shell::run(&mut wasm::test()?)
            } else {
                Ok(())
            }
        }),
        Command::Dashboard => dashboard::build(),
        Command::Ci => test::run(None),
    };
    match outcome {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            std::process::ExitCode::FAILURE
        }
    }
}
