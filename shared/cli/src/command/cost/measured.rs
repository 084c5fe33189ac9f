//! How long ops took, by the record.

use std::time::Duration;

use precip_core::{cost::StepTime, plan::Step};
use precip_engine::state::PageRequest;

use crate::{failure::Failure, session::Session};

/// The most materializations that a mean is taken of.
const MOST: usize = 1_000;

/// How long one invocation of a step takes: the mean of its first asset's latest materializations, or
/// the timeout of its op when there are none. What one invocation made together has its time, each, so
/// that a mean of them is the mean of an invocation.
///
/// # Errors
/// [`Failure`] when the record cannot be read.
pub(super) async fn time(
    session: &Session,
    step: &Step,
    timeout: Duration,
) -> Result<StepTime, Failure> {
    let Some(asset) = step.assets.first() else {
        return Ok(StepTime::Timeout(timeout));
    };
    let page = PageRequest::first(MOST);
    let found = session.store.latest_all(asset, &page).await?;
    let made = found
        .items
        .iter()
        .filter_map(|(_, latest)| latest.published());
    let took: Vec<Duration> = made
        .filter_map(|made| (made.finished_at - made.started_at).to_std().ok())
        .collect();
    let Ok(of) = u32::try_from(took.len()) else {
        return Ok(StepTime::Timeout(timeout));
    };
    if of == 0 {
        return Ok(StepTime::Timeout(timeout));
    }
    let mean = took.iter().sum::<Duration>() / of;
    Ok(StepTime::Measured {
        mean: mean.min(timeout),
        of: u64::from(of),
    })
}
