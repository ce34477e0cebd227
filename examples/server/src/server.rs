//! Puts everything together, serves until told to stop, and closes in order.

use std::{fs, net::SocketAddr, path::Path, pin::pin, sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use axum::Router;
use omnify_trace_admin::{
    Admin,
    store::{LokiOptions, LokiStore},
};
use omnify_trace_axum::{IdentityLayer, StackOptions, TracingLayer, performance::Metrics};
use sqlx::any::AnyPoolOptions;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    agent::{Agents, Client},
    assets, config,
    config::Config,
    demo, routes, tell,
    workflow::{Catalogue, Engine, runs::Runs},
};

/// Open requests get so long to end when the server stops.
const DRAIN: Duration = Duration::from_secs(5);
/// The dashboard reads all the time, and would otherwise find its own reading in every search.
/// What an administrator changes has an event of its own, `admin_action`.
const DASHBOARD: [&str; 2] = ["/api/admin/", "/admin/"];

/// How the server was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// As the environment says.
    Serve,
    /// With everything outside simulated.
    Demo,
}

/// Serves until Ctrl-C or SIGTERM.
pub(crate) async fn run(mode: Mode) -> Result<()> {
    let mut config = Config::read(&config::process_environment)?;
    if mode == Mode::Demo {
        config.jwt_secret.get_or_insert_with(random_secret);
        config.admin_token.get_or_insert_with(random_secret);
    }
    fs::create_dir_all(&config.data_dir).with_context(|| {
        format!(
            "OMNIFY_DATA_DIR: cannot create {}",
            config.data_dir.display()
        )
    })?;
    let mut telemetry = omnify_trace::Telemetry::builder()
        .service_version(env!("CARGO_PKG_VERSION"))
        .log_dir(&config.log_dir);
    if mode == Mode::Demo && config::process_environment("OMNIFY_CONSOLE").is_none() {
        // The demo's terminal is for its addresses; its lines are in the dashboard.
        telemetry = telemetry.console(omnify_trace::setup::Console::Off);
    }
    let telemetry = telemetry.install()?;
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("OMNIFY_LISTEN: cannot listen on {}", config.listen))?;
    let address = listener.local_addr()?;

    let simulators = match mode {
        Mode::Demo => {
            let simulators = demo::Simulators::start(&config.log_dir).await?;
            demo::set_prices();
            config
                .endpoints
                .agentkit
                .get_or_insert_with(|| simulators.agentkit.clone());
            config
                .endpoints
                .gohighlevel
                .get_or_insert_with(|| simulators.gohighlevel.clone());
            Some(simulators)
        }
        Mode::Serve => None,
    };
    let mut admin = Admin::builder()
        .log_dir(&config.log_dir)
        .data_dir(&config.data_dir)
        .database_url(&config.database_url)
        .redis_url(config.redis_url.clone())
        .token(config.admin_token.clone())
        .segments_url(config.segments_url.clone())
        .service_name("omnify-server")
        .more_metrics(|format| Metrics::global().text(format));
    if let Some(loki) = &config.loki {
        let mut options = LokiOptions::new(&loki.url).tenant(loki.tenant.clone());
        if loki.ship {
            options = options.ship(&config.log_dir, config.data_dir.join("loki"));
        }
        admin = admin.store(Arc::new(LokiStore::open(options)?));
    }
    let admin = admin.build().await?;
    let app = application(&config, mode, &admin).await?;
    greet(mode, address, &config, admin.first_token().as_deref());
    tracing::info!(address = %address, "Server listens");

    let visitors = (mode == Mode::Demo).then(|| {
        let secret = config.jwt_secret.as_deref().unwrap_or_default();
        omnify_trace::spawn(
            "demo-traffic",
            demo::traffic(format!("http://{address}"), demo::Tokens::new(secret)),
        )
    });
    let stopping = CancellationToken::new();
    let serving = axum::serve(
        listener,
        app.into_make_service_with_connect_info::<SocketAddr>(),
    )
    .with_graceful_shutdown(stopping.clone().cancelled_owned())
    .into_future();
    let mut serving = pin!(serving);
    tokio::select! {
        ended = &mut serving => ended.context("the server stopped serving")?,
        () = told_to_stop() => {
            // Live tails never end by themselves, so open connections get a bounded time.
            stopping.cancel();
            let _ = tokio::time::timeout(DRAIN, serving).await;
        }
    }
    if let Some(visitors) = visitors {
        visitors.abort();
    }
    if let Some(simulators) = simulators {
        simulators.stop().await;
    }
    tracing::info!("Server stops");
    drop(telemetry);
    admin.shutdown().await;
    Ok(())
}

