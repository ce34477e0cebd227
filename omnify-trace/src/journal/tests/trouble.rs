//! Disks that fill, directories that go, clocks that step back: the caller is not troubled.

use std::process::Command;

use super::*;

/// The journal goes on in a directory that was removed and comes back.
#[test]
fn a_directory_that_is_removed_is_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let logs = dir.path().join("logs");
    let (journal, _) = Journal::open(JournalOptions::new(&logs)).unwrap();
    journal.write(Stream::Backend, b"before").unwrap();
    journal.flush(SOON).unwrap();
    fs::remove_dir_all(&logs).unwrap();
    journal.write(Stream::Backend, b"after").unwrap();
    journal.close(SOON).unwrap();
    assert_eq!(lines(&logs.join("backend.log")), ["after"]);
}

#[test]
fn a_file_that_is_moved_away_or_truncated_is_followed() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = Journal::open(JournalOptions::new(dir.path())).unwrap();
    let file = dir.path().join("backend.log");
    let say = |text: &str| {
        journal.write(Stream::Backend, text.as_bytes()).unwrap();
        journal.flush(SOON).unwrap();
    };
    say("one");
    fs::rename(&file, dir.path().join("backend.old")).unwrap();
    say("two");
    assert_eq!(lines(&file), ["two"]);
    assert_eq!(lines(&dir.path().join("backend.old")), ["one"]);
    fs::OpenOptions::new()
        .write(true)
        .open(&file)
        .unwrap()
        .set_len(0)
        .unwrap();
    say("three");
    assert_eq!(lines(&file), ["three"]);
}

#[test]
fn files_rotate_by_size_and_no_line_is_torn_or_lost() {
    let dir = tempfile::tempdir().unwrap();
    let retention = Retention {
        max_files: Some(1_000),
        ..Retention::default()
    };
    let options = JournalOptions::new(dir.path())
        .max_file_bytes(20_000)
        .compression(Compression::Gzip)
        .retention(retention);
    let (journal, _) = Journal::open(options).unwrap();
    for n in 0..1_000 {
        journal
            .write(Stream::Backend, format!("{n:099}").as_bytes())
            .unwrap();
    }
    journal.close(SOON).unwrap();
    assert!(journal.stats().rotations >= 4, "{:?}", journal.stats());
    let begin = Instant::now();
    // The rounds of compression are over when all names but two are compressed.
    let files = loop {
        let files: Vec<_> = fs::read_dir(dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| !path.file_name().unwrap().to_string_lossy().starts_with('.'))
            .collect();
        if files
            .iter()
            .filter(|path| path.extension().unwrap() == "log")
            .count()
            == 2
        {
            break files;
        }
        if begin.elapsed() > Duration::from_secs(2) {
            // A round that began while another one ran is left to the next rotation.
            housekeeping::start(&JournalOptions::new(dir.path()).compression(Compression::Gzip));
        }
        assert!(begin.elapsed() < SOON, "{files:?}");
        thread::sleep(Duration::from_millis(10));
    };
    let mut seen = Vec::new();
    for file in files {
        let read = Command::new("gzip")
            .args(["-dcf"])
            .arg(&file)
            .output()
            .unwrap();
        assert!(read.stdout.len() <= 20_000);
        for line in String::from_utf8(read.stdout).unwrap().lines() {
            assert_eq!(line.len(), 99);
            seen.push(line.parse::<u64>().unwrap());
        }
    }
    seen.sort_unstable();
    assert_eq!(seen, (0..1_000).collect::<Vec<_>>());
}

#[test]
fn a_file_of_yesterday_is_set_aside_and_a_clock_that_steps_back_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("backend.log");
    fs::write(&file, "yesterday\n").unwrap();
    let options = JournalOptions::new(dir.path());
    let now = clock::Moment::now();
    let day = |days: i64| {
        let moment = std::time::SystemTime::now();
        let step = Duration::from_secs(days.unsigned_abs() * 86_400);
        clock::Moment::from(if days < 0 {
            moment - step
        } else {
            moment + step
        })
    };
    let mut stream = files::StreamFile::new(&options, Stream::Backend, 0);
    let mut write = |batch: &[u8], now| {
        stream.prepare(batch, now).unwrap();
        stream.append(batch).unwrap();
        stream.commit();
        stream.rotations()
    };
    assert_eq!(write(b"today\n", now), 0);
    assert_eq!(write(b"the clock steps back\n", day(-400)), 0);
    assert_eq!(write(b"and forth\n", now), 0);
    assert_eq!(write(b"tomorrow\n", day(1)), 1);
    assert_eq!(write(b"back again\n", now), 1);
    assert_eq!(lines(&file), ["tomorrow", "back again"]);
    let set_aside = dir.path().join(format!("backend.{}.log", day(1).compact()));
    assert_eq!(
        lines(&set_aside),
        ["yesterday", "today", "the clock steps back", "and forth"]
    );
}

