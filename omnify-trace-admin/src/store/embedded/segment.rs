//! A segment: sealed rows in one Parquet file of one row group, and what is kept beside them.
//!
//! The file's name holds length and checksum of its tail (page index, our tables, footer), and
//! the tail holds the checksums of the column chunks, so that damage is found before rows are
//! served. The footer names the source files and byte ranges that the rows came from: it is
//! the checkpoint of the tailer.

use std::{
    fs::File,
    io::Cursor,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use arrow_array::{
    Array, ArrayRef, Int64Array, RecordBatch, UInt32Array, UInt64Array, new_null_array,
};
use arrow_schema::{DataType, Field, Schema};
use bytes::Bytes;
use parquet::{
    arrow::{
        ArrowWriter, ProjectionMask,
        arrow_reader::{
            ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection,
        },
    },
    basic::{Compression, Encoding, ZstdLevel},
    errors::ParquetError,
    file::{
        metadata::{KeyValue, PageIndexPolicy, ParquetMetaDataReader},
        properties::{EnabledStatistics, WriterProperties},
        reader::{ChunkReader, Length},
    },
    schema::types::ColumnPath,
};
use serde::{Deserialize, Serialize};

use super::{
    chunk::{Chunk, ColumnData},
    shape::{Column, SHAPE_TEXT, Shape, Storage, Tables},
    source::{Extent, Source},
};
use crate::store::StoreError;

/// Our own columns, before those of the fields.
const OWN: [&str; 4] = ["_time", "_source", "_offset", "_shape"];
/// Rows per page: what a point query must decode of each column.
const PAGE_ROWS: usize = 2048;
const META_KEY: &str = "omnify";
const VERSION: u32 = 1;

/// What the footer says of a segment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Meta {
    version: u32,
    pub(crate) id: String,
    pub(crate) rows: u64,
    pub(crate) malformed: u64,
    /// Time of the first and the last row.
    pub(crate) first: i64,
    pub(crate) last: i64,
    pub(crate) sources: Vec<Extent>,
    /// Segments whose rows are in this one.
    pub(crate) replaces: Vec<String>,
    /// Where our tables are: compressed JSON of [`Tail`].
    tail: (u64, u64),
}

