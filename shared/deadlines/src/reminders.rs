//! When legal is reminded of an open clock.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// Which message of a clock: the first, one of the reminders, or the one that says it is too late.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum Stage {
    /// The incident was opened.
    Opened,
    /// It turned out to be worse than was said.
    Worsened,
    /// So many hours are left.
    Remaining {
        /// Hours before the due instant.
        hours: u32,
    },
    /// The due instant has passed.
    Overdue,
}

impl Stage {
    /// A stable name for keys and message attributes, as `remaining-24h`.
    pub fn name(self) -> String {
        match self {
            Self::Opened => "opened".to_owned(),
            Self::Worsened => "worsened".to_owned(),
            Self::Remaining { hours } => format!("remaining-{hours}h"),
            Self::Overdue => "overdue".to_owned(),
        }
    }
}

/// When to remind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReminderPolicy {
    /// Hours before the due instant.
    pub hours_before: Vec<u32>,
}

impl Default for ReminderPolicy {
    fn default() -> Self {
        Self { hours_before: vec![48, 24, 12, 6, 1] }
    }
}

/// One reminder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Reminder {
    /// When.
    pub at: DateTime<Utc>,
    /// Which.
    pub stage: Stage,
}

/// The reminders of a clock that runs from `start` to `due_at`, the earliest first, and the overdue notice
/// at `due_at` itself. A reminder that would not lie between the two is left out.
pub fn reminders(
    policy: &ReminderPolicy,
    start: DateTime<Utc>,
    due_at: DateTime<Utc>,
) -> Vec<Reminder> {
    let mut planned: Vec<Reminder> = policy
        .hours_before
        .iter()
        .filter_map(|&hours| {
            let at = due_at.checked_sub_signed(TimeDelta::hours(i64::from(hours)))?;
            (start < at && at < due_at)
                .then_some(Reminder { at, stage: Stage::Remaining { hours } })
        })
        .collect();
    planned.push(Reminder { at: due_at, stage: Stage::Overdue });
    planned.sort_unstable();
    planned.dedup();
    planned
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_72_hour_clock_reminds_at_48_24_12_6_and_1_hours_and_when_overdue() {
        let start: DateTime<Utc> = "2026-11-24T10:00:00Z".parse().unwrap();
        let planned = reminders(&ReminderPolicy::default(), start, start + TimeDelta::hours(72));
        let names: Vec<String> = planned.iter().map(|reminder| reminder.stage.name()).collect();
        assert_eq!(
            names,
            [
                "remaining-48h",
                "remaining-24h",
                "remaining-12h",
                "remaining-6h",
                "remaining-1h",
                "overdue"
            ]
        );
        assert_eq!(planned[0].at, start + TimeDelta::hours(24));
    }

    proptest! {
        #[test]
        fn every_reminder_lies_inside_the_span(
            start in 0_i64..4_000_000_000,
            span_minutes in 1_i64..200_000,
            hours_before in proptest::collection::vec(0_u32..5_000, 0..12),
        ) {
            let start = DateTime::from_timestamp(start, 0).unwrap();
            let due = start + TimeDelta::minutes(span_minutes);
            let planned = reminders(&ReminderPolicy { hours_before }, start, due);
            let last = planned.last().unwrap();
            prop_assert_eq!(last.at, due);
            prop_assert_eq!(last.stage, Stage::Overdue);
            for reminder in &planned[..planned.len() - 1] {
                prop_assert!(start < reminder.at && reminder.at < due);
            }
            prop_assert!(planned.is_sorted());
        }
    }
}
