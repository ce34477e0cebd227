//! Cuts lines of shapes that were seen before, without parsing them.
//!
//! The shapes form a tree: what must stand next, byte for byte, and what kind of value follows.
//! A line that fits a path through it is cut by comparing and scanning; any doubt, such as an odd
//! escape, an exponent or an array, sends it to the parser, which is always right.

use super::shape::{Cut, FIRST_SHAPE, Hole, Shape, Tables, Value, canonical, decimal};
use crate::store::time;

/// Names whose strings decide a line's time: the parser must see them.
const TIMES: [&str; 4] = ["timestamp", "time", "@timestamp", "ts"];

/// More ways to go on from one place than this are not learnt: trying them all would cost more
/// than parsing.
const MAX_EDGES: usize = 64;

/// The tree of known shapes.
#[derive(Debug)]
pub(crate) struct Fast {
    nodes: Vec<Node>,
    /// Shapes of the tables that have been learnt.
    learnt: usize,
}

#[derive(Debug, Default)]
struct Node {
    edges: Vec<Edge>,
    /// How lines end here, and their shape.
    ends: Vec<(Box<[u8]>, u32)>,
}

#[derive(Debug)]
struct Edge {
    literal: Box<[u8]>,
    hole: Hole,
    next: usize,
}

impl Default for Fast {
    fn default() -> Self {
        Self {
            nodes: vec![Node::default()],
            learnt: FIRST_SHAPE as usize,
        }
    }
}

impl Fast {
    /// Learns the shapes that are new in the tables.
    pub(crate) fn learn(&mut self, tables: &Tables) {
        while let Some(shape) = tables.shapes.get(self.learnt) {
            let number = u32::try_from(self.learnt).unwrap_or(u32::MAX);
            self.learnt += 1;
            let decides_time = |hole: &Hole| match hole {
                Hole::Text(column) => {
                    let column = tables.columns.get(usize::from(*column));
                    column.is_some_and(|column| TIMES.contains(&column.path.as_str()))
                }
                _ => false,
            };
            if !shape.holes.iter().any(decides_time) {
                self.add(shape, number);
            }
        }
    }

    fn add(&mut self, shape: &Shape, number: u32) {
        let mut at = 0;
        for (literal, &hole) in shape.literals.iter().zip(&shape.holes) {
            let is_it = |edge: &&Edge| *edge.literal == *literal.as_bytes() && edge.hole == hole;
            at = match self.nodes[at].edges.iter().find(is_it) {
                Some(edge) => edge.next,
                None if self.nodes[at].edges.len() >= MAX_EDGES => return,
                None => {
                    let next = self.nodes.len();
                    self.nodes.push(Node::default());
                    let literal = literal.as_bytes().into();
                    self.nodes[at].edges.push(Edge {
                        literal,
                        hole,
                        next,
                    });
                    next
                }
            };
        }
        if let Some(last) = shape.literals.last() {
            self.nodes[at].ends.push((last.as_bytes().into(), number));
        }
    }

    /// Cuts the line, if it is of a known shape beyond doubt.
    pub(crate) fn cut<'a>(&mut self, line: &'a str) -> Option<Cut<'a>> {
        let bytes = line.as_bytes();
        let escaped = has_escapes(bytes)?;
        let mut cut = Cut {
            shape: 0,
            time: None,
            values: Vec::with_capacity(24),
        };
        let (mut node, mut at) = (0, 0);
        loop {
            let rest = &bytes[at..];
            if let Some((_, shape)) = self.nodes[node]
                .ends
                .iter()
                .find(|(literal, _)| **literal == *rest)
            {
                cut.shape = *shape;
                return Some(cut);
            }
            let edges = &mut self.nodes[node].edges;
            let (taken, end) = edges.iter().enumerate().find_map(|(number, edge)| {
                let start = rest
                    .starts_with(&edge.literal)
                    .then(|| at + edge.literal.len())?;
                Some((number, fill(line, start, edge.hole, escaped, &mut cut)?))
            })?;
            at = end;
            node = edges[taken].next;
            // What was taken last is tried first.
            edges.swap(0, taken);
        }
    }
}

