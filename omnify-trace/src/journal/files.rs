//! One stream's rolling file: `backend.log`, set aside as `backend.<timestamp>.log`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::clock::Moment;
use super::header::Mark;
use super::options::{JournalOptions, Rotation};
use crate::schema::Stream;

/// The name of a stream's file without `.log`: slot 0 has the plain one.
pub(super) fn stem(stream: Stream, slot: u32) -> String {
    match slot {
        0 => stream.as_str().to_owned(),
        n => format!("{}.{n}", stream.as_str()),
    }
}

/// The file that a stream is appended to now.
pub(super) struct StreamFile {
    dir: PathBuf,
    stem: String,
    path: PathBuf,
    rotation: Rotation,
    max_bytes: u64,
    open: Option<Open>,
    rotations: u64,
}

struct Open {
    file: File,
    mark: Mark,
    /// The period of the file's first line.
    period: u64,
    /// Bytes of the current batch that are in the file already.
    written: usize,
}

impl StreamFile {
    pub(super) fn new(options: &JournalOptions, stream: Stream, slot: u32) -> Self {
        let stem = stem(stream, slot);
        Self {
            path: options.dir.join(format!("{stem}.log")),
            dir: options.dir.clone(),
            stem,
            rotation: options.rotation,
            max_bytes: options.max_file_bytes,
            open: None,
            rotations: 0,
        }
    }

    /// How many files have been set aside.
    pub(super) fn rotations(&self) -> u64 {
        self.rotations
    }

    /// Makes sure that the batch can be appended to the right file, and says which one and how long
    /// it was before the batch. Can be called again after a failure.
    pub(super) fn prepare(&mut self, batch: &[u8], now: Moment) -> io::Result<Mark> {
        self.follow();
        let period = now.period(self.rotation);
        let mut open = match self.open.take() {
            Some(open) => open,
            None => self.open_or_set_aside(now)?,
        };
        let len = open.mark.len;
        let due = len + batch.len() as u64 > self.max_bytes || period > open.period;
        if open.written == 0 && len > 0 && due && self.set_aside(now).is_ok() {
            self.rotations += 1;
            open = self.open_file(now)?;
        }
        let mark = open.mark;
        self.open = Some(open);
        Ok(mark)
    }

    /// Appends what is not in the file yet.
    pub(super) fn append(&mut self, batch: &[u8]) -> io::Result<()> {
        let open = self.open.as_mut().ok_or(ErrorKind::NotFound)?;
        while open.written < batch.len() {
            match open.file.write(&batch[open.written..]) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(n) => open.written += n,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Ends the batch, and says how long the file is now.
    pub(super) fn commit(&mut self) -> Option<Mark> {
        let open = self.open.as_mut()?;
        open.mark.len += open.written as u64;
        open.written = 0;
        Some(open.mark)
    }

    /// Notices that the file was moved, removed, truncated or appended to by somebody else.
    fn follow(&mut self) {
        let Some(open) = self.open.as_mut() else {
            return;
        };
        let begun = open.written > 0;
        match fs::metadata(&self.path) {
            Ok(meta) if meta.dev() == open.mark.device && meta.ino() == open.mark.inode => {
                if !begun {
                    open.mark.len = meta.len();
                }
            }
            // Moved in the middle of a batch: the batch ends where it began, nothing is torn.
            _ if begun && open.file.metadata().is_ok_and(|meta| meta.nlink() > 0) => {}
            _ => self.open = None,
        }
    }

    fn open_or_set_aside(&mut self, now: Moment) -> io::Result<Open> {
        match self.open_file(now) {
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::PermissionDenied | ErrorKind::IsADirectory
                ) =>
            {
                self.set_aside(now)?;
                self.rotations += 1;
                self.open_file(now)
            }
            result => result,
        }
    }

    fn open_file(&self, now: Moment) -> io::Result<Open> {
        let mut file = match open_append(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                fs::create_dir_all(&self.dir)?;
                open_append(&self.path)?
            }
            result => result?,
        };
        end_line(&mut file)?;
        let meta = file.metadata()?;
        let begun = if meta.len() == 0 {
            now
        } else {
            meta.modified().map_or(now, Moment::from)
        };
        Ok(Open {
            mark: mark_of(&meta),
            period: begun.period(self.rotation),
            written: 0,
            file,
        })
    }

    fn set_aside(&self, now: Moment) -> io::Result<()> {
        let stamp = now.compact();
        let free = |name: &str| {
            let path = self.dir.join(name);
            let gzipped = self.dir.join(format!("{name}.gz"));
            (!path.exists() && !gzipped.exists()).then_some(path)
        };
        let to = free(&format!("{}.{stamp}.log", self.stem))
            .or_else(|| (2..1_000).find_map(|n| free(&format!("{}.{stamp}-{n:03}.log", self.stem))))
            .ok_or(ErrorKind::AlreadyExists)?;
        fs::rename(&self.path, to)
    }
}

pub(super) fn open_append(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .open(path)
}

pub(super) fn mark_of(meta: &fs::Metadata) -> Mark {
    Mark {
        device: meta.dev(),
        inode: meta.ino(),
        len: meta.len(),
    }
}

/// Ends a torn last line, so that the next one stands on its own.
pub(super) fn end_line(file: &mut File) -> io::Result<()> {
    if file.metadata()?.len() > 0 {
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            file.write_all(b"\n")?;
        }
    }
    Ok(())
}

/// Adds a line to a batch. A line break inside it, which no JSON writer makes, becomes a space: one
/// event stays one line whatever the caller hands in.
pub(super) fn stage(batch: &mut Vec<u8>, parts: [&[u8]; 2]) {
    for part in parts {
        let start = batch.len();
        batch.extend_from_slice(part);
        if memchr::memchr2(b'\n', b'\r', part).is_some() {
            for byte in &mut batch[start..] {
                if matches!(byte, b'\n' | b'\r') {
                    *byte = b' ';
                }
            }
        }
    }
    batch.push(b'\n');
}
