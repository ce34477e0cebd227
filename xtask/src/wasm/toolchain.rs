//! Which compiler builds for wasm32: the one in use, if it has or can get the target; else the
//! distribution's own.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Result, bail};

use super::{TARGET, distribution};
use crate::shell;

/// How long `rustup target add` may take: it needs seconds where it can reach its server at all.
const RUSTUP_LIMIT: Duration = Duration::from_secs(30);
/// `rustup` or `distribution`: use this way and no other.
const CHOICE: &str = "OMNIFY_WASM_TOOLCHAIN";

/// A cargo and a rustc that build for wasm32.
pub(crate) enum Toolchain {
    /// The ones that run xtask; the target is installed.
    Current,
    /// The distribution's, with the library that we built for it.
    Distribution(distribution::Private),
}

impl Toolchain {
    /// Its cargo, ready for `--target wasm32-unknown-unknown`.
    pub(crate) fn cargo(&self) -> Command {
        match self {
            Self::Current => shell::cargo(),
            Self::Distribution(private) => private.cargo(),
        }
    }

    /// Where its cargo builds.
    pub(crate) fn target_dir(&self) -> PathBuf {
        match self {
            Self::Current => shell::target_dir(),
            Self::Distribution(_) => distribution::target_dir(),
        }
    }
}

/// Finds a toolchain for wasm32 or makes one; where neither works, says what to install.
pub(crate) fn ensure_toolchain() -> Result<Toolchain> {
    let choice = std::env::var(CHOICE).unwrap_or_default();
    match choice.as_str() {
        "" => choose(),
        "rustup" if add_target()? => Ok(Toolchain::Current),
        "rustup" => bail!("{CHOICE}=rustup, but rustup did not install {TARGET}"),
        "distribution" => distribution::ensure().map(Toolchain::Distribution),
        other => bail!("{CHOICE}={other}: allowed are `rustup` and `distribution`"),
    }
}

fn choose() -> Result<Toolchain> {
    if installed() {
        return Ok(Toolchain::Current);
    }
    // Made by an earlier run: no need to ask rustup, which may have no network, again.
    if let Some(private) = distribution::existing() {
        return Ok(Toolchain::Distribution(private));
    }
    if add_target()? {
        return Ok(Toolchain::Current);
    }
    println!("      rustup cannot add {TARGET} here: turning to the distribution's toolchain");
    distribution::ensure().map(Toolchain::Distribution)
}

/// Whether the compiler in use has the target's library.
fn installed() -> bool {
    sysroot("rustc").is_some_and(|sysroot| has_library(&sysroot))
}

/// Asks rustup for the target. `Ok(false)` when there is no rustup or it cannot.
fn add_target() -> Result<bool> {
    if !shell::exists("rustup") {
        return Ok(false);
    }
    println!("      rustup target add {TARGET}");
    let added = shell::run_bounded(
        shell::command("rustup").args(["target", "add", TARGET]),
        RUSTUP_LIMIT,
    );
    if let Err(error) = added {
        println!("      {error}");
        return Ok(false);
    }
    Ok(installed())
}

/// Where a compiler keeps its libraries.
pub(super) fn sysroot(rustc: &str) -> Option<PathBuf> {
    let output = shell::command(rustc)
        .args(["--print", "sysroot"])
        .output()
        .ok()?;
    if !output.status.success() {
        return None;
    }
    Some(PathBuf::from(String::from_utf8(output.stdout).ok()?.trim()))
}

/// The folder of the target's library in a sysroot.
pub(super) fn library(sysroot: &Path) -> PathBuf {
    sysroot.join("lib/rustlib").join(TARGET).join("lib")
}

/// Whether a sysroot really holds the target's library: rustup lists what it was told, not what is there.
pub(super) fn has_library(sysroot: &Path) -> bool {
    std::fs::read_dir(library(sysroot)).is_ok_and(|files| {
        files.flatten().any(|file| {
            let name = file.file_name();
            let name = name.to_string_lossy();
            name.starts_with("libcore-") && name.ends_with(".rlib")
        })
    })
}
