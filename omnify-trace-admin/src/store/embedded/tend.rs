//! Housekeeping: small segments are joined, old ones go, damaged ones are set aside.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use fail::fail_point;

use super::{
    chunk::Builder,
    far::{self, Named, Objects},
    segment::Segment,
    shared::{self, Shared},
    source::{Catalog, Extent, Mark},
};
use crate::store::StoreError;

const TEND: &str = "tend the segments";

/// How often there is a look round.
const EVERY: Duration = Duration::from_secs(10);
/// So many small segments are worth joining.
const WORTH_JOINING: usize = 8;
/// What became of segments that retention removed.
pub(crate) const RETIRED: &str = "retired.json";

/// The housekeeper's thread.
pub(crate) fn run(shared: &Shared) {
    while !shared.closing() {
        match once(shared) {
            Ok(()) => shared.recover(TEND),
            Err(error) => shared.complain(TEND, &error),
        }
        shared.wait(EVERY);
    }
}

/// One look round.
pub(crate) fn once(shared: &Shared) -> Result<(), StoreError> {
    let _tending = shared.tending.lock();
    retain(shared)?;
    // What was joined is removed from the object store first: a segment names those that it
    // replaces, but not those that they replaced.
    while !shared.closing() && shared.gone.lock().is_empty() && compact(shared)? {}
    far::make_room(shared)
}

/// Joins small segments that follow each other in time. Gives whether there were enough.
fn compact(shared: &Shared) -> Result<bool, StoreError> {
    let most = shared.options.seal_rows as u64;
    let mut small: Vec<Arc<Segment>> = shared.view().segments.clone();
    small.retain(|segment| segment.meta.rows <= most / 4);
    small.sort_by_key(|segment| segment.meta.first);
    let mut group: Vec<Arc<Segment>> = Vec::new();
    let mut rows = 0;
    for segment in small {
        if rows + segment.meta.rows > most {
            break;
        }
        rows += segment.meta.rows;
        group.push(segment);
    }
    if group.len() < WORTH_JOINING {
        return Ok(false);
    }
    let joined = match join(shared, &group) {
        Err(StoreError::Damaged { path, .. }) => {
            take_out(shared, Path::new(&path))?;
            return Ok(true);
        }
        other => other?,
    };
    fail_point!("compact-swap");
    let gone: HashSet<&str> = group
        .iter()
        .map(|segment| segment.meta.id.as_str())
        .collect();
    shared.change(|view| {
        view.segments
            .retain(|segment| !gone.contains(segment.meta.id.as_str()));
        view.segments.push(Arc::new(joined));
    });
    forget(shared, &group);
    for segment in &group {
        fail_point!("compact-remove");
        remove(&segment.path)?;
    }
    Ok(true)
}

/// One segment with the rows of several.
fn join(shared: &Shared, group: &[Arc<Segment>]) -> Result<Segment, StoreError> {
    let odd = |error: arrow_schema::ArrowError| StoreError::Unavailable(error.to_string());
    let mut builder = Builder::default();
    let mut catalog = Catalog::default();
    let mut chunks = Vec::with_capacity(group.len());
    for segment in group {
        for extent in &segment.meta.sources {
            catalog.add(extent);
        }
        for group in 0..segment.groups.len() {
            let chunk = segment.read_all(group)?;
            for row in 0..chunk.rows() {
                let slot = builder.source(chunk.source_of(row));
                // A line without a time of its own keeps the time it arrived at.
                builder.push(
                    slot,
                    chunk.offset.value(row),
                    &chunk.raw(row),
                    chunk.time.value(row),
                );
            }
        }
        // In parts, so that putting rows in order never needs all of them twice.
        chunks.push(Arc::new(builder.freeze().map_err(odd)?));
    }
    let extents = catalog.extents(&builder.sources());
    let replaces = group
        .iter()
        .map(|segment| segment.meta.id.clone())
        .collect();
    shared::write(&shared.options.data_dir, &chunks, extents, replaces)
}

