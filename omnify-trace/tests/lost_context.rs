//! The clippy snippet of `docs/lost-context.md`, put to the test: it finds every call that loses the
//! context, and nothing else.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const SOURCE: &str = "\
#![allow(unused)]
pub fn lost() {
    let _ = tokio::spawn(async {});
    let _ = tokio::task::spawn(async {});
    let _ = tokio::task::spawn_blocking(|| ());
    let mut set = tokio::task::JoinSet::new();
    set.spawn(async {});
    let _ = std::thread::spawn(|| ());
}
pub fn kept() {
    std::thread::scope(|scope| { scope.spawn(|| ()); });
    let _ = tokio::runtime::Handle::try_current();
}
";

#[test]
fn the_snippet_finds_each_call_that_loses_the_context() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/lost-context.md");
    let page = fs::read_to_string(page).unwrap();
    let (_, snippet) = page.split_once("```toml\n").unwrap();
    let (snippet, _) = snippet.split_once("```").unwrap();
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("clippy.toml"), snippet).unwrap();
    fs::write(dir.path().join("lib.rs"), SOURCE).unwrap();
    // One of them is of this compiler; older ones may lie beside it.
    let found = tokios().iter().find_map(|tokio| lint(dir.path(), tokio));
    let Some(found) = found else {
        eprintln!("no clippy of this compiler: nothing was tested");
        return;
    };
    let lines: Vec<_> = found
        .lines()
        .filter_map(|line| line.trim().strip_prefix("--> lib.rs:"))
        .map(|place| place.split(':').next().unwrap().to_owned())
        .collect();
    assert_eq!(lines, ["3", "4", "5", "7", "8"], "{found}");
    assert!(found.matches("omnify_trace::").count() >= 5, "{found}");
}

/// What clippy says; `None` if it could not compile.
fn lint(dir: &Path, tokio: &Path) -> Option<String> {
    let output = Command::new("clippy-driver")
        .current_dir(dir)
        .env("CLIPPY_CONF_DIR", dir)
        .args([
            "--edition=2024",
            "--crate-type=lib",
            "--emit=metadata",
            "lib.rs",
        ])
        .arg(format!("--extern=tokio={}", tokio.display()))
        .arg(format!("-Ldependency={}", tokio.parent()?.display()))
        .args(["-Aclippy::all", "-Wclippy::disallowed-methods"])
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    output.status.success().then_some(text)
}

/// The compiled tokios beside this test.
fn tokios() -> Vec<PathBuf> {
    let exe = std::env::current_exe().unwrap();
    let files = fs::read_dir(exe.parent().unwrap()).unwrap();
    let files = files.map(|file| file.unwrap().path());
    files
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("libtokio-") && name.ends_with(".rlib")
        })
        .collect()
}
