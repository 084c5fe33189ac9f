//! The ordinals of each day, found by counting windows once.

use std::sync::{Arc, RwLock};

use super::series::Series;
use crate::cron::Tick;

/// The number of windows that begin before each day: a cache that grows on demand, 8 bytes a day.
/// It follows from the definition, so definitions are compared without it.
#[derive(Debug, Clone, Default)]
pub(super) struct Index {
    /// Entry n is the number of windows that begin before the n-th day from the first.
    counts: Arc<RwLock<Vec<u64>>>,
}

/// 9999-12-31 as days from 1970-01-01.
pub(super) const LAST_DAY: i32 = 2_932_896;

impl Index {
    /// Returns the number of windows that begin before a day.
    pub(super) fn count_before(&self, series: &Series, day: i32) -> u64 {
        let Ok(index) = usize::try_from(i64::from(day) - i64::from(series.first_day())) else {
            return 0;
        };
        self.grow_while(series, |counts| counts.len() <= index);
        let counts = self
            .counts
            .read()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        // Past the last day of the calendar the count no longer changes.
        counts.get(index).or(counts.last()).copied().unwrap_or(0)
    }

    /// Returns the day on which the window with an ordinal begins, and the number of windows that
    /// begin before that day.
    pub(super) fn day_of(&self, series: &Series, ordinal: u64) -> Option<(i32, u64)> {
        self.grow_while(series, |counts| {
            counts.last().is_none_or(|count| *count <= ordinal)
        });
        let counts = self
            .counts
            .read()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let after = counts.partition_point(|count| *count <= ordinal);
        let index = after.checked_sub(1).filter(|_| after < counts.len())?;
        Some((
            series.first_day() + i32::try_from(index).ok()?,
            counts[index],
        ))
    }

    /// Adds days until `incomplete` returns false.
    fn grow_while(&self, series: &Series, incomplete: impl Fn(&[u64]) -> bool) {
        // Take the write lock only if days are missing; another thread may have added them
        // meanwhile.
        if !incomplete(
            &self
                .counts
                .read()
                .unwrap_or_else(std::sync::PoisonError::into_inner),
        ) {
            return;
        }
        let mut counts = self
            .counts
            .write()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut buffer: Vec<Tick> = Vec::new();
        if counts.is_empty() {
            counts.push(0);
        }
        while incomplete(&counts) {
            let last_index = counts.len() - 1;
            let Some(day) = i32::try_from(last_index)
                .ok()
                .and_then(|n| series.first_day().checked_add(n))
                .filter(|day| *day <= LAST_DAY)
            else {
                return;
            };
            let count = counts[last_index] + series.count_starts(day, &mut buffer);
            counts.push(count);
        }
    }
}
