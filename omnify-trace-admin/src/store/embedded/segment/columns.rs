//! The columns of a segment, encoded one after another: of the others' rows there is no copy.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef};
use arrow_schema::{DataType, Field, Schema};
use parquet::{
    arrow::{
        ArrowSchemaConverter,
        arrow_writer::{ArrowColumnChunk, ArrowRowGroupWriterFactory, compute_leaves},
    },
    basic::{Compression, Encoding, ZstdLevel},
    errors::ParquetError,
    file::{
        properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder},
        writer::SerializedFileWriter,
    },
};

use super::{OWN, StoredColumn, form::Form, split::Split};
use crate::store::embedded::{
    chunk::{Chunk, ColumnData, Joined},
    index::{BLOCK, Index},
    shape::{Column, Storage},
};

/// All columns, encoded.
pub(super) struct Columns {
    pub(super) fields: Vec<Field>,
    pub(super) stored: Vec<StoredColumn>,
    pub(super) groups: Vec<Encoded>,
}

/// A group of rows, encoded.
pub(super) struct Encoded {
    pub(super) rows: usize,
    /// Time of the first and the last row.
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) index: Index,
    pub(super) leaves: Vec<ArrowColumnChunk>,
}

impl Columns {
    pub(super) fn of(joined: &Joined<'_>) -> Result<Self, ParquetError> {
        let split = Split::of(joined)?;
        let mut columns = Self {
            fields: Vec::new(),
            stored: Vec::new(),
            groups: split.heads.iter().map(Encoded::of).collect(),
        };
        let heads = |of: fn(&Chunk) -> ArrayRef| split.heads.iter().map(of).collect::<Vec<_>>();
        let own = [
            heads(|head| Arc::new(head.time.clone())),
            heads(|head| Arc::new(head.source.clone())),
            heads(|head| Arc::new(head.offset.clone())),
            heads(|head| Arc::new(head.shape.clone())),
        ];
        for (at, parts) in own.iter().enumerate() {
            let Some(any) = parts.first() else {
                break;
            };
            let properties = own_properties(at);
            let field = Field::new(OWN[at], any.data_type().clone(), false);
            columns.encode(field, parts, properties)?;
        }
        for (at, column) in joined.own.tables.columns.iter().enumerate() {
            if at < joined.width() {
                let ColumnData { array, scale } = joined.column(at)?;
                columns.add(column, &split.parts(array)?, scale)?;
            }
        }
        Ok(columns)
    }

    /// Indexes and encodes a field's column, if a row has a value.
    fn add(&mut self, column: &Column, parts: &[ArrayRef], scale: u8) -> Result<(), ParquetError> {
        for (group, part) in self.groups.iter_mut().zip(parts) {
            group.index.add(column, part);
        }
        // The group that has most of the values decides.
        let own = self
            .groups
            .iter()
            .filter_map(|group| group.index.columns.last());
        let decides = own.max_by_key(|own| own.present.count_ones());
        let dictionary = decides.is_some_and(|own| own.dictionary);
        let is_there = |part: &&ArrayRef| part.null_count() < part.len();
        let (mut leaf, mut form) = (None, Form::default());
        if parts.iter().any(|part| is_there(&part)) {
            leaf = Some(self.fields.len());
            if !dictionary {
                form = Form::of(parts);
            }
            let packed = parts.iter().map(|part| form.packed(part));
            let packed = packed.collect::<Result<Vec<_>, _>>()?;
            let data_type = packed
                .first()
                .map_or(DataType::Null, |part| part.data_type().clone());
            let properties = field_properties(&data_type, dictionary);
            let mut field = Field::new(self.name(column), data_type, true);
            if form == Form::Uuid {
                // So that other readers of the file show one, too.
                field.try_with_extension_type(arrow_schema::extension::Uuid)?;
            }
            self.encode(field, &packed, properties)?;
        }
        self.stored.push(StoredColumn {
            column: column.clone(),
            scale,
            leaf,
            dictionary,
            form,
        });
        Ok(())
    }

    fn name(&self, column: &Column) -> String {
        let taken = self.fields.iter().any(|field| *field.name() == column.path);
        match column.storage {
            Storage::Number if taken => format!("{}:number", column.path),
            Storage::Json if taken => format!("{}:json", column.path),
            Storage::Text if taken => format!("{}:text", column.path),
            _ => column.path.clone(),
        }
    }

    fn encode(
        &mut self,
        field: Field,
        parts: &[ArrayRef],
        properties: WriterPropertiesBuilder,
    ) -> Result<(), ParquetError> {
        let schema = Arc::new(Schema::new(vec![field.clone()]));
        let descriptor = ArrowSchemaConverter::new().convert(&schema)?;
        // What makes writers of columns wants a file, although it writes nothing to it.
        let none = SerializedFileWriter::new(
            std::io::sink(),
            descriptor.root_schema_ptr(),
            Arc::new(properties.build()),
        )?;
        let factory = ArrowRowGroupWriterFactory::new(&none, schema);
        for (group, part) in self.groups.iter_mut().zip(parts) {
            for mut writer in factory.create_column_writers(0)? {
                for leaf in compute_leaves(&field, part)? {
                    writer.write(&leaf)?;
                }
                group.leaves.push(writer.close()?);
            }
        }
        self.fields.push(field);
        Ok(())
    }
}

impl Encoded {
    fn of(head: &Chunk) -> Self {
        let (first, last) = span(head);
        Self {
            rows: head.rows(),
            first,
            last,
            index: Index::of(head),
            leaves: Vec::new(),
        }
    }
}

/// Time of the first and the last row.
pub(super) fn span(chunk: &Chunk) -> (i64, i64) {
    let times = chunk.time.values();
    let at = |time: Option<&i64>| time.copied().unwrap_or(0);
    (at(times.first()), at(times.last()))
}

/// What all columns and the file have in common.
pub(super) fn properties() -> WriterPropertiesBuilder {
    WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(None)
        .set_data_page_row_count_limit(BLOCK)
        .set_write_batch_size(BLOCK)
        .set_dictionary_page_size_limit(4 << 20)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_created_by("omnify-trace".to_owned())
}

/// Of one of our own columns.
fn own_properties(at: usize) -> WriterPropertiesBuilder {
    match at {
        0 => packed().set_statistics_enabled(EnabledStatistics::Page),
        2 => packed(),
        _ => properties(),
    }
}

/// Of a field's column.
fn field_properties(data_type: &DataType, dictionary: bool) -> WriterPropertiesBuilder {
    match data_type {
        DataType::Int64 => packed(),
        _ => properties().set_dictionary_enabled(dictionary),
    }
}

fn packed() -> WriterPropertiesBuilder {
    let properties = properties().set_dictionary_enabled(false);
    properties.set_encoding(Encoding::DELTA_BINARY_PACKED)
}
