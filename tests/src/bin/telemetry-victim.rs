//! Logs through `tracing` on four threads, inside spans, until it is killed or aborts.

use std::path::Path;
use std::sync::atomic::Ordering::Release;
use std::thread;
use std::time::Duration;

use anyhow::Result;
use omnify_tests::crash::Acknowledged;
use omnify_trace::{Environment, Telemetry, operation};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [logs, counts, run, death, after] = arguments.as_slice() else {
        anyhow::bail!("LOGS COUNTS RUN DEATH AFTER_MICROSECONDS");
    };
    let run: u32 = run.parse()?;
    let after = Duration::from_micros(after.parse()?);
    let acknowledged = Acknowledged::open(Path::new(counts), run)?;
    let _guard = Telemetry::builder()
        .service_name("victim")
        .environment(Environment::Production)
        .log_dir(logs)
        .install()?;
    let _in_flight = operation::workflow("endless")
        .run_id(format!("run-{run}"))
        .start();
    thread::scope(|scope| {
        for writer in 0..4_usize {
            let acknowledged = &acknowledged;
            scope.spawn(move || {
                let _span = tracing::info_span!("writer", user_id = writer).entered();
                for number in 0_u64.. {
                    tracing::info!(
                        run,
                        writer,
                        number,
                        "event {number} of {writer}\nin run {run}"
                    );
                    acknowledged.0[writer].store(number + 1, Release);
                }
            });
        }
        thread::sleep(after);
        if death == "abort" {
            std::process::abort();
        }
        thread::sleep(Duration::from_secs(60));
    });
    Ok(())
}
