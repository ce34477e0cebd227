//! Query parameters that many routes share.

use axum::{
    extract::{FromRequestParts, Query as UriQuery},
    http::request::Parts,
};
use omnify_trace::schema::fields;
use serde::{Deserialize, de::DeserializeOwned};
use utoipa::IntoParams;

use super::problem::ApiError;
use crate::{
    analysis::{Range, with},
    store::{Filter, Query, grammar},
    time::{self, DAY},
};

/// The query string as `T`; what does not fit is a problem, not a page of text.
pub(super) struct Params<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        UriQuery::<T>::try_from_uri(&parts.uri)
            .map(|UriQuery(value)| Self(value))
            .map_err(|rejection| ApiError::invalid("query", rejection.body_text()))
    }
}

/// When.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(super) struct When {
    /// Up to now: `5m`, `15m`, `1h`, `6h`, `24h`, `7d`, or any number of s, m, h, d.
    pub(super) time_range: Option<String>,
    /// First moment, RFC 3339 or Unix milliseconds.
    pub(super) from: Option<String>,
    /// End (exclusive), RFC 3339 or Unix milliseconds. Defaults to now.
    pub(super) to: Option<String>,
}

impl When {
    /// The range, if one was asked for.
    pub(super) fn asked(&self, now: i64) -> Result<Option<Range>, ApiError> {
        let moment = |name: &str, text: &Option<String>| match given(text) {
            None => Ok(None),
            Some(text) => time::parse(text).map(Some).ok_or_else(|| {
                ApiError::invalid(
                    name,
                    format!("`{text}` is neither an RFC 3339 time nor Unix milliseconds."),
                )
            }),
        };
        let (from, to) = (moment("from", &self.from)?, moment("to", &self.to)?);
        let range = match (given(&self.time_range), from, to) {
            (None, None, None) => return Ok(None),
            (Some(span), None, None) => {
                let span = time::parse_span(span).ok_or_else(|| {
                    ApiError::invalid(
                        "timeRange",
                        format!("`{span}` is not a span such as 5m, 1h, 24h or 7d."),
                    )
                })?;
                Range {
                    from: now.saturating_sub(span),
                    to: now.saturating_add(1),
                }
            }
            (Some(_), ..) => {
                return Err(ApiError::invalid(
                    "timeRange",
                    "Send either timeRange, or from and to.",
                ));
            }
            (None, from, to) => Range {
                from: from.unwrap_or(0),
                to: to.unwrap_or_else(|| now.saturating_add(1)),
            },
        };
        if range.from >= range.to {
            return Err(ApiError::invalid(
                "from",
                "The range ends before it begins.",
            ));
        }
        Ok(Some(range))
    }

    /// The range asked for, or the last 24 hours.
    pub(super) fn or_a_day(&self, now: i64) -> Result<Range, ApiError> {
        let day = Range {
            from: now.saturating_sub(DAY),
            to: now.saturating_add(1),
        };
        Ok(self.asked(now)?.unwrap_or(day))
    }
}

/// Which lines.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(super) struct Which {
    /// `TRACE`, `DEBUG`, `INFO`, `WARN`, `ERROR`, `UNKNOWN`; several comma-separated.
    level: Option<String>,
    /// One user.
    user_id: Option<String>,
    /// One organization.
    organization_id: Option<String>,
    /// One workflow.
    workflow_id: Option<String>,
    /// One run.
    run_id: Option<String>,
    /// One request.
    request_id: Option<String>,
    /// One trace.
    trace_id: Option<String>,
    /// One browser session.
    session_id: Option<String>,
    /// Event types, comma-separated.
    event_type: Option<String>,
    /// Targets, comma-separated.
    target: Option<String>,
    /// Services, comma-separated.
    service: Option<String>,
    /// Words, `"phrases"`, `-without`, `field:value`, `field>number`.
    search: Option<String>,
}

