//! Real PostgreSQL and Redis servers for a test: each in a folder of its own, on a Unix socket, gone
//! with the test.

use std::{
    fs,
    os::unix::{fs::chown, net::UnixStream, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, geteuid, kill_process};
use tempfile::TempDir;

/// How long a server may take to start or stop.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server.
pub struct Server {
    child: Child,
    command: Command,
    stop: Signal,
    socket: PathBuf,
    /// What the service under test is told.
    pub url: String,
    folder: TempDir,
}

impl Server {
    /// An empty PostgreSQL.
    ///
    /// # Errors
    /// It is not installed, or does not start; the message says what to do.
    pub fn postgres() -> Result<Self> {
        let initdb = program("initdb", "postgresql")?;
        let folder = tempfile::tempdir()?;
        let user = User::for_postgres(folder.path())?;
        let data = folder.path().join("data");
        let made = user
            .command(&initdb)
            .args([
                "--no-sync",
                "--auth=trust",
                "--username=omnify",
                "--locale=C",
                "--encoding=UTF8",
            ])
            .arg("--pgdata")
            .arg(&data)
            .output()
            .context("initdb could not be started")?;
        if !made.status.success() {
            bail!("initdb failed: {}", String::from_utf8_lossy(&made.stderr));
        }
        let mut command = user.command(&program("postgres", "postgresql")?);
        command
            .arg("-D")
            .arg(&data)
            .arg("-k")
            .arg(folder.path())
            // No network at all; nothing here outlives the test, so nothing needs to reach the disk.
            .args(["-c", "listen_addresses=", "-c", "fsync=off"]);
        let url = format!(
            "postgres://omnify@localhost/postgres?host={}",
            folder.path().display()
        );
        Self::start(command, Signal::QUIT, url, folder, ".s.PGSQL.5432")
    }

    /// An empty Redis.
    ///
    /// # Errors
    /// It is not installed, or does not start; the message says what to do.
    pub fn redis() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let socket = folder.path().join("redis.sock");
        let mut command = Command::new(program("redis-server", "redis-server")?);
        command
            .args([
                "--port",
                "0",
                "--save",
                "",
                "--appendonly",
                "no",
                "--unixsocket",
            ])
            .arg(&socket)
            .current_dir(folder.path());
        let url = format!("unix://{}", socket.display());
        Self::start(command, Signal::KILL, url, folder, "redis.sock")
    }

    fn start(
        mut command: Command,
        stop: Signal,
        url: String,
        folder: TempDir,
        socket: &str,
    ) -> Result<Self> {
        let log = folder.path().join("server.log");
        command
            .stdin(Stdio::null())
            .stdout(fs::File::create(&log)?)
            .stderr(fs::File::options().append(true).open(&log)?);
        let mut server = Self {
            child: command.spawn()?,
            command,
            stop,
            socket: folder.path().join(socket),
            url,
            folder,
        };
        server.ready()?;
        Ok(server)
    }

    /// Waits until the server answers.
    fn ready(&mut self) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while UnixStream::connect(&self.socket).is_err() {
            if let Some(status) = self.child.try_wait()? {
                let log = self.folder.path().join("server.log");
                let said = fs::read_to_string(log).unwrap_or_default();
                bail!("{:?} ended with {status}: {said}", self.command);
            }
            if Instant::now() > deadline {
                bail!("{:?} was not ready in {PATIENCE:?}", self.command);
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Starts it again after [`stop`](Self::stop), with what it had on disk.
    ///
    /// # Errors
    /// It does not start.
    pub fn restart(&mut self) -> Result<()> {
        self.child = self.command.spawn()?;
        self.ready()
    }

    /// Ends the server at once, as a pulled plug would.
    pub fn stop(&mut self) {
        if let Ok(id) = i32::try_from(self.child.id())
            && let Some(id) = Pid::from_raw(id)
        {
            // It may have ended already.
            let _ = kill_process(id, self.stop);
        }
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Finds a server's program: on the `PATH`, or where Debian keeps PostgreSQL's.
fn program(name: &str, package: &str) -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let versions = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    folders.extend(versions.map(|version| version.path().join("bin")));
    folders
        .into_iter()
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
        .with_context(|| {
            format!("this test needs `{name}`: install the package {package}, or run `cargo xtask test`, which does")
        })
}

/// PostgreSQL refuses to run as root: then it runs as a user without rights.
struct User(Option<(u32, u32)>);

impl User {
    fn for_postgres(folder: &Path) -> Result<Self> {
        if !geteuid().is_root() {
            return Ok(Self(None));
        }
        let passwd = fs::read_to_string("/etc/passwd")?;
        let ids = |wanted: &str| {
            passwd.lines().find_map(|line| {
                let mut fields = line.split(':');
                (fields.next()? == wanted).then_some(())?;
                Some((fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?))
            })
        };
        let (user, group) = ids("postgres")
            .or_else(|| ids("nobody"))
            .context("there is neither a user postgres nor nobody to run PostgreSQL as")?;
        chown(folder, Some(user), Some(group))?;
        Ok(Self(Some((user, group))))
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        // Wherever the tests run, this user may not be allowed to look.
        command.current_dir("/");
        if let Some((user, group)) = self.0 {
            command.uid(user).gid(group);
        }
        command
    }
}
