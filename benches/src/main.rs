//! `omnify-benches AREA`: what `cargo xtask bench AREA` runs.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result};
use clap::{Args, Parser, Subcommand};
use omnify_benches::{Options, alloc::Counting, child, report::Report};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[derive(Parser)]
#[command(about = "What Omnify Trace costs, beside its peers")]
struct Cli {
    #[command(subcommand)]
    area: Area,
}

#[derive(Subcommand)]
enum Area {
    /// One event, one request, one disabled event, two threads; and the journal
    #[cfg(feature = "emit")]
    Emit(Common),
    /// One request through axum: bare, our layers, our peers'
    #[cfg(feature = "http")]
    Http(Common),
    /// The journal alone
    #[cfg(feature = "emit")]
    Journal(Common),
    /// Opening and closing an operation, traced locks beside plain ones
    #[cfg(feature = "operations")]
    Operations(Common),
    /// The log store: taking in ten million lines, and questions about them
    #[cfg(feature = "store")]
    Store(Common),
    /// One subject under load, measured in this process: what `http` starts
    #[cfg(feature = "http")]
    #[command(hide = true)]
    Load(omnify_benches::http::load::Arguments),
    /// One subject of one case, measured in this process: what the areas start
    #[command(hide = true)]
    Child(child::Arguments),
}

/// What measures an area.
type Run = fn(&Options) -> Result<Report>;

#[derive(Args)]
struct Common {
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

fn main() -> Result<()> {
    let (common, run): (Common, Run) = match Cli::parse().area {
        #[cfg(feature = "emit")]
        Area::Emit(common) => (common, emit_and_journal),
        #[cfg(feature = "http")]
        Area::Http(common) => (common, omnify_benches::http::run),
        #[cfg(feature = "emit")]
        Area::Journal(common) => (common, omnify_benches::journal::run),
        #[cfg(feature = "operations")]
        Area::Operations(common) => (common, omnify_benches::operations::run),
        #[cfg(feature = "store")]
        Area::Store(common) => (common, omnify_benches::store::run),
        #[cfg(feature = "http")]
        Area::Load(arguments) => return omnify_benches::http::load::serve(&arguments),
        Area::Child(arguments) => return child::serve(&arguments),
    };
    let report = run(&Options {
        quick: common.quick,
        lines: common.lines,
        data: common.data,
        victoria_logs: common.victoria_logs,
    })?;
    report.print();
    if let Some(file) = common.json {
        fs::write(&file, report.json())
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

#[cfg(feature = "emit")]
fn emit_and_journal(options: &Options) -> Result<Report> {
    let mut report = omnify_benches::emit::run(options)?;
    report.extend(omnify_benches::journal::run(options)?);
    Ok(report)
}
