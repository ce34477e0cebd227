//! Finding and unpacking a column's pages.

use parquet::{basic::Compression, file::metadata::ColumnChunkMetaData};

use super::unpack::Input;
use crate::store::embedded::segment::checked::Checked;

/// The types of Thrift's compact form that are told apart here.
const NUMBER: u8 = 5;
const STRUCT: u8 = 12;
/// Structures within structures.
const DEEPEST: usize = 8;

/// What a page's header says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Header {
    /// Sizes of what follows, before and after it was compressed.
    plain: usize,
    packed: usize,
    /// By Parquet's number.
    pub(super) encoding: i64,
    /// Of the header itself.
    length: usize,
}

/// Reads pages into buffers that are used again and again.
pub(super) struct Pages<'a> {
    file: &'a Checked,
    zstd: zstd::bulk::Decompressor<'static>,
    packed: Vec<u8>,
    /// The page that was read last.
    pub(super) page: Vec<u8>,
    /// The column's dictionary, once it was read.
    pub(super) dictionary: Vec<u8>,
}

impl<'a> Pages<'a> {
    pub(super) fn new(file: &'a Checked) -> Option<Self> {
        Some(Self {
            file,
            zstd: zstd::bulk::Decompressor::new().ok()?,
            packed: Vec::new(),
            page: Vec::new(),
            dictionary: Vec::new(),
        })
    }

    /// Reads a page of a column, or its dictionary.
    pub(super) fn read(
        &mut self,
        chunk: &ColumnChunkMetaData,
        (group, leaf): (usize, usize),
        page: Option<usize>,
    ) -> Option<Header> {
        let page = self.file.checksums.page(group, leaf, page)?;
        self.file.read(page, &mut self.packed).ok()?;
        let header = header(&self.packed)?;
        // No page is larger than its column: what claims to be is not believed.
        if i64::try_from(header.plain).ok()? > chunk.uncompressed_size() {
            return None;
        }
        let end = header.length.checked_add(header.packed)?;
        let packed = self.packed.get(header.length..end)?;
        self.page.clear();
        match chunk.compression() {
            Compression::UNCOMPRESSED => self.page.extend_from_slice(packed),
            Compression::ZSTD(_) => {
                self.page.reserve(header.plain);
                self.zstd
                    .decompress_to_buffer(packed, &mut self.page)
                    .ok()?;
            }
            _ => return None,
        }
        (self.page.len() == header.plain).then_some(header)
    }

    /// Reads the dictionary of a column, unless that was done.
    pub(super) fn read_dictionary(
        &mut self,
        chunk: &ColumnChunkMetaData,
        at: (usize, usize),
    ) -> Option<()> {
        if !self.dictionary.is_empty() {
            return Some(());
        }
        let page = std::mem::take(&mut self.page);
        let read = self.read(chunk, at, None);
        self.dictionary = std::mem::replace(&mut self.page, page);
        read.map(drop)
    }
}

/// Reads a `PageHeader` of Parquet's, in Thrift's compact form.
fn header(bytes: &[u8]) -> Option<Header> {
    let mut input = Input(bytes);
    let mut header = Header::default();
    let mut last = 0;
    while let Some((id, kind)) = field(&mut input, &mut last)? {
        match (id, kind) {
            (2, NUMBER) => header.plain = usize::try_from(input.zigzag()?).ok()?,
            (3, NUMBER) => header.packed = usize::try_from(input.zigzag()?).ok()?,
            // Of a data page, and of a dictionary.
            (5 | 7, STRUCT) => {
                let mut last = 0;
                while let Some((id, kind)) = field(&mut input, &mut last)? {
                    match (id, kind) {
                        (2, NUMBER) => header.encoding = input.zigzag()?,
                        _ => skip(&mut input, kind, 0)?,
                    }
                }
            }
            // Pages of the second form are not written here.
            (8, _) => return None,
            _ => skip(&mut input, kind, 0)?,
        }
    }
    header.length = bytes.len() - input.0.len();
    Some(header)
}

/// Number and type of the next field; none at the end of the structure.
#[expect(clippy::option_option, reason = "the end is not an error")]
fn field(input: &mut Input<'_>, last: &mut i64) -> Option<Option<(i64, u8)>> {
    let head = input.byte()?;
    if head == 0 {
        return Some(None);
    }
    *last = match head >> 4 {
        0 => input.zigzag()?,
        more => last.checked_add(i64::from(more))?,
    };
    Some(Some((*last, head & 15)))
}

fn skip(input: &mut Input<'_>, kind: u8, depth: usize) -> Option<()> {
    match kind {
        1 | 2 => {}
        3 => drop(input.byte()?),
        4..=6 => drop(input.varint()?),
        7 => drop(input.bytes(8)?),
        8 => {
            let length = input.size()?;
            input.bytes(length)?;
        }
        STRUCT if depth < DEEPEST => {
            let mut last = 0;
            while let Some((_, kind)) = field(input, &mut last)? {
                skip(input, kind, depth + 1)?;
            }
        }
        _ => return None,
    }
    Some(())
}
