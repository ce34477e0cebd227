//! Secrets by their shape. Written by hand rather than as expressions, so that the browser logger
//! can have them without a regex engine. One pass, linear in the text's length.

use std::borrow::Cow;

use super::REDACTED;

/// A token longer than this is taken out in parts.
const LONGEST: usize = 8 * 1024;

/// Takes secrets out of a text.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut copied = 0;
    let mut at = 0;
    while at < text.len() {
        let starts_word = at == 0 || !is_word(text.as_bytes()[at - 1]);
        match starts_word.then(|| secret_at(text, at)).flatten() {
            Some((from, to)) => {
                out.push_str(&text[copied..from]);
                out.push_str(REDACTED);
                copied = to;
                at = to;
            }
            None => at += 1,
        }
        while !text.is_char_boundary(at) {
            at += 1;
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

/// The stretch to take out, if a secret's first word starts here.
fn secret_at(text: &str, at: usize) -> Option<(usize, usize)> {
    let rest = &text[at..];
    let first = rest.bytes().next()?;
    let length = match first {
        b'B' | b'b' => bearer(rest),
        b'e' => run(rest, "eyJ", is_token)
            .filter(|end| rest[..*end].matches('.').count() >= 2)
            .map(|end| (0, end)),
        b'A' => aws_key(rest).map(|end| (0, end)),
        b'-' => private_key(rest).map(|end| (0, end)),
        b'0'..=b'9' => card(rest).map(|end| (0, end)),
        _ => None,
    };
    let length = length
        .or_else(|| assignment(rest))
        .or_else(|| url_password(text, at));
    length.map(|(skip, end)| (at + skip, at + end))
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._~+/=-".contains(&byte)
}

/// The end of `prefix` and what follows it, if it starts here and anything follows.
fn run(rest: &str, prefix: &str, allowed: fn(u8) -> bool) -> Option<usize> {
    let tail = rest.strip_prefix(prefix)?;
    let more = tail
        .bytes()
        .take(LONGEST)
        .take_while(|b| allowed(*b))
        .count();
    (more > 0).then_some(prefix.len() + more)
}

fn bearer(rest: &str) -> Option<(usize, usize)> {
    const WORD: usize = "bearer ".len();
    let word = rest.get(..WORD)?;
    if !word.eq_ignore_ascii_case("bearer ") {
        return None;
    }
    let more = rest[WORD..].bytes().take_while(|b| is_token(*b)).count();
    (more > 0).then_some((WORD, WORD + more))
}

fn aws_key(rest: &str) -> Option<usize> {
    let id = rest.get(..20)?;
    let known = id.starts_with("AKIA") || id.starts_with("ASIA");
    let whole = known
        && id
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    let ends = !rest.as_bytes().get(20).copied().is_some_and(is_word);
    (whole && ends).then_some(20)
}

fn private_key(rest: &str) -> Option<usize> {
    let begin = rest.strip_prefix("-----BEGIN ")?;
    let label = begin.get(..begin.find("-----")?)?;
    if !label.ends_with("PRIVATE KEY") {
        return None;
    }
    let end = format!("-----END {label}-----");
    Some(rest.find(&end).map_or(rest.len(), |at| at + end.len()))
}

/// 13 to 19 digits, perhaps in groups, whose check digit is right.
fn card(rest: &str) -> Option<usize> {
    let mut digits = Vec::with_capacity(19);
    let mut end = 0;
    for (at, byte) in rest.bytes().enumerate() {
        match byte {
            b'0'..=b'9' => {
                digits.push(u32::from(byte - b'0'));
                end = at + 1;
            }
            b' ' | b'-' if at == end => {}
            _ => break,
        }
        if digits.len() > 19 {
            return None;
        }
    }
    if rest.as_bytes().get(end).copied().is_some_and(is_word) || digits.len() < 13 {
        return None;
    }
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, digit * 2) {
            (0, _) => *digit,
            (_, double) if double > 9 => double - 9,
            (_, double) => double,
        })
        .sum();
    (sum.is_multiple_of(10) && digits.iter().any(|digit| *digit != 0)).then_some(end)
}

/// `password=…`, `"token": "…"` in a text.
fn assignment(rest: &str) -> Option<(usize, usize)> {
    let name = rest
        .bytes()
        .take_while(|b| is_word(*b) || *b == b'-')
        .count();
    if !(3..=40).contains(&name) {
        return None;
    }
    let after = &rest[name..];
    let separator = after.trim_start_matches('"').trim_start();
    let value = separator.strip_prefix(['=', ':'])?;
    if value.starts_with(['=', ':']) || !super::is_secret_name(&rest[..name]) {
        return None;
    }
    let value = value.trim_start_matches(' ');
    let quoted = value.strip_prefix('"');
    let start = rest.len() - quoted.unwrap_or(value).len();
    let value = &rest[start..];
    let length = match quoted {
        Some(_) => value.find('"').unwrap_or(value.len()),
        None => value
            .find(|c: char| c.is_whitespace() || matches!(c, '&' | ',' | ';' | '"' | ')' | '}'))
            .unwrap_or(value.len()),
    };
    // `Authorization: Bearer …`: the word says more than the name; it is found by itself.
    let scheme = value
        .get(..7)
        .is_some_and(|word| word.eq_ignore_ascii_case("bearer "));
    (length > 0 && !scheme && !value.starts_with(REDACTED)).then_some((start, start + length))
}

/// `scheme://user:password@host`: the word after the first colon of the user part.
fn url_password(text: &str, at: usize) -> Option<(usize, usize)> {
    let rest = &text[at..];
    let before = &text[..at];
    let user = before.strip_suffix(':')?;
    // Backwards to where the user's name begins; not far, or a hostile text would cost its square.
    let name = user
        .bytes()
        .rev()
        .take(256)
        .take_while(|b| !matches!(b, b'/' | b'@' | b' ' | b'?' | b':'))
        .count();
    if name == 0 || !user.as_bytes()[..user.len() - name].ends_with(b"://") {
        return None;
    }
    let end = rest.find(['@', '/', ' ', '?', '"'])?;
    (end > 0 && rest[end..].starts_with('@')).then_some((0, end))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::clean;

    #[test]
    fn secrets_go_and_the_rest_stays() {
        for (text, expected) in [
            (
                "nothing here: 2026-11-21 and 12345",
                "nothing here: 2026-11-21 and 12345",
            ),
            (
                "Authorization: Bearer abc.def-1, next",
                "Authorization: Bearer [redacted], next",
            ),
            ("jwt eyJhbGciOi.eyJzdWIi.c2ln end", "jwt [redacted] end"),
            ("card 4111 1111 1111 1111.", "card [redacted]."),
            ("order 4111111111111112", "order 4111111111111112"),
            ("key AKIAIOSFODNN7EXAMPLE!", "key [redacted]!"),
            (
                "login password=hunter2&user=x",
                "login password=[redacted]&user=x",
            ),
            (
                r#"{"api_key": "k-1", "n": 1}"#,
                r#"{"api_key": "[redacted]", "n": 1}"#,
            ),
            (
                "postgres://app:s3cret@db/x",
                "postgres://app:[redacted]@db/x",
            ),
            (
                "-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY----- after",
                "[redacted] after",
            ),
            ("Password::new() called", "Password::new() called"),
            ("née password: ünïcode!", "née password: [redacted]"),
        ] {
            assert_eq!(clean(text), expected);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_taken(text in ".{0,200}|[-a-zA-Z0-9:=@/\" .]{0,200}") {
            clean(&text);
        }
    }
}
