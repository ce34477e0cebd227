//! What each column costs on disk.

use std::{collections::BTreeMap, path::Path};

use anyhow::Result;
use parquet::file::{
    metadata::RowGroupMetaData,
    reader::{FileReader as _, SerializedFileReader},
};

use crate::report::Report;

/// Columns of less than this share are told together.
const WORTH_TELLING: u64 = 100;

/// Compressed and plain size of each column in all segments, the largest first, as a note.
pub(super) fn tell(store: &Path, report: &mut Report) -> Result<()> {
    let mut columns: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    let mut files = 0;
    for entry in std::fs::read_dir(store)? {
        let path = entry?.path();
        if path.extension().is_none_or(|end| end != "parquet") {
            continue;
        }
        let file = std::fs::File::open(&path)?;
        files += file.metadata()?.len();
        let reader = SerializedFileReader::new(file)?;
        for column in reader
            .metadata()
            .row_groups()
            .iter()
            .flat_map(RowGroupMetaData::columns)
        {
            let sizes = columns.entry(column.column_path().string()).or_default();
            sizes.0 += u64::try_from(column.compressed_size()).unwrap_or(0);
            sizes.1 += u64::try_from(column.uncompressed_size()).unwrap_or(0);
        }
    }
    let rows: u64 = columns.values().map(|sizes| sizes.0).sum();
    let tables = files.saturating_sub(rows);
    let mut columns: Vec<(String, (u64, u64))> = columns.into_iter().collect();
    columns.push(("(indices and footers)".to_owned(), (tables, tables)));
    columns.sort_by_key(|(_, sizes)| std::cmp::Reverse(sizes.0));
    let (mut rest, megabytes) = ((0, 0), |bytes: u64| bytes as f64 / 1e6);
    for (name, sizes) in columns {
        if sizes.0 * WORTH_TELLING < files {
            rest = (rest.0 + sizes.0, rest.1 + sizes.1);
            continue;
        }
        report.note(format!(
            "disk: {name}: {:.1} MB ({:.1} plain)",
            megabytes(sizes.0),
            megabytes(sizes.1)
        ));
    }
    report.note(format!(
        "disk: all other columns: {:.1} MB ({:.1} plain)",
        megabytes(rest.0),
        megabytes(rest.1)
    ));
    Ok(())
}
