//! One followed file: which source it is, and its lines from where the store ended.

mod identify;

use std::{
    fs::{File, Metadata},
    io::Read,
    os::unix::fs::{FileExt, MetadataExt},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

pub(crate) use self::identify::identify;
use super::{
    ranges::Ranges,
    source::{Mark, Source, TAIL, hash},
};
use crate::store::Reading;

/// Bytes read at once.
const BLOCK: usize = 1 << 20;
/// A line longer than this is cut here.
const MAX_LINE: usize = 16 << 20;
/// A last line without its line break is taken as it is once nothing came for so long.
const PATIENCE: Duration = Duration::from_secs(30);
/// The same, if the file has been renamed or removed, so that nobody writes to it any more.
const SHORT_PATIENCE: Duration = Duration::from_secs(2);

/// Device and inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Identity(u64, u64);

impl Identity {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self(metadata.dev(), metadata.ino())
    }
}

/// A file that is being read.
pub(crate) struct Followed {
    pub(crate) identity: Identity,
    pub(crate) source: Arc<Source>,
    path: PathBuf,
    input: Input,
    ranges: Ranges,
    /// Where the next line starts.
    offset: u64,
    /// Bytes from `offset` on that have been read: the start of a line.
    buffer: Vec<u8>,
    /// The last bytes before `offset`.
    recent: Vec<u8>,
    grown: Instant,
    moved: bool,
    gone: bool,
    done: bool,
    /// Not what it was: truncated, or written anew.
    lost: bool,
}

enum Input {
    Plain(File),
    Packed {
        reader: Box<dyn Read + Send>,
        position: u64,
        size: u64,
    },
}

impl Followed {
    /// Reads the next lines, at most so many. Gives the byte range they were in, or `None` if there are none yet.
    pub(crate) fn read(
        &mut self,
        most: usize,
        line: &mut dyn FnMut(u64, &str),
    ) -> Option<(u64, Mark)> {
        if self.done || self.lost || self.changed() {
            return None;
        }
        let (start, stop) = self.ranges.gap(self.offset);
        if start > self.offset {
            self.jump(start)?;
        }
        let ended = self.fill_to_line(stop)?;
        let mut end = match memchr::memrchr(b'\n', &self.buffer) {
            Some(at) => at + 1,
            None => 0,
        };
        let whole = end == 0 && !self.buffer.is_empty() && self.may_end(ended);
        if whole || self.buffer.len() - end > MAX_LINE {
            end = self.buffer.len();
        }
        if end == 0 {
            self.done |= ended && matches!(self.input, Input::Packed { .. });
            self.done |= ended && self.gone && self.buffer.is_empty();
            return None;
        }
        let start = self.offset;
        let (mut at, mut lines) = (0, 0);
        while at < end && lines < most {
            let rest = &self.buffer[at..end];
            let length = memchr::memchr(b'\n', rest).map_or(rest.len(), |found| found + 1);
            let bare = rest[..length]
                .strip_suffix(b"\n")
                .unwrap_or(&rest[..length]);
            if !bare.is_empty() {
                let offset = start + at as u64;
                // Looking for what is not UTF-8 costs ten times what finding none does.
                match std::str::from_utf8(bare) {
                    Ok(text) => line(offset, text),
                    Err(_) => line(offset, &String::from_utf8_lossy(bare)),
                }
                lines += 1;
            }
            at += length;
        }
        let end = at;
        self.remember(end);
        self.buffer.drain(..end);
        self.offset += end as u64;
        Some((start, self.mark()))
    }

    fn mark(&self) -> Mark {
        let tail = &self.recent[self.recent.len().saturating_sub(TAIL)..];
        Mark {
            end: self.offset,
            tail_length: tail.len() as u64,
            tail: hash(&[tail]),
        }
    }

    fn remember(&mut self, end: usize) {
        let used = &self.buffer[..end];
        if used.len() < TAIL {
            self.recent.extend_from_slice(used);
            let surplus = self.recent.len().saturating_sub(TAIL);
            self.recent.drain(..surplus);
        } else {
            self.recent.clear();
            self.recent.extend_from_slice(&used[used.len() - TAIL..]);
        }
    }

    /// Goes on at a later place, as the bytes between are in the store.
    fn jump(&mut self, to: u64) -> Option<()> {
        self.buffer.clear();
        match &mut self.input {
            Input::Plain(file) => {
                let length = to.min(TAIL as u64);
                let mut recent = vec![0; usize::try_from(length).unwrap_or(0)];
                file.read_exact_at(&mut recent, to - length).ok()?;
                self.recent = recent;
            }
            Input::Packed {
                reader, position, ..
            } => {
                self.recent = skip(reader, to.checked_sub(*position)?)?;
                *position = to;
            }
        }
        self.offset = to;
        Some(())
    }

    /// Reads until a line is whole, or too long to wait for its end. Gives whether the end of the
    /// file was reached before.
    fn fill_to_line(&mut self, stop: Option<u64>) -> Option<bool> {
        let mut searched = 0;
        while memchr::memchr(b'\n', &self.buffer[searched..]).is_none() {
            searched = self.buffer.len();
            if searched > MAX_LINE {
                break;
            }
            if self.fill(stop)? {
                return Some(true);
            }
        }
        Some(false)
    }

