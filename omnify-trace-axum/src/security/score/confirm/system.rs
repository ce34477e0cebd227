//! Files, shell commands and header lines.

use super::{before, contains, given, is_word, rest_of, trim, word_start};

/// `etc%c0%qfpasswd`, `etc0x2fpasswd`: whatever a server may take for the slash between the two.
pub(in super::super) fn behind_etc(text: &[u8], start: usize, _: usize, points: u16) -> u16 {
    let near = &text[start.saturating_sub(14)..start];
    let Some(at) = memchr::memmem::rfind(near, b"etc") else {
        return 0;
    };
    let between = &near[at + 3..];
    let number = between.strip_prefix(b"0x").unwrap_or(between);
    let is_slash =
        matches!(number, b"2f" | b"5c") || between.iter().any(|byte| !byte.is_ascii_alphanumeric());
    let is_text = between
        .iter()
        .any(|byte| matches!(byte, b' ' | b',' | b'.' | b'='));
    given(!between.is_empty() && is_slash && !is_text, points)
}

/// The path, or one of its segments, ends here: `/.env`, `/.env.local` and not `/.environment`.
pub(in super::super) fn segment_end(text: &[u8], _: usize, end: usize, points: u16) -> u16 {
    let goes_on = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b' ');
    // A fragment that is whole directories says enough.
    let whole = end > 0 && matches!(text[end - 1], b'/' | b'?' | b'=');
    given(
        whole || text.get(end).is_none_or(|&byte| !goes_on(byte)),
        points,
    )
}

/// The text ends here, or a query or another segment follows.
pub(in super::super) fn extension(text: &[u8], _: usize, end: usize, points: u16) -> u16 {
    given(
        text.get(end)
            .is_none_or(|byte| matches!(byte, b'/' | b'?' | b'&' | b';' | b'~' | b'\0')),
        points,
    )
}

/// `/index.php~`: an editor's copy, no home directory.
pub(in super::super) fn backup_copy(text: &[u8], start: usize, end: usize, points: u16) -> u16 {
    given(
        end == text.len() && start > 0 && is_word(text[start - 1]),
        points,
    )
}

/// Two dots, or four and more: three are an ellipsis.
pub(in super::super) fn dots(text: &[u8], start: usize, _: usize, points: u16) -> u16 {
    let more = text[..start]
        .iter()
        .rev()
        .take_while(|&&byte| byte == b'.')
        .count();
    given(more != 1, points)
}

/// A shell command after a separator: `;id`, `|cat /etc`, `&& whoami`, `` `id` ``, `$(id)`, a line break.
pub(in super::super) fn command(text: &[u8], start: usize, end: usize, points: u16) -> u16 {
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
pub(in super::super) fn downloader(text: &[u8], start: usize, end: usize, points: u16) -> u16 {
    let rest = trim(&text[end..]);
    given(
        rest.starts_with(b"http")
            || rest.starts_with(b"-")
            || rest.starts_with(b"ftp")
            || rest.starts_with(b"//"),
        word_start(text, start, end, points),
    )
}

/// A line break that begins a header or a second response.
pub(in super::super) fn splitting(text: &[u8], _: usize, end: usize, points: u16) -> u16 {
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
