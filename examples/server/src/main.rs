//! The workflow server: everything of Omnify Trace, assembled.
//!
//! - `omnify-server serve`: the server alone, configured by environment variables.
//! - `omnify-server demo`: the server, stand-ins for its outside services, and lifelike traffic.
//! - `omnify-server simulate SERVICE`: one of those stand-ins.

mod agent;
mod assets;
mod config;
mod demo;
mod routes;
mod server;
mod simulator;
mod workflow;

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(version, about = "The Omnify workflow server, traced from end to end")]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve, as the environment says (the default)
    Serve,
    /// Serve, with stand-ins for the outside services and lifelike traffic
    Demo,
    /// Stand in for an outside service
    Simulate {
        /// Which service
        service: simulator::Service,
        /// Where to listen; port 0 takes a free one and prints it
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: std::net::SocketAddr,
    },
}

fn main() -> ExitCode {
    omnify_trace_admin::memory::few_arenas();
    let outcome = match Cli::parse().command.unwrap_or(Command::Serve) {
        Command::Serve => start(|| server::run(server::Mode::Serve)),
        Command::Demo => start(|| server::run(server::Mode::Demo)),
        Command::Simulate { service, listen } => start(move || simulate(service, listen)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("omnify-server: {}", story(&error)));
            ExitCode::FAILURE
        }
    }
}

/// The error and its causes, each told once: many texts have that of their cause already.
fn story(error: &anyhow::Error) -> String {
    error
        .chain()
        .skip(1)
        .fold(error.to_string(), |told, cause| {
            let cause = cause.to_string();
            if told.contains(&cause) {
                told
            } else {
                format!("{told}: {cause}")
            }
        })
}

/// Builds the runtime and runs one future to its end.
fn start<F: Future<Output = Result<()>>>(work: impl FnOnce() -> F) -> Result<()> {
    // The default is decided here, for every client in the process.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the async runtime could not be started")?;
    runtime.block_on(work())
}

async fn simulate(service: simulator::Service, listen: std::net::SocketAddr) -> Result<()> {
    let _guard = omnify_trace::init()?;
    let listener = tokio::net::TcpListener::bind(listen)
        .await
        .with_context(|| format!("cannot listen on {listen}"))?;
    tell(&listener.local_addr()?.to_string());
    simulator::serve(service, listener).await
}

/// To the person at the terminal.
#[expect(
    clippy::print_stdout,
    reason = "a command-line program talks on its terminal"
)]
fn tell(text: &str) {
    println!("{text}");
}

/// What went wrong, to the person at the terminal.
#[expect(
    clippy::print_stderr,
    reason = "a command-line program talks on its terminal"
)]
fn say(text: &str) {
    eprintln!("{text}");
}
