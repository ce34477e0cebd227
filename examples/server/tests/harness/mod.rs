//! Starts the real server as a person would, in a folder of its own.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "a module of several test files, each of which uses a part of it"
)]
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test says so and stops"
)]

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

/// The admin token of every test server.
pub const TOKEN: &str = "a-token-for-the-tests-only-0123456789";

/// A running server.
pub struct Server {
    child: Child,
    home: PathBuf,
    /// `http://127.0.0.1:port`
    pub base: String,
    /// No proxies, no redirects to worry about.
    pub client: reqwest::Client,
}

/// The server's program with the environment of a test, ready to start.
pub fn command(home: &Path, mode: &str, environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_omnify-server"));
    command
        .arg(mode)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("OMNIFY_LISTEN", "127.0.0.1:0")
        .env("OMNIFY_DATA_DIR", home)
        .env("OMNIFY_ENV", "production")
        .env("OMNIFY_ADMIN_TOKEN", TOKEN)
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

impl Server {
    /// Starts `omnify-server <mode>` and waits until it is ready.
    pub async fn start(home: &Path, mode: &str, environment: &[(&str, &str)]) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut child = command(home, mode, environment)
            .stderr(Stdio::inherit())
            .spawn()
            .expect("the server starts");
        let mut lines = BufReader::new(child.stdout.take().expect("standard output")).lines();
        let base = loop {
            let line = lines
                .next_line()
                .await
                .expect("readable")
                .expect("the server said where it listens");
            if let Some(start) = line.find("http://") {
                let rest = &line[start + "http://".len()..];
                let end = rest.find(['/', ';', ' ']).unwrap_or(rest.len());
                break format!("http://{}", &rest[..end]);
            }
        };
        // Whatever it still says must not fill the pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let client = reqwest::Client::builder()
            .timeout(Duration::from_secs(30))
            .build()
            .expect("a client");
        let server = Self {
            child,
            home: home.to_owned(),
            base,
            client,
        };
        eventually("the server is ready", Duration::from_secs(30), async || {
            let answer = server
                .client
                .get(format!("{}/readyz", server.base))
                .send()
                .await;
            answer.is_ok_and(|answer| answer.status().is_success())
        })
        .await;
        server
    }

    /// Where its log files are.
    pub fn log_dir(&self) -> PathBuf {
        self.home.join("logs")
    }

    /// `GET /api/admin/<path>` with the admin token; the answer must be a success.
    pub async fn admin(&self, path: &str) -> Value {
        let url = format!("{}/api/admin/{path}", self.base);
        let answer = self
            .client
            .get(&url)
            .bearer_auth(TOKEN)
            .send()
            .await
            .expect("an answer");
        let status = answer.status();
        let body = answer.text().await.expect("a body");
        if status == 404 {
            return Value::Null;
        }
        assert!(status.is_success(), "{url}: {status}: {body}");
        serde_json::from_str(&body).unwrap_or_else(|error| panic!("{url}: {error}: {body}"))
    }

    /// `POST` of JSON; the answer must be a success.
    pub async fn post(&self, path: &str, body: &Value) -> Value {
        let answer = self
            .client
            .post(format!("{}{path}", self.base))
            .json(body)
            .send()
            .await
            .expect("an answer");
        let status = answer.status();
        let text = answer.text().await.expect("a body");
        assert!(status.is_success(), "{path}: {status}: {text}");
        serde_json::from_str(&text).expect("JSON")
    }

    /// SIGKILL: nothing in the server gets to run any more.
    pub async fn kill(&mut self) {
        self.child.start_kill().expect("killed");
        let _ = self.child.wait().await;
    }

    /// SIGTERM, and the server must end well within 15 s.
    pub async fn stop(mut self) {
        let pid = self.child.id().expect("it runs").to_string();
        let told = std::process::Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .expect("kill");
        assert!(told.success());
        let status = tokio::time::timeout(Duration::from_secs(15), self.child.wait()).await;
        assert!(status.expect("ends in time").expect("waited").success());
    }
}

/// Polls until it is true, or fails the test.
pub async fn eventually(what: &str, limit: Duration, mut check: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + limit;
    while !check().await {
        assert!(Instant::now() < deadline, "not within {limit:?}: {what}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The present, as log lines write it.
pub fn now() -> String {
    jiff::Timestamp::now().to_string()
}
