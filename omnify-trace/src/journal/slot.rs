//! Slots: which of the processes that share a directory owns which ring and files.
//!
//! A slot is held by a POSIX record lock on its ring file. Such a lock ends with its process,
//! however it ends, and is not inherited by forked children, which must never count as owners.
//! It does not keep the same process out, though, and closing *any* descriptor of the file drops
//! it: hence the list of ring files held in this process, consulted before one is opened.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use rustix::fs::{FlockOperation, fcntl_lock};

/// As many journals can share a directory.
pub(super) const SLOTS: u32 = 64;

static HELD: Mutex<Vec<(u64, u64)>> = Mutex::new(Vec::new());

/// A slot that this process holds.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) number: u32,
    file: Option<File>,
    identity: (u64, u64),
}

impl Slot {
    /// Takes a slot, or says why not: `Ok(None)` if somebody holds it.
    pub(super) fn take(dir: &Path, number: u32) -> io::Result<Option<Self>> {
        Self::open(dir, number, true)
    }

    /// Takes a slot that has a ring file already.
    pub(super) fn take_existing(dir: &Path, number: u32) -> io::Result<Option<Self>> {
        match Self::open(dir, number, false) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            result => result,
        }
    }

    fn open(dir: &Path, number: u32, create: bool) -> io::Result<Option<Self>> {
        let path = path(dir, number);
        let mut held = HELD.lock();
        if fs::metadata(&path).is_ok_and(|meta| held.contains(&(meta.dev(), meta.ino()))) {
            return Ok(None);
        }
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(create)
            .truncate(false)
            .mode(0o600)
            .open(&path)?;
        match fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::ACCESS | rustix::io::Errno::AGAIN) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        let meta = file.metadata()?;
        let identity = (meta.dev(), meta.ino());
        held.push(identity);
        Ok(Some(Self {
            number,
            file: Some(file),
            identity,
        }))
    }
}

impl Slot {
    /// The ring file.
    pub(super) fn file(&self) -> io::Result<&File> {
        self.file
            .as_ref()
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut held = HELD.lock();
        held.retain(|identity| *identity != self.identity);
        // Closed (and with that unlocked) under the list's lock: a moment later it could take the
        // lock away from the slot's next owner in this process.
        self.file.take();
    }
}

/// The ring file of a slot.
pub(super) fn path(dir: &Path, number: u32) -> PathBuf {
    dir.join(format!(".journal-{number}.ring"))
}
