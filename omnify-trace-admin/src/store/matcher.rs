//! Filters over one line: the plain meaning of a query, which every engine must give.
//!
//! The live tail is filtered with it, rows that the engine could not shred are searched with
//! it, and the tests hold the engine's own execution to it.

use std::borrow::Cow;

use omnify_trace::schema::fields;

use super::{Comparison, Filter, Line, Query, fields::candidates, json};

/// `level` of a line that is not JSON.
pub const TEXT_LEVEL: &str = "UNKNOWN";
/// `event_type` of a line that is not JSON.
pub const TEXT_EVENT_TYPE: &str = "malformed_line";

/// A query made ready to be asked of many lines.
#[derive(Debug, Clone)]
pub struct Matcher {
    from: i64,
    to: i64,
    filters: Vec<Ready>,
}

impl Matcher {
    /// Resolves the query's field names once.
    #[must_use]
    pub fn new(query: &Query) -> Self {
        Self {
            from: query.from.unwrap_or(i64::MIN),
            to: query.to.unwrap_or(i64::MAX),
            filters: query.filters.iter().map(Ready::new).collect(),
        }
    }

    /// Whether the line is one that the query asks for.
    #[must_use]
    pub fn matches(&self, line: &Line) -> bool {
        line.timestamp >= self.from
            && line.timestamp < self.to
            && (self.filters.is_empty() || {
                let leaves = Leaves::of(&line.raw, line.is_json);
                self.filters.iter().all(|filter| filter.holds(&leaves))
            })
    }
}

/// A filter with its field names resolved and its texts folded.
#[derive(Debug, Clone)]
pub(crate) enum Ready {
    OneOf {
        paths: Vec<String>,
        values: Vec<String>,
    },
    Contains {
        paths: Vec<String>,
        needle: Needle,
    },
    Compare {
        paths: Vec<String>,
        op: Comparison,
        value: f64,
    },
    Text(Needle),
    Exists(Vec<String>),
    Not(Box<Ready>),
    Any(Vec<Ready>),
}

impl Ready {
    pub(crate) fn new(filter: &Filter) -> Self {
        match filter {
            Filter::OneOf { field, values } => Self::OneOf {
                paths: candidates(field),
                values: values.clone(),
            },
            Filter::Contains { field, text } => Self::Contains {
                paths: candidates(field),
                needle: Needle::new(text),
            },
            Filter::Compare { field, op, value } => Self::Compare {
                paths: candidates(field),
                op: *op,
                value: *value,
            },
            Filter::Text(text) => Self::Text(Needle::new(text)),
            Filter::Exists(field) => Self::Exists(candidates(field)),
            Filter::Not(inner) => Self::Not(Box::new(Self::new(inner))),
            Filter::Any(inner) => Self::Any(inner.iter().map(Self::new).collect()),
        }
    }

    pub(crate) fn holds(&self, leaves: &Leaves<'_>) -> bool {
        let on = |paths: &[String], test: &dyn Fn(&Leaf<'_>) -> bool| {
            paths.iter().any(|path| leaves.get(path).is_some_and(test))
        };
        match self {
            Self::OneOf { paths, values } => on(paths, &|leaf| {
                values.iter().any(|value| *value == leaf.text)
            }),
            Self::Contains { paths, needle } => on(paths, &|leaf| needle.is_in(&leaf.text)),
            Self::Compare { paths, op, value } => on(paths, &|leaf| {
                leaf.number.is_some_and(|number| op.holds(number, *value))
            }),
            Self::Text(needle) => leaves
                .0
                .iter()
                .any(|leaf| leaf.searchable && needle.is_in(&leaf.text)),
            Self::Exists(paths) => paths.iter().any(|path| leaves.under(path)),
            Self::Not(inner) => !inner.holds(leaves),
            Self::Any(inner) => inner.iter().any(|filter| filter.holds(leaves)),
        }
    }
}

impl Comparison {
    /// Whether `left` compares so to `right`.
    #[must_use]
    pub fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
            Self::Equal => left == right,
        }
    }
}

/// One value of a line.
#[derive(Debug, Clone)]
pub(crate) struct Leaf<'a> {
    pub(crate) path: Cow<'a, str>,
    /// What a string says; any other value as it is written.
    pub(crate) text: Cow<'a, str>,
    pub(crate) number: Option<f64>,
    /// Whether it is a string.
    pub(crate) is_text: bool,
    /// Whether [`Filter::Text`] looks here: strings and arrays, but not the timestamp.
    pub(crate) searchable: bool,
}

/// All values of a line. Of a key that repeats, the last counts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Leaves<'a>(pub(crate) Vec<Leaf<'a>>);

impl<'a> Leaves<'a> {
    pub(crate) fn of(raw: &'a str, is_json: bool) -> Self {
        let mut leaves = Vec::with_capacity(24);
        if !is_json
            || json::walk(raw, |path, _, token, range| {
                leaves.push(leaf(raw, path, token, range));
            })
            .is_err()
        {
            return Self::of_text(raw);
        }
        let mut at = 0;
        while at < leaves.len() {
            let repeats = |later: &Leaf<'_>| later.path == leaves[at].path;
            if leaves[at + 1..].iter().any(repeats) {
                leaves.remove(at);
            } else {
                at += 1;
            }
        }
        Self(leaves)
    }

