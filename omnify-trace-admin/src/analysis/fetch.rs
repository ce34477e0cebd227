//! Asking a store for the lines that an analysis needs.

use omnify_trace::schema::EventType;

use super::{Event, Store};
use crate::store::{Filter, Line, Order, Page, Query, StoreError};

/// Lines per page when an analysis reads many.
const PAGE: usize = 1_000;

/// A half-open range of time, Unix nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// First nanosecond, inclusive.
    pub from: i64,
    /// Last nanosecond, exclusive.
    pub to: i64,
}

impl Range {
    /// Nanoseconds from end to end.
    #[must_use]
    pub fn length(&self) -> i64 {
        self.to.saturating_sub(self.from)
    }

    /// The range of equal length just before.
    #[must_use]
    pub fn previous(&self) -> Self {
        Self {
            from: self.from.saturating_sub(self.length()),
            to: self.from,
        }
    }

    /// Every line in the range.
    #[must_use]
    pub fn query(&self) -> Query {
        Query {
            from: Some(self.from),
            to: Some(self.to),
            ..Query::default()
        }
    }
}

/// The field's text is one of these.
#[must_use]
pub fn with<I>(field: &str, values: I) -> Filter
where
    I: IntoIterator,
    I::Item: Into<String>,
{
    Filter::OneOf {
        field: field.to_owned(),
        values: values.into_iter().map(Into::into).collect(),
    }
}

/// The lines of one type.
#[must_use]
pub fn of_type(range: &Range, kind: EventType) -> Query {
    of_types(range, &[kind])
}

/// The lines of these types.
#[must_use]
pub fn of_types(range: &Range, kinds: &[EventType]) -> Query {
    let mut query = range.query();
    query
        .filters
        .push(with("event_type", kinds.iter().map(|kind| kind.as_str())));
    query
}

/// Up to `most` lines; and whether there were no more.
///
/// # Errors
/// What the store says.
pub async fn collect(
    store: &Store,
    query: &Query,
    order: Order,
    most: usize,
) -> Result<(Vec<Event>, bool), StoreError> {
    let mut events = Vec::new();
    let mut cursor = None;
    loop {
        let page = Page {
            limit: PAGE.min(most - events.len()).max(1),
            cursor: cursor.take(),
            order,
        };
        let lines = store.search(query, &page).await?;
        let ended_early = lines.partial.is_some();
        let empty = lines.lines.is_empty();
        events.extend(lines.lines.into_iter().map(Event::parse));
        cursor = lines.next_cursor;
        if cursor.is_none() {
            return Ok((events, !ended_early));
        }
        if events.len() >= most || ended_early || empty {
            events.truncate(most);
            return Ok((events, false));
        }
    }
}

/// The newest `most` lines as lines.
pub(super) async fn newest(
    store: &Store,
    query: &Query,
    most: usize,
) -> Result<Vec<Line>, StoreError> {
    let page = Page {
        limit: most,
        cursor: None,
        order: Order::Newest,
    };
    Ok(store.search(query, &page).await?.lines)
}
