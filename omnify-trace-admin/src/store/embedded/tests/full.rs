//! A disk that is truly full while segments are sealed.

use std::{io::Write, path::Path, process::Command, time::Duration};

use tempfile::TempDir;

use super::{World, json_line};
use crate::store::embedded::source::hash;

/// How long is waited for what must come.
const LIMIT: Duration = Duration::from_secs(60);

const CHILD: &str = "OMNIFY_STORE_FULL_CHILD";
const LINES: usize = 300;
/// What the test harness says of a test that failed.
const FAILED: i32 = 101;

/// Lines that no compression makes small.
fn lines() -> Vec<String> {
    let random = |n: usize| -> String {
        let part = |k: usize| format!("{:016x}", hash(&[&n.to_le_bytes(), &k.to_le_bytes()]));
        (0..16).map(part).collect()
    };
    (0..LINES).map(|n| json_line(n, &random(n))).collect()
}

fn segments(directory: &Path) -> usize {
    let entries = std::fs::read_dir(directory).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name());
    names
        .filter(|name| name.to_string_lossy().contains(".parquet"))
        .count()
}

/// A store over the folders in this one.
fn open(directory: &Path) -> World {
    let mut world = World::with(|options| options.seal_rows(100));
    world.crash();
    world.options.log_dir = directory.join("logs");
    world.options.data_dir = directory.join("store");
    world.reopen();
    world
}

/// The child: a store on a full disk.
#[tokio::test]
#[ignore = "runs as the child of the test below"]
async fn child() {
    let Ok(told) = std::env::var(CHILD) else {
        return;
    };
    let (kind, directory) = told.split_once(' ').unwrap();
    let directory = Path::new(directory);
    let filling = directory.join("store/filling");
    if kind == "disk" {
        let mut file = std::fs::File::create(&filling).unwrap();
        while file.write_all(&[7; 4096]).is_ok() {}
        // The lock and a little more have room; a segment has not.
        let length = file.metadata().unwrap().len();
        file.set_len(length - 16_384).unwrap();
    }
    let mut world = open(directory);
    let stats = world
        .until(LIMIT, "the error is told", |stats| {
            stats.lines >= 100 && stats.last_error.is_some()
        })
        .await;
    let error = stats.last_error.unwrap();
    let reason = if kind == "disk" {
        "No space"
    } else {
        "too large"
    };
    assert!(
        error.starts_with("could not seal") && error.contains(reason),
        "{error}"
    );
    assert_eq!(stats.segments, 0);
    assert!(world.raws().await.len() >= 100);
    if kind == "disk" {
        std::fs::remove_file(&filling).unwrap();
        world
            .until(LIMIT, "all is sealed", |stats| {
                stats.segments > 0 && stats.last_error.is_none()
            })
            .await;
        for _ in 0..2 {
            world.settle(LINES as u64).await;
            assert_eq!(world.raws().await, lines());
            world.close().await;
            world.reopen();
        }
        assert!(segments(&world.options.data_dir) >= 3);
    }
    world.crash();
}

/// On a small file system of the child's own where that is allowed, else under a limit of the
/// files' size.
#[tokio::test]
async fn a_full_disk_loses_nothing() {
    let dir = TempDir::new().unwrap();
    for folder in ["logs", "store"] {
        std::fs::create_dir(dir.path().join(folder)).unwrap();
    }
    let text: String = lines().iter().map(|line| format!("{line}\n")).collect();
    std::fs::write(dir.path().join("logs/backend.log"), text).unwrap();
    let run = |kind: &str, wrap: &[&str], script: &str| {
        let child = r#"exec "$1" --exact store::embedded::tests::full::child --ignored"#;
        let mut words = wrap.iter().copied().chain(["sh", "-c"]);
        let output = Command::new(words.next().unwrap())
            .args(words)
            .arg(format!("{script}; {child}"))
            .arg("sh")
            .arg(std::env::current_exe().unwrap())
            .arg(dir.path())
            .env(CHILD, format!("{kind} {}", dir.path().display()))
            .output();
        let output = output.map_err(|_| ()).ok()?;
        let code = output.status.code();
        assert_ne!(
            code,
            Some(FAILED),
            "{}",
            String::from_utf8_lossy(&output.stdout)
        );
        (code == Some(0)).then_some(())
    };
    let own = ["unshare", "--user", "--map-root-user", "--mount"];
    let mount = r#"mount -t tmpfs -o size=1m none "$2/store" || exit 7"#;
    if run("disk", &own, mount).is_none() {
        // The signal that the limit sends would end the process: it is ignored.
        run("limit", &[], r#"trap "" XFSZ; ulimit -f 16"#).expect("a child with a limit");
    }
    // Nothing of what was tried is in the way once there is room.
    assert_eq!(segments(&dir.path().join("store")), 0);
    let mut world = open(dir.path());
    world.settle(LINES as u64).await;
    assert_eq!(world.raws().await, lines());
    world.close().await;
}