/// Removes what is too old or too much.
fn retain(shared: &Shared) -> Result<(), StoreError> {
    let mut segments = shared.view().segments.clone();
    segments.sort_by_key(|segment| segment.meta.last);
    let mut bytes: u64 = segments.iter().map(|segment| segment.bytes).sum();
    let now = crate::time::now();
    let age = shared
        .options
        .max_age
        .map(|age| i64::try_from(age.as_nanos()).unwrap_or(i64::MAX));
    let oldest = age.map_or(i64::MIN, |age| now.saturating_sub(age));
    let mut gone = Vec::new();
    for segment in segments {
        let too_much = shared.options.max_bytes.is_some_and(|most| bytes > most);
        if segment.meta.last < oldest || too_much {
            bytes -= segment.bytes;
            gone.push(segment);
        }
    }
    if gone.is_empty() {
        return Ok(());
    }
    let directory = &shared.options.data_dir;
    let mut retired = Catalog::default();
    for extent in read_retired(directory)
        .iter()
        .chain(gone.iter().flat_map(|gone| &gone.meta.sources))
    {
        retired.add(extent);
    }
    // First it is written down that these lines were here: they must not be read again.
    write_retired(directory, &retired.all())?;
    fail_point!("retain-remove");
    let ids: HashSet<&str> = gone
        .iter()
        .map(|segment| segment.meta.id.as_str())
        .collect();
    shared.change(|view| {
        view.segments
            .retain(|segment| !ids.contains(segment.meta.id.as_str()));
    });
    forget(shared, &gone);
    for segment in &gone {
        remove(&segment.path)?;
        fail_point!("retain-next");
    }
    Ok(())
}

/// The object store need not have these segments any more.
fn forget(shared: &Shared, segments: &[Arc<Segment>]) {
    if shared.options.far.is_some() {
        let names = segments.iter().map(|segment| segment.name().to_owned());
        shared.gone.lock().extend(names);
    }
}

/// What was stored once and has been removed since.
pub(crate) fn read_retired(directory: &Path) -> Vec<Extent> {
    let text = std::fs::read(directory.join(RETIRED)).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

fn write_retired(directory: &Path, extents: &[Extent]) -> Result<(), StoreError> {
    let text =
        serde_json::to_vec(extents).map_err(|error| StoreError::Unavailable(error.to_string()))?;
    shared::write_whole(directory, RETIRED, &text)
}

pub(crate) fn remove(path: &Path) -> Result<(), StoreError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(super::io("remove", path)(error))
        }
        _ => Ok(()),
    }
}

/// Takes a damaged segment out of the way; the tailer then reads its lines again if their
/// files are still there.
pub(crate) fn quarantine(shared: &Shared, path: &Path) -> Result<(), StoreError> {
    let _tending = shared.tending.lock();
    take_out(shared, path)
}

fn take_out(shared: &Shared, path: &Path) -> Result<(), StoreError> {
    let found = shared
        .view()
        .segments
        .iter()
        .find(|segment| segment.path == path)
        .cloned();
    let Some(segment) = found else {
        return Ok(());
    };
    let restored = restore(shared, &segment)?;
    let is_restored = restored.is_some();
    let originals = match restored {
        Some(copy) => vec![Arc::new(copy)],
        None => originals(shared, &segment)?,
    };
    shared.quarantined.fetch_add(1, Ordering::Relaxed);
    shared.change(|view| {
        view.segments
            .retain(|known| known.meta.id != segment.meta.id);
        view.segments.extend(originals.iter().cloned());
    });
    if is_restored {
        return Ok(());
    }
    forget(shared, std::slice::from_ref(&segment));
    let mut catalog = shared.catalog.lock();
    catalog.forget(&segment.meta.sources);
    let kept = originals.iter().flat_map(|kept| &kept.meta.sources);
    kept.for_each(|extent| catalog.add(extent));
    drop(catalog);
    shared.reread.store(true, Ordering::Relaxed);
    Ok(())
}