/// What cannot be appended to is set aside, if that is possible.
#[test]
fn something_else_under_the_files_name_is_set_aside() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("backend.log")).unwrap();
    let (journal, _) = Journal::open(JournalOptions::new(dir.path())).unwrap();
    journal.write(Stream::Backend, b"x").unwrap();
    journal.close(SOON).unwrap();
    assert_eq!(lines(&dir.path().join("backend.log")), ["x"]);
}

/// The files cannot be written for a while: callers wait a bounded time and only once, what the
/// ring holds arrives later, and what was lost is told.
#[test]
fn while_files_cannot_be_written_lines_wait_and_the_rest_is_counted() {
    let dir = tempfile::tempdir().unwrap();
    let logs = dir.path().join("logs");
    let options = JournalOptions::new(&logs)
        .ring_dir(dir.path().join("ring"))
        .ring_bytes(16 * 1024)
        .when_full(WhenFull::Block(Duration::from_millis(50)));
    let (journal, _) = Journal::open(options).unwrap();
    // A file in the place of the directory: no file can be made there.
    fs::remove_dir(&logs).unwrap();
    fs::write(&logs, "").unwrap();
    let begin = Instant::now();
    let results: Vec<_> = (0..1_000)
        .map(|n| journal.write(Stream::Backend, format!("{n:099}").as_bytes()))
        .collect();
    assert!(
        begin.elapsed() < Duration::from_secs(5),
        "{:?}",
        begin.elapsed()
    );
    let taken = results.iter().filter(|result| result.is_ok()).count();
    assert!((100..200).contains(&taken), "{taken}");
    let begin = Instant::now();
    while journal.stats().failures == 0 {
        assert!(begin.elapsed() < SOON);
        thread::yield_now();
    }
    assert!(journal.flush(Duration::from_millis(10)).is_err());
    assert!(journal.stats().last_failure.is_some());
    fs::remove_file(&logs).unwrap();
    journal.flush(SOON).unwrap();
    journal.close(SOON).unwrap();
    let lines = lines(&logs.join("backend.log"));
    let (losses, lines): (Vec<&String>, Vec<&String>) =
        lines.iter().partition(|line| line.contains("log_loss"));
    let numbers: Vec<usize> = lines.iter().map(|line| line.parse().unwrap()).collect();
    let expected: Vec<usize> = (0..1_000).filter(|n| results[*n].is_ok()).collect();
    assert_eq!(numbers, expected);
    let told: u64 = losses
        .iter()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|line| line["extra"]["count"].as_u64().unwrap())
        .sum();
    assert_eq!(told as usize, 1_000 - taken);
}

/// A refused line must not wake a drainer that waits for a dead disk: dropping stays cheap.
#[test]
fn dropping_is_cheap_while_files_cannot_be_written() {
    let dir = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/dev/full", dir.path().join("backend.log")).unwrap();
    let options = JournalOptions::new(dir.path())
        .ring_bytes(16 * 1024)
        .when_full(WhenFull::Drop);
    let (journal, _) = Journal::open(options).unwrap();
    for _ in 0..200_000 {
        let _ = journal.write(Stream::Backend, &[b'x'; 100]);
    }
    let stats = journal.stats();
    assert!(stats.lost() > 190_000, "{stats:?}");
    assert!(stats.failures < 100, "{stats:?}");
    fs::remove_file(dir.path().join("backend.log")).unwrap();
    journal.close(SOON).unwrap();
}

/// No ring file can be had: the journal works all the same, and says so.
#[test]
fn without_a_ring_file_the_ring_lies_in_plain_memory() {
    let dir = tempfile::tempdir().unwrap();
    for slot in 0..slot::SLOTS {
        // A directory in the place of each ring file.
        fs::create_dir(slot::path(dir.path(), slot)).unwrap();
    }
    let (journal, recovery) = Journal::open(JournalOptions::new(dir.path())).unwrap();
    assert!(recovery.volatile.is_some() && journal.stats().volatile);
    journal.write(Stream::Backend, b"x").unwrap();
    journal.close(SOON).unwrap();
    assert_eq!(lines(&dir.path().join("backend.log")), ["x"]);
}
