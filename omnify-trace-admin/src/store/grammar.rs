//! The language of the search box.
//!
//! | written | means |
//! |---|---|
//! | `timeout payment` | both words, anywhere in message or string fields, whatever the case |
//! | `"connection reset"` | the phrase |
//! | `-retry` | not this; also before a phrase or a field |
//! | `level:ERROR` | the field has this value; `level:ERROR,WARN` one of these |
//! | `path:*orders*` | the field contains this; `user_id:*` the field is there |
//! | `duration_ms>500` | the number compares: `>` `>=` `<` `<=` `=` |
//!
//! Field names are those of [`Query`](super::Query). A value with blanks stands in quotes:
//! `step_name:"Charge card"`. What does not parse is searched as text, and a note says why.
//!
//! ```
//! use omnify_trace_admin::store::{Filter, grammar};
//!
//! let search = grammar::parse("level:ERROR -\"health check\"");
//! assert_eq!(search.filters.len(), 2);
//! assert!(matches!(search.filters[1], Filter::Not(_)));
//! assert!(search.note.is_none());
//! ```

use super::{Comparison, Filter};

/// What was asked for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Search {
    /// All must hold.
    pub filters: Vec<Filter>,
    /// What was searched as text although it looked like something else, and why.
    pub note: Option<String>,
}

/// Reads a search text. It never fails.
#[must_use]
pub fn parse(text: &str) -> Search {
    let mut search = Search::default();
    let mut notes: Vec<String> = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (term, after) = term(rest, &mut notes);
        search.filters.extend(term);
        rest = after.trim_start();
    }
    search.note = (!notes.is_empty()).then(|| notes.join("; "));
    search
}

/// Reads one term; gives what follows it.
fn term<'a>(text: &'a str, notes: &mut Vec<String>) -> (Option<Filter>, &'a str) {
    if let Some(inner) = text.strip_prefix('-')
        && inner
            .chars()
            .next()
            .is_some_and(|first| !first.is_whitespace() && first != '-')
    {
        let (filter, rest) = positive(inner, notes);
        return (filter.map(|filter| Filter::Not(Box::new(filter))), rest);
    }
    positive(text, notes)
}

fn positive<'a>(text: &'a str, notes: &mut Vec<String>) -> (Option<Filter>, &'a str) {
    if text.starts_with('"') {
        let (value, rest) = quoted(text, notes);
        return (words(value), rest);
    }
    let name_end = text.find(|c: char| !is_name(c)).unwrap_or(text.len());
    let (name, after) = text.split_at(name_end);
    if !name.is_empty()
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '@')
    {
        if let Some(value) = after.strip_prefix(':') {
            return match field(name, value, notes) {
                Some(found) => found,
                None => plain(text),
            };
        }
        if let Some((op, value)) = comparison(after) {
            let (value, rest) = bare(value);
            return match value.parse::<f64>() {
                Ok(value) if value.is_finite() => (
                    Some(Filter::Compare {
                        field: name.to_owned(),
                        op,
                        value,
                    }),
                    rest,
                ),
                _ => {
                    let whole = &text[..text.len() - rest.len()];
                    notes.push(format!(
                        "`{whole}` was searched as text, because `{value}` is not a number"
                    ));
                    (words(whole.to_owned()), rest)
                }
            };
        }
    }
    plain(text)
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '@' | '/')
}

/// `name:value`; `None` if it is text with a colon in it, such as a URL or a path of Rust.
fn field<'a>(
    name: &str,
    value: &'a str,
    notes: &mut Vec<String>,
) -> Option<(Option<Filter>, &'a str)> {
    if value.starts_with("//") || value.starts_with(':') {
        return None;
    }
    if value.is_empty() || value.starts_with(char::is_whitespace) {
        notes.push(format!(
            "`{name}:` was searched as text, because no value follows the colon"
        ));
        return Some((words(format!("{name}:")), value));
    }
    if value.starts_with('"') {
        let (value, rest) = quoted(value, notes);
        return Some((
            Some(Filter::OneOf {
                field: name.to_owned(),
                values: vec![value],
            }),
            rest,
        ));
    }
    if let Some((op, number)) = comparison(value)
        && op != Comparison::Equal
    {
        let (number, rest) = bare(number);
        if let Ok(value) = number.parse::<f64>()
            && value.is_finite()
        {
            return Some((
                Some(Filter::Compare {
                    field: name.to_owned(),
                    op,
                    value,
                }),
                rest,
            ));
        }
    }
    let (value, rest) = bare(value);
    let field = name.to_owned();
    let inner = value.trim_matches('*');
    let filter = if value == "*" {
        Filter::Exists(field)
    } else if value.starts_with('*') || value.ends_with('*') {
        Filter::Contains {
            field,
            text: inner.to_owned(),
        }
    } else {
        let values = value
            .split(',')
            .filter(|value| !value.is_empty())
            .map(str::to_owned);
        Filter::OneOf {
            field,
            values: values.collect(),
        }
    };
    Some((Some(filter), rest))
}

