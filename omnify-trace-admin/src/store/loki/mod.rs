//! The Loki engine: the same questions, asked of a Loki over HTTP, for those who outgrow one
//! machine.
//!
//! | module | what lives there |
//! |---|---|
//! | `logql` | a [`Query`] as LogQL, into which no text can break |
//! | `wire` | Loki's HTTP API |
//! | `scroll` | reading lines, window by window, none twice, none left out |
//! | `counts` | what Loki can count by itself |
//! | `ship` | the log files on their way to Loki |
//!
//! Loki is asked for lines that *may* be meant; the [`Matcher`] decides. So both engines answer
//! alike, whatever Loki's own notion of a field is. Values of JSON that a foreign writer escaped
//! without need (`\u0041` for `A`) are not found here.

mod counts;
mod logql;
mod scroll;
mod ship;
#[cfg(test)]
mod tests;
mod wire;

use std::{path::PathBuf, sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::{sync::broadcast, task::JoinHandle};

use self::{
    logql::LogQl,
    scroll::{Key, Scroll, Step, parse_key, write_key},
    ship::Shipping,
    wire::Client,
};
use super::{
    Facets, Filter, Histogram, Line, Lines, LogStore, Matcher, Numbers, Order, Page, Partial,
    Query, StoreError, StoreStats,
    neighbours::Neighbours,
    scan::{Counting, Measuring, Tops},
};
use crate::time::now;

/// How many live lines a slow receiver may lag behind before it is told that it missed some.
const LIVE_LINES: usize = 4096;
/// Lines may come to Loki so much later than their time says and are still told live.
const LATENESS: i64 = 10 * super::time::SECOND;

/// How the Loki engine works. `LokiOptions::new("http://127.0.0.1:3100")` is useful as it stands.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LokiOptions {
    /// Address without `/loki/api/v1`. A user and password in it are sent as basic
    /// authentication.
    pub url: String,
    /// Whose logs, where Loki keeps several tenants' (`X-Scope-OrgID`). Defaults to none.
    pub tenant: Option<String>,
    /// How far back a query without a beginning looks. Defaults to 30 days, as Loki's
    /// `max_query_length` allows no more in one query.
    pub reach: Duration,
    /// Lines asked for at once, at most Loki's `max_entries_limit_per_query`. Defaults to 5,000,
    /// as a new installation allows.
    pub batch: usize,
    /// How often new lines are asked for while somebody follows them. Defaults to 1 s.
    pub poll: Duration,
    /// Log files to ship, and where to keep what has been shipped. Defaults to none: then
    /// Alloy or another shipper does it.
    pub ship: Option<(PathBuf, PathBuf)>,
}

impl LokiOptions {
    /// The defaults for this address.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            tenant: None,
            reach: Duration::from_secs(30 * 24 * 60 * 60),
            batch: 5000,
            poll: Duration::from_secs(1),
            ship: None,
        }
    }

    /// Whose logs, where Loki keeps several tenants'. Defaults to none.
    #[must_use]
    pub fn tenant(mut self, tenant: Option<String>) -> Self {
        self.tenant = tenant;
        self
    }

    /// How far back a query without a beginning looks. Defaults to 30 days.
    #[must_use]
    pub fn reach(mut self, reach: Duration) -> Self {
        self.reach = reach;
        self
    }

    /// Lines asked for at once. Defaults to 5,000.
    #[must_use]
    pub fn batch(mut self, lines: usize) -> Self {
        self.batch = lines.max(2);
        self
    }

    /// How often new lines are asked for while somebody follows them. Defaults to 1 s.
    #[must_use]
    pub fn poll(mut self, poll: Duration) -> Self {
        self.poll = poll;
        self
    }

    /// Ships the log files of `log_dir`; what has been shipped is noted in `data_dir`. The files
    /// are the spool: while Loki is away, lines wait there. Defaults to shipping none.
    #[must_use]
    pub fn ship(mut self, log_dir: impl Into<PathBuf>, data_dir: impl Into<PathBuf>) -> Self {
        self.ship = Some((log_dir.into(), data_dir.into()));
        self
    }
}

/// A store whose lines are in Loki.
pub struct LokiStore {
    reader: Reader,
    live: broadcast::Sender<Arc<Line>>,
    following: JoinHandle<()>,
    shipping: Option<Shipping>,
}

