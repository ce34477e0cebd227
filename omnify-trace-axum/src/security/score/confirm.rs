//! Looking around a fragment before its points count: what makes the difference between an attack
//! and a sentence about one.

/// Gets the text, the fragment's bounds and its points; gives the points that count.
pub(super) type Confirm = fn(&[u8], usize, usize, u16) -> u16;

fn given(yes: bool, points: u16) -> u16 {
    if yes { points } else { 0 }
}

/// What stands between the parameters of a query once it is decoded.
pub(super) const SEPARATOR: u8 = 0x1e;

/// The rest of the parameter that begins at `end`, at most `most` bytes of it.
fn rest_of(text: &[u8], end: usize, most: usize) -> &[u8] {
    let rest = &text[end..text.len().min(end + most)];
    let length = rest
        .iter()
        .position(|&byte| byte == SEPARATOR)
        .unwrap_or(rest.len());
    &rest[..length]
}

/// The part of the parameter that stands before `start`.
fn head_of(text: &[u8], start: usize) -> &[u8] {
    let begin = text[..start]
        .iter()
        .rposition(|&byte| byte == SEPARATOR)
        .map_or(0, |at| at + 1);
    &text[begin..start]
}

fn before(text: &[u8], start: usize) -> Option<u8> {
    text[..start]
        .iter()
        .rev()
        .copied()
        .find(|&byte| byte != b' ')
}

fn after(text: &[u8], end: usize) -> Option<u8> {
    text[end..].iter().copied().find(|&byte| byte != b' ')
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// Always.
pub(super) fn always(_: &[u8], _: usize, _: usize, points: u16) -> u16 {
    points
}

/// Not the tail of a longer word.
pub(super) fn word_start(text: &[u8], start: usize, _: usize, points: u16) -> u16 {
    given(start == 0 || !is_word(text[start - 1]), points)
}

/// The path, or one of its segments, ends here: `/.env`, `/.env.local` and not `/.environment`.
pub(super) fn segment_end(text: &[u8], _: usize, end: usize, points: u16) -> u16 {
    let goes_on = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b' ');
    // A fragment that is whole directories says enough.
    let whole = end > 0 && matches!(text[end - 1], b'/' | b'?' | b'=');
    given(
        whole || text.get(end).is_none_or(|&byte| !goes_on(byte)),
        points,
    )
}

/// The text ends here, or a query or another segment follows.
pub(super) fn extension(text: &[u8], _: usize, end: usize, points: u16) -> u16 {
    given(
        text.get(end)
            .is_none_or(|byte| matches!(byte, b'/' | b'?' | b'&' | b';' | b'~' | b'\0')),
        points,
    )
}

/// `<tag` that a browser would open: what follows is white space, a slash or the end of the tag.
pub(super) fn tag(text: &[u8], _: usize, end: usize, points: u16) -> u16 {
    given(
        text.get(end)
            .is_none_or(|&byte| !byte.is_ascii_alphanumeric() && byte != b'-'),
        points,
    )
}

/// `onerror =` after a space, a slash or a quote, inside something that opened a tag or broke out of a value.
pub(super) fn handler(text: &[u8], start: usize, end: usize, points: u16) -> u16 {
    let follows = text[end..]
        .iter()
        .take_while(|byte| byte.is_ascii_lowercase())
        .count();
    let separated = start > 0
        && matches!(
            text[start - 1],
            b' ' | b'/' | b'"' | b'\'' | b'\n' | b'\r' | b'`' | b';'
        );
    let assigned = after(text, end + follows) == Some(b'=');
    let inside = head_of(text, start)
        .iter()
        .any(|byte| matches!(byte, b'<' | b'"' | b'\''));
    given(separated && assigned && inside, points)
}

/// A call after a quote, an angle bracket, a semicolon or a script address: `alert(1)` in prose is none.
pub(super) fn script_call(text: &[u8], start: usize, end: usize, points: u16) -> u16 {
    let opened = head_of(text, start)
        .iter()
        .any(|byte| matches!(byte, b'<' | b'"' | b'\'' | b';' | b':' | b'{' | b'`' | b'$'));
    given(
        opened && after(text, end).is_some(),
        word_start(text, start, end, points),
    )
}

