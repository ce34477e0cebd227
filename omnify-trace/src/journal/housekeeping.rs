//! Rotated files: compressed, and removed when nobody is to keep them. On a thread of its own, so
//! that draining does not wait for it.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::thread;
use std::time::{Duration, SystemTime};

use flate2::write::GzEncoder;
use parking_lot::Mutex;

use super::options::{Compression, JournalOptions, Retention};
use crate::schema::Stream;

/// A half-made file that is older than this belongs to nobody any more.
const ABANDONED: Duration = Duration::from_secs(3_600);

/// One round at a time in a process. Two processes in one directory do not harm each other: each
/// makes its own temporary file, and what the other one has removed is no error.
static ROUND: Mutex<()> = Mutex::new(());

/// Starts a round in the background, if there is anything to do.
pub(super) fn start(options: &JournalOptions) {
    if options.retention == Retention::default() && options.compression == Compression::None {
        return;
    }
    let (dir, retention) = (options.dir.clone(), options.retention.clone());
    let gzip = options.compression == Compression::Gzip;
    // Without a thread now, the next rotation tries again.
    let _ = thread::Builder::new()
        .name("omnify-keep".into())
        .spawn(move || {
            let Some(_round) = ROUND.try_lock() else {
                return;
            };
            round(&dir, &retention, gzip, SystemTime::now());
        });
}

/// Removes first, so that nothing is compressed only to be removed.
fn round(dir: &Path, retention: &Retention, gzip: bool, now: SystemTime) {
    retain(dir, retention, now);
    if gzip {
        remove_abandoned(dir, now);
        for file in to_compress(rotated(dir)) {
            // A file that cannot be compressed stays plain: nothing is lost.
            let _ = compress(dir, &file);
        }
        retain(dir, retention, now);
    }
}

/// A file that was set aside.
#[derive(Debug, Clone)]
struct Rotated {
    path: PathBuf,
    stream: Stream,
    /// Name without `.log` and time: `backend`, `backend.3`.
    stem: String,
    gzipped: bool,
    bytes: u64,
    modified: SystemTime,
}

/// All of a directory, newest first.
fn rotated(dir: &Path) -> Vec<Rotated> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let mut files: Vec<Rotated> = entries.filter_map(|entry| read(&entry)).collect();
    files.sort_by(|a, b| (b.modified, &b.path).cmp(&(a.modified, &a.path)));
    files
}

fn read(entry: &fs::DirEntry) -> Option<Rotated> {
    let name = entry.file_name().into_string().ok()?;
    let (plain, gzipped) = name
        .strip_suffix(".gz")
        .map_or((&*name, false), |name| (name, true));
    let (stem, stamp) = plain.strip_suffix(".log")?.rsplit_once('.')?;
    let stream = Stream::ALL.into_iter().find(|stream| {
        let rest = stem.strip_prefix(stream.as_str());
        rest.is_some_and(|rest| rest.is_empty() || is_slot(rest))
    })?;
    let meta = entry.metadata().ok()?;
    (is_stamp(stamp) && meta.is_file()).then_some(Rotated {
        path: entry.path(),
        stream,
        stem: stem.to_owned(),
        gzipped,
        bytes: meta.len(),
        modified: meta.modified().ok()?,
    })
}

/// `.3`
fn is_slot(text: &str) -> bool {
    text.strip_prefix('.')
        .is_some_and(|number| number.parse::<u32>().is_ok())
}

/// `20261121T091011Z` or `20261121T091011Z-002`
fn is_stamp(text: &str) -> bool {
    let (stamp, suffix) = text.split_once('-').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    stamp.len() == 16
        && stamp.is_ascii()
        && digits(&stamp[..8])
        && &stamp[8..9] == "T"
        && digits(&stamp[9..15])
        && stamp.ends_with('Z')
        && digits(suffix)
}

fn retain(dir: &Path, retention: &Retention, now: SystemTime) {
    let mut total = 0_u64;
    let mut count: HashMap<Stream, usize> = HashMap::new();
    for file in rotated(dir) {
        let age = now.duration_since(file.modified).unwrap_or_default();
        let nth = count.entry(file.stream).or_default();
        let keep = retention.max_age.is_none_or(|most| age <= most)
            && retention.max_files.is_none_or(|most| *nth < most)
            && retention
                .max_total_bytes
                .is_none_or(|most| total + file.bytes <= most);
        if keep {
            *nth += 1;
            total += file.bytes;
        } else {
            let _ = fs::remove_file(&file.path);
        }
    }
}

/// All plain files but the newest of each stem.
fn to_compress(files: Vec<Rotated>) -> Vec<Rotated> {
    let mut seen: Vec<String> = Vec::new();
    let mut found = Vec::new();
    for file in files {
        if !seen.contains(&file.stem) {
            seen.push(file.stem.clone());
        } else if !file.gzipped {
            found.push(file);
        }
    }
    found
}

