//! `omnify-benches AREA`: what `cargo xtask bench AREA` runs.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result};
use clap::{Args, Parser, Subcommand};
use omnify_benches::{
    Options, alloc::Counting, child, emit, http, journal, operations, report::Report, store,
};

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
    Emit(Common),
    /// One request through axum: bare, our layers, our peers'
    Http(Common),
    /// The journal alone
    Journal(Common),
    /// Opening and closing an operation, traced locks beside plain ones
    Operations(Common),
    /// The log store: taking in ten million lines, and questions about them
    Store(Common),
    /// One subject of one case, measured in this process: what the areas start
    #[command(hide = true)]
    Child(child::Arguments),
}

#[derive(Args)]
struct Common {
    /// A short run: for a first look, not for the record
    #[arg(long)]
    quick: bool,
    /// Also write the results to this file, as JSON
    #[arg(long)]
    json: Option<PathBuf>,
}

fn main() -> Result<()> {
    let (common, run): (Common, fn(&Options) -> Result<Report>) = match Cli::parse().area {
        Area::Emit(common) => (common, emit_and_journal),
        Area::Http(common) => (common, http::run),
        Area::Journal(common) => (common, journal::run),
        Area::Operations(common) => (common, operations::run),
        Area::Store(common) => (common, store::run),
        Area::Child(arguments) => return child::serve(&arguments),
    };
    let report = run(&Options {
        quick: common.quick,
    })?;
    report.print();
    if let Some(file) = common.json {
        fs::write(&file, report.json())
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

fn emit_and_journal(options: &Options) -> Result<Report> {
    let mut report = emit::run(options)?;
    report.extend(journal::run(options)?);
    Ok(report)
}
