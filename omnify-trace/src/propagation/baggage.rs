//! W3C Baggage: what a caller wants to travel along, within limits, only to hosts that are allowed to have it.

use std::borrow::Cow;

/// The header's name.
pub const BAGGAGE: &str = "baggage";
/// The member that names the workflow run which a request belongs to, as the browser logger sends it.
pub const BAGGAGE_RUN_ID: &str = "omnify.run_id";
/// The member that names that run's workflow.
pub const BAGGAGE_WORKFLOW_ID: &str = "omnify.workflow_id";
/// Members that are carried; whole members beyond are dropped and counted.
pub const MAX_MEMBERS: usize = 64;
/// Bytes that are carried; whole members beyond are dropped and counted.
pub const MAX_BYTES: usize = 8192;

/// Validated members in wire form, plus what had to be left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Baggage<'a> {
    wire: Cow<'a, str>,
    members: usize,
    dropped: usize,
}

impl<'a> Baggage<'a> {
    /// Reads the header's values in order. Members that break the grammar or the limits are left
    /// out and counted: the others are still worth having.
    ///
    /// ```
    /// use omnify_trace::propagation::Baggage;
    /// let baggage = Baggage::parse(&[b"tier=gold, name=J%C3%BCrgen;private, broken"]);
    /// assert_eq!(baggage.get("name").as_deref(), Some("Jürgen"));
    /// assert_eq!(baggage.dropped(), 1);
    /// ```
    #[must_use]
    pub fn parse(values: &[&'a [u8]]) -> Self {
        if let [only] = values
            && let Some(whole) = Self::borrowed(only)
        {
            return whole;
        }
        let mut baggage = Self::default();
        for member in values
            .iter()
            .flat_map(|value| value.split(|&byte| byte == b','))
        {
            let member = super::trim_ows(member);
            if member.is_empty() {
                continue;
            }
            match std::str::from_utf8(member) {
                Ok(text) if is_member(member) => baggage.push(text),
                _ => baggage.dropped += 1,
            }
        }
        baggage
    }

    /// One value that is valid as it stands.
    fn borrowed(value: &'a [u8]) -> Option<Self> {
        let text = std::str::from_utf8(super::trim_ows(value)).ok()?;
        let members = text.split(',').count();
        let fits = text.len() <= MAX_BYTES && members <= MAX_MEMBERS;
        (fits
            && text
                .split(',')
                .all(|member| is_member(super::trim_ows(member.as_bytes()))))
        .then_some(Self {
            wire: Cow::Borrowed(text),
            members,
            dropped: 0,
        })
    }

    /// The wire form: the value to send.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.wire
    }

    /// How many members there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.members
    }

    /// Whether there is no member.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.members == 0
    }

    /// Members left out because of the grammar or the limits.
    #[must_use]
    pub const fn dropped(&self) -> usize {
        self.dropped
    }

    /// Keys and decoded values, in order. A sequence that is not UTF-8 becomes U+FFFD.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
        self.wire.split(',').filter_map(|member| {
            let (key, rest) = member.split_once('=')?;
            let value = rest.split_once(';').map_or(rest, |(value, _)| value);
            Some((
                key.trim_matches([' ', '\t']),
                decode(value.trim_matches([' ', '\t'])),
            ))
        })
    }

    /// The decoded value of the first member with this key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Cow<'_, str>> {
        self.iter()
            .find_map(|(name, value)| (name == key).then_some(value))
    }

    /// Adds a member; its value is percent-encoded. Dropped, and counted, when the key is no
    /// token or there is no room.
    pub fn insert(&mut self, key: &str, value: &str) {
        if is_token(key.as_bytes()) {
            self.push(&format!("{key}={}", encode(value)));
        } else {
            self.dropped += 1;
        }
    }

    fn push(&mut self, member: &str) {
        let comma = usize::from(!self.wire.is_empty());
        if self.members == MAX_MEMBERS || self.wire.len() + comma + member.len() > MAX_BYTES {
            self.dropped += 1;
            return;
        }
        let wire = self.wire.to_mut();
        if comma == 1 {
            wire.push(',');
        }
        wire.push_str(member);
        self.members += 1;
    }
}

/// `key OWS = OWS value *( OWS ; OWS property )`.
fn is_member(member: &[u8]) -> bool {
    let Some(equals) = member.iter().position(|&byte| byte == b'=') else {
        return false;
    };
    let mut parts = member[equals + 1..].split(|&byte| byte == b';');
    is_token(super::trim_ows(&member[..equals]))
        && parts
            .next()
            .is_some_and(|value| super::trim_ows(value).iter().all(|&byte| is_octet(byte)))
        && parts.all(is_property)
}

fn is_property(property: &[u8]) -> bool {
    let property = super::trim_ows(property);
    match property.iter().position(|&byte| byte == b'=') {
        None => is_token(property),
        Some(equals) => {
            is_token(super::trim_ows(&property[..equals]))
                && super::trim_ows(&property[equals + 1..])
                    .iter()
                    .all(|&byte| is_octet(byte))
        }
    }
}

/// RFC 9110's token.
fn is_token(text: &[u8]) -> bool {
    !text.is_empty()
        && text
            .iter()
            .all(|&byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// baggage-octet: visible ASCII without `"` `,` `;` `\`.
const fn is_octet(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x2b | 0x2d..=0x3a | 0x3c..=0x5b | 0x5d..=0x7e)
}

fn decode(value: &str) -> Cow<'_, str> {
    if !value.contains('%') {
        return Cow::Borrowed(value);
    }
    let bytes = value.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let pair = bytes
            .get(i + 1..i + 3)
            .filter(|_| bytes[i] == b'%')
            .and_then(super::hex::any_case);
        #[expect(clippy::cast_possible_truncation, reason = "two hexadecimal digits")]
        match pair {
            Some(byte) => {
                out.push(byte as u8);
                i += 3;
            }
            None => {
                out.push(bytes[i]);
                i += 1;
            }
        }
    }
    Cow::Owned(String::from_utf8_lossy(&out).into_owned())
}

fn encode(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for &byte in value.as_bytes() {
        if is_octet(byte) && byte != b'%' {
            out.push(char::from(byte));
        } else {
            let mut digits = [0; 2];
            super::hex::write(u128::from(byte), &mut digits);
            out.push('%');
            out.extend(digits.map(|digit| char::from(digit.to_ascii_uppercase())));
        }
    }
    out
}
