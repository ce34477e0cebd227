//! Where a segment's file is: in the data directory, on the object store, or both.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use parking_lot::RwLock;

use super::{Segment, file::SegmentFile, open::file_name};
use crate::store::{
    StoreError,
    embedded::{
        far::{self, Objects},
        io, shared,
    },
};

/// Where a segment's rows are.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) length: u64,
    near: RwLock<Option<SegmentFile>>,
    /// Where to fetch it from if it is not near.
    objects: RwLock<Option<Arc<dyn Objects>>>,
    sent: AtomicBool,
}

impl Held {
    pub(super) fn near(file: SegmentFile) -> Self {
        Self {
            length: file.length,
            near: RwLock::new(Some(file)),
            objects: RwLock::default(),
            sent: AtomicBool::new(false),
        }
    }

    pub(super) fn far(objects: Arc<dyn Objects>, length: u64) -> Self {
        Self {
            length,
            near: RwLock::default(),
            objects: RwLock::new(Some(objects)),
            sent: AtomicBool::new(true),
        }
    }
}

impl Segment {
    /// The file's name, which is also the object's.
    pub(crate) fn name(&self) -> &str {
        file_name(&self.path)
    }

    /// Whether the object store has it.
    pub(crate) fn is_sent(&self) -> bool {
        self.held.sent.load(Ordering::Relaxed)
    }

    pub(crate) fn mark_sent(&self) {
        self.held.sent.store(true, Ordering::Relaxed);
    }

    /// Whether the data directory has it.
    pub(crate) fn is_near(&self) -> bool {
        self.held.near.read().is_some()
    }

    /// Its rows are fetched from the object store from now on; reads under way keep the file.
    pub(crate) fn leave(&self, objects: &Arc<dyn Objects>) {
        *self.held.objects.write() = Some(objects.clone());
        *self.held.near.write() = None;
    }

    /// The file, fetched from the object store if it is not near.
    pub(super) fn file(&self) -> Result<SegmentFile, StoreError> {
        if let Some(file) = &*self.held.near.read() {
            return Ok(file.clone());
        }
        let mut near = self.held.near.write();
        if let Some(file) = &*near {
            return Ok(file.clone());
        }
        let gone = || StoreError::Unavailable(format!("{} is not there", self.name()));
        let objects = self.held.objects.read().clone().ok_or_else(gone)?;
        let bytes = objects.get(self.name()).map_err(far::unreachable)?;
        let directory = self.path.parent().unwrap_or(Path::new("."));
        shared::write_whole(directory, self.name(), &bytes)?;
        let file = SegmentFile::open(&self.path).map_err(io("open", &self.path))?;
        Ok(near.insert(file).clone())
    }
}
