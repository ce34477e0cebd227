//! Which source a file is, whatever its name.

use std::{
    fs::File,
    io::{BufReader, Read},
    os::unix::fs::FileExt,
    path::Path,
    time::Instant,
};

use flate2::read::MultiGzDecoder;

use super::{Followed, Identity, Input, PATIENCE, read_full, skip};
use crate::store::embedded::source::{Catalog, HEAD, Known, Mark, hash};

/// Finds out which source a file is. `None`: not yet to be known, or a copy of one that is
/// being followed.
pub(crate) fn identify(
    path: &Path,
    identity: Identity,
    catalog: &mut Catalog,
    followed: &[Followed],
    same_inode: bool,
) -> Option<Followed> {
    let name = path.file_name()?.to_str()?;
    let packed = name.ends_with(".gz");
    let size = std::fs::metadata(path).ok()?.len();
    let head = head(path, packed)?;
    let candidates: Vec<Known> = catalog
        .with_head(head.len() as u64, hash(&[&head]))
        .cloned()
        .collect();
    for known in candidates {
        let own = known.source.device == identity.0 && known.source.inode == identity.1;
        if own != same_inode {
            continue;
        }
        let holder = followed
            .iter()
            .find(|file| file.source.id == known.source.id);
        if let Some(holder) = holder
            && holder.is_intact()
        {
            if is_prefix_of(path, packed, holder) {
                return None;
            }
            continue;
        }
        if ends_alike(path, packed, &known.mark) {
            return open(path, identity, &known, packed, size);
        }
    }
    if same_inode {
        return None;
    }
    let known = catalog.create(name, (identity.0, identity.1), &head);
    open(path, identity, &known, packed, size)
}

fn open(
    path: &Path,
    identity: Identity,
    known: &Known,
    packed: bool,
    size: u64,
) -> Option<Followed> {
    let input = if packed {
        Input::Packed {
            reader: Box::new(unpack(path)?),
            position: 0,
            size,
        }
    } else {
        Input::Plain(File::open(path).ok()?)
    };
    Some(Followed {
        identity,
        source: known.source.clone(),
        path: path.to_owned(),
        input,
        ranges: known.ranges.clone(),
        offset: 0,
        buffer: Vec::new(),
        recent: Vec::new(),
        grown: Instant::now(),
        moved: false,
        gone: false,
        done: false,
        lost: false,
    })
}

fn unpack(path: &Path) -> Option<MultiGzDecoder<BufReader<File>>> {
    Some(MultiGzDecoder::new(BufReader::new(File::open(path).ok()?)))
}

/// The first line, of which at most [`HEAD`] bytes. `None` while there is less than that.
fn head(path: &Path, packed: bool) -> Option<Vec<u8>> {
    let mut head = vec![0; HEAD];
    let read = if packed {
        read_full(&mut unpack(path)?, &mut head).ok()?
    } else {
        File::open(path).ok()?.read_at(&mut head, 0).ok()?
    };
    head.truncate(read);
    match memchr::memchr(b'\n', &head) {
        Some(at) => head.truncate(at + 1),
        None if read == HEAD || (packed && read > 0) => {}
        None => {
            let changed = std::fs::metadata(path).ok()?.modified().ok()?;
            let quiet = changed.elapsed().is_ok_and(|age| age > PATIENCE);
            if read == 0 || !quiet {
                return None;
            }
        }
    }
    Some(head)
}

/// Whether the file has the bytes that end where the store's knowledge of a source ends.
fn ends_alike(path: &Path, packed: bool, mark: &Mark) -> bool {
    let read = || {
        let start = mark.end.checked_sub(mark.tail_length)?;
        let mut bytes = vec![0; usize::try_from(mark.tail_length).ok()?];
        if packed {
            let mut reader = unpack(path)?;
            skip(&mut reader, start)?;
            reader.read_exact(&mut bytes).ok()?;
        } else {
            File::open(path)
                .ok()?
                .read_exact_at(&mut bytes, start)
                .ok()?;
        }
        Some(bytes)
    };
    read().is_some_and(|bytes| hash(&[&bytes]) == mark.tail)
}

/// Whether a file says what the followed one says, as far as both go: a copy in the making.
fn is_prefix_of(path: &Path, packed: bool, holder: &Followed) -> bool {
    if packed || matches!(holder.input, Input::Packed { .. }) {
        return ends_alike(path, packed, &holder.mark()) || packed;
    }
    let compare = || {
        let file = File::open(path).ok()?;
        let length = file.metadata().ok()?.len();
        let end = length.min(holder.offset);
        let tail = usize::try_from(end.min(4096)).ok()?;
        let (mut ours, mut theirs) = (vec![0; tail], vec![0; tail]);
        let Input::Plain(held) = &holder.input else {
            return None;
        };
        file.read_exact_at(&mut ours, end - tail as u64).ok()?;
        held.read_exact_at(&mut theirs, end - tail as u64).ok()?;
        Some(ours == theirs)
    };
    compare().unwrap_or(true)
}
