//! Durations of ops, from the record.

use std::time::Duration;

use precip_core::{cost::StepTime, plan::Step};
use precip_engine::state::PageRequest;

use crate::{failure::Failure, session::Session};

/// Maximum number of materializations in a mean.
const MAX_SAMPLE: usize = 1_000;

/// Returns the duration of one invocation of a step: the mean over its first asset's latest
/// materializations, or the timeout of its op when there are none.
///
/// # Errors
/// [`Failure`] when the record cannot be read.
pub(super) async fn step_time(
    session: &Session,
    step: &Step,
    timeout: Duration,
) -> Result<StepTime, Failure> {
    let took = measured_durations(session, step).await?;
    // A `Duration` divides by a `u32`.
    let Ok(of) = u32::try_from(took.len()) else {
        return Ok(StepTime::Timeout(timeout));
    };
    if of == 0 {
        return Ok(StepTime::Timeout(timeout));
    }
    let mean = took.iter().sum::<Duration>() / of;
    Ok(StepTime::Measured {
        mean: mean.min(timeout),
        samples: u64::from(of),
    })
}

/// Returns the durations of a step's invocations: those of its first asset's latest materializations.
/// Partitions made in one invocation each record its whole duration.
///
/// # Errors
/// [`Failure`] when the record cannot be read.
pub(in crate::command) async fn measured_durations(
    session: &Session,
    step: &Step,
) -> Result<Vec<Duration>, Failure> {
    let Some(asset) = step.assets.first() else {
        return Ok(Vec::new());
    };
    let page = PageRequest::first(MAX_SAMPLE);
    let found = session
        .store
        .list_latest_materializations(asset, &page)
        .await?;
    let made = found
        .items
        .iter()
        .filter_map(|(_, latest)| latest.published());
    Ok(made
        .filter_map(|made| (made.finished_at - made.started_at).to_std().ok())
        .collect())
}
