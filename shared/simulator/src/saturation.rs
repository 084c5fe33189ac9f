//! The time for which a limit is reached.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::kernel::VirtualTime;

/// The time for which a limit is reached, by anyone that it holds back. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Saturation(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    held: u32,
    since: Duration,
    total: Duration,
    /// The last whole second that was counted by [`Saturation::note_second`].
    second: Option<u64>,
}

impl Saturation {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a time in which the limit holds something back. It ends when the answer is dropped.
    pub fn begin(&self, time: &VirtualTime) -> Held {
        let mut state = self.lock();
        if state.held == 0 {
            state.since = time.elapsed();
        }
        state.held += 1;
        Held {
            time: time.clone(),
            of: self.clone(),
        }
    }

    /// Counts the current second, once, however often something is refused in it.
    pub fn note_second(&self, now: Duration) {
        let mut state = self.lock();
        if state.second != Some(now.as_secs()) {
            state.second = Some(now.as_secs());
            state.total += Duration::from_secs(1);
        }
    }

    /// Returns the time until now.
    pub fn total(&self, now: Duration) -> Duration {
        let state = self.lock();
        match state.held {
            0 => state.total,
            _ => state.total + now.saturating_sub(state.since),
        }
    }
}

/// A time in which a limit holds something back.
#[derive(Debug)]
pub struct Held {
    time: VirtualTime,
    of: Saturation,
}

impl Drop for Held {
    fn drop(&mut self) {
        let now = self.time.elapsed();
        let mut state = self.of.lock();
        state.held -= 1;
        if state.held == 0 {
            let since = state.since;
            state.total += now.saturating_sub(since);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chrono::DateTime;

    use super::Saturation;
    use crate::kernel::Kernel;

    #[test]
    fn overlapping_times_count_once() {
        let mut kernel = Kernel::new(DateTime::UNIX_EPOCH);
        let (time, limit) = (kernel.time(), Saturation::default());
        let seconds = Duration::from_secs;
        kernel.run(async {
            let first = limit.begin(&time);
            time.sleep(seconds(2)).await;
            let second = limit.begin(&time);
            time.sleep(seconds(2)).await;
            drop(first);
            time.sleep(seconds(1)).await;
            assert_eq!(limit.total(time.elapsed()), seconds(5));
            drop(second);
            time.sleep(seconds(10)).await;
        });
        assert_eq!(limit.total(time.elapsed()), seconds(5));
        limit.note_second(seconds(20));
        limit.note_second(seconds(20) + Duration::from_millis(10));
        assert_eq!(limit.total(time.elapsed()), seconds(6));
    }
}