async fn application(config: &Config, mode: Mode, admin: &Admin) -> Result<Router> {
    sqlx::any::install_default_drivers();
    let pool = AnyPoolOptions::new()
        .max_connections(5)
        .connect(&config.database_url)
        .await
        .context("DATABASE_URL: the database cannot be opened")?;
    let engine = Engine::new(
        Catalogue::load(config.workflow_dir.as_deref())?,
        Agents::new(config.endpoints.clone(), &Client::new()?),
        Runs::open(pool.clone(), &instance(&config.data_dir)?).await?,
    );
    let app = routes::App {
        engine,
        customers: routes::Customers::open(pool).await?,
    };
    let (access, faults) = match mode {
        Mode::Serve => (routes::Access::Identified, false),
        Mode::Demo => (routes::Access::Anyone, true),
    };
    let router = routes::router(app, access, faults)
        .merge(omnify_trace_axum::frontend_logs())
        .merge(admin.router())
        .merge(assets::router());
    let tracing = TracingLayer::new().quiet_below(&DASHBOARD);
    let mut options = StackOptions::new().tracing(tracing);
    if let Some(secret) = &config.jwt_secret {
        options = options.identity(
            IdentityLayer::hs256(secret.as_bytes())
                .issuer(demo::ISSUER)
                .audience(demo::ISSUER),
        );
    }
    Ok(omnify_trace_axum::stack(router, options))
}

/// The name that this server keeps over its restarts: whose data folder, whose runs.
fn instance(data_dir: &Path) -> Result<String> {
    let file = data_dir.join("instance");
    if let Ok(name) = fs::read_to_string(&file)
        && !name.trim().is_empty()
    {
        return Ok(name.trim().to_owned());
    }
    let name = uuid::Uuid::new_v4().to_string();
    fs::write(&file, &name)
        .with_context(|| format!("OMNIFY_DATA_DIR: cannot write {}", file.display()))?;
    Ok(name)
}

fn greet(mode: Mode, address: SocketAddr, config: &Config, first_token: Option<&str>) {
    if mode == Mode::Demo {
        tell(&format!(
            "\nOmnify Trace demo\n\n  Dashboard      http://{address}/admin\n  Customer page  http://{address}/"
        ));
        if std::env::var_os("OMNIFY_ADMIN_TOKEN").is_none() {
            let token = config.admin_token.as_deref().unwrap_or_default();
            tell(&format!("  Admin token    {token}   (for this run only)"));
        }
        tell(&format!(
            "\n  Log files      {}\n  Stop with Ctrl-C.\n",
            config.log_dir.display()
        ));
        return;
    }
    tell(&format!(
        "omnify-server listens on http://{address}; dashboard at /admin"
    ));
    if let Some(token) = first_token {
        tell(&format!("Admin token, shown this once: {token}"));
    }
}

/// 256 bits, as hexadecimal text.
fn random_secret() -> String {
    format!(
        "{}{}",
        uuid::Uuid::new_v4().simple(),
        uuid::Uuid::new_v4().simple()
    )
}

async fn told_to_stop() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! { _ = interrupt => {}, _ = terminate.recv() => {} }
            return;
        }
    }
    let _ = interrupt.await;
}