/// Reads a hole's value at a place; gives where it ends.
fn fill<'a>(
    line: &'a str,
    start: usize,
    hole: Hole,
    escaped: bool,
    cut: &mut Cut<'a>,
) -> Option<usize> {
    let rest = &line.as_bytes()[start..];
    match hole {
        Hole::Text(column) => {
            let length = match escaped {
                true => string(rest)?,
                false => memchr::memchr(b'"', rest)?,
            };
            let written = line.get(start..start + length)?;
            let value = match escaped && written.contains('\\') {
                true => canonical(written)?.into(),
                false => written.into(),
            };
            cut.values.push((column, Value::Text(value)));
            Some(start + length)
        }
        Hole::Time(digits) => {
            let length = memchr::memchr(b'"', rest)?;
            let (ns, found) = time::parse_rfc3339(&rest[..length])?;
            if found != Some(digits) {
                return None;
            }
            cut.time = Some(ns);
            Some(start + length)
        }
        Hole::Number(column, digits) => {
            let is_part = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'-');
            let length = rest.iter().position(|byte| !is_part(byte))?;
            if !matches!(rest[length], b',' | b'}' | b' ') || !is_number(&rest[..length]) {
                return None;
            }
            let (value, found) = decimal(&rest[..length])?;
            if found != digits {
                return None;
            }
            cut.values.push((column, Value::Number(value, digits)));
            Some(start + length)
        }
        Hole::Json(column) => {
            let word = ["true", "false", "null"]
                .into_iter()
                .find(|word| rest.starts_with(word.as_bytes()))?;
            let end = start + word.len();
            cut.values
                .push((column, Value::Json(line.get(start..end)?)));
            Some(end)
        }
    }
}

/// Whether a line has escapes; `None` if it has control characters, which only the parser knows how
/// to take. It is asked once for the whole line, because a loop without a way out is done for many
/// bytes at a time, and most lines have neither: their strings end at the next quote.
fn has_escapes(line: &[u8]) -> Option<bool> {
    let (control, escapes) = line.iter().fold((0, 0), |(control, escapes), &byte| {
        (
            control | u8::from(byte < 0x20),
            escapes | u8::from(byte == b'\\'),
        )
    });
    (control == 0).then_some(escapes != 0)
}

/// Length of a string that may have escapes, up to its quote.
fn string(rest: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let found = at + memchr::memchr2(b'"', b'\\', rest.get(at..)?)?;
        if rest[found] == b'"' {
            return Some(found);
        }
        at = found + 2;
    }
}

/// Whether digits, points and minus signs are a JSON number.
fn is_number(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let mut parts = digits.split(|&byte| byte == b'.');
    let whole = parts.next().unwrap_or_default();
    let decimals = parts.next();
    let all_digits = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
    parts.next().is_none()
        && all_digits(whole)
        && (whole.len() == 1 || whole[0] != b'0')
        && decimals.is_none_or(all_digits)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::store::embedded::shape;

    const LINES: [&str; 7] = [
        r#"{"timestamp":"2026-01-01T00:00:00.5Z","level":"INFO","extra":{"n":1.25,"ok":true}}"#,
        r#"{"timestamp":"2026-01-01T00:00:00.5Z","level":"INFO","extra":{"n":7,"ok":null}}"#,
        r#"{"timestamp":"2026-01-01T00:00:00.123456789Z","level":"INFO","extra":{"n":"x"}}"#,
        r#"{"level":"INFO"}"#,
        r#"{"level":"ERROR","exception":"at \"a\"\n\u0007\\","ok":true}"#,
        r#"{"level":3}"#,
        r#"{"ts":"2026-01-01T00:00:00Z","level":"INFO"}"#,
    ];

    proptest! {
        /// Lines of known shapes, damaged at random places: the tree says what the parser says.
        #[test]
        fn the_tree_agrees_with_the_parser(
            which in 0..LINES.len(),
            changes in prop::collection::vec((any::<prop::sample::Index>(), r#"[-"\\{},:.0-9eZ \n\t]?"#), 0..3),
        ) {
            let mut tables = Arc::new(Tables::default());
            let mut fast = Fast::default();
            for line in LINES {
                shape::cut(&mut tables, line);
            }
            fast.learn(&tables);
            let mut line = LINES[which].to_owned();
            for (at, text) in changes {
                let at = at.index(line.len());
                line.replace_range(at..=at, &text);
            }
            if let Some(cut) = fast.cut(&line) {
                let parsed = shape::cut(&mut tables, &line);
                prop_assert_eq!(cut.shape, parsed.shape);
                prop_assert_eq!(cut.time, parsed.time);
                prop_assert_eq!(cut.values, parsed.values);
            }
        }
    }

    #[test]
    fn known_lines_are_cut_without_the_parser() {
        let mut tables = Arc::new(Tables::default());
        let mut fast = Fast::default();
        for line in LINES {
            shape::cut(&mut tables, line);
            fast.learn(&tables);
        }
        for line in &LINES[..6] {
            assert!(fast.cut(line).is_some(), "{line}");
        }
        assert!(fast.cut(LINES[6]).is_none());
    }
}
