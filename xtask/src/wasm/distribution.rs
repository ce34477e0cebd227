//! The distribution's own compiler, and a private sysroot with the wasm32 library that its packages lack.
//!
//! Debian's `rustc-web` is a recent stable compiler with the library's sources, but without the
//! compiled wasm32 library. Cargo builds that library once (`-Z build-std` on an empty crate, about
//! half a minute); from then on plain stable builds find it with `--sysroot`.

use std::{fs, path::PathBuf, process::Command};

use anyhow::{Context as _, Result, bail};

use super::{
    TARGET,
    toolchain::{has_library, library, sysroot},
};
use crate::shell;

const CARGO: &str = "/usr/bin/cargo";
const RUSTC: &str = "/usr/bin/rustc";
const PACKAGES: [&str; 5] = [
    "rustc-web",
    "cargo-web",
    "rust-web-src",
    "rust-web-llvm",
    "lld-22",
];
/// The oldest compiler that builds this workspace.
const OLDEST: &str = env!("CARGO_PKG_RUST_VERSION");

/// The distribution's toolchain and where its wasm32 library is.
pub(crate) struct Private {
    sysroot: PathBuf,
}

impl Private {
    /// The distribution's cargo, told to use the private library for wasm32 only.
    pub(super) fn cargo(&self) -> Command {
        let mut command = bare_cargo();
        // As a list, not in the environment variable: there a path with a space would fall apart.
        command.args(["--config", &flags(&self.sysroot.to_string_lossy())]);
        command
    }
}

/// The setting that hands `--sysroot` to wasm32 crates.
fn flags(sysroot: &str) -> String {
    let quoted = serde_json::Value::from(sysroot).to_string();
    format!("target.{TARGET}.rustflags=[\"--sysroot\",{quoted}]")
}

/// The private toolchain, if an earlier run made it for the compiler that is installed now.
pub(super) fn existing() -> Option<Private> {
    let version = version()?;
    let sysroot = folder();
    let same = fs::read_to_string(stamp()).is_ok_and(|made_for| made_for == version);
    (same && has_library(&sysroot)).then_some(Private { sysroot })
}

/// Installs the distribution's compiler and builds the library, as far as not done.
pub(super) fn ensure() -> Result<Private> {
    if let Some(private) = existing() {
        return Ok(private);
    }
    if !usable() {
        shell::apt_install(&PACKAGES, "building for the browser (wasm32)").context(
            "no wasm32 target.\n  With rustup and a network:  rustup target add wasm32-unknown-unknown",
        )?;
        if !usable() {
            bail!(
                "{RUSTC} is still missing, older than {OLDEST}, or without its library's sources.\n  With rustup and a network:  rustup target add {TARGET}"
            );
        }
    }
    build_library()?;
    existing().context("the wasm32 library was built, but cannot be found")
}

/// Whether compiler, cargo and library sources are there and recent enough.
fn usable() -> bool {
    let recent = version().is_some_and(|text| at_least(&text, OLDEST));
    let sources =
        sysroot(RUSTC).is_some_and(|root| root.join("lib/rustlib/src/rust/library/std").is_dir());
    recent && sources && PathBuf::from(CARGO).is_file()
}

/// `rustc 1.96.0 (ac68faa20 2026-05-25)`.
fn version() -> Option<String> {
    let output = shell::command(RUSTC).arg("--version").output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Compares `rustc 1.96.0 (…)` with `1.95`.
fn at_least(version: &str, wanted: &str) -> bool {
    let numbers = |text: &str| -> Vec<u32> {
        text.split(['.', '-', ' '])
            .map_while(|part| part.parse().ok())
            .collect()
    };
    version
        .split_whitespace()
        .nth(1)
        .is_some_and(|found| numbers(found) >= numbers(wanted))
}

fn folder() -> PathBuf {
    shell::target_dir().join("wasm-sysroot")
}

fn stamp() -> PathBuf {
    folder().join("made-for")
}

/// Cargo without anything of the toolchain that runs xtask.
fn bare_cargo() -> Command {
    let mut command = shell::command(CARGO);
    for name in [
        "RUSTUP_TOOLCHAIN",
        "RUSTC_WRAPPER",
        "RUSTFLAGS",
        "CARGO_ENCODED_RUSTFLAGS",
        "RUSTDOC",
    ] {
        command.env_remove(name);
    }
    // What this cargo compiles must not displace what the other one did.
    command
        .env("RUSTC", RUSTC)
        .env("CARGO", CARGO)
        .env("CARGO_TARGET_DIR", target_dir());
    command
}

/// Where this cargo builds.
pub(super) fn target_dir() -> PathBuf {
    shell::target_dir().join("distribution")
}

/// Builds `std` for wasm32 through an empty crate and collects its libraries.
fn build_library() -> Result<()> {
    println!("      building the wasm32 standard library with {RUSTC} (once, about half a minute)");
    let scratch = shell::target_dir().join("wasm-sysroot-build");
    let source = scratch.join("src");
    fs::create_dir_all(&source)?;
    fs::write(
        scratch.join("Cargo.toml"),
        "[package]\nname = \"empty\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[lib]\n[workspace]\n",
    )?;
    fs::write(source.join("lib.rs"), "")?;
    let out = scratch.join("target");
    shell::run_quiet(
        bare_cargo()
            .current_dir(&scratch)
            .env("RUSTC_BOOTSTRAP", "1")
            .env("CARGO_TARGET_DIR", &out)
            .args(["build", "--release", "--target", TARGET])
            .args(["-Z", "build-std=std,panic_abort,test"]),
    )
    .context("the wasm32 standard library could not be built; the first time needs a network for its own dependencies")?;
    let home = library(&folder());
    if home.exists() {
        fs::remove_dir_all(&home)?;
    }
    fs::create_dir_all(&home)?;
    for file in fs::read_dir(out.join(TARGET).join("release/deps"))? {
        let file = file?;
        let name = file.file_name();
        let text = name.to_string_lossy();
        let wanted = text.starts_with("lib") && !text.starts_with("libempty");
        if wanted && (text.ends_with(".rlib") || text.ends_with(".rmeta")) {
            fs::copy(file.path(), home.join(&name))?;
        }
    }
    fs::write(stamp(), version().unwrap_or_default())?;
    fs::remove_dir_all(&scratch)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_number_and_not_by_letter() {
        assert!(at_least("rustc 1.96.0 (ac68faa20 2026-05-25)", "1.95"));
        assert!(at_least("rustc 1.100.0", "1.95"));
        assert!(at_least("rustc 1.95.0", "1.95"));
        assert!(!at_least("rustc 1.63.0", "1.95"));
        assert!(!at_least("", "1.95"));
    }

    #[test]
    fn a_path_with_spaces_and_quotes_stays_one_flag() {
        assert_eq!(
            flags("/a b/\"c\""),
            "target.wasm32-unknown-unknown.rustflags=[\"--sysroot\",\"/a b/\\\"c\\\"\"]"
        );
    }
}
