//! Counts per minute, level and event type.

use foldhash::HashMap;
use serde::{Deserialize, Serialize};

use crate::store::{
    embedded::{chunk::Chunk, exec::values::Groups},
    time::MINUTE,
};

/// Lines per minute, level and event type.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Rollup {
    pub(crate) levels: Vec<Option<String>>,
    pub(crate) types: Vec<Option<String>>,
    /// Start of the minute, level, type, count.
    pub(crate) counts: Vec<(i64, u16, u16, u64)>,
}

impl Rollup {
    pub(super) fn of(chunk: &Chunk) -> Self {
        let levels = Groups::of(chunk, &["level".to_owned()]);
        let types = Groups::of(chunk, &["event_type".to_owned()]);
        let mut counts: HashMap<(i64, u32, u32), u64> = HashMap::default();
        let mut last = (i64::MIN, 0, 0);
        let mut run = 0;
        for row in 0..chunk.rows() {
            let minute = chunk.time.value(row).div_euclid(MINUTE) * MINUTE;
            let key = (minute, levels.ids[row], types.ids[row]);
            if key != last && run > 0 {
                *counts.entry(last).or_default() += run;
                run = 0;
            }
            last = key;
            run += 1;
        }
        if run > 0 {
            *counts.entry(last).or_default() += run;
        }
        if levels.values.len() > 64 || types.values.len() > 1024 {
            return Self::default();
        }
        let small = |id: u32| u16::try_from(id).unwrap_or(u16::MAX);
        let mut counts: Vec<(i64, u16, u16, u64)> = counts
            .into_iter()
            .map(|((minute, level, kind), count)| (minute, small(level), small(kind), count))
            .collect();
        counts.sort_unstable();
        Self {
            levels: levels.values,
            types: types.values,
            counts,
        }
    }

    /// Whether it was made: a segment of odd levels has none.
    pub(crate) fn is_there(&self) -> bool {
        !self.counts.is_empty()
    }
}
