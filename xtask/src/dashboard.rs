//! The browser side: npm packages, the wasm logger, the dashboard.

use std::{fs, path::Path, process::Command, time::SystemTime};

use anyhow::{Context as _, Result, bail};

use crate::{shell, steps::Steps};

/// The oldest Node that Vite runs on.
const NODE: (u32, u32) = (20, 19);

/// `npm`, in the workspace's root.
pub(crate) fn npm() -> Command {
    let mut npm = shell::command("npm");
    npm.env("NPM_CONFIG_AUDIT", "false")
        .env("NPM_CONFIG_FUND", "false");
    npm
}

/// Builds the browser logger alone.
pub(crate) fn build_wasm() -> Result<()> {
    let mut steps = Steps::new(2);
    steps.step("npm packages", packages)?;
    steps.step("Browser logger (WebAssembly)", wasm)
}

/// Builds the dashboard and what it needs.
pub(crate) fn build() -> Result<()> {
    let mut steps = Steps::new(3);
    steps.step("npm packages", packages)?;
    steps.step("Browser logger (WebAssembly)", wasm)?;
    steps.step("Dashboard", dashboard)
}

/// Toolchain, module, glue.
pub(crate) fn wasm() -> Result<()> {
    crate::wasm::build()
}

/// The dashboard's and the customer page's files, in `examples/dashboard/dist`; left alone when
/// nothing they are made of is newer, because the server embeds them and would be built again.
pub(crate) fn dashboard() -> Result<()> {
    let root = shell::root();
    let sources = [
        "examples/dashboard/src",
        "examples/dashboard/admin",
        "examples/dashboard/public",
        "examples/dashboard/index.html",
        "examples/dashboard/vite.config.ts",
        "omnify-trace-wasm/src",
        "omnify-trace-wasm/js/src",
        "omnify-trace/src/schema",
        "package-lock.json",
    ];
    let newest = sources
        .iter()
        .filter_map(|source| newest(&root.join(source)))
        .max();
    let built = newest_of_file(&root.join("examples/dashboard/dist/admin/index.html"));
    if built.is_some() && built > newest {
        println!("      up to date");
        return Ok(());
    }
    shell::run_quiet(npm().args(["run", "build", "-w", "examples/dashboard"]))
}

/// When the newest file at or below a path was last written.
fn newest(path: &Path) -> Option<SystemTime> {
    let Ok(entries) = fs::read_dir(path) else {
        return newest_of_file(path);
    };
    entries
        .flatten()
        .filter_map(|entry| newest(&entry.path()))
        .max()
}

fn newest_of_file(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|about| about.modified()).ok()
}

/// Installs what `package-lock.json` names, unless exactly that is installed already.
pub(crate) fn packages() -> Result<()> {
    check_node()?;
    let root = shell::root();
    let lock = root.join("package-lock.json");
    let stamp = root.join("node_modules/.installed-lock");
    let wanted = fs::read(&lock).with_context(|| format!("cannot read {}", lock.display()))?;
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        println!("      up to date");
        return Ok(());
    }
    shell::run_quiet(npm().arg("ci")).context(
        "the npm packages could not be installed; the first run needs a network, later ones do not",
    )?;
    fs::write(&stamp, wanted)?;
    Ok(())
}

fn check_node() -> Result<()> {
    let wanted = format!("Node {}.{} or newer with npm", NODE.0, NODE.1);
    if !shell::exists("node") || !shell::exists("npm") {
        bail!(
            "{wanted} is needed to build the dashboard, and `node` or `npm` is not on the PATH.\n  Debian, Ubuntu: sudo apt-get install -y nodejs npm   (or from nodejs.org)"
        );
    }
    let output = shell::command("node")
        .arg("--version")
        .output()
        .context("could not run node")?;
    let version = String::from_utf8_lossy(&output.stdout)
        .trim()
        .trim_start_matches('v')
        .to_owned();
    let mut parts = version
        .split('.')
        .map(|part| part.parse::<u32>().unwrap_or(0));
    let found = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    if found < NODE {
        bail!(
            "{wanted} is needed to build the dashboard; this machine has {version}.\n  Install a newer one from nodejs.org or your distribution's backports."
        );
    }
    Ok(())
}