fn comparison(text: &str) -> Option<(Comparison, &str)> {
    [
        (">=", Comparison::GreaterOrEqual),
        ("<=", Comparison::LessOrEqual),
        (">", Comparison::Greater),
        ("<", Comparison::Less),
        ("=", Comparison::Equal),
    ]
    .into_iter()
    .find_map(|(sign, op)| text.strip_prefix(sign).map(|rest| (op, rest)))
}

/// Text up to the next blank.
fn bare(text: &str) -> (&str, &str) {
    text.split_at(text.find(char::is_whitespace).unwrap_or(text.len()))
}

fn plain(text: &str) -> (Option<Filter>, &str) {
    let (word, rest) = bare(text);
    (words(word.to_owned()), rest)
}

fn words(text: String) -> Option<Filter> {
    (!text.is_empty()).then_some(Filter::Text(text))
}

/// A text in quotes, in which `\"` is a quote and `\\` a backslash.
fn quoted<'a>(text: &'a str, notes: &mut Vec<String>) -> (String, &'a str) {
    let mut value = String::new();
    let mut characters = text.char_indices().skip(1);
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return (value, &text[at + 1..]),
            '\\' => match characters.next() {
                Some((_, next @ ('"' | '\\'))) => value.push(next),
                Some((_, next)) => value.extend(['\\', next]),
                None => value.push('\\'),
            },
            _ => value.push(c),
        }
    }
    notes.push("a quote is not closed: the phrase was taken to the end".to_owned());
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(text: &str) -> Filter {
        Filter::Text(text.into())
    }

    fn one_of(field: &str, values: &[&str]) -> Filter {
        let values = values.iter().map(|&value| value.into()).collect();
        Filter::OneOf {
            field: field.into(),
            values,
        }
    }

    #[test]
    fn each_form_of_the_table() {
        let greater = Filter::Compare {
            field: "duration_ms".into(),
            op: Comparison::Greater,
            value: 500.0,
        };
        for (written, meant) in [
            ("timeout  payment", vec![text("timeout"), text("payment")]),
            ("\"connection reset\"", vec![text("connection reset")]),
            ("\"a \\\" b\"", vec![text("a \" b")]),
            ("-retry", vec![Filter::Not(Box::new(text("retry")))]),
            (
                "-level:INFO",
                vec![Filter::Not(Box::new(one_of("level", &["INFO"])))],
            ),
            (
                "level:ERROR,WARN",
                vec![one_of("level", &["ERROR", "WARN"])],
            ),
            (
                "step_name:\"Charge card\" x",
                vec![one_of("step_name", &["Charge card"]), text("x")],
            ),
            ("user_id:*", vec![Filter::Exists("user_id".into())]),
            (
                "path:*orders*",
                vec![Filter::Contains {
                    field: "path".into(),
                    text: "orders".into(),
                }],
            ),
            ("duration_ms>500", vec![greater.clone()]),
            ("duration_ms:>500", vec![greater]),
            (
                "gen_ai.usage.input_tokens:12",
                vec![one_of("gen_ai.usage.input_tokens", &["12"])],
            ),
            ("https://x.y/z", vec![text("https://x.y/z")]),
            ("core::fmt", vec![text("core::fmt")]),
            ("- --", vec![text("-"), text("--")]),
            ("  ", vec![]),
        ] {
            let search = parse(written);
            assert_eq!(search.filters, meant, "{written}");
            assert_eq!(search.note, None, "{written}");
        }
    }

    #[test]
    fn what_does_not_parse_is_text_with_a_note() {
        for (written, meant) in [
            ("duration_ms>fast", "duration_ms>fast"),
            ("level: ", "level:"),
            ("\"open end", "open end"),
        ] {
            let search = parse(written);
            assert_eq!(search.filters, [text(meant)], "{written}");
            assert!(search.note.is_some(), "{written}");
        }
    }

    proptest! {
        #[test]
        fn nothing_breaks_it(written in r#"[a-z:<>=\-\\"*, é]{0,40}"#) {
            let search = parse(&written);
            prop_assert!(search.filters.len() <= written.len());
        }
    }
}
