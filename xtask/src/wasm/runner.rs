//! The crate's own tests in a real browser.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result};

use super::{PACKAGE, TARGET, ensure_toolchain};
use crate::{chromium, shell};

/// Must be the version of `wasm-bindgen` that the module is compiled with.
const VERSION: &str = "0.2.130";
/// No network of the browser's own, no first-run pages, no sandbox (which root cannot have).
const ARGUMENTS: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
];

/// The command that runs the tests of `omnify-trace-wasm` in headless Chromium.
pub(crate) fn test() -> Result<std::process::Command> {
    let toolchain = ensure_toolchain()?;
    let chromium = chromium::ensure()?;
    let runner = ensure_runner()?;
    let settings = shell::target_dir().join("webdriver.json");
    let capabilities = serde_json::json!({
        "goog:chromeOptions": { "args": ARGUMENTS, "binary": chromium.browser }
    });
    fs::write(&settings, capabilities.to_string())?;
    let mut command = toolchain.cargo();
    command
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", runner)
        .env("CHROMEDRIVER", chromium.driver)
        .env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", &settings)
        .env("WASM_BINDGEN_TEST_TIMEOUT", "120")
        .args(["test", "-p", PACKAGE, "--target", TARGET]);
    Ok(command)
}

/// `wasm-bindgen-test-runner`, built once into the target folder.
fn ensure_runner() -> Result<PathBuf> {
    let tools = shell::target_dir().join("tools");
    let runner = tools.join("bin/wasm-bindgen-test-runner");
    let stamp = tools.join(format!("wasm-bindgen-cli-{VERSION}"));
    if runner.is_file() && stamp.is_file() {
        return Ok(runner);
    }
    println!("      installing wasm-bindgen-test-runner {VERSION} (once)");
    shell::run(
        shell::cargo()
            // Not --locked: a registry that holds new versions back may lack one that the lock names.
            .args([
                "install",
                "wasm-bindgen-cli",
                "--version",
                VERSION,
                "--force",
            ])
            .args(["--bin", "wasm-bindgen-test-runner", "--root"])
            .arg(&tools)
            .env("CARGO_TARGET_DIR", shell::target_dir().join("tools-build")),
    )
    .context(
        "the runner of the browser tests could not be built; the first time needs a network",
    )?;
    fs::write(stamp, "")?;
    Ok(runner)
}
