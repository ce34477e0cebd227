//! Stand-ins for the outside services, for the demo and the tests: real HTTP servers with the
//! services' own API shapes, delays and failures, each a process of its own with a log of its own.
//!
//! What a company is called decides what happens to it, so that a test can ask for it:
//! `Glacier …` is slow, `Tarpit …` never gets an answer, `Brittle …` fails.

mod agentkit;
mod gohighlevel;

use std::time::Duration;

use anyhow::{Context as _, Result};
use axum::Router;
use clap::ValueEnum;
use rand::RngExt as _;
use tokio::net::TcpListener;

/// Which service to stand in for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Service {
    /// An AgentKit service: agent runs.
    Agentkit,
    /// The GoHighLevel CRM: contacts, opportunities, messages, campaigns.
    Gohighlevel,
}

impl Service {
    /// Name in the log and on the command line.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Agentkit => "agentkit",
            Self::Gohighlevel => "gohighlevel",
        }
    }

    fn router(self) -> Router {
        match self {
            Self::Agentkit => agentkit::router(),
            Self::Gohighlevel => gohighlevel::router(),
        }
    }
}

/// Serves until the process ends, or until its standard input does: a simulator never outlives
/// the demo that started it.
pub(crate) async fn serve(service: Service, listener: TcpListener) -> Result<()> {
    let router =
        omnify_trace_axum::stack(service.router(), omnify_trace_axum::StackOptions::default());
    tracing::info!(address = %listener.local_addr()?, service = service.as_str(), "Simulator listens");
    axum::serve(listener, router)
        .with_graceful_shutdown(parent_gone())
        .await
        .context("the simulator stopped serving")
}

async fn parent_gone() {
    let read_to_end = || std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
    let _ = omnify_trace::spawn_blocking("parent-gone", read_to_end).await;
}

/// A delay somewhere between two bounds, nearer to the lower one, as real services have it.
async fn takes(at_least: Duration, at_most: Duration) {
    let skewed = rand::rng().random::<f64>().powi(3);
    tokio::time::sleep(at_least + (at_most - at_least).mul_f64(skewed)).await;
}

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// True once in so many times.
fn one_in(times: u32) -> bool {
    rand::rng().random_range(0..times) == 0
}