/// The compressed file appears whole, and only then the plain one goes. A kill in between leaves
/// both; the next round removes the plain one.
fn compress(dir: &Path, file: &Rotated) -> io::Result<()> {
    let name = file.path.file_name().unwrap_or_default().to_string_lossy();
    let whole = dir.join(format!("{name}.gz"));
    if !whole.exists() {
        let half = dir.join(format!(".{name}.gz.{}.tmp", process::id()));
        let written = write_gzip(file, &half).and_then(|()| fs::rename(&half, &whole));
        if let Err(error) = written {
            let _ = fs::remove_file(&half);
            return Err(error);
        }
    }
    fs::remove_file(&file.path)
}

fn write_gzip(file: &Rotated, to: &Path) -> io::Result<()> {
    let mut plain = File::open(&file.path)?;
    let permissions = plain.metadata()?.permissions();
    let mut gzip = GzEncoder::new(File::create(to)?, flate2::Compression::default());
    io::copy(&mut plain, &mut gzip)?;
    let done = gzip.finish()?;
    done.set_permissions(permissions)?;
    done.set_modified(file.modified)?;
    done.sync_all()
}

fn remove_abandoned(dir: &Path, now: SystemTime) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let Some(rest) = name.strip_prefix('.') else {
            continue;
        };
        let ours = Stream::ALL
            .iter()
            .any(|stream| rest.starts_with(stream.as_str()));
        if ours && name.contains(".log.gz.") && name.ends_with(".tmp") {
            let modified = entry.metadata().and_then(|meta| meta.modified());
            let age = modified
                .ok()
                .and_then(|modified| now.duration_since(modified).ok());
            if age.is_some_and(|age| age > ABANDONED) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    /// Ten days of backend files, the oldest ten days old, and others that are none of ours.
    fn directory() -> (tempfile::TempDir, SystemTime) {
        let dir = tempfile::tempdir().unwrap();
        let now = SystemTime::now();
        for day in 0..10_u32 {
            let path = dir
                .path()
                .join(format!("backend.202611{:02}T000000Z.log", 10 + day));
            fs::write(&path, "x".repeat(100)).unwrap();
            let file = File::options().write(true).open(path).unwrap();
            file.set_modified(now - DAY * (10 - day)).unwrap();
        }
        for other in [
            "backend.log",
            "backend.1.log",
            "other.20261110T000000Z.log",
            "é",
        ] {
            fs::write(dir.path().join(other), "x").unwrap();
        }
        (dir, now)
    }

    fn days(dir: &Path) -> Vec<String> {
        let name = |file: &Rotated| file.path.file_name().unwrap().to_string_lossy()[14..].into();
        rotated(dir).iter().map(name).collect()
    }

    #[test]
    fn names() {
        assert!(is_stamp("20261121T091011Z") && is_stamp("20261121T091011Z-002"));
        assert!(!is_stamp("1") && !is_stamp("20261121T0910é1Z") && !is_stamp("20261121T091011Z-"));
    }

    #[test]
    fn files_are_removed_by_age_count_and_size_and_no_others() {
        for (retention, left) in [
            (
                Retention {
                    max_age: Some(DAY * 4),
                    ..Retention::default()
                },
                4,
            ),
            (
                Retention {
                    max_files: Some(3),
                    ..Retention::default()
                },
                3,
            ),
            (
                Retention {
                    max_total_bytes: Some(250),
                    ..Retention::default()
                },
                2,
            ),
            (Retention::default(), 10),
        ] {
            let (dir, now) = directory();
            round(dir.path(), &retention, false, now);
            let days = days(dir.path());
            assert_eq!(days.len(), left, "{retention:?}");
            assert_eq!(days[0], "19T000000Z.log", "the newest stays");
            assert_eq!(fs::read_dir(&dir).unwrap().count(), left + 4);
        }
    }

    #[test]
    fn all_but_the_newest_are_compressed_and_keep_their_age() {
        let (dir, now) = directory();
        // As if a round had been killed between the two names.
        let plain = rotated(dir.path()).pop().unwrap();
        let whole = plain.path.with_extension("log.gz");
        write_gzip(&plain, &whole).unwrap();
        round(dir.path(), &Retention::default(), true, now);
        let files = rotated(dir.path());
        assert_eq!(files.len(), 10);
        assert!(!days(dir.path())[0].ends_with(".gz"));
        for file in &files[1..] {
            assert!(file.gzipped);
            let mut text = String::new();
            let gzip = File::open(&file.path).unwrap();
            flate2::read::GzDecoder::new(gzip)
                .read_to_string(&mut text)
                .unwrap();
            assert_eq!(text, "x".repeat(100));
            assert!(now.duration_since(file.modified).unwrap() >= DAY);
        }
    }
}