    /// Reads a block, not beyond `stop`. Gives whether the end was reached.
    fn fill(&mut self, stop: Option<u64>) -> Option<bool> {
        let have = self.buffer.len();
        let from = self.offset + have as u64;
        let mut room = stop.map_or(BLOCK as u64, |stop| {
            stop.saturating_sub(from).min(BLOCK as u64)
        });
        if let Input::Plain(file) = &self.input {
            // A file at rest, which is looked at many times a second, costs no block of zeroes.
            let length = file.metadata().map_or(0, |metadata| metadata.len());
            room = room.min(length.saturating_sub(from));
        }
        let room = usize::try_from(room).unwrap_or(BLOCK);
        self.buffer.resize(have + room, 0);
        let read = match &mut self.input {
            Input::Plain(file) => file.read_at(&mut self.buffer[have..], from),
            Input::Packed {
                reader, position, ..
            } => {
                let read = read_full(reader, &mut self.buffer[have..]);
                *position += *read.as_ref().unwrap_or(&0) as u64;
                read
            }
        };
        let count = *read.as_ref().unwrap_or(&0);
        self.buffer.truncate(have + count);
        if count > 0 {
            self.grown = Instant::now();
        }
        if self.buffer.is_empty() {
            // Of many files at rest none keeps a block.
            self.buffer = Vec::new();
        }
        match read {
            Ok(_) => Some(count == 0),
            Err(_) => {
                // A packed file that is still being written: seen again when it has grown.
                self.lost = true;
                None
            }
        }
    }

    /// Whether a line without line break may be taken as whole.
    fn may_end(&self, ended: bool) -> bool {
        let patience = if self.moved || self.gone {
            SHORT_PATIENCE
        } else {
            PATIENCE
        };
        let packed = matches!(self.input, Input::Packed { .. });
        ended && (packed || self.grown.elapsed() >= patience)
    }

    /// Notices that a file was truncated or written anew under our feet.
    fn changed(&mut self) -> bool {
        let Input::Plain(file) = &self.input else {
            return false;
        };
        let read_to = self.offset + self.buffer.len() as u64;
        let Ok(metadata) = file.metadata() else {
            return true;
        };
        if metadata.len() == read_to && self.grown.elapsed() < PATIENCE {
            // Nothing new, and a file written anew to the very same length is caught later.
            return false;
        }
        self.lost = metadata.len() < read_to || !self.is_intact();
        self.lost
    }

    /// Whether the file still begins and goes on as it was read.
    fn is_intact(&self) -> bool {
        let Input::Plain(file) = &self.input else {
            return true;
        };
        let matches = |start: u64, length: u64, expected: u64| {
            let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
            file.read_exact_at(&mut bytes, start).is_ok() && hash(&[&bytes]) == expected
        };
        let mark = self.mark();
        matches(0, self.source.head_length, self.source.head)
            && matches(mark.end - mark.tail_length, mark.tail_length, mark.tail)
    }

    /// The file's present name in the directory; `None` if it is not there.
    pub(crate) fn seen_as(&mut self, path: Option<&Path>) {
        match path {
            Some(path) if path == self.path => self.gone = false,
            Some(path) => {
                self.path = path.to_owned();
                (self.moved, self.gone) = (true, false);
            }
            None => {
                self.gone = true;
                // A packed file is at rest: nothing will come.
                self.lost |= self.done;
            }
        }
    }

    /// Whether there is nothing more to get from this handle.
    pub(crate) fn finished(&self) -> bool {
        self.lost || (self.done && self.gone)
    }

    /// How far the file has been read.
    pub(crate) fn progress(&self) -> Reading {
        let (read, size) = match &self.input {
            Input::Plain(file) => {
                let length = file.metadata().map_or(0, |metadata| metadata.len());
                (self.offset, length)
            }
            // How much of a packed file was used up is not known before its end.
            Input::Packed { size, .. } if !self.done => (0, *size),
            Input::Packed { size, .. } => (*size, *size),
        };
        let name = self.path.file_name().unwrap_or_default();
        Reading {
            file: name.to_string_lossy().into_owned(),
            read,
            size,
        }
    }
}

/// Reads over bytes; gives the last of them.
fn skip(reader: &mut dyn Read, mut count: u64) -> Option<Vec<u8>> {
    let mut block = vec![0; 64 << 10];
    let mut recent = Vec::new();
    while count > 0 {
        let want = usize::try_from(count)
            .unwrap_or(usize::MAX)
            .min(block.len());
        let read = reader.read(&mut block[..want]).ok()?;
        if read == 0 {
            return None;
        }
        recent.extend_from_slice(&block[..read]);
        let surplus = recent.len().saturating_sub(TAIL);
        recent.drain(..surplus);
        count -= read as u64;
    }
    Some(recent)
}

fn read_full(reader: &mut dyn Read, into: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < into.len() {
        match reader.read(&mut into[filled..])? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(filled)
}
