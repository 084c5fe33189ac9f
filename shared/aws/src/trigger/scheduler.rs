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

use super::error::told;

/// How long EventBridge Scheduler tries to call a function that cannot be called, in seconds.
const TRIED: i32 = 3_600;

/// One-time schedules of EventBridge Scheduler that call a function with `{"tick": MOMENT}` and are
/// deleted by it once they have.
///
/// A schedule is named after its moment: of all that arrange one tick, one creates it, and none takes
/// another one's place. (One schedule of a fixed name would have to be moved, and whoever is late would
/// move it behind what others need.) They lie in a group of their own, which goes with the stack.
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
    /// Schedules in a group that call a function, by its ARN, with a role, by its ARN.
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

    /// The name of the schedule for a moment.
    fn name(due: DateTime<Utc>) -> String {
        due.format("tick-%Y%m%dT%H%M%SZ").to_string()
    }
}

#[async_trait]
impl TickScheduler for ScheduledTicks {
    async fn call_at(&self, due: DateTime<Utc>) -> Result<(), String> {
        let retry = RetryPolicy::builder()
            .maximum_event_age_in_seconds(TRIED)
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
            .name(Self::name(due))
            .group_name(&self.group)
            .schedule_expression(due.format("at(%Y-%m-%dT%H:%M:%S)").to_string())
            .flexible_time_window(exactly)
            .action_after_completion(ActionAfterCompletion::Delete)
            .target(target);
        match create.send().await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(CreateScheduleError::ConflictException(_)) => Ok(()),
                _ => Err(told("EventBridge Scheduler", &error)),
            },
        }
    }
}
