//! Addresses: who gets trace headers, and what of an address may be logged.

use alloc::{borrow::ToOwned as _, string::String, vec::Vec};

/// `https://a.example:8443` of an absolute address, empty if it has none.
pub(crate) fn origin(url: &str) -> &str {
    let Some(scheme) = url.find("://") else {
        return "";
    };
    let rest = url.get(scheme + 3..).unwrap_or("");
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    url.get(..scheme + 3 + end).unwrap_or("")
}

/// The path without query and fragment: those may hold what nobody wants in a log. The path after `#/`
/// of a router that keeps it there is a path too.
pub(crate) fn path(url: &str) -> &str {
    let rest = url.get(origin(url).len()..).unwrap_or("");
    let bytes = rest.as_bytes();
    let end = (0..bytes.len())
        .find(|&at| match bytes[at] {
            b'?' => true,
            b'#' => bytes.get(at + 1) != Some(&b'/'),
            _ => false,
        })
        .unwrap_or(rest.len());
    match rest.get(..end) {
        Some("") | None => "/",
        Some(path) => path,
    }
}

/// The page's own origin and those that its settings allow.
pub(crate) struct Origins {
    own: String,
    allowed: Vec<String>,
}

impl Origins {
    /// `allowed` holds one origin a line.
    pub(crate) fn new(own: &str, allowed: &str) -> Self {
        Self {
            own: own.to_owned(),
            allowed: allowed
                .split('\n')
                .map(origin)
                .filter(|origin| !origin.is_empty())
                .map(str::to_owned)
                .collect(),
        }
    }

    /// Whether an address is the page's own.
    pub(crate) fn is_own(&self, url: &str) -> bool {
        origin(url) == self.own
    }

    /// Whether a request to this address may carry trace headers.
    pub(crate) fn may_trace(&self, url: &str) -> bool {
        self.is_own(url) || self.allowed.iter().any(|allowed| allowed == origin(url))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_origins_match() {
        let origins = Origins::new(
            "https://app.example",
            "https://api.example:8443\nhttps://b.example/path",
        );
        for url in [
            "https://app.example/x",
            "https://api.example:8443/y?z",
            "https://b.example",
        ] {
            assert!(origins.may_trace(url), "{url}");
        }
        for url in [
            "http://app.example/x",
            "https://app.example.evil.com/",
            "https://api.example/",
            "https://evil.com/https://app.example/",
            "data:text/plain,x",
        ] {
            assert!(!origins.may_trace(url), "{url}");
        }
    }

    #[test]
    fn query_and_fragment_are_never_logged() {
        assert_eq!(path("https://a.example/reset?token=1#x"), "/reset");
        assert_eq!(path("https://a.example"), "/");
        assert_eq!(path("https://a.example?token=1"), "/");
        assert_eq!(path("https://a.example/#/users/7?token=1"), "/#/users/7");
    }
}
