//! LogQL, put together from typed parts: whatever a query's text says, it stays a value.
//!
//! LogQL cannot say everything that a [`Query`] means: `| json` leaves arrays out and writes
//! nested names in its own way. So the lines are asked for by conditions that every wanted line
//! meets, which Loki checks fast, and the exact meaning is checked by
//! [`Matcher`](crate::store::Matcher) on what comes back. Counts can be left to Loki altogether
//! where the query speaks of nothing but the labels and the structured metadata that lines are
//! shipped with.

use std::fmt::Write;

use omnify_trace::schema::fields;

use crate::store::{Filter, TEXT_EVENT_TYPE, TEXT_LEVEL, matcher::fold};

/// The label that all shipped lines have, with this value.
pub(crate) const JOB: (&str, &str) = ("job", "omnify");
/// Labels: fields with few values, as Loki keeps a stream for each combination.
pub(crate) const LABELS: [(&str, &str); 3] = [
    ("service_name", "service.name"),
    ("env", "service.environment"),
    ("level", fields::LEVEL),
];
/// Structured metadata: what people look for.
pub(crate) const METADATA: [&str; 8] = [
    fields::EVENT_TYPE,
    fields::TRACE_ID,
    fields::REQUEST_ID,
    fields::SESSION_ID,
    fields::USER_ID,
    fields::ORGANIZATION_ID,
    fields::WORKFLOW_ID,
    fields::RUN_ID,
];
/// More alternatives than this are left to the matcher.
const MOST_ALTERNATIVES: usize = 20;
/// Shorter pieces of a text say too little.
const LEAST_PIECE: usize = 2;

/// A log query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogQl(String);

impl LogQl {
    /// All shipped lines.
    pub(crate) fn all() -> Self {
        Self(format!("{{{}={}}}", JOB.0, quoted(JOB.1)))
    }

    /// All lines that may meet the filters: every line that meets them, and others.
    pub(crate) fn of(filters: &[Filter]) -> Self {
        let mut query = Self::all();
        for filter in filters {
            match Must::of(filter) {
                Some(Must::Contain(texts)) => query.contains_one_of(&texts),
                Some(Must::ContainInAnyCase(text)) => {
                    let pattern = format!("(?i){}", regex::escape(&text));
                    query.push(" |~ ", &quoted(&pattern));
                }
                None => {}
            }
        }
        query
    }

    /// Exactly the lines that meet the filters, if labels and metadata tell.
    pub(crate) fn exactly(filters: &[Filter]) -> Option<Self> {
        let mut query = Self::all();
        for filter in filters {
            let Filter::OneOf { field, values } = filter else {
                return None;
            };
            let name = shipped(field)?;
            // An absent field and an empty one are the same to Loki.
            if values.is_empty() || values.iter().any(String::is_empty) {
                return None;
            }
            let pattern: Vec<String> = values.iter().map(|value| regex::escape(value)).collect();
            let _ = write!(query.0, " | {name}=~{}", quoted(&pattern.join("|")));
        }
        Some(query)
    }

    /// Counts the lines of so many nanoseconds before the time of asking, by the values of a
    /// field if that is shipped. Loki's ranges are open at their start and closed at their end;
    /// ours are the other way round, hence the offset.
    pub(crate) fn count(&self, range_ns: i64, by: Option<&str>) -> Option<String> {
        let by = match by {
            Some(field) => format!(" by ({})", shipped(field)?),
            None => String::new(),
        };
        Some(format!(
            "sum{by} (count_over_time({} [{}ns] offset 1ns))",
            self.0,
            range_ns.max(1)
        ))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    fn contains_one_of(&mut self, texts: &[String]) {
        for (nth, text) in texts.iter().enumerate() {
            self.push(if nth == 0 { " |= " } else { " or " }, &quoted(text));
        }
    }

    fn push(&mut self, operator: &str, value: &str) {
        self.0.push_str(operator);
        self.0.push_str(value);
    }
}

/// The name under which a field is shipped as label or metadata.
pub(crate) fn shipped(field: &str) -> Option<&'static str> {
    let of_label = |(label, path): &(&'static str, &str)| {
        (*path == field || (field == fields::SERVICE && *label == "service_name")).then_some(*label)
    };
    let of_metadata = METADATA.iter().find(|name| **name == field).copied();
    LABELS.iter().find_map(of_label).or(of_metadata)
}

