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
    if assigned && runs_script(&text[end + follows..]) {
        return word_start(text, start, end, points);
    }
    let inside = head_of(text, start)
        .iter()
        .any(|byte| matches!(byte, b'<' | b'"' | b'\''));
    given(separated && assigned && inside, points)
}

/// `<x onanything=`: browsers learn new ones, and no tag in prose has any.
pub(super) fn attribute(text: &[u8], start: usize, end: usize, points: u16) -> u16 {
    let letters = text[end..]
        .iter()
        .take_while(|byte| byte.is_ascii_alphabetic());
    let name = letters.count();
    let assigned = text.get(end + name) == Some(&b'=');
    let head = head_of(text, start);
    let tag = head
        .iter()
        .rposition(|&byte| byte == b'<')
        .map(|at| &head[at..]);
    let inside = tag
        .is_some_and(|tag| tag.get(1).is_some_and(u8::is_ascii_alphabetic) && !tag.contains(&b'>'));
    given(name >= 3 && assigned && inside, points)
}

/// `= alert(`, `="eval(`: what is given to the handler runs.
fn runs_script(text: &[u8]) -> bool {
    let is_quote = |byte: &&u8| matches!(**byte, b' ' | b'=' | b'"' | b'\'' | b'`');
    let quotes = text.iter().take_while(is_quote).count();
    let rest = &text[quotes..];
    let calls = [
        &b"alert"[..],
        b"confirm",
        b"prompt",
        b"eval",
        b"fetch(",
        b"import(",
        b"settimeout",
        b"document.",
        b"window.",
        b"location",
        b"javascript:",
        b"print(",
    ];
    calls.iter().any(|call| rest.starts_with(call))
}

/// A call that is the whole of a value: `alert(1)` and nothing else.
pub(super) fn whole_call(text: &[u8], start: usize, end: usize, points: u16) -> u16 {
    let begins = start > 0 && text[start - 1] == b'=';
    let rest = rest_of(text, end, 80);
    let closed = matches!(rest, [.., b')' | b'`'] | [.., b')', b';']);
    let argument = rest
        .first()
        .is_some_and(|byte| byte.is_ascii_digit() || b"'\"`/)d".contains(byte));
    given(begins && closed && argument, points)
}

/// `/index.php~`: an editor's copy, no home directory.
pub(super) fn backup_copy(text: &[u8], start: usize, end: usize, points: u16) -> u16 {
    given(
        end == text.len() && start > 0 && is_word(text[start - 1]),
        points,
    )
}

/// `0x61646d696e27`: text behind digits. Hashes and addresses are none.
pub(super) fn hex_text(text: &[u8], start: usize, end: usize, points: u16) -> u16 {
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
pub(super) fn tautology(text: &[u8], start: usize, end: usize, points: u16) -> u16 {
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
pub(super) fn dangling(text: &[u8], start: usize, end: usize, points: u16) -> u16 {
    let head = head_of(text, start);
    let opened = head.iter().any(|byte| matches!(byte, b'\'' | b'"'));
    given(rest_of(text, end, 1).is_empty() && !opened, points)
}

/// `a' && 'b`: an operator between the end of the statement's string and the beginning of ours.
pub(super) fn quote_operator(text: &[u8], start: usize, end: usize, points: u16) -> u16 {
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
    given(OPERATORS.contains(&operator) && (apart || symbol), points)
}

/// `;sleep 5`, `'sleep 50'`: so many seconds, out of a string or behind another command.
pub(super) fn delay(text: &[u8], start: usize, end: usize, points: u16) -> u16 {
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

/// A call after a quote, an angle bracket, a semicolon or a script address: `alert(1)` in prose is none.
pub(super) fn script_call(text: &[u8], start: usize, end: usize, points: u16) -> u16 {
    let head = head_of(text, start);
    let opened = head
        .iter()
        .any(|byte| matches!(byte, b'<' | b'"' | b'\'' | b';' | b'{' | b'`' | b'$'))
        // The colon of `javascript:`, not that of the address around it.
        || head.windows(2).any(|pair| pair[0] == b':' && pair[1] != b'/')
        || head.ends_with(b":");
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
pub(super) fn column(text: &[u8], start: usize, end: usize, points: u16) -> u16 {
    let rest = trim(rest_of(text, end, 40));
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let tail = trim(&rest[digits..]);
    let goes_on = tail.starts_with(b"--") || tail.starts_with(b"#") || tail.starts_with(b",");
    // `5 order by 3`: nobody writes that of anything else.
    let of_value = matches!(before(text, start), Some(byte) if byte.is_ascii_digit() || byte == b')' || byte == b'\'');
    let ended = tail.is_empty() || tail == b"/";
    given(digits > 0 && (goes_on || (of_value && ended)), points)
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
pub(super) fn selects(text: &[u8], start: usize, end: usize, points: u16) -> u16 {
    let of_number = before(text, start).is_some_and(|byte| byte.is_ascii_digit() || byte == b')');
    let ended = text.get(end).is_none_or(|&byte| !is_word(byte));
    let selected = after(text, end).is_some_and(|byte| byte != SEPARATOR);
    given(ended && (selected || of_number), points)
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
    let follows = match before(text, start) {
        // "The gate is shut; call when you get here": a single verb needs more than a sentence.
        Some(b';') => {
            text[start..end].trim_ascii_end().contains(&b' ')
                || rest_of(text, end, 80)
                    .iter()
                    .any(|byte| b"(=@*'\";-#".contains(byte))
        }
        Some(b'\'' | b')') => true,
        _ => false,
    };
    given(follows, word_start(text, start, end, points))
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
        .any(|byte| matches!(byte, b'\'' | b'"' | b')'))
        || (text[start] == b'-' && head_of(text, start).contains(&b';'));
    let rest = rest_of(text, end, 80);
    let ends = rest
        .iter()
        .all(|byte| matches!(byte, b' ' | b'-' | b'+' | b'\0'))
        || trim(rest).first() == Some(&b'&');
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
    if is_prose(text, start, end) {
        return 0;
    }
    // `&page=…&sort= ls` has an equals sign right behind the word; a command has not.
    given(separated && ended, points)
}

/// `on base; set of two`: commands that are words, in a sentence.
fn is_prose(text: &[u8], start: usize, end: usize) -> bool {
    const WORDS: [&[u8]; 18] = [
        b"set", b"find", b"more", b"less", b"head", b"tail", b"type", b"host", b"which", b"kill",
        b"route", b"mail", b"export", b"exec", b"system", b"w", b"route", b"touch",
    ];
    let goes_on = matches!(&text[end..], [b' ', next, ..] if next.is_ascii_alphabetic());
    text[..start].ends_with(b"; ") && goes_on && WORDS.contains(&&text[start..end])
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
