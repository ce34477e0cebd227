//! A Parquet file, written piece by piece.

use std::{
    io::{self, Write},
    sync::Arc,
};

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use axum::body::Bytes;
use parking_lot::Mutex;
use parquet::{
    arrow::ArrowWriter,
    basic::{Compression, ZstdLevel},
    file::properties::WriterProperties,
};

/// Rows a row group: so many are in memory.
const ROWS: usize = 20_000;

/// Columns of text in a Parquet file under way.
pub(super) struct Table {
    writer: ArrowWriter<Pipe>,
    written: Pipe,
    schema: Arc<Schema>,
}

impl Table {
    /// A table with these columns.
    pub(super) fn new(headings: &[&str]) -> Option<Self> {
        let fields: Vec<Field> = headings
            .iter()
            .map(|heading| Field::new(*heading, DataType::Utf8, true))
            .collect();
        let schema = Arc::new(Schema::new(fields));
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(1).ok()?))
            .set_max_row_group_row_count(Some(ROWS))
            .build();
        let written = Pipe::default();
        let writer =
            ArrowWriter::try_new(written.clone(), Arc::clone(&schema), Some(properties)).ok()?;
        Some(Self {
            writer,
            written,
            schema,
        })
    }

    /// Adds rows; an empty cell is a null.
    pub(super) fn write<const COLUMNS: usize>(&mut self, rows: &[[String; COLUMNS]]) -> Option<()> {
        let column = |place: usize| -> ArrayRef {
            let cells = rows.iter().map(|row| {
                row.get(place)
                    .map(String::as_str)
                    .filter(|cell| !cell.is_empty())
            });
            Arc::new(cells.collect::<StringArray>())
        };
        let batch =
            RecordBatch::try_new(Arc::clone(&self.schema), (0..COLUMNS).map(column).collect());
        self.writer.write(&batch.ok()?).ok()
    }

    /// The bytes that are ready.
    pub(super) fn take(&self) -> Bytes {
        self.written.take()
    }

    /// The rest of the file.
    pub(super) fn finish(self) -> Option<Bytes> {
        self.writer.close().ok()?;
        Some(self.written.take())
    }
}

/// Bytes between the writer and the response.
#[derive(Clone, Default)]
struct Pipe(Arc<Mutex<Vec<u8>>>);

impl Pipe {
    fn take(&self) -> Bytes {
        std::mem::take(&mut *self.0.lock()).into()
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
