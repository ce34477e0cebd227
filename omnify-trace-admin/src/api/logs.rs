//! Lines: searching them, counting them, looking around one.

use std::collections::BTreeMap;

use axum::{Json, extract::Path, http::HeaderMap, response::Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    caller::Caller,
    layers,
    params::{Params, When, Which, bounded, given, number, query},
    problem::{ApiError, Problem},
};
use crate::{
    analysis::{LineJson, LineSchema, Range, step_for},
    store::{Facet, Order, Page, Partial},
    time::{self, rfc3339},
};

/// Fields whose values are counted unless others are asked for.
const FACETS: [&str; 6] = [
    "level",
    "event_type",
    "service.name",
    "target",
    "organization_id",
    "workflow_id",
];

/// How far a query got before its budget ended.
#[derive(Serialize, ToSchema)]
#[schema(as = Partial)]
pub(super) struct PartialBody {
    /// `time` or `memory`.
    reason: String,
    /// RFC 3339: everything on the near side of it was looked at.
    reached: String,
}

impl From<Partial> for PartialBody {
    fn from(partial: Partial) -> Self {
        Self {
            reason: partial.reason,
            reached: rfc3339(partial.reached),
        }
    }
}

/// Which page.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PageParams {
    /// Lines a page, 1 to 1000. Defaults to 100.
    limit: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// `newest` (default) or `oldest` first.
    order: Option<String>,
}

impl PageParams {
    fn page(&self) -> Result<Page, ApiError> {
        let order = match given(&self.order) {
            None | Some("newest") => Order::Newest,
            Some("oldest") => Order::Oldest,
            Some(other) => {
                return Err(ApiError::invalid(
                    "order",
                    format!("`{other}` is neither newest nor oldest."),
                ));
            }
        };
        Ok(Page {
            limit: number("limit", &self.limit, 100, 1_000)?,
            cursor: given(&self.cursor).map(str::to_owned),
            order,
        })
    }
}

/// A page of lines.
#[derive(Serialize, ToSchema)]
pub(super) struct LogPage {
    /// In the order asked for.
    #[schema(value_type = Vec<LineSchema>)]
    logs: Vec<LineJson>,
    /// Ask with it for the next page; null at the end.
    next_cursor: Option<String>,
    /// Only if the query ran out of its budget.
    #[serde(skip_serializing_if = "Option::is_none")]
    partial: Option<PartialBody>,
    /// Only if part of the search was taken as plain text: why.
    #[serde(skip_serializing_if = "Option::is_none")]
    search_note: Option<String>,
}

/// Search the lines.
#[utoipa::path(get, path = "/logs", tag = "logs", params(When, Which, PageParams), responses(
    (status = 200, description = "A page of lines", body = LogPage),
    (status = 400, description = "A parameter was not accepted", body = Problem),
))]
pub(super) async fn list(
    caller: Caller,
    Params(when): Params<When>,
    Params(which): Params<Which>,
    Params(page): Params<PageParams>,
) -> Result<Json<LogPage>, ApiError> {
    let (query, search_note) = query(&when, &which, time::now())?;
    let lines = caller.lines.search(&query, &page.page()?).await?;
    Ok(Json(LogPage {
        logs: lines.lines.into_iter().map(LineJson).collect(),
        next_cursor: lines.next_cursor,
        partial: lines.partial.map(PartialBody::from),
        search_note,
    }))
}

/// How a histogram is cut.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct HistogramParams {
    /// About so many buckets, 1 to 1000. Defaults to 60.
    buckets: Option<String>,
    /// The field whose values each bucket is split by. Defaults to `level`.
    by: Option<String>,
}

/// Lines over time.
#[derive(Serialize, ToSchema)]
pub(super) struct HistogramBody {
    /// Width of a bucket, milliseconds.
    step_ms: i64,
    /// Oldest first; empty buckets are left out.
    buckets: Vec<HistogramBucket>,
    /// Only if the query ran out of its budget.
    #[serde(skip_serializing_if = "Option::is_none")]
    partial: Option<PartialBody>,
}

/// One bucket.
#[derive(Serialize, ToSchema)]
pub(super) struct HistogramBucket {
    /// RFC 3339.
    start: String,
    /// Lines.
    count: u64,
    /// Lines per value of the split field.
    by: BTreeMap<String, u64>,
}

/// Count the lines over time.
#[utoipa::path(get, path = "/logs/histogram", tag = "logs", params(When, Which, HistogramParams), responses(
    (status = 200, description = "Counts; without a range those of the last 24 hours", body = HistogramBody),
    (status = 400, description = "A parameter was not accepted", body = Problem),
))]
pub(super) async fn histogram(
    caller: Caller,
    Params(when): Params<When>,
    Params(which): Params<Which>,
    Params(cut): Params<HistogramParams>,
) -> Result<Json<HistogramBody>, ApiError> {
    let range = range_with_start(&caller, when.or_a_day(time::now())?).await?;
    let (filters, _) = which.filters()?;
    let mut query = range.query();
    query.filters = filters;
    let step = step_for(&range, number("buckets", &cut.buckets, 60, 1_000)?);
    let by = given(&cut.by).unwrap_or("level");
    let histogram = caller.lines.histogram(&query, step, Some(by)).await?;
    Ok(Json(HistogramBody {
        step_ms: step / 1_000_000,
        buckets: histogram
            .buckets
            .into_iter()
            .map(|bucket| HistogramBucket {
                start: rfc3339(bucket.start),
                count: bucket.count,
                by: bucket.by.into_iter().collect(),
            })
            .collect(),
        partial: histogram.partial.map(PartialBody::from),
    }))
}

