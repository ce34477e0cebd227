//! Methods and headers that ordinary clients do not send.

use http::{HeaderMap, Method, header};

use super::rules::Rule;
use super::{Finding, Location, MAX_INSPECTED, text};

/// Values that long are an attempt at something.
const LONG_VALUE: usize = 8192;
/// More ranges than a media player or a download manager asks for.
const MANY_RANGES: usize = 12;

/// Methods outside of what an API or a site answers.
pub(super) fn method(method: &Method, finding: &mut Finding) {
    let points = match *method {
        Method::GET | Method::POST | Method::PUT | Method::PATCH => 0,
        Method::DELETE | Method::HEAD | Method::OPTIONS => 0,
        Method::TRACE | Method::CONNECT => 5,
        _ => match method.as_str() {
            "QUERY" => 0,
            "PROPFIND" | "PROPPATCH" | "MKCOL" | "COPY" | "MOVE" | "LOCK" | "UNLOCK" | "SEARCH"
            | "REPORT" | "PURGE" => 3,
            _ => 5,
        },
    };
    finding.add(Rule::MethodAbuse, Location::Method, points);
}

/// All headers, within the budget.
pub(super) fn inspect(headers: &HeaderMap, finding: &mut Finding) {
    let mut left = MAX_INSPECTED;
    let (mut has_length, mut has_encoding) = (false, false);
    for (name, value) in headers {
        has_length |= *name == header::CONTENT_LENGTH;
        has_encoding |= *name == header::TRANSFER_ENCODING;
        let value = value.as_bytes();
        if value.len() > LONG_VALUE {
            finding.add(Rule::Oversized, Location::Header, 3);
        }
        let Some(kind) = Kind::of(name) else { continue };
        let value = &value[..value.len().min(left)];
        left -= value.len();
        kind.inspect(value, finding);
    }
    if has_length && has_encoding {
        finding.add(Rule::HeaderAbuse, Location::Header, 5);
    }
}

/// What a header can be used for.
enum Kind {
    /// Names the client.
    UserAgent,
    /// Holds an address or path that an application may use.
    Address,
    /// A cookie, a token or anything else: only what works in any text.
    Opaque,
    /// Asks for parts.
    Range,
    /// Rewrites the request behind the proxy's back.
    Override(u16),
}

impl Kind {
    /// `None` for headers that cannot carry more than their own syntax.
    fn of(name: &http::HeaderName) -> Option<Self> {
        Some(match *name {
            header::USER_AGENT => Self::UserAgent,
            header::REFERER
            | header::HOST
            | header::ORIGIN
            | header::FORWARDED
            | header::LOCATION => Self::Address,
            header::RANGE => Self::Range,
            header::ACCEPT
            | header::ACCEPT_ENCODING
            | header::CONNECTION
            | header::CONTENT_LENGTH => return None,
            _ => match name.as_str() {
                "proxy" => Self::Override(5),
                "x-original-url" | "x-rewrite-url" => Self::Override(4),
                "x-http-method-override" | "x-method-override" => Self::Override(2),
                "x-forwarded-for" | "x-forwarded-host" | "x-real-ip" | "client-ip"
                | "true-client-ip" => Self::Address,
                "traceparent" | "x-request-id" => return None,
                _ => Self::Opaque,
            },
        })
    }

    fn inspect(&self, value: &[u8], finding: &mut Finding) {
        match self {
            Self::UserAgent => {
                text::search(value, Location::UserAgent, finding);
            }
            Self::Address => text::inspect(value, Location::Header, finding),
            // A dollar sign, an angle or a brace is in every fragment that works anywhere.
            Self::Opaque => {
                if memchr::memchr3(b'$', b'<', b'{', value).is_some()
                    || memchr::memchr2(b'\'', b'"', value).is_some()
                {
                    text::inspect_folded(value, Location::Header, finding);
                }
            }
            Self::Range => {
                if memchr::memchr_iter(b',', value).count() >= MANY_RANGES {
                    finding.add(Rule::HeaderAbuse, Location::Header, 5);
                }
            }
            &Self::Override(points) => {
                finding.add(Rule::HeaderAbuse, Location::Header, points);
                text::inspect(value, Location::Header, finding);
            }
        }
    }
}
