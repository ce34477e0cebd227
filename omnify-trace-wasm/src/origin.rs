//! Origins: who gets trace headers.

use alloc::{borrow::ToOwned as _, string::String, vec::Vec};

use crate::scan;

/// `https://a.example:8443` of an absolute address, empty if it has none.
pub(crate) fn origin(url: &str) -> &str {
    let bytes = url.as_bytes();
    let Some(scheme) = scan::find(bytes, b"://") else {
        return "";
    };
    let end = (scheme + 3..bytes.len())
        .find(|&at| matches!(bytes.get(at), Some(b'/' | b'?' | b'#')))
        .unwrap_or(bytes.len());
    url.get(..end).unwrap_or("")
}

/// The page's own origin and those that its settings allow.
#[derive(Default)]
pub(crate) struct Origins {
    allowed: Vec<String>,
}

impl Origins {
    /// Allows the origin of an address.
    pub(crate) fn allow(&mut self, url: &str) {
        self.allowed.push(origin(url).to_owned());
    }

    /// Whether a request to this address may carry trace headers.
    pub(crate) fn may_trace(&self, url: &str) -> bool {
        let origin = origin(url);
        !origin.is_empty() && self.allowed.iter().any(|allowed| allowed == origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_origins_match() {
        let mut origins = Origins::default();
        for url in [
            "https://app.example",
            "https://api.example:8443",
            "https://b.example/path",
            "nonsense",
        ] {
            origins.allow(url);
        }
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
}
