//! How much a request looks like an attack.
//!
//! Known fragments of attacks each have points; the points of the distinct rules of one request
//! add up to its score, and [`SUSPICIOUS`] points make it suspicious. Path and query are looked at
//! as sent, decoded once and decoded twice, whatever their case; SQL comments and runs of white
//! space count as one space. The work per request is bounded by [`MAX_INSPECTED`].
//!
//! A score is evidence for a person or an alert, not a verdict: nothing is blocked here.

mod confirm;
mod decode;
mod headers;
mod rules;
mod text;

use http::{HeaderMap, Method, Uri};

pub use rules::Rule;
pub(crate) use text::warm_up;

/// The score from which a request is suspicious.
pub const SUSPICIOUS: u16 = 5;
/// Bytes of path, query and of all headers together that are looked at, each.
pub const MAX_INSPECTED: usize = 4096;
/// Rules that one finding can name.
const MAX_RULES: usize = 8;

/// Where a fragment was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Location {
    /// The request method.
    Method,
    /// The path.
    Path,
    /// The query string.
    Query,
    /// A header.
    Header,
    /// The `User-Agent` header.
    UserAgent,
}

impl Location {
    /// The name in a log field.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Method => "method",
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "header",
            Self::UserAgent => "user_agent",
        }
    }
}

/// What was found in one request.
#[derive(Debug, Clone, Default)]
pub struct Finding {
    score: u16,
    hits: [Option<(Rule, Location, u16)>; MAX_RULES],
}

impl Finding {
    /// The sum of the points of its rules.
    #[must_use]
    pub const fn score(&self) -> u16 {
        self.score
    }

    /// Whether the score has reached [`SUSPICIOUS`].
    #[must_use]
    pub const fn is_suspicious(&self) -> bool {
        self.score >= SUSPICIOUS
    }

    /// The rule with the most points and where it matched.
    #[must_use]
    pub fn strongest(&self) -> Option<(Rule, Location)> {
        self.hits
            .iter()
            .flatten()
            .max_by_key(|hit| hit.2)
            .map(|hit| (hit.0, hit.1))
    }

    /// Every rule that matched, where, and its points.
    pub fn rules(&self) -> impl Iterator<Item = (Rule, Location, u16)> + '_ {
        self.hits.iter().flatten().copied()
    }

    /// Counts `points` for `rule`; of several matches of a rule the highest counts.
    fn add(&mut self, rule: Rule, location: Location, points: u16) {
        if points == 0 {
            return;
        }
        for slot in &mut self.hits {
            match slot {
                Some(hit) if hit.0 == rule => {
                    if points > hit.2 {
                        self.score += points - hit.2;
                        *hit = (rule, location, points);
                    }
                    return;
                }
                Some(_) => {}
                None => {
                    *slot = Some((rule, location, points));
                    self.score += points;
                    return;
                }
            }
        }
    }
}

/// Scores one request's head.
///
/// ```
/// use http::{HeaderMap, Method, Uri};
/// use omnify_trace_axum::security::score::score;
/// let harmless: Uri = "/api/users/42?sort=name".parse()?;
/// assert_eq!(score(&Method::GET, &harmless, &HeaderMap::new()).score(), 0);
/// let attack: Uri = "/download?file=%252e%252e%252fetc%252fpasswd".parse()?;
/// assert!(score(&Method::GET, &attack, &HeaderMap::new()).is_suspicious());
/// # Ok::<(), http::uri::InvalidUri>(())
/// ```
#[must_use]
pub fn score(method: &Method, uri: &Uri, headers: &HeaderMap) -> Finding {
    let mut finding = Finding::default();
    headers::method(method, &mut finding);
    text::inspect(uri.path().as_bytes(), Location::Path, &mut finding);
    if let Some(query) = uri.query() {
        text::inspect(query.as_bytes(), Location::Query, &mut finding);
    }
    headers::inspect(headers, &mut finding);
    finding
}
