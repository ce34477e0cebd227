//! OWASP's list of response headers (2026-07-19).

use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::csp::Csp;

const NO_REFERRER: HeaderValue = HeaderValue::from_static("no-referrer");
const NO_SNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const DENY: HeaderValue = HeaderValue::from_static("deny");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store, max-age=0");
const SAME_ORIGIN: HeaderValue = HeaderValue::from_static("same-origin");
const TWO_YEARS: HeaderValue = HeaderValue::from_static("max-age=63072000; includeSubDomains");
const PERMISSIONS: HeaderValue = HeaderValue::from_static(
    "accelerometer=(), autoplay=(), camera=(), cross-origin-isolated=(), display-capture=(), \
     encrypted-media=(), fullscreen=(), geolocation=(), gyroscope=(), keyboard-map=(), \
     magnetometer=(), microphone=(), midi=(), payment=(), picture-in-picture=(), \
     publickey-credentials-get=(), screen-wake-lock=(), sync-xhr=(self), usb=(), web-share=(), \
     xr-spatial-tracking=()",
);

/// A ready-made set of headers; what a handler sets itself is kept.
#[derive(Debug, Clone)]
#[must_use]
pub struct SecurityHeaders {
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl SecurityHeaders {
    /// No header.
    pub const fn none() -> Self {
        Self {
            headers: Vec::new(),
        }
    }

    /// For JSON APIs: HSTS, nosniff, no framing, no storing, no loading.
    pub fn api() -> Self {
        let headers = vec![
            (header::STRICT_TRANSPORT_SECURITY, TWO_YEARS),
            (header::X_CONTENT_TYPE_OPTIONS, NO_SNIFF),
            (header::X_FRAME_OPTIONS, DENY),
            (header::REFERRER_POLICY, NO_REFERRER),
            (header::CACHE_CONTROL, NO_STORE),
        ];
        Self { headers }.csp(&Csp::api())
    }

    /// The whole list, for pages.
    pub fn site() -> Self {
        Self::api()
            .set(
                HeaderName::from_static("cross-origin-embedder-policy"),
                HeaderValue::from_static("require-corp"),
            )
            .set(
                HeaderName::from_static("cross-origin-opener-policy"),
                SAME_ORIGIN,
            )
            .set(
                HeaderName::from_static("cross-origin-resource-policy"),
                SAME_ORIGIN,
            )
            .set(HeaderName::from_static("permissions-policy"), PERMISSIONS)
            .set(
                HeaderName::from_static("x-permitted-cross-domain-policies"),
                HeaderValue::from_static("none"),
            )
            .set(
                header::X_DNS_PREFETCH_CONTROL,
                HeaderValue::from_static("off"),
            )
            .csp(&Csp::site())
    }

    /// For a single-page application served by this server, also on plain HTTP. Its assets may be stored.
    pub fn dashboard() -> Self {
        Self::site()
            .csp(&Csp::dashboard())
            .without(&header::CACHE_CONTROL)
    }

    /// Sets one header.
    pub fn set(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self = self.without(&name);
        self.headers.push((name, value));
        self
    }

    /// Leaves one header out.
    pub fn without(mut self, name: &HeaderName) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self
    }

    /// Sets the Content-Security-Policy. One that cannot be a header value changes nothing.
    pub fn csp(self, policy: &Csp) -> Self {
        match policy.header() {
            Some(value) => self.set(header::CONTENT_SECURITY_POLICY, value),
            None => self,
        }
    }
}

/// A set of headers as the map that a response will have, with room for what is about to come:
/// cloning it and moving the handler's few headers in costs half of setting ours one by one.
#[derive(Debug, Clone)]
pub(super) struct Prepared {
    map: HeaderMap,
    /// Places in `map` that are empty unless the handler sets these headers: nearly every one
    /// does, and a list that has to grow past its size costs as much as all the rest.
    kept_free: Vec<HeaderName>,
}

impl Prepared {
    pub(super) fn new(headers: SecurityHeaders) -> Self {
        let mut prepared = Self {
            map: HeaderMap::new(),
            kept_free: Vec::new(),
        };
        if headers.headers.is_empty() {
            return prepared;
        }
        // First, because whoever looks for a type begins at the front.
        for name in [header::CONTENT_TYPE, header::CONTENT_LENGTH] {
            if !headers.headers.iter().any(|(ours, _)| *ours == name) {
                prepared.reserve(&name);
                prepared.kept_free.push(name);
            }
        }
        prepared.map.extend(headers.headers);
        prepared
    }

    /// Has a place for a header that a layer outside is going to set on every response.
    pub(super) fn expect(&mut self, name: &HeaderName) {
        if !self.map.is_empty() {
            self.reserve(name);
        }
    }

    fn reserve(&mut self, name: &HeaderName) {
        let empty = || HeaderValue::from_static("");
        self.map.entry(name).or_insert_with(empty);
    }

    /// Adds what is not there, and removes what tells strangers about the server.
    pub(super) fn apply(&self, response: &mut HeaderMap) {
        if response.keys().any(tells_of_the_server) {
            keep_quiet(response);
        }
        if self.map.is_empty() {
            return;
        }
        let given = std::mem::replace(response, self.map.clone());
        for name in &self.kept_free {
            if !given.keys().any(|known| known == name) {
                response.remove(name);
            }
        }
        // A handler's header replaces ours; several of one name stay several.
        response.extend(given);
    }
}

/// Whether a header helps nobody but who looks for a way in: OWASP's list of headers to remove has
/// them, and the ids of traces among them.
fn tells_of_the_server(name: &HeaderName) -> bool {
    if *name == header::SERVER {
        return true;
    }
    match name.as_str() {
        "b3" | "powered-by" => true,
        name => name.strip_prefix("x-").is_some_and(|name| {
            const NAMES: [&str; 5] = [
                "powered-by",
                "aspnet-version",
                "aspnetmvc-version",
                "generator",
                "php-version",
            ];
            name.starts_with("b3-") || name.starts_with("datadog-") || NAMES.contains(&name)
        }),
    }
}

#[cold]
fn keep_quiet(response: &mut HeaderMap) {
    let names = response.keys().filter(|name| tells_of_the_server(name));
    for name in names.cloned().collect::<Vec<_>>() {
        response.remove(name);
    }
}