/// `' or 1=1`, `" or ""="`, `') or ('a'='a`: a quote, a connective, then a comparison, a call or a subquery.
pub(super) fn quoted_logic(text: &[u8], start: usize, end: usize, points: u16) -> u16 {
    let rest = rest_of(text, end, 80);
    let broke_out = matches!(before(text, start), Some(b'\'' | b'"' | b')' | b'`'))
        || text[..start]
            .iter()
            .any(|byte| matches!(byte, b'\'' | b'"'));
    let compares = rest
        .iter()
        .any(|byte| matches!(byte, b'=' | b'<' | b'>' | b'('))
        || [
            &b" like "[..],
            b" in ",
            b" between ",
            b" is ",
            b"--",
            b"#",
            b"true",
            b"rlike ",
        ]
        .iter()
        .any(|operator| contains(rest, operator))
        || matches!(trim(rest), [b'\'', b'\'', ..] | [b'"', b'"', ..]);
    let separated = start > 0 && !is_word(text[start - 1]);
    given(broke_out && compares && separated, points)
}

/// `1 or 1=1`, `5 and 5=5`, `1 and sleep(5)`: a number before it, a comparison of constants or a call after it.
pub(super) fn numeric_logic(text: &[u8], start: usize, end: usize, points: u16) -> u16 {
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
    given(
        number
            && !compared
            && constant
            && matches!(operator, Some(b'=' | b'<' | b'>' | b'(' | b'!')),
        word_start(text, start, end, points),
    )
}

/// `or 1=1` as the beginning of a value: a connective with nothing to connect.
pub(super) fn first_logic(text: &[u8], start: usize, end: usize, points: u16) -> u16 {
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
    let tail = trim(&right[word(right)..]);
    let ended = tail.is_empty() || tail.starts_with(b"--") || tail.starts_with(b"#");
    given(
        begins && left > 0 && operator > 0 && word(right) > 0 && ended,
        points,
    )
}

/// `order by 12--`: a column by its number, then a comment or another one.
pub(super) fn column(text: &[u8], _: usize, end: usize, points: u16) -> u16 {
    let rest = trim(rest_of(text, end, 40));
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let tail = trim(&rest[digits..]);
    let goes_on = tail.starts_with(b"--") || tail.starts_with(b"#") || tail.starts_with(b",");
    given(digits > 0 && goes_on, points)
}

/// The beginning of a text or value: a function's body further on is somebody's code.
pub(super) fn at_start(text: &[u8], start: usize, _: usize, points: u16) -> u16 {
    given(
        matches!(before(text, start), None | Some(b'=' | SEPARATOR)),
        points,
    )
}

/// The whole of a parameter's value.
pub(super) fn whole_value(text: &[u8], start: usize, end: usize, points: u16) -> u16 {
    let begins = start > 0 && text[start - 1] == b'=';
    let ends = text.get(end).is_none_or(|&byte| byte == SEPARATOR);
    given(begins && ends, points)
}

/// `union select` needs something to select, and is no part of "union selects a president".
pub(super) fn selects(text: &[u8], _: usize, end: usize, points: u16) -> u16 {
    let ended = text.get(end).is_some_and(|&byte| !is_word(byte));
    given(
        ended && after(text, end).is_some_and(|byte| byte != SEPARATOR),
        points,
    )
}

/// Two dots, or four and more: three are an ellipsis.
pub(super) fn dots(text: &[u8], start: usize, _: usize, points: u16) -> u16 {
    let more = text[..start]
        .iter()
        .rev()
        .take_while(|&&byte| byte == b'.')
        .count();
    given(more != 1, points)
}

/// An address of script: no sentence about the language, which has a space there.
pub(super) fn script_address(text: &[u8], _: usize, end: usize, points: u16) -> u16 {
    given(
        text.get(end)
            .is_some_and(|&byte| byte != b' ' && byte != SEPARATOR),
        points,
    )
}