/// A range from the beginning of time starts where the lines do, so that its buckets are of use.
async fn range_with_start(caller: &Caller, range: Range) -> Result<Range, ApiError> {
    if range.from > 0 {
        return Ok(range);
    }
    let oldest = caller.whole.stats().await?.oldest.unwrap_or(range.from);
    Ok(Range {
        from: oldest.clamp(range.from, range.to - 1),
        to: range.to,
    })
}

/// Which fields are counted.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct FacetParams {
    /// Paths of fields, comma-separated, at most 20.
    fields: Option<String>,
    /// Values a field, 1 to 1000. Defaults to 10.
    top: Option<String>,
}

/// The most frequent values of fields.
#[derive(Serialize, ToSchema)]
pub(super) struct FacetsBody {
    /// In the order asked for.
    facets: Vec<FacetBody>,
    /// Only if the query ran out of its budget.
    #[serde(skip_serializing_if = "Option::is_none")]
    partial: Option<PartialBody>,
}

/// The most frequent values of a field.
#[derive(Serialize, ToSchema)]
#[schema(as = Facet)]
pub(super) struct FacetBody {
    /// As asked for.
    field: String,
    /// Lines that have it.
    present: u64,
    /// The most frequent first.
    values: Vec<FacetValue>,
}

/// One value of a field.
#[derive(Serialize, ToSchema)]
pub(super) struct FacetValue {
    /// As text.
    value: String,
    /// Lines.
    count: u64,
}

impl From<Facet> for FacetBody {
    fn from(facet: Facet) -> Self {
        let values = facet
            .values
            .into_iter()
            .map(|(value, count)| FacetValue { value, count })
            .collect();
        Self {
            field: facet.field,
            present: facet.present,
            values,
        }
    }
}

/// Count the values of fields.
#[utoipa::path(get, path = "/logs/facets", tag = "logs", params(When, Which, FacetParams), responses(
    (status = 200, description = "Counts; without a range those of the last 24 hours", body = FacetsBody),
    (status = 400, description = "A parameter was not accepted", body = Problem),
))]
pub(super) async fn facets(
    caller: Caller,
    Params(when): Params<When>,
    Params(which): Params<Which>,
    Params(what): Params<FacetParams>,
) -> Result<Json<FacetsBody>, ApiError> {
    const MOST_FIELDS: usize = 20;
    let mut query = when.or_a_day(time::now())?.query();
    (query.filters, _) = which.filters()?;
    let fields: Vec<&str> =
        given(&what.fields).map_or_else(|| FACETS.to_vec(), |fields| self::names(fields));
    if fields.len() > MOST_FIELDS {
        return Err(ApiError::invalid(
            "fields",
            format!("At most {MOST_FIELDS} fields at a time."),
        ));
    }
    let top = number("top", &what.top, 10, 1_000)?;
    let facets = caller.lines.facets(&query, &fields, top).await?;
    Ok(Json(FacetsBody {
        partial: facets.partial.clone().map(PartialBody::from),
        facets: facets.into_iter().map(FacetBody::from).collect(),
    }))
}

fn names(text: &str) -> Vec<&str> {
    super::params::list(text).collect()
}

/// One line.
#[utoipa::path(get, path = "/logs/{id}", tag = "logs", params(("id" = String, Path, description = "Of the line")), responses(
    (status = 200, description = "The line", body = LineSchema),
    (status = 404, description = "No such line", body = Problem),
))]
pub(super) async fn one(
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let line = caller.lines.get(&id).await?.ok_or_else(no_such_line)?;
    Ok(layers::tagged(
        &headers,
        "application/json",
        LineJson(line).to_json(),
    ))
}

pub(super) fn no_such_line() -> ApiError {
    ApiError::NotFound(
        "There is no such line: it may be older than the log files are kept.".to_owned(),
    )
}

/// How far around a line.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct AroundParams {
    /// Lines before it, 0 to 500. Defaults to 20.
    before: Option<String>,
    /// Lines after it, 0 to 500. Defaults to 20.
    after: Option<String>,
}

/// Lines around one.
#[derive(Serialize, ToSchema)]
pub(super) struct AroundBody {
    /// Oldest first, the line itself included.
    #[schema(value_type = Vec<LineSchema>)]
    logs: Vec<LineJson>,
}

/// The lines around one, of the same service.
#[utoipa::path(get, path = "/logs/{id}/context", tag = "logs",
    params(("id" = String, Path, description = "Of the line"), AroundParams), responses(
    (status = 200, description = "The lines", body = AroundBody),
    (status = 404, description = "No such line", body = Problem),
))]
pub(super) async fn around(
    caller: Caller,
    Path(id): Path<String>,
    Params(how_far): Params<AroundParams>,
) -> Result<Json<AroundBody>, ApiError> {
    let before = bounded("before", &how_far.before, 20, 0, 500)?;
    let after = bounded("after", &how_far.after, 20, 0, 500)?;
    let lines = caller.lines.context(&id, before, after).await?;
    if lines.is_empty() {
        return Err(no_such_line());
    }
    Ok(Json(AroundBody {
        logs: lines.into_iter().map(LineJson).collect(),
    }))
}
