//! Few rows are the same rows, whichever way they are read.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::store::embedded::{
    chunk::Builder,
    segment::{Segment, encode, file::SegmentFile, form::Form},
    source::{Extent, Mark, Source},
};

/// Lines whose columns are written in every way: few values, ids, prose, numbers, nothing at all.
fn line(at: u64) -> String {
    let mixed = at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 7;
    let number = mixed % 100_000;
    match mixed % 11 {
        0 => format!(r#"{{"level":"WARN","message":"only this {number}","odd":[{number}]}}"#),
        1 => format!("no JSON at all {number}"),
        2 => format!(r#"{{"level":"INFO","id":"{mixed:016x}","size":-{number}.5}}"#),
        _ => format!(
            r#"{{"level":"INFO","message":"Called {number}","id":"{mixed:016x}","request":"{:08x}-0000-7000-a000-{number:012x}","user":"user-{}","ms":{}.{:03},"n":{}}}"#,
            mixed >> 30,
            number % 3000,
            number / 1000,
            number % 1000,
            i64::MAX / 1024 - i64::try_from(mixed >> 20).unwrap_or(0),
        ),
    }
}

pub(in crate::store::embedded::segment) fn segment(
    directory: &std::path::Path,
    rows: u64,
) -> Segment {
    let mut builder = Builder::default();
    let source = Arc::new(Source {
        id: 7,
        name: "app.log".into(),
        device: 1,
        inode: 2,
        head_length: 0,
        head: 0,
    });
    for at in 0..rows {
        let slot = builder.source(&source);
        builder.push(slot, at * 100, &line(at), i64::try_from(at * 1000).unwrap());
    }
    let chunk = builder.freeze().unwrap();
    let extent = Extent {
        source: (*source).clone(),
        ranges: vec![(0, rows * 100)],
        mark: Mark::default(),
    };
    let encoded = encode(&[Arc::new(chunk)], "id".into(), vec![extent], Vec::new()).unwrap();
    let path = directory.join(&encoded.name);
    std::fs::write(&path, &encoded.bytes).unwrap();
    Segment::open(&path).unwrap()
}

/// Ranges of these rows, as they are asked for.
fn ranges(rows: &[usize]) -> Vec<Range<usize>> {
    let mut rows = rows.to_vec();
    rows.sort_unstable();
    rows.dedup();
    rows.into_iter().map(|row| row..row + 1).collect()
}

#[test]
fn few_rows_are_what_all_rows_have() {
    let directory = tempfile::tempdir().unwrap();
    let segment = segment(directory.path(), 9000);
    let file = segment.pages().unwrap();
    let (metadata, schema) = (segment.reader.metadata(), segment.reader.schema());
    let leaves: Vec<usize> = (0..schema.fields().len()).collect();
    assert!(segment.columns.iter().any(|column| column.dictionary));
    for form in [Form::Whole, Form::Hex(8), Form::Uuid] {
        assert!(segment.columns.iter().any(|column| column.form == form));
    }
    for (group, own) in segment.groups.iter().enumerate() {
        let whole = segment.read_all(group).unwrap();
        let check = |rows: Vec<usize>| {
            let ranges = ranges(&rows);
            let batch = read(&file, metadata, schema, (group, &leaves), &ranges);
            let batch = batch.expect("a page is not read here");
            let few = segment.to_chunk(&[batch], rows.len()).unwrap();
            for (at, row) in ranges.into_iter().map(|range| range.start).enumerate() {
                assert_eq!(few.raw(at), whole.raw(row), "row {row}");
                assert_eq!(few.key(at), whole.key(row), "row {row}");
            }
        };
        check((0..own.rows).collect());
        check(vec![0, own.rows - 1]);
        let mut runner = proptest::test_runner::TestRunner::default();
        let some = prop::collection::btree_set(0..own.rows, 1..40);
        runner
            .run(&some, |rows| {
                check(rows.into_iter().collect());
                Ok(())
            })
            .unwrap();
    }
}

#[test]
fn a_page_of_other_bytes_is_left_alone_or_read_without_a_panic() {
    let directory = tempfile::tempdir().unwrap();
    let segment = segment(directory.path(), 4200);
    let (metadata, schema) = (segment.reader.metadata(), segment.reader.schema());
    let leaves: Vec<usize> = (0..schema.fields().len()).collect();
    let bytes = std::fs::read(&segment.path).unwrap();
    let body = usize::try_from(segment.meta.tail.0).unwrap();
    let broken = directory.path().join("broken");
    let cases = (0..body, 0_u8..=255, 0..200_usize);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(64));
    runner
        .run(&cases, |(at, value, stride)| {
            let mut bytes = bytes.clone();
            bytes[..body]
                .iter_mut()
                .skip(at)
                .step_by(stride * 7 + 1)
                .for_each(|byte| *byte ^= value);
            std::fs::write(&broken, &bytes).unwrap();
            // Whoever wrote such pages wrote their checksums too.
            let file = segment
                .checksums
                .forged(&SegmentFile::open(&broken).unwrap());
            for (group, own) in segment.groups.iter().enumerate() {
                let rows: Vec<usize> = (0..own.rows).step_by(stride + 1).collect();
                let ranges = ranges(&rows);
                let _ = read(&file, metadata, schema, (group, &leaves), &ranges);
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn sparse_is_one_row_in_eight_of_the_pages_that_are_touched() {
    let sparse = |ranges: &[(usize, usize)]| {
        let ranges: Vec<Range<usize>> = ranges.iter().map(|&(from, to)| from..to).collect();
        is_sparse(&ranges, 2048)
    };
    assert!(sparse(&[(5, 6)]) && sparse(&[(0, 256)]));
    assert!(!sparse(&[(0, 257)]));
    assert!(sparse(&[(0, 256), (2048, 2304)]));
    assert!(!sparse(&[(0, 4096)]));
    assert!(sparse(&[(2000, 2100)]));
}
