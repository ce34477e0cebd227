//! `cargo xtask fuzz TARGET`: what `cargo fuzz run` does, without having to install it.

use anyhow::{Context as _, Result};

use crate::shell;

/// Which target, and how long.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// json_line, journal_recovery or propagation
    target: String,
    /// How long to try
    #[arg(long, default_value_t = 60)]
    seconds: u32,
}

/// Coverage, by which the fuzzer finds its way.
const FLAGS: &str = "--cfg fuzzing -Cdebug-assertions -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares";

/// Needs a nightly toolchain (by rustup) and a C++ compiler. What it learns stays in the target folder.
pub(crate) fn run(options: &Options) -> Result<()> {
    let folder = shell::root().join("tests/fuzz");
    let target = shell::target_dir().join("fuzz");
    let corpus = target.join("corpus").join(&options.target);
    std::fs::create_dir_all(&corpus)?;
    let mut command = shell::command("cargo");
    command
        .current_dir(&folder)
        .env_remove("RUSTUP_TOOLCHAIN")
        .env("RUSTFLAGS", FLAGS)
        .env("CARGO_TARGET_DIR", &target)
        .args([
            "+nightly",
            "run",
            "--release",
            // Named, so that the flags are not for build scripts, which have no fuzzer to link with.
            "--target",
            &host()?,
            "--bin",
            &options.target,
            "--",
        ])
        .arg(corpus)
        .arg(format!("-max_total_time={}", options.seconds))
        .arg(format!("-artifact_prefix={}/", target.display()));
    shell::run(&mut command)
}

/// The platform that this machine's compiler builds for.
fn host() -> Result<String> {
    let output = shell::command("rustc").arg("-vV").output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc -vV names no host")
}
