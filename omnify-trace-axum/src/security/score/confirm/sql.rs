//! Statements of a database: what breaks out of a value, compares constants or calls a function.

use super::{
    SEPARATOR, after, before, contains, find, given, head_of, is_word, rest_of, trim, word_start,
};

/// `0x61646d696e27`: text behind digits. Hashes and addresses are none.
pub(in super::super) fn hex_text(text: &[u8], start: usize, end: usize, points: u16) -> u16 {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let rest = &text[end..];
    let length = rest.iter().take_while(|&&byte| digit(byte).is_some());
    let digits = &rest[..length.count()];
    let mut letters = 0;
    for pair in digits.chunks_exact(2) {
        let code = digit(pair[0]).unwrap_or(0) << 4 | digit(pair[1]).unwrap_or(0);
        match code {
            // Every other byte of wide characters.
            0 => {}
            0x20..=0x7e => letters += 1,
            _ => return 0,
        }
    }
    given(letters >= 8, word_start(text, start, end, points))
}

/// `or a=a`: the same on both sides says nothing, which is what an attack wants to say.
pub(in super::super) fn tautology(text: &[u8], start: usize, end: usize, points: u16) -> u16 {
    let is_part = |byte: &&u8| is_word(**byte) || matches!(**byte, b'\'' | b'"');
    let is_sign = |byte: &&u8| matches!(**byte, b' ' | b'(' | b'-' | b'+');
    let side = |text: &'_ [u8]| {
        let begin = text.iter().take_while(is_sign).count();
        let length = text[begin..].iter().take_while(is_part).count();
        begin..begin + length
    };
    let rest = rest_of(text, end, 60);
    let left = side(rest);
    let between = rest[left.end..].iter();
    let operator = between
        .take_while(|byte| matches!(byte, b' ' | b')' | b'='))
        .count();
    if !rest[left.end..left.end + operator].contains(&b'=') {
        return 0;
    }
    let rest_right = &rest[left.end + operator..];
    let (left, right) = (&rest[left], &rest_right[side(rest_right)]);
    // Nobody compares one number with another one.
    let is_number = |side: &[u8]| !side.is_empty() && side.iter().all(u8::is_ascii_digit);
    let says_nothing = (!left.is_empty() && left == right) || (is_number(left) && is_number(right));
    given(says_nothing, word_start(text, start, end, points))
}

/// `admin' or '`: the rest of the statement closes the quote.
pub(in super::super) fn dangling(text: &[u8], start: usize, end: usize, points: u16) -> u16 {
    let head = head_of(text, start);
    let opened = head.iter().any(|byte| matches!(byte, b'\'' | b'"'));
    given(rest_of(text, end, 1).is_empty() && !opened, points)
}

/// `a' && 'b`: an operator between the end of the statement's string and the beginning of ours.
pub(in super::super) fn quote_operator(text: &[u8], start: usize, end: usize, points: u16) -> u16 {
    const OPERATORS: [&[u8]; 26] = [
        b"and",
        b"or",
        b"xor",
        b"div",
        b"mod",
        b"like",
        b"rlike",
        b"regexp",
        b"is",
        b"sounds like",
        b"&&",
        b"||",
        b"=",
        b"!=",
        b"<>",
        b"<=>",
        b"<",
        b">",
        b"<=",
        b">=",
        b"<<",
        b">>",
        b"|",
        b"^",
        b"%",
        b"&",
    ];
    let opened = head_of(text, start)
        .iter()
        .any(|byte| matches!(byte, b'\'' | b'"'));
    if opened {
        return 0;
    }
    let rest = rest_of(text, end, 20);
    let between = rest.iter().position(|&byte| byte == text[start]);
    let Some(between) = between.map(|at| &rest[..at]) else {
        return 0;
    };
    let operator = between.trim_ascii();
    // `rock "and" roll`, `small "&" sign`: quoted themselves, and not in between.
    let apart = between.starts_with(b" ") && between.ends_with(b" ");
    let symbol = text[start] == b'\'' && !operator.iter().any(u8::is_ascii_alphabetic);
    let joined = OPERATORS.contains(&operator) && (apart || symbol);
    given(joined || reopens(text, start, end), points)
}

