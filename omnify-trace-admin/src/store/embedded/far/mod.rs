//! Segments beyond this machine: an object store that has every sealed segment.
//!
//! A segment is written to the data directory first, where its footer is the tailer's checkpoint;
//! then it is sent, and only after it those that it replaces are removed there. What the footers
//! of both places name is stored; so a line is stored once, whatever is lost between. At the
//! start, of segments that are not near only the tails are fetched; the first question that wants
//! their rows fetches the whole. What is there already may leave the data directory when that
//! grows beyond `StoreOptions::near_bytes`.

#[cfg(feature = "object-store")]
mod cloud;

use std::{fmt::Debug, io, ops::Range, path::Path, sync::Arc};

use bytes::Bytes;
use fail::fail_point;

#[cfg(feature = "object-store")]
pub(crate) use self::cloud::Cloud;
use super::{
    segment::Segment,
    shared::{Shared, write_whole},
    tend::{self, RETIRED, remove},
};
use crate::store::StoreError;

const SEND: &str = "send segments to the object store";

/// An object and its size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) bytes: u64,
}

/// Whole objects by name. Calls block, and come back within a minute or so.
pub(crate) trait Objects: Debug + Send + Sync {
    fn list(&self) -> io::Result<Vec<Named>>;
    fn get(&self, name: &str) -> io::Result<Bytes>;
    fn get_range(&self, name: &str, range: Range<u64>) -> io::Result<Bytes>;
    /// Puts an object; it is there whole or not at all.
    fn put(&self, name: &str, bytes: Bytes) -> io::Result<()>;
    /// Removes an object, which need not be there.
    fn remove(&self, name: &str) -> io::Result<()>;
}

#[expect(clippy::needless_pass_by_value, reason = "as `map_err` wants it")]
pub(crate) fn unreachable(error: io::Error) -> StoreError {
    StoreError::Unavailable(format!("the object store of the segments: {error}"))
}

/// The sender's thread.
pub(crate) fn run(shared: &Shared, objects: &dyn Objects) {
    while !shared.closing() {
        send(shared, objects);
        shared.wait(shared.options.poll * 10);
    }
}

/// Sends what is not there yet, and takes note of how it went.
pub(crate) fn send(shared: &Shared, objects: &dyn Objects) {
    match send_all(shared, objects) {
        Ok(()) => shared.recover(SEND),
        Err(error) => shared.complain(SEND, &error),
    }
}

fn send_all(shared: &Shared, objects: &dyn Objects) -> Result<(), StoreError> {
    // What replaces these is in the view already: it is sent before they are removed.
    let gone: Vec<String> = shared.gone.lock().clone();
    for segment in &shared.view().segments {
        if segment.is_sent() {
            continue;
        }
        let bytes = match std::fs::read(&segment.path) {
            Ok(bytes) => bytes,
            // It was joined with others, or retired, meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(super::io("read", &segment.path)(error)),
        };
        // Damage must not take the place of what is whole there.
        if !segment.meta.replaces.is_empty()
            && let Err(error) = Segment::open(&segment.path).and_then(|again| again.check())
        {
            if matches!(error, StoreError::Damaged { .. }) {
                tend::quarantine(shared, &segment.path)?;
            }
            return Err(error);
        }
        fail_point!("send-segment");
        objects
            .put(segment.name(), bytes.into())
            .map_err(unreachable)?;
        segment.mark_sent();
    }
    if !gone.is_empty() {
        send_retired(shared, objects)?;
    }
    for name in gone {
        fail_point!("send-remove");
        // While it is removed, nobody finds it worth keeping after all.
        let mut left = shared.gone.lock();
        if left.contains(&name) {
            objects.remove(&name).map_err(unreachable)?;
            left.retain(|other| *other != name);
        }
    }
    Ok(())
}

/// What retention has taken must stay known even if this machine's disk is lost.
fn send_retired(shared: &Shared, objects: &dyn Objects) -> Result<(), StoreError> {
    match std::fs::read(shared.options.data_dir.join(RETIRED)) {
        Ok(text) => objects.put(RETIRED, text.into()).map_err(unreachable),
        Err(_) => Ok(()),
    }
}

/// What the object store has that the data directory has not.
pub(crate) struct Found {
    pub(crate) segments: Vec<Arc<Segment>>,
    pub(crate) damaged: u64,
}

/// Opens the segments that are only there, and marks those of the data directory that are there.
pub(crate) fn open_all(
    directory: &Path,
    objects: &Arc<dyn Objects>,
    near: &[Arc<Segment>],
) -> Result<Found, StoreError> {
    let mut found = Found {
        segments: Vec::new(),
        damaged: 0,
    };
    for named in objects.list().map_err(unreachable)? {
        if named.name == RETIRED && !directory.join(RETIRED).exists() {
            let text = objects.get(RETIRED).map_err(unreachable)?;
            write_whole(directory, RETIRED, &text)?;
        }
        if !named.name.ends_with(".parquet") {
            continue;
        }
        if let Some(known) = near.iter().find(|known| known.name() == named.name) {
            known.mark_sent();
            continue;
        }
        match Segment::open_far(directory, objects, &named) {
            Ok(segment) => found.segments.push(Arc::new(segment)),
            Err(StoreError::Damaged { .. }) => found.damaged += 1,
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// Removes from the data directory what the object store has too, the oldest lines first, until
/// no more than the bytes allowed are left.
pub(crate) fn make_room(shared: &Shared) -> Result<(), StoreError> {
    let (Some(most), Some(objects)) = (shared.options.near_bytes, &shared.options.far) else {
        return Ok(());
    };
    let mut near = shared.view().segments.clone();
    near.retain(|segment| segment.is_near());
    near.sort_by_key(|segment| segment.meta.last);
    let mut bytes: u64 = near.iter().map(|segment| segment.bytes).sum();
    for segment in near {
        if bytes <= most {
            break;
        }
        if segment.is_sent() {
            segment.leave(objects);
            remove(&segment.path)?;
            bytes -= segment.bytes;
        }
    }
    Ok(())
}
