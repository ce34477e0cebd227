//! The texts of fields, for an engine that gives whole lines only.

use std::sync::Arc;

use super::{
    LogStore, Order, Page, Query, StoreError, TextRow, Texts, fields::candidates, matcher::Leaves,
};

/// Lines asked for at once.
const PAGE: usize = 1_000;

pub(super) async fn by_search<S: LogStore + ?Sized>(
    store: &S,
    query: &Query,
    fields: &[&str],
    most: usize,
) -> Result<Texts, StoreError> {
    let fields: Vec<Vec<String>> = fields.iter().map(|field| candidates(field)).collect();
    let mut texts = Texts::default();
    let mut page = Page {
        limit: 0,
        cursor: None,
        order: Order::Newest,
    };
    loop {
        page.limit = PAGE.min(most - texts.rows.len()).max(1);
        let lines = store.search(query, &page).await?;
        for line in lines.lines {
            if texts.rows.len() == most {
                texts.more = true;
                return Ok(texts);
            }
            let leaves = Leaves::of(&line.raw, line.is_json);
            let text = |paths: &Vec<String>| {
                let mut found = paths.iter().filter_map(|path| leaves.get(path));
                let leaf = found.find(|leaf| leaf.is_text)?;
                Some(Arc::from(&*leaf.text))
            };
            let values = fields.iter().map(text).collect();
            texts.rows.push(TextRow {
                timestamp: line.timestamp,
                values,
                id: line.id,
            });
        }
        page.cursor = lines.next_cursor;
        texts.partial = lines.partial;
        texts.more = page.cursor.is_some();
        if page.cursor.is_none() || texts.partial.is_some() || texts.rows.len() >= most {
            return Ok(texts);
        }
    }
}