    fn of_text(raw: &'a str) -> Self {
        let leaf = |path: &'a str, text: &'a str, searchable| Leaf {
            path: Cow::Borrowed(path),
            text: Cow::Borrowed(text),
            number: None,
            is_text: true,
            searchable,
        };
        Self(vec![
            leaf(fields::LEVEL, TEXT_LEVEL, false),
            leaf(fields::EVENT_TYPE, TEXT_EVENT_TYPE, false),
            leaf(fields::MESSAGE, raw, true),
        ])
    }

    pub(crate) fn get(&self, path: &str) -> Option<&Leaf<'a>> {
        self.0.iter().find(|leaf| leaf.path == path)
    }

    /// The value of the first path that is there.
    pub(crate) fn first(&self, paths: &[String]) -> Option<&Leaf<'a>> {
        paths.iter().find_map(|path| self.get(path))
    }

    fn under(&self, path: &str) -> bool {
        self.0.iter().any(|leaf| is_under(&leaf.path, path))
    }
}

/// Whether `leaf` is `path` or lies below it.
pub(crate) fn is_under(leaf: &str, path: &str) -> bool {
    leaf.strip_prefix(path)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn leaf<'a>(
    raw: &'a str,
    path: &str,
    token: json::Token,
    range: std::ops::Range<usize>,
) -> Leaf<'a> {
    let written = &raw[range];
    let is_text = matches!(token, json::Token::Text { .. });
    Leaf {
        text: match token {
            json::Token::Text { escaped: true } => {
                json::unescape(written).unwrap_or(Cow::Borrowed(written))
            }
            _ => Cow::Borrowed(written),
        },
        number: match token {
            json::Token::Number => json::number(written.as_bytes()),
            _ => None,
        },
        is_text,
        searchable: (is_text || token == json::Token::Array) && path != fields::TIMESTAMP,
        path: Cow::Owned(path.to_owned()),
    }
}

/// A text to look for, whatever the case.
#[derive(Debug, Clone)]
pub(crate) struct Needle {
    folded: String,
    ascii: bool,
}

impl Needle {
    pub(crate) fn new(text: &str) -> Self {
        let folded = fold(text);
        Self {
            ascii: folded.is_ascii(),
            folded,
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.folded
    }

    pub(crate) fn is_in(&self, hay: &str) -> bool {
        if !hay.is_ascii() {
            return fold(hay).contains(&self.folded);
        }
        self.ascii && contains_ascii(hay.as_bytes(), self.folded.as_bytes())
    }
}

/// Lowercase, letter by letter.
pub(crate) fn fold(text: &str) -> String {
    if text.is_ascii() {
        text.to_ascii_lowercase()
    } else {
        text.chars().flat_map(char::to_lowercase).collect()
    }
}

/// Whether `needle`, which is lowercase, is in `hay`.
pub(crate) fn contains_ascii(hay: &[u8], needle: &[u8]) -> bool {
    let Some(&first) = needle.first() else {
        return true;
    };
    if needle.len() > hay.len() {
        return false;
    }
    let starts = &hay[..=hay.len() - needle.len()];
    let is_here = |at: usize| hay[at..at + needle.len()].eq_ignore_ascii_case(needle);
    memchr::memchr2_iter(first, first.to_ascii_uppercase(), starts).any(is_here)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(raw: &str) -> Line {
        Line {
            id: String::new(),
            timestamp: 5,
            raw: raw.into(),
            is_json: serde_json::from_str::<serde_json::Value>(raw).is_ok(),
            file: "x.log".into(),
        }
    }

    fn holds(filter: Filter, raw: &str) -> bool {
        Matcher::new(&Query {
            filters: vec![filter],
            ..Query::default()
        })
        .matches(&line(raw))
    }

    #[test]
    fn each_filter_means_what_it_says() {
        let raw = r#"{"level":"INFO","message":"Müller paid","context":{"user_id":7},"extra":{"n":1.50,"tags":["Red"]},"x":null}"#;
        let one_of = |field: &str, value: &str| Filter::OneOf {
            field: field.into(),
            values: vec![value.into()],
        };
        let compare = |op, value| Filter::Compare {
            field: "n".into(),
            op,
            value,
        };
        assert!(holds(one_of("user_id", "7"), raw));
        assert!(holds(one_of("n", "1.50"), raw));
        assert!(!holds(one_of("n", "1.5"), raw));
        assert!(holds(compare(Comparison::Equal, 1.5), raw));
        assert!(!holds(compare(Comparison::Less, 1.5), raw));
        assert!(holds(Filter::Text("MÜLLER".into()), raw));
        assert!(holds(Filter::Text("red".into()), raw));
        assert!(!holds(Filter::Text("1.50".into()), raw));
        assert!(holds(Filter::Exists("context".into()), raw));
        assert!(holds(Filter::Exists("x".into()), raw));
        assert!(!holds(Filter::Exists("exception".into()), raw));
        assert!(holds(
            Filter::Not(Box::new(Filter::Text("visa".into()))),
            raw
        ));
        assert!(holds(
            Filter::Any(vec![Filter::Text("no".into()), one_of("level", "INFO")]),
            raw
        ));
    }

    #[test]
    fn plain_text_has_a_message_and_a_level() {
        assert!(holds(Filter::Text("OOPS".into()), "oops, plain"));
        let unknown = Filter::OneOf {
            field: "level".into(),
            values: vec![TEXT_LEVEL.into()],
        };
        assert!(holds(unknown, "oops, plain"));
    }
}