impl Which {
    /// The filters, and a note if part of the search was taken as plain text.
    pub(super) fn filters(&self) -> Result<(Vec<Filter>, Option<String>), ApiError> {
        const LEVELS: [&str; 6] = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "UNKNOWN"];
        const LONGEST_SEARCH: usize = 4_096;
        let mut filters = Vec::new();
        if let Some(levels) = given(&self.level) {
            let levels: Vec<String> = list(levels).map(str::to_ascii_uppercase).collect();
            if let Some(unknown) = levels
                .iter()
                .find(|level| !LEVELS.contains(&level.as_str()))
            {
                let detail = format!(
                    "`{unknown}` is not a level; levels are {}.",
                    LEVELS.join(", ")
                );
                return Err(ApiError::invalid("level", detail));
            }
            filters.push(with("level", levels));
        }
        for (name, value) in [
            (fields::USER_ID, &self.user_id),
            (fields::ORGANIZATION_ID, &self.organization_id),
            (fields::WORKFLOW_ID, &self.workflow_id),
            (fields::RUN_ID, &self.run_id),
            (fields::REQUEST_ID, &self.request_id),
            (fields::TRACE_ID, &self.trace_id),
            (fields::SESSION_ID, &self.session_id),
        ] {
            if let Some(value) = given(value) {
                filters.push(with(&format!("context.{name}"), [value]));
            }
        }
        for (field, values) in [
            ("event_type", &self.event_type),
            ("target", &self.target),
            ("service.name", &self.service),
        ] {
            if let Some(values) = given(values) {
                filters.push(with(field, list(values)));
            }
        }
        let mut note = None;
        if let Some(search) = given(&self.search) {
            if search.len() > LONGEST_SEARCH {
                return Err(ApiError::invalid(
                    "search",
                    "The search text is longer than 4,096 bytes.",
                ));
            }
            let parsed = grammar::parse(search);
            filters.extend(parsed.filters.into_iter().map(upper_level));
            note = parsed.note;
        }
        Ok((filters, note))
    }
}

/// `level:error` means what `level:ERROR` means.
fn upper_level(filter: Filter) -> Filter {
    match filter {
        Filter::OneOf { field, values } if field == "level" => Filter::OneOf {
            field,
            values: values
                .iter()
                .map(|value| value.to_ascii_uppercase())
                .collect(),
        },
        Filter::Not(inner) => Filter::Not(Box::new(upper_level(*inner))),
        other => other,
    }
}

/// The query of these parameters; without a range it is of all time.
pub(super) fn query(
    when: &When,
    which: &Which,
    now: i64,
) -> Result<(Query, Option<String>), ApiError> {
    let range = when.asked(now)?;
    let (filters, note) = which.filters()?;
    let query = Query {
        from: range.map(|range| range.from),
        to: range.map(|range| range.to),
        filters,
        ..Query::default()
    };
    Ok((query, note))
}

/// A parameter that is there and not empty.
pub(super) fn given(value: &Option<String>) -> Option<&str> {
    value
        .as_deref()
        .map(str::trim)
        .filter(|text| !text.is_empty())
}

/// When a span that begins now ends; `None` if none was given.
pub(super) fn end_of(name: &str, span: &Option<String>, now: i64) -> Result<Option<i64>, ApiError> {
    let end = |span: &str| {
        time::parse_span(span)
            .map(|span| now.saturating_add(span))
            .ok_or_else(|| ApiError::invalid(name, "Send a span such as 1h, 12h or 90d."))
    };
    given(span).map(end).transpose()
}

/// The parts of a comma-separated list.
pub(super) fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
}

/// A number between 1 and `most`.
pub(super) fn number(
    name: &str,
    value: &Option<String>,
    default: usize,
    most: usize,
) -> Result<usize, ApiError> {
    bounded(name, value, default, 1, most)
}

/// A number between `least` and `most`.
pub(super) fn bounded(
    name: &str,
    value: &Option<String>,
    default: usize,
    least: usize,
    most: usize,
) -> Result<usize, ApiError> {
    let Some(text) = given(value) else {
        return Ok(default);
    };
    text.parse()
        .ok()
        .filter(|number| (least..=most).contains(number))
        .ok_or_else(|| {
            ApiError::invalid(
                name,
                format!("`{text}` is not a number from {least} to {most}."),
            )
        })
}
