//! EventBridge Scheduler.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_scheduler::{
    Client,
    operation::{create_schedule::CreateScheduleError, update_schedule::UpdateScheduleError},
    types::{
        ActionAfterCompletion, DeadLetterConfig, FlexibleTimeWindow, FlexibleTimeWindowMode,
        RetryPolicy, Target,
    },
};
use chrono::{DateTime, DurationRound, TimeDelta, Utc};

use super::unavailable;
use crate::{Clock, PortError, Result, Schedule, Scheduled, Scheduler, json::place, keys};

/// For how long the service tries to reach the target. It would go on for a day; but within an hour the sweep has come
/// by sixty times, and a dead letter that tells of a broken target is wanted while its alarm is of use. How often it
/// tries within that hour is left to the service.
const EVENT_AGE_SECONDS_MAX: i32 = 3_600;

/// How often a schedule that others change meanwhile is tried: one that was there may have run and be gone by the
/// time that it is updated, and somebody else may have made one since.
const ATTEMPTS: u32 = 3;

/// The service tells what lies behind by its own clock, later than we asked. What it refuses is taken to be past where
/// it lay no further ahead than this.
const CLOCK_SKEW_MAX: TimeDelta = TimeDelta::minutes(1);

/// Where schedules live and whom they wake.
#[derive(Clone, Debug)]
pub struct ScheduleTarget {
    /// The group of schedules, by name.
    pub group: String,
    /// ARN of the role by which the service reaches target and dead letters.
    pub role_arn: String,
    /// ARN of the queue for wake-ups that could not be delivered.
    pub dead_letters_arn: String,
    /// ARN of what is woken.
    pub target_arn: String,
}

/// One-shot schedules of EventBridge Scheduler, gone once they ran. They wake their target within the minute that starts
/// at their instant, and never before it.
#[derive(Clone)]
pub struct EventBridgeSchedules {
    client: Client,
    target: ScheduleTarget,
    clock: Arc<dyn Clock>,
}

/// How the service took a request.
enum Answer {
    Done,
    /// It has something else than was thought.
    OutOfStep,
    /// It does not take the request as it is.
    Invalid(PortError),
}

impl EventBridgeSchedules {
    /// For this target; what lies behind is told by this clock.
    pub fn new(client: Client, target: ScheduleTarget, clock: Arc<dyn Clock>) -> Self {
        Self { client, target, clock }
    }

    async fn create(&self, schedule: &Schedule) -> Result<Answer> {
        let request = self
            .client
            .create_schedule()
            .name(keys::schedule_name(&schedule.alert_id))
            .group_name(&self.target.group)
            .schedule_expression(expression(schedule.at))
            .flexible_time_window(exactly()?)
            .action_after_completion(ActionAfterCompletion::Delete)
            .target(self.target(schedule)?);
        let call = "scheduler:CreateSchedule";
        match request.send().await {
            Ok(_) => Ok(Answer::Done),
            Err(error) => match error.as_service_error() {
                Some(CreateScheduleError::ConflictException(_)) => Ok(Answer::OutOfStep),
                Some(CreateScheduleError::ValidationException(_)) => {
                    Ok(Answer::Invalid(unavailable(call, error)))
                }
                _ => Err(unavailable(call, error)),
            },
        }
    }

    async fn update(&self, schedule: &Schedule) -> Result<Answer> {
        let request = self
            .client
            .update_schedule()
            .name(keys::schedule_name(&schedule.alert_id))
            .group_name(&self.target.group)
            .schedule_expression(expression(schedule.at))
            .flexible_time_window(exactly()?)
            .action_after_completion(ActionAfterCompletion::Delete)
            .target(self.target(schedule)?);
        let call = "scheduler:UpdateSchedule";
        match request.send().await {
            Ok(_) => Ok(Answer::Done),
            Err(error) => match error.as_service_error() {
                Some(
                    UpdateScheduleError::ConflictException(_)
                    | UpdateScheduleError::ResourceNotFoundException(_),
                ) => Ok(Answer::OutOfStep),
                Some(UpdateScheduleError::ValidationException(_)) => {
                    Ok(Answer::Invalid(unavailable(call, error)))
                }
                _ => Err(unavailable(call, error)),
            },
        }
    }

    fn target(&self, schedule: &Schedule) -> Result<Target> {
        let wake = schedule.wake();
        let input = serde_json::to_string(&wake).map_err(|error| PortError::Unreadable {
            what: format!("the schedule of {}", schedule.alert_id),
            reason: place(&error),
        })?;
        Target::builder()
            .arn(&self.target.target_arn)
            .role_arn(&self.target.role_arn)
            .dead_letter_config(
                DeadLetterConfig::builder().arn(&self.target.dead_letters_arn).build(),
            )
            .retry_policy(
                RetryPolicy::builder().maximum_event_age_in_seconds(EVENT_AGE_SECONDS_MAX).build(),
            )
            .input(input)
            .build()
            .map_err(|error| unavailable("scheduler:CreateSchedule", error))
    }

    /// What the service finds wrong with a request is its instant, if that lies behind by now.
    fn refused(&self, schedule: &Schedule, error: PortError) -> Result<Scheduled> {
        if schedule.at <= self.clock.now() + CLOCK_SKEW_MAX {
            return Ok(Scheduled::Past);
        }
        Err(error)
    }
}

#[async_trait]
impl Scheduler for EventBridgeSchedules {
    async fn put(&self, schedule: &Schedule) -> Result<Scheduled> {
        if schedule.at <= self.clock.now() {
            return Ok(Scheduled::Past);
        }
        for _ in 0..ATTEMPTS {
            match self.create(schedule).await? {
                Answer::Done => return Ok(Scheduled::Yes),
                Answer::Invalid(error) => return self.refused(schedule, error),
                Answer::OutOfStep => {}
            }
            match self.update(schedule).await? {
                Answer::Done => return Ok(Scheduled::Yes),
                Answer::Invalid(error) => return self.refused(schedule, error),
                Answer::OutOfStep => {}
            }
        }
        Err(PortError::Unavailable {
            call: "scheduler:UpdateSchedule",
            reason: format!("the schedule of {} was changed meanwhile", schedule.alert_id),
        })
    }
}

/// No window: the minute that the service needs is all the delay there is.
fn exactly() -> Result<FlexibleTimeWindow> {
    FlexibleTimeWindow::builder()
        .mode(FlexibleTimeWindowMode::Off)
        .build()
        .map_err(|error| unavailable("scheduler:CreateSchedule", error))
}

/// The first whole second that is not before `at`: whoever is woken too early finds nothing due.
fn whole_second(at: DateTime<Utc>) -> DateTime<Utc> {
    let second = TimeDelta::seconds(1);
    match at.duration_trunc(second) {
        Ok(start) if start < at => start + second,
        _ => at,
    }
}

/// In UTC, which is what an expression without a time zone means.
fn expression(at: DateTime<Utc>) -> String {
    format!("at({})", whole_second(at).format("%Y-%m-%dT%H:%M:%S"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_never_wakes_before_its_instant() {
        for (at, expected) in [
            ("2026-11-27T10:00:00Z", "at(2026-11-27T10:00:00)"),
            ("2026-11-27T10:00:00.001Z", "at(2026-11-27T10:00:01)"),
            ("2026-12-31T23:59:59.999Z", "at(2027-01-01T00:00:00)"),
            ("2026-11-27T11:00:00.5+01:00", "at(2026-11-27T10:00:01)"),
        ] {
            assert_eq!(expression(at.parse().unwrap()), expected, "{at}");
        }
    }
}