/// What a segment that was not sent replaces is on the object store still: it counts again, so
/// that its lines are neither lost with the segment nor, read again, there twice.
fn originals(shared: &Shared, segment: &Segment) -> Result<Vec<Arc<Segment>>, StoreError> {
    let mut found = Vec::new();
    let Some(objects) = shared.options.far.as_ref().filter(|_| !segment.is_sent()) else {
        return Ok(found);
    };
    if segment.meta.replaces.is_empty() {
        return Ok(found);
    }
    let is_original = |name: &str| segment.meta.replaces.iter().any(|id| name.starts_with(id));
    let named = objects.list().map_err(far::unreachable)?;
    let mut gone = shared.gone.lock();
    for named in named {
        if !is_original(&named.name) || !gone.contains(&named.name) {
            continue;
        }
        match Segment::open_far(&shared.options.data_dir, objects, &named) {
            Ok(original) => found.push(Arc::new(original)),
            Err(StoreError::Damaged { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    gone.retain(|name| !found.iter().any(|kept| kept.name() == name));
    Ok(found)
}

/// Sets a damaged segment aside; gives the object store's copy of it, if that is whole.
fn restore(shared: &Shared, segment: &Segment) -> Result<Option<Segment>, StoreError> {
    let directory = &shared.options.data_dir;
    let mut restored = None;
    if let Some(objects) = shared.options.far.as_ref().filter(|_| segment.is_sent()) {
        let named = Named {
            name: segment.name().to_owned(),
            bytes: segment.bytes,
        };
        // If it does not answer, all stays as it is until the next question.
        match Segment::open_far(directory, objects, &named) {
            Ok(copy) => restored = Some(copy),
            Err(StoreError::Damaged { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    if segment.path.exists() {
        set_aside(directory, &segment.path)?;
    }
    match restored.map(|copy| copy.check().map(|()| copy)) {
        Some(Err(StoreError::Damaged { .. })) => {
            set_aside(directory, &segment.path)?;
            Ok(None)
        }
        Some(checked) => checked.map(Some),
        None => Ok(None),
    }
}

/// Moves a file to the quarantine.
pub(crate) fn set_aside(directory: &Path, path: &Path) -> Result<(), StoreError> {
    let quarantine = directory.join("quarantine");
    std::fs::create_dir_all(&quarantine).map_err(super::io("create", &quarantine))?;
    let target = quarantine.join(path.file_name().unwrap_or_default());
    std::fs::rename(path, &target).map_err(super::io("move", path))
}

/// The segments of a directory, as they were found.
pub(crate) struct Opened {
    pub(crate) segments: Vec<Arc<Segment>>,
    pub(crate) quarantined: u64,
    /// What the object store need not have any more.
    pub(crate) gone: Vec<String>,
}

/// Opens all segments; finishes what a crash left half done.
pub(crate) fn open_all(
    directory: &Path,
    objects: Option<&Arc<dyn Objects>>,
) -> Result<Opened, StoreError> {
    let mut opened = Opened {
        segments: Vec::new(),
        quarantined: 0,
        gone: Vec::new(),
    };
    let entries = std::fs::read_dir(directory).map_err(super::io("read", directory))?;
    for entry in entries {
        let path: PathBuf = entry.map_err(super::io("read", directory))?.path();
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("tmp") => remove(&path)?,
            Some("parquet") => match Segment::open(&path) {
                Ok(segment) => opened.segments.push(Arc::new(segment)),
                Err(_) => {
                    opened.quarantined += 1;
                    set_aside(directory, &path)?;
                }
            },
            _ => {}
        }
    }
    if let Some(objects) = objects {
        let found = far::open_all(directory, objects, &opened.segments)?;
        opened.segments.extend(found.segments);
        opened.quarantined += found.damaged;
    }
    let replaced: HashSet<String> = opened
        .segments
        .iter()
        .flat_map(|segment| segment.meta.replaces.clone())
        .collect();
    let (mut gone, segments): (Vec<_>, Vec<_>) = opened
        .segments
        .into_iter()
        .partition(|segment| replaced.contains(&segment.meta.id));
    opened.segments = segments;
    // The oldest first: a segment must not go before those that only it says to be replaced.
    gone.sort_by(|one, other| one.meta.id.cmp(&other.meta.id));
    for segment in &gone {
        remove(&segment.path)?;
        opened.gone.push(segment.name().to_owned());
    }
    Ok(opened)
}

impl Catalog {
    /// Everything, as extents in the order of these sources.
    fn extents(&self, order: &[Arc<super::source::Source>]) -> Vec<Extent> {
        let mut all = self.all();
        let place = |extent: &Extent| {
            order
                .iter()
                .position(|source| source.id == extent.source.id)
                .unwrap_or(usize::MAX)
        };
        all.sort_by_key(place);
        all
    }

    /// Everything, as extents.
    pub(crate) fn all(&self) -> Vec<Extent> {
        let extent = |known: &super::source::Known| Extent {
            source: (*known.source).clone(),
            ranges: known.ranges.iter().collect(),
            mark: known.mark,
        };
        self.iter().map(extent).collect()
    }

    /// These ranges are not stored any more.
    fn forget(&mut self, extents: &[Extent]) {
        for extent in extents {
            let Some(known) = self.get_mut(extent.source.id) else {
                continue;
            };
            for &(start, end) in &extent.ranges {
                known.ranges.remove(start, end);
            }
            if known.ranges.end() < known.mark.end {
                known.mark = Mark::default();
            }
        }
    }
}
