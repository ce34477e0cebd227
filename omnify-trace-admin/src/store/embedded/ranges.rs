//! Which bytes of a log file are already in the store.

/// Disjoint half-open byte ranges, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Ranges(Vec<(u64, u64)>);

impl Ranges {
    /// Adds `[start, end)`, joining what touches.
    pub(crate) fn insert(&mut self, mut start: u64, mut end: u64) {
        if start >= end {
            return;
        }
        let first = self.0.partition_point(|range| range.1 < start);
        let last = self.0.partition_point(|range| range.0 <= end);
        if let Some(touched) = self
            .0
            .get(first..last)
            .filter(|touched| !touched.is_empty())
        {
            start = start.min(touched[0].0);
            end = end.max(touched[touched.len() - 1].1);
        }
        self.0.splice(first..last, [(start, end)]);
    }

    /// Takes `[start, end)` out.
    pub(crate) fn remove(&mut self, start: u64, end: u64) {
        let old = std::mem::take(&mut self.0);
        for (low, high) in old {
            self.insert(low, high.min(start));
            self.insert(low.max(end), high);
        }
    }

    /// Where the last range ends: everything after is unread.
    pub(crate) fn end(&self) -> u64 {
        self.0.last().map_or(0, |range| range.1)
    }

    /// The first unread range that starts at or after `from`; its end is `None` at the end.
    pub(crate) fn gap(&self, from: u64) -> (u64, Option<u64>) {
        let mut start = from;
        for &(low, high) in &self.0 {
            if start < low {
                return (start, Some(low));
            }
            start = start.max(high);
        }
        (start, None)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.0.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::Ranges;

    #[test]
    fn gaps_are_what_was_not_inserted() {
        let mut ranges = Ranges::default();
        assert_eq!(ranges.gap(0), (0, None));
        for (start, end) in [(10, 20), (30, 40), (20, 25), (5, 5), (39, 41)] {
            ranges.insert(start, end);
        }
        assert_eq!(ranges.iter().collect::<Vec<_>>(), [(10, 25), (30, 41)]);
        assert_eq!(ranges.gap(0), (0, Some(10)));
        assert_eq!(ranges.gap(10), (25, Some(30)));
        assert_eq!(ranges.gap(25), (25, Some(30)));
        assert_eq!(ranges.gap(33), (41, None));
        assert_eq!(ranges.end(), 41);
        ranges.remove(12, 35);
        assert_eq!(ranges.iter().collect::<Vec<_>>(), [(10, 12), (35, 41)]);
        ranges.insert(0, 100);
        assert_eq!(ranges.iter().collect::<Vec<_>>(), [(0, 100)]);
    }
}
