//! `cargo xtask demo`: from a bare checkout to a live dashboard.

use std::os::unix::process::CommandExt as _;

use anyhow::{Context as _, Result};

use crate::{
    dashboard, shell,
    steps::{Steps, human},
};

/// Sets up, builds, and becomes the demo server.
pub(crate) fn run(build_only: bool) -> Result<()> {
    println!(
        "Omnify Trace demo. The first run downloads and builds everything; later runs start at once."
    );
    let mut steps = Steps::new(4);
    steps.step("npm packages", dashboard::packages)?;
    steps.step("Browser logger (WebAssembly)", dashboard::wasm)?;
    steps.step("Dashboard", dashboard::dashboard)?;
    steps.step(
        "Server (optimised build: the longest step of a first run)",
        || shell::run(shell::cargo().args(["build", "--release", "-p", "omnify-server"])),
    )?;
    println!("\nReady after {}.", human(steps.elapsed()));
    if build_only {
        return Ok(());
    }
    let server = shell::target_dir().join("release/omnify-server");
    // The server takes this process's place: Ctrl-C reaches it and its exit code is ours.
    let failed = shell::command(&server.to_string_lossy()).arg("demo").exec();
    Err(failed).with_context(|| format!("could not start {}", server.display()))
}