/// What a line has to contain to be able to meet a filter.
#[derive(Debug, PartialEq, Eq)]
enum Must {
    /// One of these, letter by letter.
    Contain(Vec<String>),
    ContainInAnyCase(String),
}

impl Must {
    fn of(filter: &Filter) -> Option<Self> {
        match filter {
            Filter::OneOf { field, values } => {
                let virtual_value = |value: &String| {
                    implied(field) && (value == TEXT_LEVEL || value == TEXT_EVENT_TYPE)
                };
                if values.is_empty()
                    || values.len() > MOST_ALTERNATIVES
                    || values.iter().any(virtual_value)
                {
                    return None;
                }
                let pieces: Option<Vec<String>> = values.iter().map(|value| piece(value)).collect();
                pieces.map(Self::Contain)
            }
            Filter::Contains { field, .. } if implied(field) => None,
            Filter::Contains { text, .. } | Filter::Text(text) => {
                piece(&fold(text)).map(Self::ContainInAnyCase)
            }
            Filter::Compare { field, .. } | Filter::Exists(field) => {
                if implied(field) || field == fields::MESSAGE {
                    return None;
                }
                let name = field.rsplit('.').next().unwrap_or(field);
                piece(name).map(|name| Self::Contain(vec![name]))
            }
            Filter::Any(inner) => {
                let mut texts = Vec::new();
                for filter in inner {
                    match Self::of(filter)? {
                        Self::Contain(more) => texts.extend(more),
                        Self::ContainInAnyCase(_) => return None,
                    }
                }
                (1..=MOST_ALTERNATIVES)
                    .contains(&texts.len())
                    .then_some(Self::Contain(texts))
            }
            Filter::Not(_) => None,
        }
    }
}

/// Fields that a line of plain text has although it does not say them.
fn implied(field: &str) -> bool {
    field == fields::LEVEL || field == fields::EVENT_TYPE
}

/// The longest part of a text that every JSON writer writes as it is. Some escape what is not
/// ASCII, some `/`, and some what means something in HTML.
fn piece(text: &str) -> Option<String> {
    let plain = |c: char| {
        (c == ' ' || c.is_ascii_graphic())
            && !matches!(c, '"' | '\\' | '/' | '<' | '>' | '&' | '\'')
    };
    text.split(|c| !plain(c))
        .max_by_key(|piece| piece.len())
        .filter(|piece| piece.len() >= LEAST_PIECE)
        .map(str::to_owned)
}

