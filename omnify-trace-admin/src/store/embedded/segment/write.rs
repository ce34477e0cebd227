//! Encoding rows as a segment.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use parquet::{
    arrow::ArrowWriter,
    basic::{Compression, Encoding, ZstdLevel},
    errors::ParquetError,
    file::{
        metadata::KeyValue,
        properties::{EnabledStatistics, WriterProperties},
    },
    schema::types::ColumnPath,
};

use super::{META_KEY, Meta, OWN, StoredColumn, StoredGroup, Tail, VERSION, crc, split::split};
use crate::store::embedded::{
    chunk::Chunk,
    index::{BLOCK, Index},
    shape::{SHAPE_TEXT, Storage, Tables},
    source::Extent,
};

/// An encoded segment, ready to be written.
pub(crate) struct Encoded {
    pub(crate) bytes: Vec<u8>,
    pub(crate) name: String,
}

/// Encodes sorted rows.
pub(crate) fn encode(
    chunk: Chunk,
    id: String,
    sources: Vec<Extent>,
    replaces: Vec<String>,
) -> Result<Encoded, ParquetError> {
    let external = |error: serde_json::Error| ParquetError::External(error.into());
    let rows = chunk.rows();
    let (first, last) = span(&chunk);
    let texts = chunk
        .shape
        .values()
        .iter()
        .filter(|&&shape| shape == SHAPE_TEXT)
        .count();
    let tables = chunk.tables.clone();
    let parts = split(chunk)?;
    let indices: Vec<Index> = parts.iter().map(Index::of).collect();
    let (schema, columns) = layout(&tables, &parts, &indices);
    let properties = properties(&schema, &columns);
    let mut writer = ArrowWriter::try_new(Vec::new(), schema.clone(), Some(properties))?;
    for part in &parts {
        writer.write(&batch(&schema, &columns, part)?)?;
        writer.flush()?;
    }
    writer.sync()?;
    let body = writer.inner();
    let checksums = writer.flushed_row_groups().iter().map(|group| {
        let ranges = group
            .columns()
            .iter()
            .map(parquet::file::metadata::ColumnChunkMetaData::byte_range);
        ranges
            .map(|(start, length)| crc(slice(body, start, length)))
            .collect()
    });
    let checksums: Vec<Vec<u32>> = checksums.collect();
    let tail_start = body.len();
    let mut groups = Vec::with_capacity(parts.len());
    let mut packed = Vec::new();
    for ((part, index), checksums) in parts.iter().zip(&indices).zip(checksums) {
        let index = index.pack().map_err(external)?;
        let (first, last) = span(part);
        groups.push(StoredGroup {
            rows: part.rows(),
            first,
            last,
            checksums,
            index: index.len(),
        });
        packed.extend(index);
    }
    let shapes = tables.shapes.clone();
    let tail = Tail {
        columns,
        shapes,
        groups,
    };
    let mut tail = serde_json::to_vec(&tail).map_err(external)?;
    tail.push(b'\n');
    tail.extend(packed);
    let packed = zstd::bulk::compress(&tail, 3)?;
    writer.write_all(&packed)?;
    let meta = Meta {
        version: VERSION,
        rows: rows as u64,
        malformed: texts as u64,
        first,
        last,
        sources,
        replaces,
        tail: (tail_start as u64, packed.len() as u64),
        id,
    };
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

fn slice(bytes: &[u8], start: u64, length: u64) -> &[u8] {
    let start = usize::try_from(start).unwrap_or(usize::MAX);
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    bytes
        .get(start..start.saturating_add(length))
        .unwrap_or_default()
}

/// Time of the first and the last row.
fn span(chunk: &Chunk) -> (i64, i64) {
    let times = chunk.time.values();
    let at = |time: Option<&i64>| time.copied().unwrap_or(0);
    (at(times.first()), at(times.last()))
}

/// The file's columns: our own, then those of the fields that have values.
fn layout(tables: &Tables, parts: &[Chunk], indices: &[Index]) -> (SchemaRef, Vec<StoredColumn>) {
    let mut fields = vec![
        Field::new(OWN[0], DataType::Int64, false),
        Field::new(OWN[1], DataType::UInt32, false),
        Field::new(OWN[2], DataType::UInt64, false),
        Field::new(OWN[3], DataType::UInt32, false),
    ];
    let mut stored = Vec::with_capacity(tables.columns.len());
    for (at, column) in tables.columns.iter().enumerate() {
        let data = || parts.iter().filter_map(|part| part.columns.get(at));
        let Some(any) = data().next() else {
            break;
        };
        let present = data().any(|data| data.array.null_count() < data.array.len());
        let leaf = present.then(|| {
            let taken = fields.iter().any(|field| *field.name() == column.path);
            let name = match column.storage {
                Storage::Number if taken => format!("{}:number", column.path),
                Storage::Json if taken => format!("{}:json", column.path),
                Storage::Text if taken => format!("{}:text", column.path),
                _ => column.path.clone(),
            };
            fields.push(Field::new(name, any.array.data_type().clone(), true));
            fields.len() - 1
        });
        // The group that has most of the values decides.
        let own = indices.iter().filter_map(|index| index.columns.get(at));
        let decides = own.max_by_key(|own| own.present.count_ones());
        stored.push(StoredColumn {
            column: column.clone(),
            scale: any.scale,
            leaf,
            dictionary: decides.is_some_and(|own| own.dictionary),
        });
    }
    (Arc::new(Schema::new(fields)), stored)
}

/// The rows as a record batch.
fn batch(
    schema: &SchemaRef,
    columns: &[StoredColumn],
    chunk: &Chunk,
) -> Result<RecordBatch, ParquetError> {
    let mut arrays: Vec<ArrayRef> = vec![
        Arc::new(chunk.time.clone()),
        Arc::new(chunk.source.clone()),
        Arc::new(chunk.offset.clone()),
        Arc::new(chunk.shape.clone()),
    ];
    let present = columns.iter().zip(&chunk.columns);
    arrays.extend(
        present
            .filter(|(column, _)| column.leaf.is_some())
            .map(|(_, data)| data.array.clone()),
    );
    Ok(RecordBatch::try_new(schema.clone(), arrays)?)
}

fn properties(schema: &SchemaRef, columns: &[StoredColumn]) -> WriterProperties {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(None)
        .set_data_page_row_count_limit(BLOCK)
        .set_write_batch_size(BLOCK)
        .set_dictionary_page_size_limit(4 << 20)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_created_by("omnify-trace".to_owned());
    for (leaf, field) in schema.fields().iter().enumerate() {
        let path = ColumnPath::new(vec![field.name().clone()]);
        if leaf == 0 {
            let statistics = EnabledStatistics::Page;
            properties = properties.set_column_statistics_enabled(path.clone(), statistics);
        }
        let own = leaf == 0 || leaf == 2;
        if own || *field.data_type() == DataType::Int64 {
            properties = properties
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
            continue;
        }
        let column = columns.iter().find(|column| column.leaf == Some(leaf));
        let repeats = column.is_none_or(|column| column.dictionary);
        properties = properties.set_column_dictionary_enabled(path, repeats);
    }
    properties.build()
}