#[derive(Debug, Serialize, Deserialize)]
struct Tail {
    columns: Vec<StoredColumn>,
    shapes: Vec<Shape>,
    /// CRC-32 of each Parquet column chunk.
    checksums: Vec<u32>,
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredColumn {
    #[serde(flatten)]
    column: Column,
    scale: u8,
    /// Number of the Parquet column; absent if no row has a value.
    leaf: Option<usize>,
}

/// A sealed, open segment.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) meta: Meta,
    pub(crate) path: PathBuf,
    pub(crate) bytes: u64,
    pub(crate) tables: Arc<Tables>,
    pub(crate) sources: Arc<Vec<Arc<Source>>>,
    columns: Vec<StoredColumn>,
    checksums: Vec<u32>,
    verified: Vec<AtomicBool>,
    reader: ArrowReaderMetadata,
    file: SegmentFile,
}

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
    let (batch, columns) = batch(chunk)?;
    let mut writer =
        ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties(chunk, &batch)))?;
    writer.write(&batch)?;
    writer.flush()?;
    writer.sync()?;
    let body = writer.inner();
    let group = writer.flushed_row_groups().first();
    let checksums = group.map_or_else(Vec::new, |group| {
        let range = |at| group.column(at).byte_range();
        let ranges = (0..group.num_columns()).map(range);
        ranges
            .map(|(start, length)| crc(slice(body, start, length)))
            .collect()
    });
    let tail_start = body.len();
    let tail = Tail {
        columns,
        shapes: chunk.tables.shapes.clone(),
        checksums,
    };
    let json = serde_json::to_vec(&tail).map_err(|error| ParquetError::External(error.into()))?;
    let packed = zstd::bulk::compress(&json, 3)?;
    writer.write_all(&packed)?;
    let rows = chunk.rows();
    let meta = Meta {
        version: VERSION,
        rows: rows as u64,
        malformed: chunk
            .shape
            .values()
            .iter()
            .filter(|&&shape| shape == SHAPE_TEXT)
            .count() as u64,
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
    let text =
        serde_json::to_string(&meta).map_err(|error| ParquetError::External(error.into()))?;
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

fn crc(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
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

fn properties(_chunk: &Chunk, batch: &RecordBatch) -> WriterProperties {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(None)
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_write_batch_size(PAGE_ROWS)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_created_by("omnify-trace".to_owned());
    for (at, field) in batch.schema_ref().fields().iter().enumerate() {
        let path = ColumnPath::new(vec![field.name().clone()]);
        if at == 0 {
            properties =
                properties.set_column_statistics_enabled(path.clone(), EnabledStatistics::Page);
        }
        if (at == 0 || at == 2) || *field.data_type() == DataType::Int64 {
            properties = properties
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
        }
    }
    properties.build()
}

impl Segment {
    /// Opens a segment file, checking all but the column chunks.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        Self::try_open(path).map_err(|reason| StoreError::Damaged {
            path: path.display().to_string(),
            reason: reason.to_string(),
        })
    }

    fn try_open(path: &Path) -> Result<Self, ParquetError> {
        let damaged = |what: &str| ParquetError::General(what.to_owned());
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        let mut parts = name.split('.').skip(1);
        let length = parts
            .next()
            .and_then(|text| u64::from_str_radix(text, 16).ok());
        let checksum = parts
            .next()
            .and_then(|text| u32::from_str_radix(text, 16).ok());
        let (Some(length), Some(checksum)) = (length, checksum) else {
            return Err(damaged("its name does not tell its checksum"));
        };
        let file = SegmentFile::open(path)?;
        let start = file
            .length
            .checked_sub(length)
            .ok_or_else(|| damaged("it is cut short"))?;
        let tail = file.get_bytes(start, usize::try_from(length).unwrap_or(0))?;
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
        let json = zstd::stream::decode_all(&packed[..])?;
        let tail: Tail =
            serde_json::from_slice(&json).map_err(|error| ParquetError::External(error.into()))?;
        let columns = tail
            .columns
            .iter()
            .map(|stored| stored.column.clone())
            .collect();
        let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Optional);
        Ok(Self {
            path: path.to_owned(),
            bytes: file.length,
            tables: Arc::new(Tables::from_parts(columns, tail.shapes)),
            sources: Arc::new(
                meta.sources
                    .iter()
                    .map(|extent| Arc::new(extent.source.clone()))
                    .collect(),
            ),
            verified: tail
                .checksums
                .iter()
                .map(|_| AtomicBool::new(false))
                .collect(),
            checksums: tail.checksums,
            columns: tail.columns,
            reader: ArrowReaderMetadata::try_new(Arc::new(metadata), options)?,
            file,
            meta,
        })
    }

    /// Rows of the segment with all columns, or those of `selection`.
    pub(crate) fn chunk(&self, selection: Option<RowSelection>) -> Result<Chunk, StoreError> {
        let all: Vec<usize> = (0..self.columns.len()).collect();
        self.read(&all, selection)
    }

    /// Rows with our own columns and the given ones; the other columns are null.
    pub(crate) fn read(
        &self,
        columns: &[usize],
        selection: Option<RowSelection>,
    ) -> Result<Chunk, StoreError> {
        self.try_read(columns, selection)
            .map_err(|error| StoreError::Damaged {
                path: self.path.display().to_string(),
                reason: error.to_string(),
            })
    }

    fn try_read(
        &self,
        columns: &[usize],
        selection: Option<RowSelection>,
    ) -> Result<Chunk, ParquetError> {
        let own = 0..OWN.len();
        let leaves: Vec<usize> = own
            .chain(
                columns
                    .iter()
                    .filter_map(|&column| self.columns.get(column)?.leaf),
            )
            .collect();
        for &leaf in &leaves {
            self.verify(leaf)?;
        }
        let mut builder = ParquetRecordBatchReaderBuilder::new_with_metadata(
            self.file.clone(),
            self.reader.clone(),
        )
        .with_batch_size(1 << 20)
        .with_projection(ProjectionMask::leaves(self.reader.parquet_schema(), leaves));
        if let Some(selection) = selection {
            builder = builder.with_row_selection(selection);
        }
        let batches = builder.build()?.collect::<Result<Vec<_>, _>>()?;
        let schema = batches.first().map(RecordBatch::schema);
        let batch = match (schema, batches.len()) {
            (Some(_), 1) => batches[0].clone(),
            (Some(schema), _) => arrow_select::concat::concat_batches(&schema, &batches)?,
            (None, _) => return Ok(self.nothing()),
        };
        self.to_chunk(&batch)
    }

    fn to_chunk(&self, batch: &RecordBatch) -> Result<Chunk, ParquetError> {
        let lost = || ParquetError::General("a column has an unexpected type".to_owned());
        let own = |at: usize| batch.column_by_name(OWN[at]).ok_or_else(lost);
        let schema = self.reader.schema();
        let column = |stored: &StoredColumn| {
            let read = stored
                .leaf
                .and_then(|leaf| batch.column_by_name(schema.field(leaf).name()));
            let data_type = match stored.column.storage {
                Storage::Number => DataType::Int64,
                _ => DataType::Utf8,
            };
            let array = read
                .cloned()
                .unwrap_or_else(|| new_null_array(&data_type, batch.num_rows()));
            ColumnData {
                array,
                scale: stored.scale,
            }
        };
        Ok(Chunk {
            tables: self.tables.clone(),
            sources: self.sources.clone(),
            time: own(0)?
                .as_any()
                .downcast_ref::<Int64Array>()
                .ok_or_else(lost)?
                .clone(),
            source: own(1)?
                .as_any()
                .downcast_ref::<UInt32Array>()
                .ok_or_else(lost)?
                .clone(),
            offset: own(2)?
                .as_any()
                .downcast_ref::<UInt64Array>()
                .ok_or_else(lost)?
                .clone(),
            shape: own(3)?
                .as_any()
                .downcast_ref::<UInt32Array>()
                .ok_or_else(lost)?
                .clone(),
            columns: self.columns.iter().map(column).collect(),
        })
    }

    fn nothing(&self) -> Chunk {
        Chunk {
            tables: self.tables.clone(),
            sources: self.sources.clone(),
            time: Vec::<i64>::new().into(),
            source: Vec::<u32>::new().into(),
            offset: Vec::<u64>::new().into(),
            shape: Vec::<u32>::new().into(),
            columns: Vec::new(),
        }
    }

    /// Checks a column chunk once, before its first use.
    fn verify(&self, leaf: usize) -> Result<(), ParquetError> {
        let (Some(seen), Some(&checksum)) = (self.verified.get(leaf), self.checksums.get(leaf))
        else {
            return Err(ParquetError::General("a column has no checksum".to_owned()));
        };
        if seen.load(Ordering::Relaxed) {
            return Ok(());
        }
        let (start, length) = self
            .reader
            .metadata()
            .row_group(0)
            .column(leaf)
            .byte_range();
        let bytes = self
            .file
            .get_bytes(start, usize::try_from(length).unwrap_or(0))?;
        if crc(&bytes) != checksum {
            return Err(ParquetError::General(format!(
                "the checksum of column {leaf} is wrong"
            )));
        }
        seen.store(true, Ordering::Relaxed);
        Ok(())
    }
}

/// The segment's file, read by position so that threads can share it.
#[derive(Debug, Clone)]
struct SegmentFile {
    file: Arc<File>,
    length: u64,
}

impl SegmentFile {
    fn open(path: &Path) -> std::io::Result<Self> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        Ok(Self {
            file: Arc::new(file),
            length,
        })
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
        self.file.read_exact_at(&mut bytes, start)?;
        Ok(bytes.into())
    }
}

/// The tail of a file, standing in for the whole.
struct Suffix {
    start: u64,
    bytes: Bytes,
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