/// `aa'|!'aa`, `1' - 1 or '1`, `a'^0!='`: a value ends, is reckoned with, and another one begins that
/// the statement closes. Names and measures have words between their marks, and no signs.
fn reopens(text: &[u8], start: usize, end: usize) -> bool {
    const WORDS: [&[u8]; 16] = [
        b"or", b"and", b"xor", b"not", b"like", b"rlike", b"regexp", b"is", b"in", b"div", b"mod",
        b"null", b"n", b"true", b"false", b"column",
    ];
    let head = head_of(text, start);
    let begin = memchr::memrchr2(b'=', b'/', head).map_or(0, |at| at + 1);
    let value = head[begin..].trim_ascii();
    let rest = rest_of(text, end, 60);
    let Some(close) = rest.iter().position(|&byte| byte == text[start]) else {
        return false;
    };
    let (between, tail) = (&rest[..close], rest[close + 1..].trim_ascii());
    let sign = |byte: &u8| !b"!-+~@".contains(byte);
    let tail = &tail[tail.iter().position(sign).unwrap_or(tail.len())..];
    let closes = tail.iter().all(u8::is_ascii_digit) || tail == value;
    let is_measure = value.iter().all(u8::is_ascii_digit);
    let reckons = between.iter().any(|byte| match byte {
        b'-' | b'/' | b'*' | b'+' | b'&' | b'%' => !is_measure,
        byte => b"=!<>|^~@".contains(byte),
    });
    let mut words = between.split(|&byte| !is_word(byte));
    let known = |word: &[u8]| WORDS.contains(&word) || word.iter().all(u8::is_ascii_digit);
    // One name of a column or function, unless it stands where the rest of a name would: `O'Brien`.
    let first = words.next().unwrap_or_default();
    let named = words.filter(|word| !known(word)).count();
    let joined = tail.first().is_some_and(u8::is_ascii_digit)
        && [&b"or "[..], b"and ", b"xor "]
            .iter()
            .any(|word| contains(between, word));
    value.len() <= 16
        && !value.contains(&b' ')
        && closes
        && known(first)
        && named <= 1
        && (reckons || joined)
}

/// `;sleep 5`, `'sleep 50'`: so many seconds, out of a string or behind another command.
pub(in super::super) fn delay(text: &[u8], start: usize, end: usize, points: u16) -> u16 {
    let rest = rest_of(text, end, 12);
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let ended = matches!(
        trim(&rest[digits..]),
        [] | [b'\'' | b'"' | b'`' | b')' | b';' | b'|', ..]
    );
    let broke_out = matches!(
        before(text, start),
        Some(b'\'' | b'"' | b'`' | b';' | b'|' | b'&')
    );
    given(digits > 0 && ended && broke_out, points)
}

/// `' or 1=1`, `" or ""="`, `') or ('a'='a`: a quote, a connective, then a comparison, a call or a subquery.
pub(in super::super) fn quoted_logic(text: &[u8], start: usize, end: usize, points: u16) -> u16 {
    let rest = rest_of(text, end, 80);
    let broke_out = matches!(before(text, start), Some(b'\'' | b'"' | b')' | b'`'))
        || text[..start]
            .iter()
            .any(|byte| matches!(byte, b'\'' | b'"'));
    let compares = rest
        .iter()
        .any(|byte| matches!(byte, b'=' | b'<' | b'>' | b'(' | b'^'))
        || [
            &b" like "[..],
            b" in ",
            b" between ",
            b" is ",
            b"--",
            b"#",
            b"true",
            b"rlike ",
            b"&&",
            b"||",
        ]
        .iter()
        .any(|operator| contains(rest, operator))
        || matches!(trim(rest), [b'\'', b'\'', ..] | [b'"', b'"', ..])
        || is_true_number(text, start, rest);
    let separated = start > 0 && !is_word(text[start - 1]);
    given(broke_out && compares && separated, points)
}

/// `' or 202` to the end; `24" or 27` are inches.
fn is_true_number(text: &[u8], start: usize, rest: &[u8]) -> bool {
    let head = text[..start].trim_ascii_end();
    let inches = matches!(head, [.., digit, _] if digit.is_ascii_digit());
    let quoted = matches!(head, [.., b'\'' | b'"']);
    let number = rest.trim_ascii();
    quoted && !inches && !number.is_empty() && number.iter().all(u8::is_ascii_digit)
}

