//! Segments on an object store: what is there and what is near together hold every line once.

use std::{
    collections::BTreeMap,
    io,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use parking_lot::Mutex;

use super::{World, lines};
use crate::store::{
    LogStore, Query, StoreError,
    embedded::{
        EmbeddedStore,
        far::{self, Named, Objects},
        tend,
    },
};

/// How long is waited for what must come.
const LIMIT: Duration = Duration::from_secs(30);

/// Objects in memory that can be away.
#[derive(Debug, Default)]
pub(super) struct Fake {
    objects: Mutex<BTreeMap<String, Bytes>>,
    away: AtomicBool,
}

impl Fake {
    fn here(&self) -> io::Result<()> {
        match self.away.load(Ordering::Relaxed) {
            true => Err(io::ErrorKind::NotConnected.into()),
            false => Ok(()),
        }
    }

    fn segments(&self) -> usize {
        let objects = self.objects.lock();
        objects.keys().filter(|n| n.ends_with(".parquet")).count()
    }
}

impl Objects for Fake {
    fn list(&self) -> io::Result<Vec<Named>> {
        self.here()?;
        let objects = self.objects.lock();
        let named = objects.iter().map(|(name, bytes)| Named {
            name: name.clone(),
            bytes: bytes.len() as u64,
        });
        Ok(named.collect())
    }

    fn get(&self, name: &str) -> io::Result<Bytes> {
        self.here()?;
        let found = self.objects.lock().get(name).cloned();
        found.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn get_range(&self, name: &str, range: Range<u64>) -> io::Result<Bytes> {
        let range = usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap();
        Ok(self.get(name)?.slice(range))
    }

    fn put(&self, name: &str, bytes: Bytes) -> io::Result<()> {
        self.here()?;
        self.objects.lock().insert(name.to_owned(), bytes);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.here()?;
        self.objects.lock().remove(name);
        Ok(())
    }
}

fn world() -> (World, Arc<Fake>) {
    let fake = Arc::new(Fake::default());
    let objects = fake.clone();
    let world = World::with(|mut options| {
        options.far = Some(objects);
        options.seal_rows(20)
    });
    (world, fake)
}

/// Everything that is near is lost.
pub(super) fn lose_disk(world: &World) {
    std::fs::remove_dir_all(&world.options.data_dir).unwrap();
}

/// A store whose segments, ten lines each and all sent, are small enough to be joined; and how many
/// there are.
async fn joinable(rounds: usize) -> (World, Arc<Fake>, usize) {
    let (mut world, fake) = world();
    for round in 0..rounds {
        world.append("backend.log", &lines(round * 10..round * 10 + 10).0);
        world.settle(round as u64 * 10 + 10).await;
        world.close().await;
        world.reopen();
    }
    world.close().await;
    let segments = fake.segments();
    world.options = world.options.clone().seal_rows(1000);
    world.reopen();
    world.settle(rounds as u64 * 10).await;
    (world, fake, segments)
}

#[tokio::test]
async fn what_was_sent_outlives_disk_and_log_files() {
    let (mut world, fake) = world();
    world.append("backend.log", &lines(0..100).0);
    world.settle(100).await;
    world.close().await;
    assert!(fake.segments() >= 5, "{}", fake.segments());
    lose_disk(&world);
    world.reopen();
    world.append("backend.log", &lines(100..110).0);
    // With the files still there, nothing is taken in again.
    world.settle(110).await;
    assert_eq!(world.raws().await, lines(0..110).1);
    world.close().await;
    lose_disk(&world);
    std::fs::remove_file(world.logs().join("backend.log")).unwrap();
    world.reopen();
    let near = || {
        let view = world.store().shared.view();
        view.segments.iter().filter(|one| one.is_near()).count()
    };
    assert_eq!(near(), 0, "tails are enough to open");
    let counted = world.store().facets(&Query::default(), &["level"], 5).await;
    assert_eq!(counted.unwrap().facets[0].present, 110);
    assert_eq!(near(), 0, "the index answers");
    assert_eq!(world.raws().await, lines(0..110).1);
    assert!(near() > 0);
}

#[tokio::test]
async fn while_the_object_store_is_away_nothing_waits_for_it() {
    let (mut world, fake) = world();
    fake.away.store(true, Ordering::Relaxed);
    world.append("backend.log", &lines(0..100).0);
    world
        .until(LIMIT, "sealed and told", |stats| {
            stats.lines == 100 && stats.segments >= 4 && stats.last_error.is_some()
        })
        .await;
    assert_eq!(world.raws().await, lines(0..100).1);
    assert_eq!(fake.segments(), 0);
    world.crash();
    // What it has is not known: starting all the same could take lines in twice.
    let opened = EmbeddedStore::open(world.options.clone());
    assert!(matches!(opened, Err(StoreError::Unavailable(_))));
    drop(opened);
    fake.away.store(false, Ordering::Relaxed);
    world.reopen();
    world.settle(100).await;
    world
        .until(LIMIT, "sent", |stats| stats.last_error.is_none())
        .await;
    world.close().await;
    lose_disk(&world);
    world.reopen();
    world.settle(100).await;
    assert_eq!(world.raws().await, lines(0..100).1);
}

#[tokio::test]
async fn joined_and_retired_segments_go_there_too() {
    let (mut world, fake, before) = joinable(12).await;
    tend::once(&world.store().shared).unwrap();
    far::send(&world.store().shared, &*fake);
    assert!(fake.segments() < before, "{} of {before}", fake.segments());
    world.close().await;
    lose_disk(&world);
    world.reopen();
    world.settle(120).await;
    assert_eq!(world.raws().await, lines(0..120).1);
    world.close().await;
    world.options = world.options.clone().max_bytes(1);
    world.reopen();
    tend::once(&world.store().shared).unwrap();
    far::send(&world.store().shared, &*fake);
    assert_eq!(fake.segments(), 0);
    world.close().await;
    // What was retired stays away although the disk is lost and the log file is there.
    lose_disk(&world);
    world.options.max_bytes = None;
    world.reopen();
    world.append("backend.log", &lines(120..125).0);
    world.settle(5).await;
    assert_eq!(world.raws().await, lines(120..125).1);
}

#[tokio::test]
async fn a_damaged_segment_is_fetched_again() {
    let (mut world, _fake) = world();
    world.append("backend.log", &lines(0..20).0);
    world.settle(20).await;
    world.close().await;
    std::fs::remove_file(world.logs().join("backend.log")).unwrap();
    for at in [200, u64::MAX] {
        world.reopen();
        let path = world.store().shared.view().segments[0].path.clone();
        if at == u64::MAX {
            // The tail, which is read at the start.
            world.close().await;
            let bytes = std::fs::read(&path).unwrap();
            std::fs::write(&path, &bytes[..bytes.len() - 3]).unwrap();
            world.reopen();
        } else {
            use std::os::unix::fs::FileExt;
            let file = std::fs::File::options().write(true).open(&path).unwrap();
            file.write_all_at(b"damage!", at).unwrap();
        }
        assert_eq!(world.raws().await, lines(0..20).1);
        assert_eq!(world.store().stats().await.unwrap().quarantined, 1);
        world.close().await;
    }
}

/// Neither is a line lost, although its file is, nor is one there twice, although it is not.
#[tokio::test]
async fn damage_to_what_was_joined_and_not_sent_brings_the_originals_back() {
    for (file_stays, disk_stays) in [(false, true), (false, false), (true, true)] {
        let (mut world, fake, _) = joinable(10).await;
        fake.away.store(true, Ordering::Relaxed);
        tend::once(&world.store().shared).unwrap();
        let segments = world.store().shared.view().segments.clone();
        let joined = segments.iter().find(|one| !one.meta.replaces.is_empty());
        let path = joined.expect("nothing was joined").path.clone();
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        std::os::unix::fs::FileExt::write_all_at(&file, b"damage!", 200).unwrap();
        if !file_stays {
            std::fs::remove_file(world.logs().join("backend.log")).unwrap();
        }
        fake.away.store(false, Ordering::Relaxed);
        far::send(&world.store().shared, &*fake);
        world
            .until(LIMIT, "there again", |stats| stats.lines == 100)
            .await;
        assert_eq!(world.raws().await, lines(0..100).1);
        assert_eq!(world.store().stats().await.unwrap().quarantined, 1);
        world.crash();
        if !disk_stays {
            // Then all of them are there still, or what they were joined to anew.
            lose_disk(&world);
        }
        world.reopen();
        world.settle(100).await;
        assert_eq!(world.raws().await, lines(0..100).1);
    }
}

#[tokio::test]
async fn the_data_directory_keeps_no_more_than_it_may() {
    let (mut world, _fake) = world();
    world.append("backend.log", &lines(0..200).0);
    world.settle(200).await;
    world.close().await;
    world.options = world.options.clone().near_bytes(1);
    world.reopen();
    world.settle(200).await;
    for _ in 0..2 {
        assert_eq!(world.raws().await, lines(0..200).1);
        tend::once(&world.store().shared).unwrap();
        let entries = std::fs::read_dir(&world.options.data_dir).unwrap();
        let ends = entries.map(|entry| entry.unwrap().path());
        let near = ends.filter(|path| path.extension().is_some_and(|end| end == "parquet"));
        assert_eq!(near.count(), 0);
    }
}

/// The real clients: in memory, and in a folder.
#[cfg(feature = "object-store")]
#[tokio::test]
async fn object_stores_hold_segments() {
    let folder = tempfile::TempDir::new().unwrap();
    let url = format!("file://{}/some/folder", folder.path().display());
    let memory = Arc::new(object_store::memory::InMemory::new());
    for at in ["memory", &url] {
        let mut world = World::with(|options| {
            let options = options.seal_rows(30);
            match at {
                "memory" => options.segments_on(memory.clone()).unwrap(),
                url => options.segments_url(url).unwrap(),
            }
        });
        world.append("backend.log", &lines(0..100).0);
        world.settle(100).await;
        world.close().await;
        lose_disk(&world);
        std::fs::remove_file(world.logs().join("backend.log")).unwrap();
        world.reopen();
        assert_eq!(world.raws().await, lines(0..100).1, "{at}");
        world.close().await;
        world.options = world.options.clone().max_bytes(1);
        world.reopen();
        tend::once(&world.store().shared).unwrap();
        world.close().await;
        world.reopen();
        assert_eq!(world.store().stats().await.unwrap().segments, 0, "{at}");
        world.close().await;
    }
    let options = super::StoreOptions::new("logs", "data");
    for address in ["no address", "ftp://host/folder"] {
        let error = options.clone().segments_url(address).unwrap_err();
        assert!(error.to_string().starts_with("OT0309"), "{error}");
    }
    for (address, feature, compiled_in) in [
        ("s3://bucket/folder", "aws", cfg!(feature = "aws")),
        ("gs://bucket/folder", "gcp", cfg!(feature = "gcp")),
        ("az://container/folder", "azure", cfg!(feature = "azure")),
    ] {
        if !compiled_in {
            let error = options.clone().segments_url(address).unwrap_err();
            let remedy = format!("--features {feature}");
            assert!(error.to_string().contains(&remedy), "{error}");
        }
    }
}
