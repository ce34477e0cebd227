//! Lines in the form of Loki's push request: streams by label, ids as structured metadata.

use std::{
    collections::{BTreeMap, HashMap},
    io::Write,
    sync::Arc,
};

use flate2::{Compression, write::GzEncoder};
use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::store::{
    fields::candidates,
    loki::logql::{JOB, LABELS, METADATA},
    matcher::Leaves,
    time::parse_rfc3339,
};

/// Loki's `max_line_size` of a new installation.
const LONGEST_LINE: usize = 256 << 10;
/// Loki's longest label value.
const LONGEST_VALUE: usize = 2048;

/// Lines that go together.
#[derive(Debug, Clone, Default)]
pub(super) struct Batch {
    streams: HashMap<Labels, Vec<Entry>>,
    bytes: usize,
    lines: u64,
    too_long: u64,
}

/// In the order of [`LABELS`], then the file's name.
type Labels = Vec<(&'static str, String)>;

#[derive(Debug, Clone)]
struct Entry {
    timestamp: i64,
    line: Arc<str>,
    metadata: BTreeMap<&'static str, String>,
}

impl Batch {
    /// Adds a line. What it says decides where it goes; its arrival is its time if it says none.
    pub(super) fn add(&mut self, line: &str, file: &str, arrival: i64) {
        if line.len() > LONGEST_LINE {
            self.too_long += 1;
            return;
        }
        let leaves = Leaves::of(line, true);
        let value = |field: &str| {
            let leaf = leaves.first(&candidates(field))?;
            let text = leaf.text.as_ref();
            (!text.is_empty() && text.len() <= LONGEST_VALUE).then(|| text.to_owned())
        };
        let timestamp = leaves
            .get(omnify_trace::schema::fields::TIMESTAMP)
            .and_then(|leaf| parse_rfc3339(leaf.text.as_bytes()))
            .map_or(arrival, |(time, _)| time);
        let mut labels: Labels = vec![(JOB.0, JOB.1.to_owned()), ("filename", file.to_owned())];
        labels.extend(
            LABELS
                .iter()
                .filter_map(|(label, field)| Some((*label, value(field)?))),
        );
        let metadata = METADATA
            .iter()
            .filter_map(|&name| Some((name, value(name)?)))
            .collect();
        self.bytes += line.len();
        self.lines += 1;
        self.streams.entry(labels).or_default().push(Entry {
            timestamp,
            line: line.into(),
            metadata,
        });
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) const fn lines(&self) -> u64 {
        self.lines
    }

    /// Lines that were left out, as Loki takes none so long.
    pub(super) const fn too_long(&self) -> u64 {
        self.too_long
    }

    /// The request's body.
    pub(super) fn packed(&self) -> Vec<u8> {
        let mut packer = GzEncoder::new(Vec::with_capacity(self.bytes / 4), Compression::fast());
        // Writing to memory does not fail.
        let text = serde_json::to_vec(&Request(self)).unwrap_or_default();
        let _ = packer.write_all(&text);
        packer.finish().unwrap_or_default()
    }

    /// Two batches of half the lines each.
    pub(super) fn halves(self) -> [Self; 2] {
        let mut halves = [Self::default(), Self::default()];
        let entries = self.streams.into_iter().flat_map(|(labels, entries)| {
            entries
                .into_iter()
                .map(move |entry| (labels.clone(), entry))
        });
        for (nth, (labels, entry)) in entries.enumerate() {
            let half = &mut halves[nth % 2];
            half.bytes += entry.line.len();
            half.lines += 1;
            half.streams.entry(labels).or_default().push(entry);
        }
        halves
    }
}

struct Request<'a>(&'a Batch);

#[derive(Serialize)]
struct Stream<'a> {
    #[serde(serialize_with = "pairs")]
    stream: &'a Labels,
    /// Nanoseconds, line, metadata.
    values: Vec<(String, &'a str, &'a BTreeMap<&'static str, String>)>,
}

fn pairs<S: Serializer>(labels: &Labels, to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(labels.iter().map(|(name, value)| (name, value)))
}

impl Serialize for Request<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let streams: Vec<Stream<'_>> = self
            .0
            .streams
            .iter()
            .map(|(labels, entries)| Stream {
                stream: labels,
                values: entries
                    .iter()
                    .map(|entry| (entry.timestamp.to_string(), &*entry.line, &entry.metadata))
                    .collect(),
            })
            .collect();
        let mut map = to.serialize_map(Some(1))?;
        map.serialize_entry("streams", &streams)?;
        map.end()
    }
}