/// `1 or 1=1`, `5 and 5=5`, `1 and sleep(5)`: a number before it, a comparison of constants or a call after it.
pub(in super::super) fn numeric_logic(text: &[u8], start: usize, end: usize, points: u16) -> u16 {
    let number = before(text, start)
        .is_some_and(|byte| byte.is_ascii_digit() || matches!(byte, b'\'' | b'"' | b')'));
    // `1<2 and 3>2` is mathematics: an attack follows a plain value.
    let compared = head_of(text, start)
        .iter()
        .any(|byte| matches!(byte, b'<' | b'>'));
    let rest = trim(rest_of(text, end, 60));
    let left = rest
        .iter()
        .take_while(|&&byte| byte.is_ascii_alphanumeric() || matches!(byte, b'\'' | b'"' | b'('))
        .count();
    let operator = after(rest, left);
    let constant = left > 0
        && rest
            .first()
            .is_some_and(|byte| byte.is_ascii_digit() || matches!(byte, b'\'' | b'"' | b'('));
    let word = rest.iter().take_while(|&&byte| is_word(byte)).count();
    let called = word > 1 && rest[word..].starts_with(b"(");
    let argued = called
        && (text[start] == b'|'
            || rest[word..].starts_with(b"()")
            || rest[word..]
                .iter()
                .any(|byte| matches!(byte, b'=' | b'<' | b'>')));
    let asked = rest.starts_with(b"select ") || contains(rest, b" is not null");
    if number && !compared && (argued || asked) {
        return word_start(text, start, end, points);
    }
    given(
        number
            && !compared
            && constant
            && matches!(operator, Some(b'=' | b'<' | b'>' | b'(' | b'!')),
        word_start(text, start, end, points),
    )
}

/// `or 1=1` as the beginning of a value: a connective with nothing to connect.
pub(in super::super) fn first_logic(text: &[u8], start: usize, end: usize, points: u16) -> u16 {
    let begins = matches!(before(text, start), None | Some(b'=' | SEPARATOR));
    let rest = trim(rest_of(text, end, 60));
    let word = |part: &[u8]| part.iter().take_while(|&&byte| is_word(byte)).count();
    let left = word(rest);
    let right = trim(&rest[left..]);
    let operator = right
        .iter()
        .take_while(|byte| b"=<>!".contains(byte))
        .count();
    let right = trim(&right[operator..]);
    let compared = operator > 0 && word(right) > 0;
    let tail = trim(&right[word(right)..]);
    let ended = tail.is_empty() || tail.starts_with(b"--") || tail.starts_with(b"#");
    let constant = matches!(&rest[..left], b"true" | b"false");
    given(
        begins && left > 0 && (compared || constant) && ended,
        points,
    )
}

/// `order by 12--`: a column by its number, then a comment or another one.
pub(in super::super) fn column(text: &[u8], start: usize, end: usize, points: u16) -> u16 {
    let rest = trim(rest_of(text, end, 40));
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let tail = trim(&rest[digits..]);
    let goes_on = tail.starts_with(b"--") || tail.starts_with(b"#") || tail.starts_with(b",");
    // `5 order by 3`, or nothing but `order by 3`: nobody writes that of anything else.
    let of_value = match before(text, start) {
        None => true,
        Some(byte) => byte.is_ascii_digit() || b")'=".contains(&byte) || byte == SEPARATOR,
    };
    let ended = tail.is_empty() || tail == b"/";
    given(digits > 0 && (goes_on || (of_value && ended)), points)
}

/// `union select` needs something to select, and is no part of "union selects a president".
pub(in super::super) fn selects(text: &[u8], start: usize, end: usize, points: u16) -> u16 {
    let of_number = before(text, start).is_some_and(|byte| byte.is_ascii_digit() || byte == b')');
    let ended = text.get(end).is_none_or(|&byte| !is_word(byte));
    let selected = after(text, end).is_some_and(|byte| byte != SEPARATOR);
    given(ended && (selected || of_number), points)
}

