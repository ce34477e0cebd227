//! Reading a segment's bytes.

use std::{fs::File, io::Cursor, os::unix::fs::FileExt, path::Path, sync::Arc};

use bytes::Bytes;
use parquet::{
    errors::ParquetError,
    file::reader::{ChunkReader, Length},
};

/// The segment's file, read by position so that threads can share it.
#[derive(Debug, Clone)]
pub(super) struct SegmentFile {
    file: Arc<File>,
    pub(super) length: u64,
}

impl SegmentFile {
    pub(super) fn open(path: &Path) -> std::io::Result<Self> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        Ok(Self {
            file: Arc::new(file),
            length,
        })
    }

    /// Fills the buffer with what stands there.
    pub(super) fn read(&self, buffer: &mut [u8], start: u64) -> std::io::Result<()> {
        self.file.read_exact_at(buffer, start)
    }
}

impl Length for SegmentFile {
    fn len(&self) -> u64 {
        self.length
    }
}

impl ChunkReader for SegmentFile {
    type T = Cursor<Bytes>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        let length = self.length.saturating_sub(start).min(1 << 20);
        Ok(Cursor::new(
            self.get_bytes(start, usize::try_from(length).unwrap_or(0))?,
        ))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let mut bytes = vec![0; length];
        self.read(&mut bytes, start)?;
        Ok(bytes.into())
    }
}

/// The tail of a file, standing in for the whole.
pub(super) struct Suffix {
    pub(super) start: u64,
    pub(super) bytes: Bytes,
}

impl Length for Suffix {
    fn len(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }
}

impl ChunkReader for Suffix {
    type T = Cursor<Bytes>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        let length = self.len().saturating_sub(start);
        Ok(Cursor::new(
            self.get_bytes(start, usize::try_from(length).unwrap_or(0))?,
        ))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let from = start
            .checked_sub(self.start)
            .and_then(|from| usize::try_from(from).ok());
        let range = from.map(|from| from..from.saturating_add(length));
        match range {
            Some(range) if range.end <= self.bytes.len() => Ok(self.bytes.slice(range)),
            _ => Err(ParquetError::General(
                "its footer points outside of its tail".to_owned(),
            )),
        }
    }
}
