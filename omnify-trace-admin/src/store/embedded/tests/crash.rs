//! Killed at any step, the store has every line once.

use std::process::Command;

use super::{World, json_line};
use crate::store::{LogStore, embedded::tend};

const CHILD: &str = "OMNIFY_STORE_CRASH_CHILD";

/// The child: seals, joins and retires until the failpoint kills it.
#[tokio::test]
#[ignore = "runs as the child of the test below"]
async fn child() {
    let Ok(told) = std::env::var(CHILD) else {
        return;
    };
    let (point, directory) = told.split_once(' ').unwrap();
    let (point, skip) = point.split_once('#').unwrap();
    let left = std::sync::atomic::AtomicU32::new(skip.parse().unwrap());
    fail::cfg_callback(point, move || {
        if left.fetch_sub(1, std::sync::atomic::Ordering::Relaxed) == 0 {
            // No destructor, no flush: as a kill.
            std::process::abort();
        }
    })
    .unwrap();
    let options =
        super::StoreOptions::new(format!("{directory}/logs"), format!("{directory}/store"))
            .poll(std::time::Duration::from_millis(5));
    let store = super::EmbeddedStore::open(options.clone().seal_rows(20)).unwrap();
    while store.stats().await.unwrap().lines < 300 {
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    store.close().await;
    drop(store);
    let store = super::EmbeddedStore::open(options.seal_rows(1000)).unwrap();
    tend::once(&store.shared).unwrap();
}

#[tokio::test]
async fn killed_at_any_step_every_line_is_there_once() {
    let lines: Vec<String> = (0..300)
        .map(|n| json_line(n, &format!("line {n}")))
        .collect();
    let points = [
        "write-half",
        "write-sync",
        "write-rename",
        "write-directory",
        "seal-swap",
        "compact-swap",
        "compact-remove",
    ];
    for point in points {
        for skip in [0, 1, 5] {
            let mut world = World::with(|options| options.seal_rows(1000));
            world.crash();
            let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
            world.append("backend.log", &text);
            let told = format!("{point}#{skip} {}", world.dir.path().display());
            let status = Command::new(std::env::current_exe().unwrap())
                .args([
                    "--exact",
                    "store::embedded::tests::crash::child",
                    "--ignored",
                ])
                .env(CHILD, told)
                .output()
                .unwrap()
                .status;
            let reached = !status.success();
            assert!(
                reached || skip > 0 || point.starts_with("compact"),
                "{point} was not reached"
            );
            world.reopen();
            world.settle(300).await;
            assert_eq!(world.raws().await, lines, "killed at {point} #{skip}");
        }
    }
}