/// Asks Loki for lines.
#[derive(Debug, Clone)]
struct Reader {
    client: Client,
    batch: usize,
    reach_ns: i64,
}

impl LokiStore {
    /// Begins to ship if so wanted. Loki need not be there yet: each question says if it is not.
    /// Must be called within a tokio runtime.
    ///
    /// # Errors
    /// [`StoreError::BadAddress`] if the address is none; [`StoreError::Io`] if the data
    /// directory cannot be made.
    pub fn open(options: LokiOptions) -> Result<Self, StoreError> {
        let reader = Reader {
            client: Client::new(&options.url, options.tenant.as_deref())?,
            batch: options.batch,
            reach_ns: i64::try_from(options.reach.as_nanos()).unwrap_or(i64::MAX),
        };
        let shipping = options
            .ship
            .map(|(log_dir, data_dir)| Shipping::start(reader.client.clone(), log_dir, &data_dir))
            .transpose()?;
        let (live, _) = broadcast::channel(LIVE_LINES);
        let following = tokio::spawn(follow(reader.clone(), live.clone(), options.poll));
        Ok(Self {
            reader,
            live,
            following,
            shipping,
        })
    }
}

impl Drop for LokiStore {
    fn drop(&mut self) {
        self.following.abort();
    }
}

/// Sends on what is new in Loki, while there is somebody to hear it.
async fn follow(reader: Reader, live: broadcast::Sender<Arc<Line>>, poll: Duration) {
    let mut since = now();
    let mut told: Vec<Key> = Vec::new();
    loop {
        tokio::time::sleep(poll).await;
        if live.receiver_count() == 0 {
            (since, told) = (now(), Vec::new());
            continue;
        }
        let query = Query {
            from: Some(since),
            ..Query::default()
        };
        let mut scroll = Scroll::new(&reader, &query, Order::Oldest, None);
        let mut known = std::mem::take(&mut told);
        while let Ok(Step::Lines(lines)) = scroll.next().await {
            for (key, line) in lines {
                if known.binary_search(&key).is_err() {
                    let _ = live.send(Arc::new(line));
                }
                told.push(key);
            }
        }
        told.append(&mut known);
        since = since.max(now() - LATENESS);
        told.retain(|key| key.0 >= since);
        told.sort_unstable();
        told.dedup();
    }
}

impl Reader {
    /// Calls with each line that is meant, newest first.
    async fn each(
        &self,
        query: &Query,
        mut take: impl FnMut(&Line),
    ) -> Result<Option<Partial>, StoreError> {
        let mut scroll = Scroll::new(self, query, Order::Newest, None);
        loop {
            match scroll.next().await? {
                Step::Lines(lines) => lines.iter().for_each(|(_, line)| take(line)),
                Step::Over(partial) => return Ok(Some(partial)),
                Step::End => return Ok(None),
            }
        }
    }

    async fn find(&self, key: Key) -> Result<Option<Line>, StoreError> {
        let query = Query {
            from: Some(key.0),
            to: Some(key.0.saturating_add(1)),
            ..Query::default()
        };
        let mut scroll = Scroll::new(self, &query, Order::Oldest, None);
        while let Step::Lines(lines) = scroll.next().await? {
            if let Some((_, line)) = lines.into_iter().find(|(at, _)| *at == key) {
                return Ok(Some(line));
            }
        }
        Ok(None)
    }

    async fn search(&self, query: &Query, page: &Page) -> Result<Lines, StoreError> {
        let after = page.cursor.as_deref().map(parse_key).transpose()?;
        let mut scroll = Scroll::new(self, query, page.order, after);
        let mut found: Vec<(Key, Line)> = Vec::new();
        let mut bytes = 0;
        let mut partial = None;
        while found.len() <= page.limit {
            match scroll.next().await? {
                Step::Lines(lines) => {
                    bytes += lines.iter().map(|(_, line)| line.raw.len()).sum::<usize>();
                    found.extend(lines);
                    if bytes > query.budget.memory && found.len() <= page.limit {
                        partial = Some(scroll.stopped("memory"));
                        break;
                    }
                }
                Step::Over(stopped) => {
                    partial = Some(stopped);
                    break;
                }
                Step::End => break,
            }
        }
        let full = found.len() > page.limit;
        found.truncate(page.limit);
        let next_cursor = if full {
            found.last().map(|(key, _)| write_key(*key))
        } else {
            // What comes after the place that was reached.
            partial.as_ref().map(|_| write_key(scroll.reached_key()))
        };
        Ok(Lines {
            lines: found.into_iter().map(|(_, line)| line).collect(),
            next_cursor,
            partial: partial.filter(|_| !full),
        })
    }

