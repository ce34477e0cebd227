//! The work list of unfinished code: where `todo!` and its kin were reached.

use std::collections::HashMap;

use omnify_trace::schema::{EventType, fields};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Range, Store, collect, of_type};
use crate::{
    store::{Order, StoreError},
    time::rfc3339,
};

/// Lines that are read at most.
const MOST: usize = 20_000;

/// One place in the code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct IncompleteItem {
    /// `file:line:column`.
    pub location: String,
    /// `todo`, `unimplemented` or `unreachable`.
    pub kind: String,
    /// What the macro said.
    pub message: String,
    /// How often it was reached.
    pub count: u64,
    /// RFC 3339.
    pub last_seen: String,
}

/// The places reached in a time, the most often reached first.
///
/// # Errors
/// What the store says.
pub async fn incomplete(store: &Store, range: &Range) -> Result<Vec<IncompleteItem>, StoreError> {
    let (events, _) = collect(
        store,
        &of_type(range, EventType::IncompleteCode),
        Order::Newest,
        MOST,
    )
    .await?;
    let mut items: HashMap<(String, String), IncompleteItem> = HashMap::new();
    for event in events {
        let location = event.text(fields::LOCATION).unwrap_or("unknown").to_owned();
        let kind = event
            .text("kind")
            .or_else(|| event.exception("type"))
            .unwrap_or("todo")
            .to_owned();
        items
            .entry((location.clone(), kind.clone()))
            .or_insert_with(|| IncompleteItem {
                location,
                kind,
                message: event.error_text().to_owned(),
                count: 0,
                last_seen: rfc3339(event.time()),
            })
            .count += 1;
    }
    let mut items: Vec<IncompleteItem> = items.into_values().collect();
    items.sort_by(|a, b| {
        b.count
            .cmp(&a.count)
            .then_with(|| a.location.cmp(&b.location))
    });
    Ok(items)
}
