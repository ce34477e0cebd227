//! `cargo xtask bench AREA`: our costs beside our peers'.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result};

use crate::{chromium, dashboard, record, shell};

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
    /// So many lines instead of the area's own number (store)
    #[arg(long)]
    lines: Option<u64>,
    /// Keep the data in this folder, and use what is there already (store)
    #[arg(long)]
    data: Option<PathBuf>,
    /// A build of VictoriaLogs to measure beside our store (store)
    #[arg(long)]
    victoria_logs: Option<PathBuf>,
}

/// Builds the benches and runs one area.
pub(crate) fn run(options: &Options) -> Result<()> {
    let mut command = if options.area == "browser" {
        browser()?
    } else {
        let mut command = shell::cargo();
        command.args([
            "run",
            "--release",
            "-p",
            "omnify-benches",
            "--no-default-features",
            "--features",
            feature(&options.area),
            "--",
            &options.area,
        ]);
        command
    };
    if options.quick {
        command.arg("--quick");
    }
    if let Some(lines) = options.lines {
        command.arg("--lines").arg(lines.to_string());
    }
    if let Some(data) = &options.data {
        command.arg("--data").arg(data);
    }
    if let Some(program) = &options.victoria_logs {
        command
            .arg("--victoria-logs")
            .arg(fs::canonicalize(program)?);
    }
    // A full run is for the record; one on data that is there already measures a part only.
    let full = !options.quick && options.lines.is_none() && options.data.is_none();
    let recorded = full
        .then(|| std::env::temp_dir().join(format!("omnify-bench-{}.json", std::process::id())));
    let json = options.json.as_ref().or(recorded.as_ref());
    if let Some(file) = json {
        command.arg("--json").arg(file);
    }
    shell::run(&mut command)?;
    if let (Some(recorded), Some(file)) = (&recorded, json) {
        let written = record::write(&options.area, file);
        let _ = fs::remove_file(recorded);
        written?;
    }
    Ok(())
}

/// What of the benches an area needs: building the peers of the others would take minutes.
fn feature(area: &str) -> &str {
    match area {
        "journal" => "emit",
        area => area,
    }
}

/// The browser loggers' bench, with our logger built and the peers installed in a folder of their own:
/// nobody who does not measure needs them.
fn browser() -> Result<std::process::Command> {
    dashboard::packages()?;
    dashboard::wasm()?;
    dashboard::dashboard()?;
    let chromium = chromium::ensure()?;
    let home = shell::root().join("tests/browser/bench");
    let lock = fs::read(home.join("package-lock.json"))?;
    let stamp = home.join("node_modules/.installed-lock");
    if !fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        shell::run_quiet(dashboard::npm().current_dir(&home).arg("ci"))
            .context("the peers could not be installed; the first run needs a network")?;
        fs::write(&stamp, lock)?;
    }
    let mut command = shell::command("node");
    command
        .arg(home.join("run.mjs"))
        .env("CHROMIUM", chromium.browser);
    Ok(command)
}
