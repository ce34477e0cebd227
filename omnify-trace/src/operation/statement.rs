//! Database statements without their parameters.

const MAX_BYTES: usize = 2048;

/// The statement with literals as `?`, lists of them as one, comments gone, white space single,
/// and no longer than 2 KiB.
///
/// ```
/// use omnify_trace::operation::normalize_statement;
/// let statement = "SELECT *  FROM users -- all\n WHERE email = 'a''b' AND id IN (1, 2,3)";
/// assert_eq!(normalize_statement(statement), "SELECT * FROM users WHERE email = ? AND id IN (?)");
/// ```
#[must_use]
pub fn normalize(statement: &str) -> String {
    replace(statement, false)
}

/// The same for a product by name: for MySQL and MariaDB double quotes hold text, for all
/// others names.
pub(crate) fn normalize_for(system: Option<&str>, statement: &str) -> String {
    replace(statement, matches!(system, Some("mysql" | "mariadb")))
}

fn replace(statement: &str, quotes_hold_text: bool) -> String {
    let bytes = statement.as_bytes();
    let mut out = String::with_capacity(bytes.len().min(MAX_BYTES));
    let mut at = 0;
    let mut space = false;
    while at < bytes.len() && out.len() < MAX_BYTES {
        let rest = &bytes[at..];
        let skipped = comment(rest).or_else(|| rest[0].is_ascii_whitespace().then_some(1));
        if let Some(length) = skipped {
            at += length;
            space = !out.is_empty();
            continue;
        }
        let word_before = out.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$');
        let token = literal(rest, word_before && !space)
            .or_else(|| (quotes_hold_text && rest[0] == b'"').then(|| quoted(rest)));
        if space {
            out.push(' ');
        }
        space = false;
        if let Some(length) = token {
            at += length;
            push_literal(&mut out);
        } else {
            let length = match rest[0] {
                b'"' | b'`' => quoted(rest),
                _ => statement[at..].chars().next().map_or(1, char::len_utf8),
            };
            out.push_str(&statement[at..at + length]);
            at += length;
        }
    }
    out
}

/// A literal after another one and a comma is swallowed: `IN (1, 2, 3)` reads `IN (?)`.
fn push_literal(out: &mut String) {
    let before = out.trim_end();
    if let Some(list) = before.strip_suffix(',').map(str::trim_end)
        && list.ends_with('?')
    {
        out.truncate(list.len());
        return;
    }
    out.push('?');
}

fn comment(rest: &[u8]) -> Option<usize> {
    if rest.starts_with(b"--") {
        return Some(rest.iter().position(|&b| b == b'\n').unwrap_or(rest.len()));
    }
    if rest.starts_with(b"/*") {
        let end = rest.windows(2).skip(2).position(|pair| pair == b"*/");
        return Some(end.map_or(rest.len(), |position| position + 4));
    }
    None
}

/// The length of a string or number literal at the start of `rest`.
fn literal(rest: &[u8], inside_word: bool) -> Option<usize> {
    match rest[0] {
        b'\'' => Some(quoted(rest)),
        b'0'..=b'9' if !inside_word => {
            let number = |b: &u8| b.is_ascii_alphanumeric() || *b == b'.';
            Some(rest.iter().take_while(|b| number(b)).count())
        }
        b'$' if !inside_word => dollar_quoted(rest),
        _ => None,
    }
}

/// The length of what the quote at the start of `rest` opens; doubled or escaped it goes on.
fn quoted(rest: &[u8]) -> usize {
    let quote = rest[0];
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' if quote != b'`' => at += 2,
            byte if byte == quote && rest.get(at + 1) == Some(&quote) => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// PostgreSQL's `$tag$ … $tag$`; a placeholder such as `$1` is no literal.
fn dollar_quoted(rest: &[u8]) -> Option<usize> {
    let tag_end = rest.iter().skip(1).position(|&b| b == b'$')? + 2;
    let tag = &rest[..tag_end];
    let named = tag[1..tag_end - 1]
        .iter()
        .all(|b| b.is_ascii_alphanumeric() || *b == b'_');
    if !named || tag.get(1).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    let body = &rest[tag_end..];
    let end = body.windows(tag.len()).position(|window| window == tag);
    Some(end.map_or(rest.len(), |position| tag_end + position + tag.len()))
}

#[cfg(test)]
mod tests {
    use super::{normalize, normalize_for};

    #[test]
    fn parameters_never_survive() {
        for (statement, expected) in [
            ("select 1", "select ?"),
            (
                "select a1 from t2 where x=-1.5e3",
                "select a1 from t2 where x=-?",
            ),
            (
                "insert into t values ('a', 'b''c', 3)",
                "insert into t values (?)",
            ),
            ("select $1, $tag$ secret $tag$", "select $1, ?"),
            ("select 'unterminated", "select ?"),
            ("/* hint 'x' */ select \"Col 1\"", "select \"Col 1\""),
            ("select 'it\\'s'", "select ?"),
            ("", ""),
        ] {
            assert_eq!(normalize(statement), expected, "{statement}");
        }
        let mysql = normalize_for(Some("mysql"), "select `a 1` from t where x = \"secret\"");
        assert_eq!(mysql, "select `a 1` from t where x = ?");
    }

    proptest::proptest! {
        #[test]
        fn never_panics_and_stays_bounded(statement in ".{0,400}") {
            proptest::prop_assert!(normalize(&statement).len() <= super::MAX_BYTES + statement.len());
        }
    }
}
