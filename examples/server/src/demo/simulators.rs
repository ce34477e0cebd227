//! Starts the outside services as processes of their own, which end with us.

use std::{path::Path, process::Stdio};

use anyhow::{Context as _, Result};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

use crate::{agent::Endpoint, simulator::Service};

/// The running services. Dropping it ends them: their standard input closes.
pub(crate) struct Simulators {
    children: Vec<Child>,
    pub(crate) agentkit: Endpoint,
    pub(crate) gohighlevel: Endpoint,
}

impl Simulators {
    /// Starts each service on a free port of the loopback address.
    pub(crate) async fn start(log_dir: &Path) -> Result<Self> {
        let (agentkit_child, agentkit) = start(Service::Agentkit, log_dir).await?;
        let (gohighlevel_child, gohighlevel) = start(Service::Gohighlevel, log_dir).await?;
        Ok(Self {
            children: vec![agentkit_child, gohighlevel_child],
            agentkit,
            gohighlevel,
        })
    }

    /// Ends the services and waits for them.
    pub(crate) async fn stop(mut self) {
        for child in &mut self.children {
            drop(child.stdin.take());
        }
        for child in &mut self.children {
            let _ = tokio::time::timeout(std::time::Duration::from_secs(3), child.wait()).await;
        }
    }
}

async fn start(service: Service, log_dir: &Path) -> Result<(Child, Endpoint)> {
    let program = std::env::current_exe().context("this program does not know its own path")?;
    let mut child = Command::new(program)
        .args(["simulate", service.as_str()])
        .env(
            "OMNIFY_SERVICE_NAME",
            format!("{}-simulator", service.as_str()),
        )
        .env("OMNIFY_LOG_DIR", log_dir)
        .env("OMNIFY_CONSOLE", "off")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("the {} simulator could not be started", service.as_str()))?;
    let stdout = child
        .stdout
        .take()
        .context("the simulator has no standard output")?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line).await?;
    let address = line.trim();
    if address.is_empty() {
        anyhow::bail!(
            "the {} simulator ended before it listened",
            service.as_str()
        );
    }
    Ok((
        child,
        Endpoint {
            base: format!("http://{address}"),
            key: None,
        },
    ))
}
