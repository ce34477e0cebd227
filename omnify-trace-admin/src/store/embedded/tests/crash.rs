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
    #[cfg(feature = "object-store")]
    let options = match std::path::Path::new(&format!("{directory}/far")).exists() {
        true => options
            .segments_url(&format!("file://{directory}/far"))
            .unwrap(),
        false => options,
    };
    let store = super::EmbeddedStore::open(options.clone().seal_rows(20)).unwrap();
    while store.stats().await.unwrap().lines < 300 {
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    store.close().await;
    drop(store);
    let store = super::EmbeddedStore::open(options.clone().seal_rows(1000)).unwrap();
    tend::once(&store.shared).unwrap();
    store.close().await;
    drop(store);
    if point.starts_with("retain") {
        let store = super::EmbeddedStore::open(options.max_bytes(1)).unwrap();
        tend::once(&store.shared).unwrap();
    }
}

/// What retention has taken stays away and what it has not is there once, wherever it was killed.
#[tokio::test]
async fn killed_while_removing_no_line_comes_back_and_none_is_there_twice() {
    let lines: Vec<String> = (0..300)
        .map(|n| json_line(n, &format!("line {n}")))
        .collect();
    for (point, whole) in [("retain-remove", true), ("retain-next", false)] {
        let mut world = World::with(|options| options.seal_rows(1000));
        world.crash();
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        world.append("backend.log", &text);
        assert!(!run_child(point, 0, &world), "{point} was not reached");
        world.reopen();
        world.settle(0).await;
        let left = world.raws().await;
        assert!(left.iter().all(|line| lines.contains(line)), "{point}");
        let mut once = left.clone();
        once.dedup();
        assert_eq!(once, left, "{point}");
        assert_eq!(left.len() == 300, whole, "{point}: {}", left.len());
        world.append("backend.log", &(json_line(301, "new") + "\n"));
        world.settle(left.len() as u64 + 1).await;
        world.close().await;
        world.reopen();
        world.settle(left.len() as u64 + 1).await;
        assert_eq!(world.raws().await.len(), left.len() + 1, "{point}");
    }
}

/// Runs the child on the world's directories until it is killed; gives whether it came through.
fn run_child(point: &str, skip: u32, world: &World) -> bool {
    let told = format!("{point}#{skip} {}", world.dir.path().display());
    Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "store::embedded::tests::crash::child",
            "--ignored",
        ])
        .env(CHILD, told)
        .output()
        .unwrap()
        .status
        .success()
}

/// Killed on the way to the object store, with the disk kept or lost.
#[cfg(feature = "object-store")]
#[tokio::test]
async fn killed_while_sending_every_line_is_there_once() {
    let lines: Vec<String> = (0..300)
        .map(|n| json_line(n, &format!("line {n}")))
        .collect();
    for (point, skip) in [
        ("send-segment", 0),
        ("send-segment", 9),
        ("compact-swap", 0),
        ("compact-remove", 1),
        ("send-remove", 0),
        ("send-remove", 3),
    ] {
        for lost in [false, true] {
            let mut world = World::with(|options| options.seal_rows(1000));
            world.crash();
            let far = world.dir.path().join("far");
            std::fs::create_dir(&far).unwrap();
            let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
            world.append("backend.log", &text);
            assert!(!run_child(point, skip, &world), "{point} was not reached");
            if lost {
                super::far::lose_disk(&world);
            }
            let url = format!("file://{}", far.display());
            world.options = world.options.clone().segments_url(&url).unwrap();
            for _ in 0..2 {
                world.reopen();
                world.settle(300).await;
                assert_eq!(world.raws().await, lines, "{point} #{skip}, lost: {lost}");
                world.close().await;
            }
        }
    }
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
            let reached = !run_child(point, skip, &world);
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
