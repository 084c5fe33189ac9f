//! Which ordinals begin on which day.

use std::sync::{Arc, RwLock};

use super::series::Series;
use crate::cron::Tick;

/// How many windows begin before each day: grows as far as it was asked for, 8 bytes a day. It holds
/// nothing that the definition does not say, so definitions are compared without it.
#[derive(Debug, Clone, Default)]
pub(super) struct Index {
    /// Entry n: the windows that begin before the n-th day from the first.
    before: Arc<RwLock<Vec<u64>>>,
}

/// 9999-12-31 as days from 1970-01-01.
pub(super) const LAST_DAY: i32 = 2_932_896;

impl Index {
    /// How many windows begin before a day.
    pub(super) fn before(&self, series: &Series, day: i32) -> u64 {
        let Ok(place) = usize::try_from(i64::from(day) - i64::from(series.first_day())) else {
            return 0;
        };
        self.grow(series, |before| before.len() <= place);
        let before = self
            .before
            .read()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        before.get(place).or(before.last()).copied().unwrap_or(0)
    }

    /// The day on which the window with this ordinal begins, and how many begin before that day.
    pub(super) fn day_of(&self, series: &Series, ordinal: u64) -> Option<(i32, u64)> {
        self.grow(series, |before| {
            before.last().is_none_or(|count| *count <= ordinal)
        });
        let before = self
            .before
            .read()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let after = before.partition_point(|count| *count <= ordinal);
        let place = after.checked_sub(1).filter(|_| after < before.len())?;
        Some((
            series.first_day() + i32::try_from(place).ok()?,
            before[place],
        ))
    }

    /// Adds days while `wanting`.
    fn grow(&self, series: &Series, wanting: impl Fn(&[u64]) -> bool) {
        if !wanting(
            &self
                .before
                .read()
                .unwrap_or_else(std::sync::PoisonError::into_inner),
        ) {
            return;
        }
        let mut before = self
            .before
            .write()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut buffer: Vec<Tick> = Vec::new();
        if before.is_empty() {
            before.push(0);
        }
        while wanting(&before) {
            let done = before.len() - 1;
            let day = i32::try_from(done)
                .ok()
                .and_then(|n| series.first_day().checked_add(n));
            let Some(day) = day.filter(|day| *day <= LAST_DAY) else {
                return;
            };
            let count = before[done] + series.count(day, &mut buffer);
            before.push(count);
        }
    }
}
