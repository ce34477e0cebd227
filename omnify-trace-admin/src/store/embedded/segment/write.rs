//! Encoding rows as a segment.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
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

use super::{META_KEY, Meta, OWN, StoredColumn, Tail, VERSION, crc};
use crate::store::embedded::{
    chunk::Chunk,
    index::{BLOCK, Index},
    shape::{SHAPE_TEXT, Storage},
    source::Extent,
};

/// An encoded segment, ready to be written.
pub(crate) struct Encoded {
    pub(crate) bytes: Vec<u8>,
    pub(crate) name: String,
}

/// Encodes sorted rows.
pub(crate) fn encode(
    chunk: &Chunk,
    id: String,
    sources: Vec<Extent>,
    replaces: Vec<String>,
) -> Result<Encoded, ParquetError> {
    let external = |error: serde_json::Error| ParquetError::External(error.into());
    let index = Index::of(chunk);
    let (batch, columns) = batch(chunk)?;
    let properties = properties(&batch, &columns, &index);
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties))?;
    writer.write(&batch)?;
    writer.flush()?;
    writer.sync()?;
    let body = writer.inner();
    let group = writer.flushed_row_groups().first();
    let checksums = group.map_or_else(Vec::new, |group| {
        let ranges = group
            .columns()
            .iter()
            .map(parquet::file::metadata::ColumnChunkMetaData::byte_range);
        ranges
            .map(|(start, length)| crc(slice(body, start, length)))
            .collect()
    });
    let tail_start = body.len();
    let index = index.pack().map_err(external)?;
    let shapes = chunk.tables.shapes.clone();
    let tail = Tail {
        columns,
        shapes,
        checksums,
        index: index.len(),
    };
    let mut tail = serde_json::to_vec(&tail).map_err(external)?;
    tail.push(b'\n');
    tail.extend(index);
    let packed = zstd::bulk::compress(&tail, 3)?;
    writer.write_all(&packed)?;
    let rows = chunk.rows();
    let texts = chunk
        .shape
        .values()
        .iter()
        .filter(|&&shape| shape == SHAPE_TEXT)
        .count();
    let meta = Meta {
        version: VERSION,
        rows: rows as u64,
        malformed: texts as u64,
        first: if rows > 0 { chunk.time.value(0) } else { 0 },
        last: if rows > 0 {
            chunk.time.value(rows - 1)
        } else {
            0
        },
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

/// The rows as a record batch: our columns, then each field that has values.
fn batch(chunk: &Chunk) -> Result<(RecordBatch, Vec<StoredColumn>), ParquetError> {
    let mut fields = vec![
        Field::new(OWN[0], DataType::Int64, false),
        Field::new(OWN[1], DataType::UInt32, false),
        Field::new(OWN[2], DataType::UInt64, false),
        Field::new(OWN[3], DataType::UInt32, false),
    ];
    let mut arrays: Vec<ArrayRef> = vec![
        Arc::new(chunk.time.clone()),
        Arc::new(chunk.source.clone()),
        Arc::new(chunk.offset.clone()),
        Arc::new(chunk.shape.clone()),
    ];
    let mut stored = Vec::with_capacity(chunk.columns.len());
    for (column, data) in chunk.tables.columns.iter().zip(&chunk.columns) {
        let present = data.array.null_count() < data.array.len();
        let leaf = present.then(|| {
            let taken = fields.iter().any(|field| *field.name() == column.path);
            let name = match column.storage {
                Storage::Number if taken => format!("{}:number", column.path),
                Storage::Json if taken => format!("{}:json", column.path),
                Storage::Text if taken => format!("{}:text", column.path),
                _ => column.path.clone(),
            };
            fields.push(Field::new(name, data.array.data_type().clone(), true));
            arrays.push(data.array.clone());
            arrays.len() - 1
        });
        stored.push(StoredColumn {
            column: column.clone(),
            scale: data.scale,
            leaf,
        });
    }
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?;
    Ok((batch, stored))
}

fn properties(batch: &RecordBatch, columns: &[StoredColumn], index: &Index) -> WriterProperties {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(None)
        .set_data_page_row_count_limit(BLOCK)
        .set_write_batch_size(BLOCK)
        .set_dictionary_page_size_limit(4 << 20)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_created_by("omnify-trace".to_owned());
    for (leaf, field) in batch.schema_ref().fields().iter().enumerate() {
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
        let column = columns.iter().position(|column| column.leaf == Some(leaf));
        let repeats = column
            .and_then(|at| index.columns.get(at))
            .is_none_or(|own| own.dictionary);
        properties = properties.set_column_dictionary_enabled(path, repeats);
    }
    properties.build()
}
