//! A segment's pages, none of which is read without its checksum.
//!
//! The tail, which is checked when the segment is opened, holds a CRC-32 of each page with its
//! header, and of each dictionary. Only what a question reads is checked, and each time it reads
//! it.

#[cfg(test)]
mod tests;

use std::{io::Cursor, sync::Arc};

use bytes::Bytes;
use parquet::{
    errors::ParquetError,
    file::{
        metadata::ParquetMetaData,
        reader::{ChunkReader, Length},
    },
};

use super::{crc, file::SegmentFile};

/// What a page should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) start: u64,
    pub(super) length: usize,
    checksum: u32,
}

/// Of a column: the place where its pages begin, and where their checksums do.
#[derive(Debug, Clone, Copy)]
struct ColumnPages {
    start: u64,
    first: usize,
}

/// The checksums of all pages of a segment.
#[derive(Debug)]
pub(super) struct Checksums {
    metadata: Arc<ParquetMetaData>,
    /// In the order of the file: group by group, column by column, the dictionary first.
    sums: Vec<u32>,
    columns: Vec<ColumnPages>,
    width: usize,
}

impl Checksums {
    /// `None` if there is not one for each page.
    pub(super) fn new(metadata: Arc<ParquetMetaData>, sums: Vec<u32>) -> Option<Self> {
        let mut columns = Vec::new();
        let mut first = 0;
        for (at, group) in metadata.row_groups().iter().enumerate() {
            let pages = metadata.page_index_for_row_group(at);
            for (leaf, column) in group.columns().iter().enumerate() {
                let (start, _) = column.byte_range();
                columns.push(ColumnPages { start, first });
                first += 1 + pages.page_locations(leaf)?.len();
            }
        }
        let is_sorted = columns.is_sorted_by(|one, next| one.start < next.start);
        let width = metadata.file_metadata().schema_descr().num_columns();
        (first == sums.len() && is_sorted).then_some(Self {
            metadata,
            sums,
            columns,
            width,
        })
    }

    /// A data page of a column, or its dictionary.
    pub(super) fn page(&self, group: usize, leaf: usize, page: Option<usize>) -> Option<Page> {
        let at = group.checked_mul(self.width)?.checked_add(leaf)?;
        let column = self.columns.get(at)?;
        let locations = self.metadata.page_index_for_row_group(group);
        let locations = locations.page_locations(leaf)?;
        let begin = |page: usize| u64::try_from(locations.get(page)?.offset).ok();
        let (start, length) = match page {
            Some(page) => {
                let length = locations.get(page)?.compressed_page_size;
                (begin(page)?, usize::try_from(length).ok()?)
            }
            None => {
                let length = begin(0)?.checked_sub(column.start)?;
                (column.start, usize::try_from(length).ok()?)
            }
        };
        Some(Page {
            start,
            length,
            checksum: *self
                .sums
                .get(column.first + page.map_or(0, |page| page + 1))?,
        })
    }

    /// All pages, in the order of their checksums.
    fn pages(&self) -> impl Iterator<Item = Option<Page>> + '_ {
        let of = move |(at, column): (usize, &ColumnPages)| {
            let next = self.columns.get(at + 1);
            let end = next.map_or(self.sums.len(), |next| next.first);
            let (group, leaf) = (at / self.width, at % self.width);
            let pages = 0..end.saturating_sub(column.first);
            pages.map(move |page| self.page(group, leaf, page.checked_sub(1)))
        };
        self.columns.iter().enumerate().flat_map(of)
    }

    /// The pages of a broken file, with checksums that are right.
    #[cfg(test)]
    pub(super) fn forged(&self, file: &SegmentFile) -> Checked {
        let sum = |page: Option<Page>| {
            let page = page.unwrap();
            let mut bytes = vec![0; page.length];
            file.read(&mut bytes, page.start).unwrap();
            crc(&bytes)
        };
        let sums = self.pages().map(sum).collect();
        Checked {
            file: file.clone(),
            checksums: Arc::new(Self::new(self.metadata.clone(), sums).unwrap()),
        }
    }

    /// The page that this byte is in.
    fn at(&self, byte: u64) -> Option<Page> {
        let next = self.columns.partition_point(|column| column.start <= byte);
        let at = next.checked_sub(1)?;
        let (group, leaf) = (at / self.width, at % self.width);
        let locations = self.metadata.page_index_for_row_group(group);
        let locations = locations.page_locations(leaf)?;
        let byte = i64::try_from(byte).ok()?;
        let next = locations.partition_point(|page| page.offset <= byte);
        self.page(group, leaf, next.checked_sub(1))
    }
}

/// Reads pages, and nothing else.
#[derive(Debug, Clone)]
pub(super) struct Checked {
    pub(super) file: SegmentFile,
    pub(super) checksums: Arc<Checksums>,
}

impl Checked {
    /// Fills the buffer with a page.
    pub(super) fn read(&self, page: Page, into: &mut Vec<u8>) -> Result<(), ParquetError> {
        into.resize(page.length, 0);
        self.file.read(into, page.start)?;
        check(page, into)
    }

    /// Reads every page once.
    pub(super) fn read_all(&self) -> Result<(), ParquetError> {
        let mut buffer = Vec::new();
        let mut pages = self.checksums.pages();
        pages.try_for_each(|page| self.read(page.ok_or_else(no_page)?, &mut buffer))
    }
}

fn check(page: Page, bytes: &[u8]) -> Result<(), ParquetError> {
    if crc(bytes) == page.checksum {
        return Ok(());
    }
    Err(ParquetError::General(format!(
        "the checksum of the page at {} is wrong",
        page.start
    )))
}

fn no_page() -> ParquetError {
    ParquetError::General("what is to be read is no page".to_owned())
}

impl Length for Checked {
    fn len(&self) -> u64 {
        self.file.length
    }
}

impl ChunkReader for Checked {
    type T = Cursor<Bytes>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        let page = self.checksums.at(start).ok_or_else(no_page)?;
        let rest = page.start + page.length as u64 - start;
        let length = usize::try_from(rest).unwrap_or(0);
        Ok(Cursor::new(self.get_bytes(start, length)?))
    }

    /// All pages that these bytes are in are read and checked.
    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let first = self.checksums.at(start).ok_or_else(no_page)?;
        let end = start.checked_add(length as u64).ok_or_else(no_page)?;
        let mut pages = vec![first];
        let mut read_to = first.start + first.length as u64;
        while read_to < end {
            let page = self.checksums.at(read_to).ok_or_else(no_page)?;
            if page.start != read_to || page.length == 0 {
                return Err(no_page());
            }
            read_to += page.length as u64;
            pages.push(page);
        }
        let size = usize::try_from(read_to - first.start).map_err(|_| no_page())?;
        let mut bytes = vec![0; size];
        self.file.read(&mut bytes, first.start)?;
        let mut rest = &bytes[..];
        for page in pages {
            let (own, after) = rest.split_at_checked(page.length).ok_or_else(no_page)?;
            check(page, own)?;
            rest = after;
        }
        let skip = usize::try_from(start - first.start).map_err(|_| no_page())?;
        Ok(Bytes::from(bytes).slice(skip..skip + length))
    }
}