/// A LogQL string: between double quotes, in which what could end it or is not printable is
/// escaped as Go's `strconv.Unquote` reads it.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::store::Comparison;

    fn one_of(field: &str, values: &[&str]) -> Filter {
        Filter::OneOf {
            field: field.into(),
            values: values.iter().map(|&value| value.into()).collect(),
        }
    }

    fn written(filters: &[Filter]) -> String {
        LogQl::of(filters).0
    }

    #[test]
    fn each_filter_becomes_what_its_lines_must_contain() {
        let text = |text: &str| Filter::Text(text.into());
        for (filter, expected) in [
            (one_of("user_id", &["u-1"]), r#" |= "u-1""#),
            (
                one_of("level", &["ERROR", "WARN"]),
                r#" |= "ERROR" or "WARN""#,
            ),
            (one_of("level", &["ERROR", "UNKNOWN"]), ""),
            (one_of("path", &["/orders/{id}"]), r#" |= "orders""#),
            (text("a.b timeout"), r#" |~ "(?i)a\\.b timeout""#),
            (text("Straße"), r#" |~ "(?i)stra""#),
            (text("é"), ""),
            (Filter::Exists("exception".into()), r#" |= "exception""#),
            (Filter::Exists("level".into()), ""),
            (
                Filter::Compare {
                    field: "extra.duration_ms".into(),
                    op: Comparison::Greater,
                    value: 5.0,
                },
                r#" |= "duration_ms""#,
            ),
            (Filter::Not(Box::new(text("retry"))), ""),
            (
                Filter::Any(vec![one_of("user_id", &["aa"]), one_of("run_id", &["bb"])]),
                r#" |= "aa" or "bb""#,
            ),
            (Filter::Any(vec![one_of("user_id", &["aa"]), text("é")]), ""),
        ] {
            let expected = format!(r#"{{job="omnify"}}{expected}"#);
            assert_eq!(
                written(std::slice::from_ref(&filter)),
                expected,
                "{filter:?}"
            );
        }
    }

    #[test]
    fn counts_are_left_to_loki_where_labels_and_metadata_tell() {
        let exactly = |filters: &[Filter]| LogQl::exactly(filters).map(|query| query.0);
        assert_eq!(
            exactly(&[
                one_of("level", &["ERROR"]),
                one_of("user_id", &["a.b", "c"])
            ])
            .unwrap(),
            r#"{job="omnify"} | level=~"ERROR" | user_id=~"a\\.b|c""#
        );
        assert_eq!(exactly(&[one_of("path", &["/"])]), None);
        assert_eq!(exactly(&[one_of("user_id", &[""])]), None);
        assert_eq!(exactly(&[Filter::Exists("user_id".into())]), None);
        let all = LogQl::all();
        assert_eq!(
            all.count(60, Some("service")).unwrap(),
            r#"sum by (service_name) (count_over_time({job="omnify"} [60ns] offset 1ns))"#
        );
        assert_eq!(all.count(60, Some("path")), None);
    }

    /// Whoever ships the lines, they are found: the shippers' configurations name the same.
    #[test]
    fn alloy_and_promtail_ship_the_same_names() {
        for config in ["alloy/config.alloy", "promtail/config.yaml"] {
            let deploy = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy");
            let config = std::fs::read_to_string(deploy.join(config)).unwrap();
            let names = LABELS.iter().map(|(label, _)| *label).chain(METADATA);
            for name in names {
                assert!(config.contains(name), "{name}");
            }
        }
    }

    /// Reads a string as Go does.
    fn unquote(text: &str) -> Option<(String, &str)> {
        let mut out = String::new();
        let mut rest = text.strip_prefix('"')?.chars();
        loop {
            match rest.next()? {
                '"' => return Some((out, rest.as_str())),
                '\\' => match rest.next()? {
                    'u' => {
                        let hex: String = rest.by_ref().take(4).collect();
                        out.push(char::from_u32(u32::from_str_radix(&hex, 16).ok()?)?);
                    }
                    c @ ('"' | '\\') => out.push(c),
                    _ => return None,
                },
                '\n' => return None,
                c => out.push(c),
            }
        }
    }

    proptest! {
        #[test]
        fn no_value_ends_its_string(text in any::<String>()) {
            let query = quoted(&text);
            prop_assert_eq!(unquote(&query), Some((text, "")));
        }

        #[test]
        fn what_is_asked_for_is_in_each_line_that_is_meant(
            value in "[a-zé\"/ .|)]{1,12}",
            negate in any::<bool>(),
        ) {
            let filter = if negate { one_of("path", &[&value]) } else { Filter::Text(value.clone()) };
            let raw = serde_json::json!({ "extra": { "path": value } }).to_string();
            match Must::of(&filter) {
                Some(Must::Contain(texts)) => prop_assert!(texts.iter().any(|text| raw.contains(text.as_str()))),
                Some(Must::ContainInAnyCase(text)) => prop_assert!(fold(&raw).contains(&text)),
                None => {}
            }
        }
    }
}
