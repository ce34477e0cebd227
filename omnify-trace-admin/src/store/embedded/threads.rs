//! Work on more than one thread.

use parquet::errors::ParquetError;

use crate::store::StoreError;

/// A thread ended without a result.
#[derive(Debug)]
pub(crate) struct Lost;

const LOST: &str = "a thread of the store ended early";

impl From<Lost> for StoreError {
    fn from(_: Lost) -> Self {
        Self::Unavailable(LOST.to_owned())
    }
}

impl From<Lost> for ParquetError {
    fn from(_: Lost) -> Self {
        Self::General(LOST.to_owned())
    }
}

/// Does the work for each item, in their order, on as many threads at most; the caller's is one.
pub(crate) fn spread<T: Send, R: Send>(
    mut items: Vec<T>,
    threads: usize,
    work: impl Fn(T) -> R + Sync,
) -> Result<Vec<R>, Lost> {
    let each = |items: Vec<T>| items.into_iter().map(&work).collect::<Vec<R>>();
    let share = items.len().div_ceil(threads.max(1)).max(1);
    if items.len() <= share {
        return Ok(each(items));
    }
    std::thread::scope(|scope| {
        let mut others = Vec::new();
        let mut rest = items.split_off(share);
        while !rest.is_empty() {
            let later = rest.split_off(share.min(rest.len()));
            others.push(scope.spawn(move || each(rest)));
            rest = later;
        }
        let mut done = each(items);
        for other in others {
            done.extend(other.join().map_err(|_| Lost)?);
        }
        Ok(done)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_items() {
        for count in 0..9_u64 {
            for threads in 0..5 {
                let items: Vec<u64> = (0..count).collect();
                let squares = spread(items, threads, |item| item * item).unwrap();
                assert!(squares.into_iter().eq((0..count).map(|item| item * item)));
            }
        }
    }
}
