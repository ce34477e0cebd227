//! Content-Security-Policy, spelled by a builder instead of by hand.

use http::HeaderValue;

/// A Content-Security-Policy.
///
/// ```
/// use omnify_trace_axum::security::csp::Csp;
/// let policy = Csp::dashboard().allow("connect-src", "https://loki.example.com");
/// assert!(policy.to_string().contains("connect-src 'self' https://loki.example.com"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[must_use]
pub struct Csp {
    directives: Vec<(String, Vec<String>)>,
}

impl Csp {
    /// No directive.
    pub fn new() -> Self {
        Self::default()
    }

    /// For answers that no browser renders: nobody may frame them, nothing may load.
    pub fn api() -> Self {
        Self::new()
            .set("default-src", "'none'")
            .set("frame-ancestors", "'none'")
    }

    /// OWASP's policy for a site.
    pub fn site() -> Self {
        Self::dashboard().set("upgrade-insecure-requests", "")
    }

    /// For a single-page application served by this server, also on plain HTTP: scripts, styles
    /// and connections from here only; WebAssembly may be compiled.
    pub fn dashboard() -> Self {
        Self::new()
            .set("default-src", "'self'")
            .set("script-src", "'self' 'wasm-unsafe-eval'")
            .set("connect-src", "'self'")
            .set("img-src", "'self' data:")
            .set("form-action", "'self'")
            .set("base-uri", "'self'")
            .set("object-src", "'none'")
            .set("frame-ancestors", "'none'")
    }

    /// Sets a directive's sources, separated by spaces.
    pub fn set(mut self, directive: &str, sources: &str) -> Self {
        self.directives.retain(|(name, _)| name != directive);
        let sources = sources
            .split_ascii_whitespace()
            .map(str::to_owned)
            .collect();
        self.directives.push((directive.to_owned(), sources));
        self
    }

    /// Adds a source to a directive; `'none'` gives way. A directive that is not there yet begins
    /// with the sources of `default-src`, as it had them before.
    pub fn allow(mut self, directive: &str, source: &str) -> Self {
        if !self.directives.iter().any(|(name, _)| name == directive) {
            let inherited = self
                .directives
                .iter()
                .find(|(name, _)| name == "default-src");
            let sources = inherited
                .map(|(_, sources)| sources.clone())
                .unwrap_or_default();
            self.directives.push((directive.to_owned(), sources));
        }
        if let Some((_, sources)) = self
            .directives
            .iter_mut()
            .find(|(name, _)| name == directive)
        {
            sources.retain(|known| known != "'none'" && known != source);
            sources.push(source.to_owned());
        }
        self
    }

    /// The header's value; `None` when a source has characters that no header can have.
    #[must_use]
    pub fn header(&self) -> Option<HeaderValue> {
        HeaderValue::from_str(&self.to_string()).ok()
    }
}

impl std::fmt::Display for Csp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, (name, sources)) in self.directives.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            f.write_str(name)?;
            for source in sources {
                write!(f, " {source}")?;
            }
        }
        Ok(())
    }
}
