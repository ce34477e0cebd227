//! Encoding rows as a segment.

use std::sync::Arc;

use arrow_schema::{Field, Schema};
use parquet::{
    arrow::{
        ArrowSchemaConverter, add_encoded_arrow_schema_to_metadata, arrow_writer::ArrowColumnChunk,
    },
    errors::ParquetError,
    file::{
        metadata::{ColumnChunkMetaData, KeyValue},
        page_index::offset_index::PageLocation,
        writer::SerializedFileWriter,
    },
};

use super::{
    META_KEY, Meta, StoredGroup, Tail, VERSION,
    columns::{self, Columns, span},
    crc,
};
use crate::store::embedded::{
    chunk::{Chunk, Joined},
    shape::{SHAPE_TEXT, Shape},
    source::Extent,
};

/// An encoded segment, ready to be written.
pub(crate) struct Encoded {
    pub(crate) bytes: Vec<u8>,
    pub(crate) name: String,
}

/// Encodes the rows of chunks that share their tables' history.
pub(crate) fn encode(
    chunks: &[Arc<Chunk>],
    id: String,
    sources: Vec<Extent>,
    replaces: Vec<String>,
) -> Result<Encoded, ParquetError> {
    let joined = Joined::of(chunks)?;
    let mut columns = Columns::of(&joined)?;
    let (first, last) = span(&joined.own);
    let shapes = joined.own.shape.values().iter();
    let mut meta = Meta {
        version: VERSION,
        rows: joined.own.rows() as u64,
        malformed: shapes.filter(|&&shape| shape == SHAPE_TEXT).count() as u64,
        first,
        last,
        sources,
        replaces,
        tail: (0, 0),
        id,
    };
    let tables = joined.own.tables.clone();
    drop(joined);

    let pages = pages(&columns.groups)?;
    let mut writer = body(&columns.fields, &mut columns.groups)?;
    let tail_start = writer.inner().len();
    let shapes = tables.shapes.clone();
    let tail = tail(columns, shapes, &checksums(&writer, &pages))?;
    writer.write_all(&tail)?;
    meta.tail = (tail_start as u64, tail.len() as u64);
    let text = serde_json::to_string(&meta).map_err(external)?;
    writer.append_key_value_metadata(KeyValue::new(META_KEY.to_owned(), text));
    let bytes = writer.into_inner()?;
    let name = format!(
        "{}.{:x}.{:08x}.parquet",
        meta.id,
        bytes.len() - tail_start,
        crc(bytes.get(tail_start..).unwrap_or_default())
    );
    Ok(Encoded { bytes, name })
}

fn external(error: serde_json::Error) -> ParquetError {
    ParquetError::External(error.into())
}

/// A file with the groups' columns, which are taken.
fn body(
    fields: &[Field],
    groups: &mut [columns::Encoded],
) -> Result<SerializedFileWriter<Vec<u8>>, ParquetError> {
    let schema = Schema::new(fields.to_vec());
    let mut properties = columns::properties().build();
    add_encoded_arrow_schema_to_metadata(&schema, &mut properties);
    let root = ArrowSchemaConverter::new().convert(&schema)?;
    let root = root.root_schema_ptr();
    let mut writer = SerializedFileWriter::new(Vec::new(), root, Arc::new(properties))?;
    for group in groups {
        let mut rows = writer.next_row_group()?;
        for leaf in std::mem::take(&mut group.leaves) {
            leaf.append_to_row_group(&mut rows)?;
        }
        rows.close()?;
    }
    writer.flush()?;
    Ok(writer)
}

/// How long the pages of each group's columns are, without their dictionaries.
fn pages(groups: &[columns::Encoded]) -> Result<Vec<Vec<Vec<usize>>>, ParquetError> {
    let length = |page: &PageLocation| usize::try_from(page.compressed_page_size).unwrap_or(0);
    let of = |leaf: &ArrowColumnChunk| {
        let index = leaf.close().offset_index.as_ref();
        let none = || ParquetError::General("a column has no page index".to_owned());
        let locations = index.ok_or_else(none)?.page_locations();
        Ok(locations.iter().map(length).collect())
    };
    let groups = groups.iter();
    groups
        .map(|group| group.leaves.iter().map(of).collect())
        .collect()
}

/// Of each group's columns: of the dictionary, which may have no bytes, and of each page.
fn checksums(writer: &SerializedFileWriter<Vec<u8>>, pages: &[Vec<Vec<usize>>]) -> Vec<Vec<u32>> {
    let of = |(column, pages): (&ColumnChunkMetaData, &Vec<usize>)| {
        let (start, length) = column.byte_range();
        let mut rest = slice(writer.inner(), start, length);
        let dictionary = rest.len().saturating_sub(pages.iter().sum());
        let lengths = std::iter::once(dictionary).chain(pages.iter().copied());
        let sums = lengths.map(|length| {
            let (page, after) = rest.split_at(length.min(rest.len()));
            rest = after;
            crc(page)
        });
        sums.collect::<Vec<u32>>()
    };
    let groups = writer.flushed_row_groups().iter().zip(pages);
    groups
        .map(|(group, pages)| group.columns().iter().zip(pages).flat_map(of).collect())
        .collect()
}

/// Our tables and indices, compressed.
fn tail(
    columns: Columns,
    shapes: Vec<Shape>,
    checksums: &[Vec<u32>],
) -> Result<Vec<u8>, ParquetError> {
    let mut groups = Vec::with_capacity(columns.groups.len());
    let mut indices = Vec::new();
    for (group, checksums) in columns.groups.iter().zip(checksums) {
        let index = group.index.pack().map_err(external)?;
        groups.push(StoredGroup {
            rows: group.rows,
            first: group.first,
            last: group.last,
            index: index.len(),
            checksums: checksums.len(),
        });
        indices.extend(index);
        indices.extend(checksums.iter().flat_map(|sum| sum.to_le_bytes()));
    }
    let tail = Tail {
        columns: columns.stored,
        shapes,
        groups,
    };
    let mut tail = serde_json::to_vec(&tail).map_err(external)?;
    tail.push(b'\n');
    tail.extend(indices);
    Ok(zstd::bulk::compress(&tail, 3)?)
}

fn slice(bytes: &[u8], start: u64, length: u64) -> &[u8] {
    let start = usize::try_from(start).unwrap_or(usize::MAX);
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    bytes
        .get(start..start.saturating_add(length))
        .unwrap_or_default()
}