    /// The [`Neighbours`] of a line in one direction, the nearest first.
    async fn around(
        &self,
        line: &Line,
        order: Order,
        count: usize,
    ) -> Result<Vec<Line>, StoreError> {
        let neighbours = Neighbours::of(line);
        let query = neighbours.query();
        let mut found = Vec::new();
        let mut cursor = Some(line.id.clone());
        while found.len() < count && cursor.is_some() {
            let page = Page {
                limit: count.max(100),
                cursor: cursor.take(),
                order,
            };
            let lines = self.search(&query, &page).await?;
            let near = lines.lines.into_iter();
            found.extend(near.filter(|other| neighbours.has(other)));
            if lines.partial.is_none() {
                cursor = lines.next_cursor;
            }
        }
        found.truncate(count);
        Ok(found)
    }
}

#[async_trait]
impl LogStore for LokiStore {
    async fn search(&self, query: &Query, page: &Page) -> Result<Lines, StoreError> {
        self.reader.search(query, page).await
    }

    async fn get(&self, id: &str) -> Result<Option<Line>, StoreError> {
        self.reader.find(parse_key(id)?).await
    }

    async fn context(
        &self,
        id: &str,
        before: usize,
        after: usize,
    ) -> Result<Vec<Line>, StoreError> {
        let Some(line) = self.get(id).await? else {
            return Ok(Vec::new());
        };
        let mut lines = self.reader.around(&line, Order::Newest, before).await?;
        lines.reverse();
        lines.push(line.clone());
        lines.extend(self.reader.around(&line, Order::Oldest, after).await?);
        Ok(lines)
    }

    async fn histogram(
        &self,
        query: &Query,
        step_ns: i64,
        by: Option<&str>,
    ) -> Result<Histogram, StoreError> {
        if let Some(buckets) = self.reader.counted_over_time(query, step_ns, by).await? {
            return Ok(Histogram {
                step_ns,
                buckets,
                partial: None,
            });
        }
        let mut counting = Counting::new(step_ns, by);
        let partial = self.reader.each(query, |line| counting.add(line)).await?;
        Ok(Histogram {
            step_ns,
            buckets: counting.buckets(),
            partial,
        })
    }

    async fn facets(
        &self,
        query: &Query,
        fields: &[&str],
        top: usize,
    ) -> Result<Facets, StoreError> {
        let mut counted = Vec::new();
        let mut to_read = Vec::new();
        for &field in fields {
            match self.reader.counted_by_value(query, field, top).await? {
                Some(facet) => counted.push(facet),
                None => to_read.push(field),
            }
        }
        let mut partial = None;
        if !to_read.is_empty() {
            let mut tops = Tops::new(&to_read);
            partial = self.reader.each(query, |line| tops.add(line)).await?;
            counted.extend(tops.facets(top));
        }
        counted.sort_by_key(|facet| fields.iter().position(|field| *field == facet.field));
        Ok(Facets {
            facets: counted,
            partial,
        })
    }

    async fn numbers(
        &self,
        query: &Query,
        value: &str,
        group_by: &[&str],
        step_ns: Option<i64>,
    ) -> Result<Numbers, StoreError> {
        // Loki's quantiles are interpolated; ours are values that occurred.
        let mut measuring = Measuring::new(value, group_by, step_ns);
        let has_value = Query {
            filters: [
                query.filters.clone(),
                vec![Filter::Exists(value.to_owned())],
            ]
            .concat(),
            ..query.clone()
        };
        let partial = self
            .reader
            .each(&has_value, |line| measuring.add(line))
            .await?;
        Ok(Numbers {
            groups: measuring.groups(),
            partial,
        })
    }

    fn tail(&self) -> broadcast::Receiver<Arc<Line>> {
        self.live.subscribe()
    }

    async fn stats(&self) -> Result<StoreStats, StoreError> {
        let mut stats = self.reader.stats().await?;
        if let Some(shipping) = &self.shipping {
            shipping.tell(&mut stats);
        }
        Ok(stats)
    }

    async fn close(&self) {
        self.following.abort();
        if let Some(shipping) = &self.shipping {
            shipping.close().await;
        }
    }
}
