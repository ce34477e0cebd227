//! Disks that fill, directories that go, clocks that step back: the caller is not troubled.

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
