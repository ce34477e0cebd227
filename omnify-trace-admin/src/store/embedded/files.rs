//! The log files of a directory: finds them and knows them again under another name.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use super::{
    follow::{Followed, Identity, identify},
    source::Catalog,
};
use crate::store::Reading;

/// How long a packed file that could not be placed is left alone.
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// Every log file of a directory that is not read to its end for good.
pub(crate) struct LogFiles {
    directory: PathBuf,
    pub(crate) followed: Vec<Followed>,
    /// Packed files that could not be told from others yet, and when they were tried: that
    /// takes unpacking them.
    tried: Vec<(Identity, Instant)>,
}

impl LogFiles {
    pub(crate) fn new(directory: PathBuf) -> Self {
        Self {
            directory,
            followed: Vec::new(),
            tried: Vec::new(),
        }
    }

    /// Looks at every file anew the next time.
    pub(crate) fn forget(&mut self) {
        self.followed.clear();
    }

    /// Lets go of files that have nothing more to give.
    pub(crate) fn forget_finished(&mut self) {
        self.followed.retain(|file| !file.finished());
    }

    /// The files that are not read to their end yet, the longest way to go first.
    pub(crate) fn unread(&self) -> Vec<Reading> {
        let mut unread: Vec<Reading> = self
            .followed
            .iter()
            .map(Followed::progress)
            .filter(|file| file.read < file.size)
            .collect();
        unread.sort_by_key(|file| std::cmp::Reverse(file.size - file.read));
        unread
    }

    /// Looks for files that are new, renamed or gone.
    pub(crate) fn scan(&mut self, catalog: &Mutex<Catalog>) {
        let found = list(&self.directory);
        for file in &mut self.followed {
            let here = found
                .iter()
                .find(|(_, identity)| *identity == file.identity);
            file.seen_as(here.map(|(path, _)| path.as_path()));
        }
        let unknown: Vec<&(PathBuf, Identity)> = found
            .iter()
            .filter(|(_, identity)| !self.followed.iter().any(|file| file.identity == *identity))
            .collect();
        self.tried.retain(|(_, at)| at.elapsed() < TRY_AGAIN);
        for same_inode in [true, false] {
            for (path, identity) in &unknown {
                if self.followed.iter().any(|file| file.identity == *identity)
                    || self.tried.iter().any(|(tried, _)| tried == identity)
                {
                    continue;
                }
                let mut known = catalog.lock();
                if let Some(file) =
                    identify(path, *identity, &mut known, &self.followed, same_inode)
                {
                    drop(known);
                    self.followed.push(file);
                } else if !same_inode && path.extension().is_some_and(|end| end == "gz") {
                    self.tried.push((*identity, Instant::now()));
                }
            }
        }
    }
}

/// The log files, the longest unchanged first.
fn list(directory: &Path) -> Vec<(PathBuf, Identity)> {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        if name.starts_with('.') || !(name.ends_with(".log") || name.ends_with(".log.gz")) {
            continue;
        }
        if let Ok(metadata) = std::fs::metadata(entry.path())
            && metadata.is_file()
        {
            let changed = metadata.modified().ok();
            found.push((changed, entry.path(), Identity::of(&metadata)));
        }
    }
    found.sort();
    found
        .into_iter()
        .map(|(_, path, identity)| (path, identity))
        .collect()
}
