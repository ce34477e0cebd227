//! The two text formats in which figures are scraped, and which of them a scraper asks for.

/// A format of `/metrics`.
///
/// ```
/// use omnify_trace::exposition::Exposition;
/// let asked = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.2";
/// assert_eq!(Exposition::accepted(Some(asked)), Exposition::OpenMetrics);
/// assert_eq!(Exposition::accepted(Some("*/*")), Exposition::Prometheus);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Exposition {
    /// Prometheus' text format, version 0.0.4: what everybody reads.
    #[default]
    Prometheus,
    /// OpenMetrics 1.0: with exemplars, and with an end mark after the last family.
    OpenMetrics,
}

impl Exposition {
    /// What the last line of an OpenMetrics text is.
    pub const END_MARK: &str = "# EOF\n";

    /// The format that an `Accept` header asks for: OpenMetrics where it is named and not liked
    /// less than plain text, Prometheus' otherwise.
    #[must_use]
    pub fn accepted(accept: Option<&str>) -> Self {
        let (mut openmetrics, mut plain) = (0.0, 0.0);
        for range in accept.unwrap_or_default().split(',') {
            let mut parts = range.split(';').map(str::trim);
            let kind = parts.next().unwrap_or_default();
            let quality = parts
                .find_map(|parameter| parameter.strip_prefix("q="))
                .map_or(1.0, |quality| quality.parse().unwrap_or(0.0));
            if kind.eq_ignore_ascii_case("application/openmetrics-text") {
                openmetrics = quality;
            } else if kind.eq_ignore_ascii_case("text/plain") {
                plain = quality;
            }
        }
        if openmetrics > 0.0 && openmetrics >= plain {
            Self::OpenMetrics
        } else {
            Self::Prometheus
        }
    }

    /// The value of `Content-Type`.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openmetrics_is_for_those_who_ask_for_it() {
        for (accept, format) in [
            (None, Exposition::Prometheus),
            (Some(""), Exposition::Prometheus),
            (Some("text/plain"), Exposition::Prometheus),
            (
                Some("Application/OpenMetrics-Text; version=1.0.0"),
                Exposition::OpenMetrics,
            ),
            (
                Some("application/openmetrics-text;q=0.2, text/plain;q=0.5"),
                Exposition::Prometheus,
            ),
            (
                Some("application/openmetrics-text;q=0, */*"),
                Exposition::Prometheus,
            ),
            (
                Some("application/openmetrics-text;q=nonsense"),
                Exposition::Prometheus,
            ),
        ] {
            assert_eq!(Exposition::accepted(accept), format, "{accept:?}");
        }
    }
}
