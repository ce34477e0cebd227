//! Downloads: the lines of a search as NDJSON or CSV, page by page, however many.

use std::{convert::Infallible, sync::Arc};

use axum::{
    body::{Body, Bytes},
    http::header,
    response::{IntoResponse, Response},
};
use futures::{StreamExt as _, stream};
use omnify_trace::schema::fields;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    caller::Caller,
    export_table::Table,
    params::{Params, When, Which, given, number, query},
    problem::{ApiError, Problem},
};
use crate::{
    analysis::{Event, LineJson},
    store::{Line, LogStore, Order, Page, Query},
    time::{self, rfc3339},
};

/// Lines a page.
const PAGE: usize = 1_000;
/// Lines a download at most.
const MOST: usize = 1_000_000;

/// How.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ExportParams {
    /// `ndjson` (default), `csv` or `parquet`.
    format: Option<String>,
    /// Lines at most, 1 to 1,000,000, which is the default.
    limit: Option<String>,
}

#[derive(Debug, Clone, Copy)]
enum Format {
    Ndjson,
    Csv,
    Parquet,
}

/// Download the lines of a search, newest first.
#[utoipa::path(get, path = "/logs/export", tag = "logs", params(When, Which, ExportParams), responses(
    (status = 200, description = "The lines", content_type = "application/x-ndjson", body = String),
    (status = 400, description = "A parameter was not accepted", body = Problem),
))]
pub(super) async fn export(
    caller: Caller,
    Params(when): Params<When>,
    Params(which): Params<Which>,
    Params(how): Params<ExportParams>,
) -> Result<Response, ApiError> {
    let (format, content_type, extension) = match given(&how.format) {
        None | Some("ndjson") => (Format::Ndjson, "application/x-ndjson", "ndjson"),
        Some("csv") => (Format::Csv, "text/csv; charset=utf-8", "csv"),
        Some("parquet") => (Format::Parquet, "application/vnd.apache.parquet", "parquet"),
        Some(other) => {
            return Err(ApiError::invalid(
                "format",
                format!("`{other}` is none of ndjson, csv, parquet."),
            ));
        }
    };
    let left = number("limit", &how.limit, MOST, MOST)?;
    let (query, _) = query(&when, &which, time::now())?;
    caller.audit("export", extension);
    let download = Download {
        lines: Arc::clone(&caller.lines),
        query,
        format,
        left,
        cursor: None,
        begun: false,
        table: None,
    };
    let pages = stream::unfold(Some(download), |download| async move {
        let (bytes, next) = download?.page().await;
        Some((Ok::<Bytes, Infallible>(bytes), next))
    })
    // Compression asks once more after the end, which an unfolding does not bear.
    .fuse();
    let disposition = format!("attachment; filename=\"logs.{extension}\"");
    let headers = [
        (header::CONTENT_TYPE, content_type.to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    Ok((headers, Body::from_stream(pages)).into_response())
}

struct Download {
    lines: Arc<dyn LogStore>,
    query: Query,
    format: Format,
    left: usize,
    cursor: Option<String>,
    begun: bool,
    table: Option<Table>,
}

impl Download {
    /// One page of bytes, and what is left to do.
    async fn page(mut self) -> (Bytes, Option<Self>) {
        let page = Page {
            limit: PAGE.min(self.left),
            cursor: self.cursor.take(),
            order: Order::Newest,
        };
        let lines = match self.lines.search(&self.query, &page).await {
            Ok(lines) => lines,
            Err(error) => {
                tracing::error!(target: "omnify_trace_admin::api", %error, "An export ended early");
                // A Parquet file without its footer cannot be mistaken for a whole one.
                return (Bytes::new(), None);
            }
        };
        self.left = self.left.saturating_sub(lines.lines.len());
        self.cursor = lines.next_cursor;
        let more = self.cursor.is_some() && self.left > 0;
        let bytes = match self.format {
            Format::Parquet => self.parquet(&lines.lines, more),
            _ => Some(self.text(lines.lines)),
        };
        match bytes {
            Some(bytes) => (bytes, more.then_some(self)),
            None => {
                tracing::error!(target: "omnify_trace_admin::api", "An export ended early: the table could not be written");
                (Bytes::new(), None)
            }
        }
    }

    /// A page as rows of a Parquet file; the last page closes it.
    fn parquet(&mut self, lines: &[Line], more: bool) -> Option<Bytes> {
        if self.table.is_none() {
            self.table = Table::new(&HEADINGS);
        }
        let rows: Vec<[String; COLUMNS]> = lines
            .iter()
            .map(|line| cells(&Event::parse(line.clone())))
            .collect();
        let table = self.table.as_mut()?;
        table.write(&rows)?;
        if more {
            return Some(table.take());
        }
        self.table.take()?.finish()
    }

    fn text(&mut self, lines: Vec<Line>) -> Bytes {
        let mut out = String::new();
        if !self.begun && matches!(self.format, Format::Csv) {
            out.push_str(&HEADINGS.join(","));
            out.push_str("\r\n");
        }
        self.begun = true;
        for line in lines {
            match self.format {
                Format::Ndjson => {
                    out.push_str(&LineJson(line).to_json());
                    out.push('\n');
                }
                Format::Csv | Format::Parquet => csv_row(&mut out, &Event::parse(line)),
            }
        }
        out.into()
    }
}

const COLUMNS: usize = 20;

const HEADINGS: [&str; COLUMNS] = [
    "id",
    "timestamp",
    "level",
    "event_type",
    "message",
    "target",
    "service",
    "request_id",
    "trace_id",
    "span_id",
    "session_id",
    "user_id",
    "organization_id",
    "workflow_id",
    "run_id",
    "step_id",
    "duration_ms",
    "exception_type",
    "exception_message",
    "extra",
];

/// A line's cells, in the order of the headings.
fn cells(event: &Event) -> [String; COLUMNS] {
    let own = |text: Option<&str>| text.unwrap_or_default().to_owned();
    [
        event.line.id.clone(),
        rfc3339(event.time()),
        event.level().to_owned(),
        own(event.event_type()),
        event.message().to_owned(),
        event.target().to_owned(),
        own(event.service("name")),
        own(event.context(fields::REQUEST_ID)),
        own(event.context(fields::TRACE_ID)),
        own(event.context(fields::SPAN_ID)),
        own(event.context(fields::SESSION_ID)),
        own(event.context(fields::USER_ID)),
        own(event.context(fields::ORGANIZATION_ID)),
        own(event.context(fields::WORKFLOW_ID)),
        own(event.context(fields::RUN_ID)),
        own(event.context(fields::STEP_ID)),
        event
            .duration_ms()
            .map(|duration| duration.to_string())
            .unwrap_or_default(),
        own(event.exception("type")),
        own(event.exception("message")),
        event
            .json()
            .get(fields::EXTRA)
            .map(ToString::to_string)
            .unwrap_or_default(),
    ]
}

fn csv_row(out: &mut String, event: &Event) {
    for (place, cell) in cells(event).iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        csv_cell(out, cell);
    }
    out.push_str("\r\n");
}

/// RFC 4180, and no cell that a spreadsheet would take for a formula.
fn csv_cell(out: &mut String, cell: &str) {
    let formula =
        cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && cell.parse::<f64>().is_err();
    let quotes = formula || cell.contains([',', '"', '\n', '\r']);
    if !quotes {
        out.push_str(cell);
        return;
    }
    out.push('"');
    if formula {
        out.push('\'');
    }
    out.push_str(&cell.replace('"', "\"\""));
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_formulas_defused() {
        for (cell, expected) in [
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("say \"x\"\n", "\"say \"\"x\"\"\n\""),
            ("=HYPERLINK(1)", "\"'=HYPERLINK(1)\""),
            ("-12.5", "-12.5"),
            ("-cmd", "\"'-cmd\""),
        ] {
            let mut out = String::new();
            csv_cell(&mut out, cell);
            assert_eq!(out, expected);
        }
    }
}
