//! `tracestate` of W3C Trace Context level 2: validated, never edited but for our own entry.

use std::borrow::Cow;

/// The header's name.
pub const TRACESTATE: &str = "tracestate";
/// List-members a header may have; with more it is dropped.
pub const MAX_MEMBERS: usize = 32;
/// Characters that are always carried on; longer headers are cut to this, by whole members.
pub const MAX_CARRIED: usize = 512;

/// Joins the header's values in order and validates them: `None` when any member breaks the
/// grammar or there are more than [`MAX_MEMBERS`], because then the whole header is dropped.
///
/// One clean value is borrowed as it stands.
#[must_use]
pub fn parse<'a>(values: &[&'a [u8]]) -> Option<Cow<'a, str>> {
    if let [only] = values {
        let only = std::str::from_utf8(super::trim_ows(only)).ok()?;
        let shape = Shape::of(only)?;
        return match shape {
            Shape { members: 0, .. } => None,
            Shape {
                canonical: true, ..
            } => Some(Cow::Borrowed(only)),
            Shape { .. } => Some(Cow::Owned(join(members(only)))),
        };
    }
    let mut total = 0;
    let mut joined = String::new();
    for value in values {
        let value = std::str::from_utf8(value).ok()?;
        total += Shape::of(value)?.members;
        for member in members(value) {
            if !joined.is_empty() {
                joined.push(',');
            }
            joined.push_str(member);
        }
    }
    (1..=MAX_MEMBERS)
        .contains(&total)
        .then_some(Cow::Owned(joined))
}

/// The value of `key` in a validated header.
///
/// ```
/// use omnify_trace::propagation::tracestate;
/// assert_eq!(tracestate::get("congo=t61rcWkgMzE,rojo=00f067aa", "rojo"), Some("00f067aa"));
/// ```
#[must_use]
pub fn get<'a>(state: &'a str, key: &str) -> Option<&'a str> {
    members(state).find_map(|member| {
        member
            .split_once('=')
            .filter(|(name, _)| *name == key)
            .map(|(_, value)| value)
    })
}

/// A validated header with our entry set and moved to the left, as one who changes it must do.
/// `None` when the key or the value breaks the grammar.
///
/// ```
/// use omnify_trace::propagation::tracestate;
/// assert_eq!(tracestate::with("congo=1,omnify=2", "omnify", "3").as_deref(), Some("omnify=3,congo=1"));
/// ```
#[must_use]
pub fn with(state: &str, key: &str, value: &str) -> Option<String> {
    if !is_key(key.as_bytes()) || !is_value(value.as_bytes()) {
        return None;
    }
    let entry = format!("{key}={value}");
    let others =
        members(state).filter(|member| member.split_once('=').is_none_or(|(name, _)| name != key));
    Some(join(
        std::iter::once(entry.as_str())
            .chain(others)
            .take(MAX_MEMBERS),
    ))
}

/// What to send on: everything up to [`MAX_CARRIED`] characters; beyond it members of more than
/// 128 characters go first, then those on the right.
#[must_use]
pub fn fit(state: &str) -> Cow<'_, str> {
    if state.len() <= MAX_CARRIED {
        return Cow::Borrowed(state);
    }
    let mut kept: Vec<&str> = members(state).collect();
    let length = |kept: &[&str]| {
        kept.iter()
            .map(|member| member.len() + 1)
            .sum::<usize>()
            .saturating_sub(1)
    };
    while length(&kept) > MAX_CARRIED {
        match kept.iter().rposition(|member| member.len() > 128) {
            Some(long) => drop(kept.remove(long)),
            None => drop(kept.pop()),
        }
    }
    Cow::Owned(join(kept.into_iter()))
}

/// What a look at a header's text tells.
struct Shape {
    members: usize,
    /// No white space and no empty member: can be passed on as it stands.
    canonical: bool,
}

impl Shape {
    fn of(text: &str) -> Option<Self> {
        let mut shape = Self {
            members: 0,
            canonical: true,
        };
        for member in text.split(',') {
            let trimmed = super::trim_ows(member.as_bytes());
            shape.canonical &= trimmed.len() == member.len() && !trimmed.is_empty();
            if trimmed.is_empty() {
                continue;
            }
            let equals = trimmed.iter().position(|&byte| byte == b'=')?;
            if !is_key(&trimmed[..equals]) || !is_value(&trimmed[equals + 1..]) {
                return None;
            }
            shape.members += 1;
            if shape.members > MAX_MEMBERS {
                return None;
            }
        }
        Some(shape)
    }
}

fn members(text: &str) -> impl Iterator<Item = &str> {
    text.split(',')
        .map(|member| member.trim_matches([' ', '\t']))
        .filter(|member| !member.is_empty())
}

fn join<'a>(members: impl Iterator<Item = &'a str>) -> String {
    let mut out = String::new();
    for member in members {
        if !out.is_empty() {
            out.push(',');
        }
        out.push_str(member);
    }
    out
}

/// Level 2: a lowercase letter or digit, then up to 255 of those or `_ - * / @`.
fn is_key(key: &[u8]) -> bool {
    let Some((first, rest)) = key.split_first() else {
        return false;
    };
    let is_start = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    is_start(*first)
        && rest.len() <= 255
        && rest.iter().all(|&b| is_start(b) || b"_-*/@".contains(&b))
}

/// 1 to 256 of visible ASCII and space without `,` and `=`, not ending in a space.
fn is_value(value: &[u8]) -> bool {
    (1..=256).contains(&value.len())
        && value.last() != Some(&b' ')
        && value
            .iter()
            .all(|&byte| (0x20..=0x7e).contains(&byte) && byte != b',' && byte != b'=')
}
