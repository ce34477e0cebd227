//! Opening a segment: its tail is read and checked, its rows are not.

use std::{ops::Range, path::Path, sync::Arc};

use arrow_schema::{DataType, Field, Schema};
use bytes::Bytes;
use parquet::{
    arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions},
    errors::ParquetError,
    file::{
        metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader},
        reader::ChunkReader,
    },
};

use super::{
    Group, META_KEY, Meta, Segment, StoredColumn, StoredGroup, Tail, VERSION,
    checked::Checksums,
    crc, damaged_at,
    file::{SegmentFile, Suffix},
    held::Held,
};
use crate::store::{
    StoreError,
    embedded::{
        far::{self, Named, Objects},
        index::Index,
        kept,
        shape::Tables,
    },
};

impl Segment {
    /// Opens a segment file, checking all but the pages.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let opened = || -> Result<Self, ParquetError> {
            let file = SegmentFile::open(path)?;
            let (range, checksum) = tail_of(file_name(path), file.length)?;
            let length = usize::try_from(range.end - range.start).unwrap_or(0);
            let tail = file.get_bytes(range.start, length)?;
            Self::parse(path, range.start, tail, checksum, Held::near(file))
        };
        opened().map_err(|error| damaged_at(path, &error))
    }

    /// Opens a segment that the object store has, reading its tail only.
    pub(crate) fn open_far(
        directory: &Path,
        objects: &Arc<dyn Objects>,
        named: &Named,
    ) -> Result<Self, StoreError> {
        let path = directory.join(&named.name);
        let (range, checksum) =
            tail_of(&named.name, named.bytes).map_err(|error| damaged_at(&path, &error))?;
        let start = range.start;
        let tail = objects
            .get_range(&named.name, range)
            .map_err(far::unreachable)?;
        let held = Held::far(objects.clone(), named.bytes);
        Self::parse(&path, start, tail, checksum, held).map_err(|error| damaged_at(&path, &error))
    }

    fn parse(
        path: &Path,
        start: u64,
        tail: Bytes,
        checksum: u32,
        held: Held,
    ) -> Result<Self, ParquetError> {
        let damaged = |what: &str| ParquetError::General(what.to_owned());
        if crc(&tail) != checksum {
            return Err(damaged("the checksum of its tail is wrong"));
        }
        let suffix = Suffix { start, bytes: tail };
        let mut reader =
            ParquetMetaDataReader::new().with_page_index_policy(PageIndexPolicy::Optional);
        reader.try_parse(&suffix)?;
        let metadata = reader.finish()?;
        let pairs = metadata.file_metadata().key_value_metadata();
        let text = pairs
            .into_iter()
            .flatten()
            .find(|pair| pair.key == META_KEY);
        let text = text.and_then(|pair| pair.value.as_deref());
        let meta: Meta = text
            .and_then(|text| serde_json::from_str(text).ok())
            .ok_or_else(|| damaged("its footer is not ours"))?;
        if meta.version != VERSION {
            return Err(damaged("it was written by another version"));
        }
        let packed = suffix.get_bytes(meta.tail.0, usize::try_from(meta.tail.1).unwrap_or(0))?;
        let unpacked = zstd::stream::decode_all(&packed[..])?;
        let mut values = serde_json::Deserializer::from_slice(&unpacked).into_iter::<Tail>();
        let tail = values
            .next()
            .and_then(Result::ok)
            .ok_or_else(|| damaged("its tables are odd"))?;
        let (groups, sums) =
            groups(tail.groups, &unpacked).ok_or_else(|| damaged("its index is odd"))?;
        let reader = open_reader(metadata, &tail.columns)?;
        let checksums = Checksums::new(reader.metadata().clone(), sums)
            .ok_or_else(|| damaged("its pages have no checksums"))?;
        let columns = tail
            .columns
            .iter()
            .map(|stored| stored.column.clone())
            .collect();
        Ok(Self {
            number: kept::number(),
            path: path.to_owned(),
            bytes: held.length,
            tables: Arc::new(Tables::from_parts(columns, tail.shapes)),
            sources: Arc::new(
                meta.sources
                    .iter()
                    .map(|extent| Arc::new(extent.source.clone()))
                    .collect(),
            ),
            columns: tail.columns,
            reader,
            checksums: Arc::new(checksums),
            groups,
            held,
            meta,
        })
    }
}

pub(super) fn file_name(path: &Path) -> &str {
    let name = path.file_name().and_then(|name| name.to_str());
    name.unwrap_or_default()
}

/// Where a segment's tail stands, and its checksum: the name tells.
fn tail_of(name: &str, length: u64) -> Result<(Range<u64>, u32), ParquetError> {
    let mut parts = name.split('.').skip(1);
    let tail = parts
        .next()
        .and_then(|text| u64::from_str_radix(text, 16).ok());
    let checksum = parts
        .next()
        .and_then(|text| u32::from_str_radix(text, 16).ok());
    let (Some(tail), Some(checksum)) = (tail, checksum) else {
        let odd = "its name does not tell its checksum";
        return Err(ParquetError::General(odd.to_owned()));
    };
    let start = length
        .checked_sub(tail)
        .ok_or_else(|| ParquetError::General("it is cut short".to_owned()))?;
    Ok((start..length, checksum))
}

/// The groups with their indices, which stand at the end of the tables, and all checksums.
fn groups(stored: Vec<StoredGroup>, tables: &[u8]) -> Option<(Vec<Group>, Vec<u32>)> {
    let bytes = |group: &StoredGroup| group.checksums.checked_mul(4)?.checked_add(group.index);
    let length = stored
        .iter()
        .try_fold(0usize, |sum, group| sum.checked_add(bytes(group)?))?;
    let mut rest = tables.get(tables.len().checked_sub(length)?..)?;
    let (mut groups, mut sums) = (Vec::with_capacity(stored.len()), Vec::new());
    for group in stored {
        let (index, after) = rest.split_at_checked(group.index)?;
        let (own, after) = after.split_at_checked(group.checksums * 4)?;
        rest = after;
        let (own, _) = own.as_chunks();
        sums.extend(own.iter().copied().map(u32::from_le_bytes));
        groups.push(Group {
            rows: group.rows,
            first: group.first,
            last: group.last,
            index: Index::unpack(index)?,
        });
    }
    Some((groups, sums))
}

/// How to read the file: columns with a dictionary keep it.
fn open_reader(
    metadata: ParquetMetaData,
    columns: &[StoredColumn],
) -> Result<ArrowReaderMetadata, ParquetError> {
    let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Optional);
    let metadata = Arc::new(metadata);
    let plain = ArrowReaderMetadata::try_new(metadata.clone(), options.clone())?;
    let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let field = |(leaf, field): (usize, &Arc<Field>)| {
        let column = columns.iter().find(|column| column.leaf == Some(leaf));
        if *field.data_type() == DataType::Utf8 && column.is_some_and(|column| column.dictionary) {
            Arc::new(field.as_ref().clone().with_data_type(dictionary.clone()))
        } else {
            field.clone()
        }
    };
    let fields: Vec<Arc<Field>> = plain
        .schema()
        .fields()
        .iter()
        .enumerate()
        .map(field)
        .collect();
    ArrowReaderMetadata::try_new(metadata, options.with_schema(Arc::new(Schema::new(fields))))
}
