//! A real browser for the browser tests: the system's Chromium, installed when missing.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::shell;

const NAMES: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

/// The browser and its WebDriver.
pub(crate) struct Chromium {
    /// The browser itself.
    pub(crate) browser: PathBuf,
    /// `chromedriver`, for the wasm tests.
    pub(crate) driver: PathBuf,
}

/// Finds Chromium and its driver, or installs the distribution's.
pub(crate) fn ensure() -> Result<Chromium> {
    if let Some(found) = find() {
        return Ok(found);
    }
    // Ubuntu's `chromium` package only points at a snap; there these packages do not exist under
    // those names and the message says what to install.
    shell::apt_install(&["chromium", "chromium-driver"], "the browser tests")?;
    find()
        .context("Chromium was installed, but neither `chromium` nor `chromedriver` is on the PATH")
}

fn find() -> Option<Chromium> {
    Some(Chromium {
        browser: NAMES.iter().find_map(|name| shell::find(name))?,
        driver: shell::find("chromedriver")?,
    })
}