/// `select … from …` with something that only SQL has between or after: prose says "select a plan from".
pub(super) fn select_from(text: &[u8], start: usize, end: usize, points: u16) -> u16 {
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
pub(super) fn stacked(text: &[u8], start: usize, end: usize, points: u16) -> u16 {
    given(
        matches!(before(text, start), Some(b';' | b'\'' | b')')),
        word_start(text, start, end, points),
    )
}

/// A function call with a bracket that something follows.
pub(super) fn call(text: &[u8], start: usize, end: usize, points: u16) -> u16 {
    given(
        text.get(end).is_some(),
        word_start(text, start, end, points),
    )
}

/// `admin'--`, `1') -- -`, `x' #`: a quote, then a comment to the end.
pub(super) fn comment_after_quote(text: &[u8], start: usize, end: usize, points: u16) -> u16 {
    let quoted = text[..start]
        .iter()
        .rev()
        .take(4)
        .any(|byte| matches!(byte, b'\'' | b'"' | b')'));
    let ends = text[end..]
        .iter()
        .all(|byte| matches!(byte, b' ' | b'-' | b'+' | b'\0'))
        || text.get(end) == Some(&b'&');
    given(quoted && ends, points)
}

/// A shell command after a separator: `;id`, `|cat /etc`, `&& whoami`, `` `id` ``, `$(id)`, a line break.
pub(super) fn command(text: &[u8], start: usize, end: usize, points: u16) -> u16 {
    let separated = match before(text, start) {
        Some(b';' | b'|' | b'`' | b'\n' | b'\r') => true,
        Some(b'{') => text.get(end) == Some(&b','),
        Some(b'&') => start >= 2 && (text[start - 1] == b' ' || text[start - 2] == b'&'),
        Some(b'(') => contains(&text[..start], b"$(") || contains(&text[..start], b"<("),
        Some(b'/') => text[..start].ends_with(b"/bin/"),
        // A line break that the application may unescape.
        Some(b'n') => text[..start].ends_with(b"\\n"),
        _ => false,
    };
    let ended = text
        .get(end)
        .is_none_or(|byte| !is_word(*byte) && *byte != b'=' && *byte != b'-' && *byte != b'.');
    // `&page=…&sort= ls` has an equals sign right behind the word; a command has not.
    given(separated && ended, points)
}

/// `wget http://…` and `curl -o …`: a downloader with an address or an option.
pub(super) fn downloader(text: &[u8], start: usize, end: usize, points: u16) -> u16 {
    let rest = trim(&text[end..]);
    given(
        rest.starts_with(b"http")
            || rest.starts_with(b"-")
            || rest.starts_with(b"ftp")
            || rest.starts_with(b"//"),
        word_start(text, start, end, points),
    )
}

/// `{{7*7}}`, `${7*7}`, `#{…}`: an expression, not a placeholder's name.
pub(super) fn template(text: &[u8], _: usize, end: usize, points: u16) -> u16 {
    let rest = rest_of(text, end, 80);
    let Some(close) = rest.iter().position(|&byte| byte == b'}' || byte == b'%') else {
        return 0;
    };
    given(
        rest[..close].iter().any(|byte| b"*(_['\"+".contains(byte)),
        points,
    )
}

/// A line break that begins a header or a second response.
pub(super) fn splitting(text: &[u8], _: usize, end: usize, points: u16) -> u16 {
    let line = rest_of(text, end, 60);
    let name = line
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-')
        .count();
    let is_header = name > 2 && line.get(name) == Some(&b':') && line[..name].contains(&b'-');
    let known = [
        &b"location:"[..],
        b"cookie:",
        b"host:",
        b"http/1",
        b"refresh:",
        b"link:",
    ];
    given(
        is_header || known.iter().any(|known| line.starts_with(known)),
        points,
    )
}

/// Inside a parameter's value, at its start: `url=http://169…`, not a mention of it.
pub(super) fn value_start(text: &[u8], start: usize, _: usize, points: u16) -> u16 {
    given(
        start > 0 && matches!(text[start - 1], b'=' | b'/' | b'@' | b'"' | b'\'' | b','),
        points,
    )
}

fn contains(text: &[u8], what: &[u8]) -> bool {
    memchr::memmem::find(text, what).is_some()
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, what)
}

fn trim(text: &[u8]) -> &[u8] {
    let spaces = text.iter().take_while(|&&byte| byte == b' ').count();
    &text[spaces..]
}
