//! `cargo xtask bench AREA`: our costs beside our peers'.

use std::path::PathBuf;

use anyhow::Result;

use crate::shell;

/// What to measure, and how long.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// emit, journal, http, operations, store or browser
    #[arg(default_value = "emit")]
    area: String,
    /// A short run: for a first look, not for the record
    #[arg(long)]
    quick: bool,
    /// Also write the results to this file, as JSON
    #[arg(long)]
    json: Option<PathBuf>,
}

/// Builds the benches and runs one area.
pub(crate) fn run(options: &Options) -> Result<()> {
    let mut command = shell::cargo();
    command.args([
        "run",
        "--release",
        "-p",
        "omnify-benches",
        "--",
        &options.area,
    ]);
    if options.quick {
        command.arg("--quick");
    }
    if let Some(file) = &options.json {
        command.arg("--json").arg(file);
    }
    shell::run(&mut command)
}