/// `select … from …` with something that only SQL has between or after: prose says "select a plan from".
pub(in super::super) fn select_from(text: &[u8], start: usize, end: usize, points: u16) -> u16 {
    let rest = rest_of(text, end, 200);
    let Some(from) = find(rest, b" from ").or_else(|| find(rest, b"from(")) else {
        return 0;
    };
    let listed = rest[..from]
        .iter()
        .any(|byte| matches!(byte, b'*' | b',' | b'(' | b'@'));
    let broke_out = head_of(text, start)
        .iter()
        .any(|byte| matches!(byte, b'\'' | b'"' | b'(' | b';'));
    let tail = &rest[from..];
    let ends = [
        &b"--"[..],
        b"#",
        b" where ",
        b"information_schema",
        b"limit ",
        b"dual",
        b" users",
        b"sys.",
    ]
    .iter()
    .any(|end| contains(tail, end));
    given(
        listed || (broke_out && ends),
        word_start(text, start, end, points),
    )
}

/// `; drop table x`, `'; exec …`: a statement after the end of another one.
pub(in super::super) fn stacked(text: &[u8], start: usize, end: usize, points: u16) -> u16 {
    let follows = match before(text, start) {
        // "The gate is shut; call when you get here": a single verb needs more than a sentence.
        Some(b';') => {
            text[start..end].trim_ascii_end().contains(&b' ') || has_syntax(rest_of(text, end, 80))
        }
        Some(b'\'' | b')') => true,
        _ => false,
    };
    given(follows, word_start(text, start, end, points))
}

/// Signs that statements have and sentences have not: an apostrophe between letters is none.
fn has_syntax(text: &[u8]) -> bool {
    let is_letter = |at: Option<usize>| {
        at.and_then(|at| text.get(at))
            .is_some_and(u8::is_ascii_alphabetic)
    };
    text.iter().enumerate().any(|(at, byte)| match byte {
        b'\'' => !(is_letter(at.checked_sub(1)) && is_letter(Some(at + 1))),
        byte => b"(=@*\";-#".contains(byte),
    })
}

/// `' union` with a statement behind it: "O' Union selected friends" is none.
pub(in super::super) fn unites(text: &[u8], _: usize, end: usize, points: u16) -> u16 {
    let rest = trim(rest_of(text, end, 40));
    let joined = [&b"select"[..], b"all", b"distinct", b"("]
        .iter()
        .any(|next| {
            rest.strip_prefix(*next)
                .is_some_and(|tail| tail.first().is_none_or(|&byte| !is_word(byte)))
        });
    given(joined || rest.is_empty(), points)
}

/// A function call with a bracket that something follows, and no sentence about one.
pub(in super::super) fn call(text: &[u8], start: usize, end: usize, points: u16) -> u16 {
    let called = text.get(end).is_some() && !is_about(text, start, end);
    given(called, word_start(text, start, end, points))
}

/// `sleep(8) is a function`: words go on behind the bracket that no statement has there, and
/// nothing was broken out of.
fn is_about(text: &[u8], start: usize, end: usize) -> bool {
    const GOES_ON: [&[u8]; 20] = [
        b"and", b"or", b"xor", b"from", b"where", b"like", b"rlike", b"regexp", b"in", b"union",
        b"limit", b"order", b"group", b"having", b"between", b"div", b"then", b"else", b"end",
        b"as",
    ];
    let rest = rest_of(text, end, 80);
    let Some(close) = rest.iter().position(|&byte| byte == b')') else {
        return false;
    };
    let [b' ', tail @ ..] = &rest[close + 1..] else {
        return false;
    };
    let word = tail
        .iter()
        .take_while(|byte| byte.is_ascii_lowercase())
        .count();
    let broke_out = head_of(text, start)
        .iter()
        .any(|byte| b"'\"();|".contains(byte));
    word > 1 && !broke_out && !GOES_ON.contains(&&tail[..word]) && !tail.starts_with(b"is n")
}

/// `admin'--`, `1') -- -`, `x' #`: a quote, then a comment to the end.
pub(in super::super) fn comment_after_quote(
    text: &[u8],
    start: usize,
    end: usize,
    points: u16,
) -> u16 {
    let quoted = text[..start]
        .iter()
        .rev()
        .take(4)
        .any(|byte| matches!(byte, b'\'' | b'"' | b')'))
        || (text[start] == b'-' && head_of(text, start).contains(&b';'));
    let rest = rest_of(text, end, 80);
    let ends = rest
        .iter()
        .all(|byte| matches!(byte, b' ' | b'-' | b'+' | b'\0'))
        || trim(rest).first() == Some(&b'&');
    given(quoted && ends, points)
}
