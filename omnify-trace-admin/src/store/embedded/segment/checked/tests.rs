//! A bit that was flipped is found before its rows are served.

use std::{ops::Range, path::Path};

use crate::store::{
    StoreError,
    embedded::{
        index::BLOCK,
        segment::{Own, Segment, sparse::tests::segment},
    },
};

const ROWS: u64 = 5000;
/// One byte in so many is damaged, and every so often all rows are read.
const STEP: usize = 1009;
const READ: usize = 12;

/// The segment with one bit flipped, under its name.
fn flipped(whole: &[u8], at: usize, path: &Path) {
    let mut bytes = whole.to_vec();
    bytes[at] ^= 1 << (at % 8);
    std::fs::write(path, bytes).unwrap();
}

/// The lines of these rows of a group.
fn lines(
    segment: &Segment,
    group: usize,
    ranges: &[Range<usize>],
) -> Result<Vec<String>, StoreError> {
    let columns: Vec<usize> = (0..segment.columns.len()).collect();
    let chunk = segment.read(group, &columns, Own::ALL, ranges)?;
    Ok((0..chunk.rows()).map(|row| chunk.raw(row)).collect())
}

/// All rows of a group, and one in a hundred.
fn asked(rows: usize) -> [Vec<Range<usize>>; 2] {
    let few = (0..rows).step_by(100).map(|row| row..row + 1);
    [std::iter::once(0..rows).collect(), few.collect()]
}

#[test]
fn a_bit_flipped_anywhere_gives_no_wrong_row() {
    let directory = tempfile::tempdir().unwrap();
    let good = segment(directory.path(), ROWS);
    let whole = std::fs::read(&good.path).unwrap();
    let body = 4..usize::try_from(good.meta.tail.0).unwrap();
    for (number, at) in (0..whole.len()).step_by(STEP).enumerate() {
        flipped(&whole, at, &good.path);
        let Ok(damaged) = Segment::open(&good.path) else {
            assert!(!body.contains(&at), "byte {at} is not in the tail");
            continue;
        };
        assert_eq!(damaged.check().is_err(), body.contains(&at), "byte {at}");
        if number % READ > 0 {
            continue;
        }
        let mut refused = 0;
        for (group, own) in good.groups.iter().enumerate() {
            for ranges in asked(own.rows) {
                match lines(&damaged, group, &ranges) {
                    Ok(lines) => {
                        let rows: Vec<usize> = ranges.into_iter().flatten().collect();
                        std::fs::write(&good.path, &whole).unwrap();
                        let all = std::iter::once(0..own.rows).collect::<Vec<_>>();
                        let right = self::lines(&good, group, &all).unwrap();
                        assert!(rows.iter().map(|&row| &right[row]).eq(&lines), "byte {at}");
                        flipped(&whole, at, &good.path);
                    }
                    Err(StoreError::Damaged { .. }) => refused += 1,
                    Err(other) => panic!("{other}"),
                }
            }
        }
        assert_eq!(refused > 0, body.contains(&at), "byte {at}");
    }
}

#[test]
fn pages_that_are_whole_are_served_beside_a_damaged_one() {
    let directory = tempfile::tempdir().unwrap();
    let good = segment(directory.path(), ROWS);
    let whole = std::fs::read(&good.path).unwrap();
    let first: Vec<Range<usize>> = std::iter::once(0..BLOCK).collect();
    let right = lines(&good, 0, &first).unwrap();
    let page = good.checksums.page(0, 0, Some(1)).unwrap();
    // In the header, and in what follows it.
    for at in [0, page.length - 1] {
        flipped(
            &whole,
            usize::try_from(page.start).unwrap() + at,
            &good.path,
        );
        let damaged = Segment::open(&good.path).unwrap();
        assert_eq!(lines(&damaged, 0, &first).unwrap(), right);
        for rows in [BLOCK..BLOCK + 1, BLOCK..BLOCK * 2, 0..good.groups[0].rows] {
            let error = lines(&damaged, 0, &[rows]).unwrap_err().to_string();
            assert!(error.contains("checksum"), "{error}");
        }
    }
}
