//! Running other programs: found or explained, streamed, and counted.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};

/// The workspace's root folder.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map_or_else(PathBuf::new, Path::to_path_buf)
}

/// The folder that cargo builds into: also the home of every tool that xtask installs.
pub(crate) fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || root().join("target"),
        |dir| {
            let dir = PathBuf::from(dir);
            if dir.is_absolute() {
                dir
            } else {
                root().join(dir)
            }
        },
    )
}

/// A command that runs in the workspace's root.
pub(crate) fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    command
}

/// This cargo, as rustup or the distribution started it. What it told xtask of xtask's own package is
/// taken away: third-party build scripts look at these variables, and would otherwise build their
/// crates anew at each change between `cargo xtask` and plain cargo.
pub(crate) fn cargo() -> Command {
    let mut cargo = command(&std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
    for (name, _) in std::env::vars_os() {
        let of_xtask =
            |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
        if name.to_str().is_some_and(of_xtask) {
            cargo.env_remove(name);
        }
    }
    cargo
}

/// Whether a program is on the PATH.
pub(crate) fn exists(program: &str) -> bool {
    find(program).is_some()
}

/// Where on the PATH a program is.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|dir| dir.join(program))
        .find(|path| path.is_file())
}

/// How a command reads to a person.
fn display(command: &Command) -> String {
    let mut text = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        text.push(' ');
        text.push_str(&argument.to_string_lossy());
    }
    text
}

/// Runs a command with its output on our terminal; not ending well is an error.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("could not start `{}`", display(command)))?;
    if !status.success() {
        bail!("`{}` ended with {status}", display(command));
    }
    Ok(())
}

/// Runs a command quietly; its output is shown only when it fails.
pub(crate) fn run_quiet(command: &mut Command) -> Result<()> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("could not start `{}`", display(command)))?;
    if !output.status.success() {
        bail!(
            "`{}` ended with {}\n{}{}",
            display(command),
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(())
}

/// Runs a command quietly for at most `limit`; past it the command is killed and that is an error.
pub(crate) fn run_bounded(command: &mut Command, limit: Duration) -> Result<()> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("could not start `{}`", display(command)))?;
    let deadline = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait()? {
            if status.success() {
                return Ok(());
            }
            bail!("`{}` ended with {status}", display(command));
        }
        if Instant::now() > deadline {
            child.kill()?;
            child.wait()?;
            bail!(
                "`{}` took longer than {} s",
                display(command),
                limit.as_secs()
            );
        }
        thread::sleep(Duration::from_millis(100));
    }
}

/// Runs a command with its output on our terminal and each line of it handed to `look`.
/// Answers whether the command ended well.
pub(crate) fn run_watched(command: &mut Command, mut look: impl FnMut(&str)) -> Result<bool> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("could not start `{}`", display(command)))?;
    let stdout = child.stdout.take().context("no standard output")?;
    let stderr = child.stderr.take().context("no standard error")?;
    let errors = thread::spawn(move || {
        for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
            let _ = writeln!(std::io::stderr(), "{}", String::from_utf8_lossy(&line));
        }
    });
    for line in BufReader::new(stdout).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line);
        let _ = writeln!(std::io::stdout(), "{line}");
        look(&line);
    }
    let status = child.wait()?;
    let _ = errors.join();
    Ok(status.success())
}

/// Installs packages of a Debian-like distribution, as root or by sudo, or says what to do.
pub(crate) fn apt_install(packages: &[&str], what_for: &str) -> Result<()> {
    let by_hand = format!(
        "{what_for} needs: {}\n  Install it with:  sudo apt-get update && sudo apt-get install -y {}",
        packages.join(", "),
        packages.join(" ")
    );
    if !exists("apt-get") {
        bail!(
            "{by_hand}\n  (this system has no apt-get: install the equivalent packages by its own means)"
        );
    }
    let root_user = run_quiet(command("sh").args(["-c", "test \"$(id -u)\" = 0"])).is_ok();
    let sudo = !root_user && run_quiet(command("sudo").args(["-n", "true"])).is_ok();
    if !root_user && !sudo {
        bail!("{by_hand}");
    }
    let apt = || {
        let mut command = if sudo {
            command("sudo")
        } else {
            command("apt-get")
        };
        if sudo {
            command.args(["-n", "apt-get"]);
        }
        command.env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    println!("      installing {} ({what_for})", packages.join(" "));
    let install = || {
        run_quiet(
            apt()
                .args(["install", "-y", "--no-install-recommends"])
                .args(packages),
        )
    };
    if install().is_ok() {
        return Ok(());
    }
    run_quiet(apt().arg("update")).with_context(|| by_hand.clone())?;
    install().with_context(|| by_hand.clone())
}
