//! [`ScheduledTicks`].

use async_trait::async_trait;
use aws_sdk_scheduler::{
    Client,
    operation::create_schedule::CreateScheduleError,
    types::{
        ActionAfterCompletion, FlexibleTimeWindow, FlexibleTimeWindowMode, RetryPolicy, Target,
    },
};
use chrono::{DateTime, Utc};
use precip_engine::react::TickScheduler;
use serde_json::json;

use crate::error::describe;

/// The time for which EventBridge Scheduler retries a call that fails, in seconds.
const MAX_EVENT_AGE: i32 = 3_600;

/// One-time schedules of EventBridge Scheduler that call a function with `{"tick": MOMENT}`.
/// EventBridge Scheduler deletes each after its call.
///
/// A schedule is named after its moment: of all callers that request one tick, one creates it, and none
/// replaces another tick. (A single schedule with a fixed name would have to be moved, and a late
/// caller could move it past a tick that others need.) The schedules are in a group of their own, which
/// is deleted with the stack.
///
/// EventBridge Scheduler calls within a minute of the moment, and not before it.
///
/// Source: <https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#one-time>
#[derive(Debug, Clone)]
pub struct ScheduledTicks {
    client: Client,
    group: String,
    function: String,
    role: String,
}

impl ScheduledTicks {
    /// Creates schedules in `group` that call `function` (an ARN) with `role` (an ARN).
    pub fn new(
        client: Client,
        group: impl Into<String>,
        function: impl Into<String>,
        role: impl Into<String>,
    ) -> Self {
        Self {
            client,
            group: group.into(),
            function: function.into(),
            role: role.into(),
        }
    }

    /// Returns the name of the schedule for a moment.
    fn schedule_name(due: DateTime<Utc>) -> String {
        due.format("tick-%Y%m%dT%H%M%SZ").to_string()
    }
}

#[async_trait]
impl TickScheduler for ScheduledTicks {
    async fn call_at(&self, due: DateTime<Utc>) -> Result<(), String> {
        let retry = RetryPolicy::builder()
            .maximum_event_age_in_seconds(MAX_EVENT_AGE)
            .build();
        let target = Target::builder()
            .arn(&self.function)
            .role_arn(&self.role)
            .input(json!({ "tick": due }).to_string())
            .retry_policy(retry)
            .build()
            .map_err(|error| error.to_string())?;
        let exactly = FlexibleTimeWindow::builder()
            .mode(FlexibleTimeWindowMode::Off)
            .build()
            .map_err(|error| error.to_string())?;
        let create = self
            .client
            .create_schedule()
            .name(Self::schedule_name(due))
            .group_name(&self.group)
            .schedule_expression(due.format("at(%Y-%m-%dT%H:%M:%S)").to_string())
            .flexible_time_window(exactly)
            .action_after_completion(ActionAfterCompletion::Delete)
            .target(target);
        match create.send().await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                // Another caller has created the schedule of this moment.
                Some(CreateScheduleError::ConflictException(_)) => Ok(()),
                _ => Err(describe("EventBridge Scheduler", &error)),
            },
        }
    }
}
