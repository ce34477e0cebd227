//! The search box: words, `"phrases"`, `-without`, `field:value`, `field>number`.
//!
//! Everything is joined by "and". What does not parse is searched as text, and a note says why.

use crate::store::{Comparison, Filter};

/// The filters of a search text, and a note if part of it was taken as plain text.
pub(super) fn parse(text: &str) -> (Vec<Filter>, Option<String>) {
    let (words, unclosed) = split(text);
    let mut note = unclosed
        .then(|| "The last quote is not closed; the rest was searched as one phrase.".to_owned());
    let filters = words
        .iter()
        .filter_map(|word| {
            let (filter, hint) = filter_of(word)?;
            note = note.take().or(hint);
            Some(if word.negated {
                Filter::Not(Box::new(filter))
            } else {
                filter
            })
        })
        .collect();
    (filters, note)
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Word {
    negated: bool,
    /// What stood before the first quote.
    bare: String,
    /// What stood in quotes.
    quoted: Option<String>,
}

/// Cuts at spaces outside quotes; and whether a quote stayed open.
fn split(text: &str) -> (Vec<Word>, bool) {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    let mut unclosed = false;
    while !rest.is_empty() {
        let mut word = Word::default();
        if let Some(after) = rest.strip_prefix('-')
            && after.starts_with(|next: char| !next.is_whitespace() && next != '-')
        {
            word.negated = true;
            rest = after;
        }
        let end = rest
            .find(|at: char| at.is_whitespace() || at == '"')
            .unwrap_or(rest.len());
        word.bare = rest[..end].to_owned();
        rest = &rest[end..];
        if let Some(inside) = rest.strip_prefix('"') {
            let close = inside.find('"');
            unclosed |= close.is_none();
            let close = close.unwrap_or(inside.len());
            word.quoted = Some(inside[..close].to_owned());
            rest = inside.get(close + 1..).unwrap_or_default();
        }
        words.push(word);
        rest = rest.trim_start();
    }
    (words, unclosed)
}

fn filter_of(word: &Word) -> Option<(Filter, Option<String>)> {
    let text = |text: String| Some((Filter::Text(text), None));
    match &word.quoted {
        Some(phrase) => match word.bare.strip_suffix(':').filter(|field| is_field(field)) {
            Some(field) => Some((equals(field, phrase), None)),
            None if word.bare.is_empty() && phrase.is_empty() => None,
            None => text(format!("{}{phrase}", word.bare)),
        },
        None if word.bare.is_empty() => None,
        None => Some(
            compare(&word.bare)
                .or_else(|| named(&word.bare))
                .unwrap_or((Filter::Text(word.bare.clone()), None)),
        ),
    }
}

fn is_field(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text
            .chars()
            .all(|at| at.is_ascii_alphanumeric() || at == '_' || at == '.')
}

fn equals(field: &str, value: &str) -> Filter {
    let value = if field == "level" {
        value.to_ascii_uppercase()
    } else {
        value.to_owned()
    };
    if value == "*" {
        return Filter::Exists(field.to_owned());
    }
    Filter::OneOf {
        field: field.to_owned(),
        values: vec![value],
    }
}

/// `field:value`, but not `http://…`.
fn named(word: &str) -> Option<(Filter, Option<String>)> {
    let (field, value) = word.split_once(':')?;
    (is_field(field) && !value.is_empty() && !value.starts_with("//"))
        .then(|| (equals(field, value), None))
}

/// `field>number` and its kin.
fn compare(word: &str) -> Option<(Filter, Option<String>)> {
    let at = word.find(['<', '>', '='])?;
    let (field, rest) = word.split_at(at);
    if !is_field(field) {
        return None;
    }
    let (op, number) = [
        (">=", Comparison::GreaterOrEqual),
        ("<=", Comparison::LessOrEqual),
        (">", Comparison::Greater),
        ("<", Comparison::Less),
        ("=", Comparison::Equal),
    ]
    .into_iter()
    .find_map(|(sign, op)| Some((op, rest.strip_prefix(sign)?)))?;
    match number.parse::<f64>() {
        Ok(value) if value.is_finite() => Some((
            Filter::Compare {
                field: field.to_owned(),
                op,
                value,
            },
            None,
        )),
        _ => {
            let note = format!("`{word}` was searched as text: `{number}` is not a number.");
            Some((Filter::Text(word.to_owned()), Some(note)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str) -> Filter {
        Filter::Text(value.to_owned())
    }

    #[test]
    fn each_form_of_the_grammar_is_understood() {
        let (filters, note) = parse(
            r#"timeout "card declined" -retry user_id:u_1 duration_ms>=250 level:error note:"two words" extra.rows:*"#,
        );
        assert_eq!(note, None);
        let one = |field: &str, value: &str| Filter::OneOf {
            field: field.into(),
            values: vec![value.into()],
        };
        assert_eq!(
            filters,
            vec![
                text("timeout"),
                text("card declined"),
                Filter::Not(Box::new(text("retry"))),
                one("user_id", "u_1"),
                Filter::Compare {
                    field: "duration_ms".into(),
                    op: Comparison::GreaterOrEqual,
                    value: 250.0
                },
                one("level", "ERROR"),
                one("note", "two words"),
                Filter::Exists("extra.rows".into()),
            ]
        );
    }

    #[test]
    fn what_does_not_parse_is_searched_as_text_and_said() {
        let (filters, note) = parse("duration_ms>slow");
        assert_eq!(filters, vec![text("duration_ms>slow")]);
        assert!(note.unwrap().contains("not a number"));
        let (filters, note) = parse(r#"a "b c"#);
        assert_eq!(filters, vec![text("a"), text("b c")]);
        assert!(note.unwrap().contains("not closed"));
    }

    #[test]
    fn plain_text_that_looks_like_syntax_stays_text() {
        for plain in [
            "http://x/y",
            "error:",
            "12:30:00",
            "-",
            "a=b=c".get(..3).unwrap_or_default(),
            "->",
            ">5",
        ] {
            let (filters, _) = parse(plain);
            assert!(
                filters
                    .iter()
                    .all(|filter| matches!(filter, Filter::Text(_))),
                "{plain}: {filters:?}"
            );
        }
        assert_eq!(parse("   ").0, vec![]);
    }
}
