//! When legal is reminded of an open clock.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// Which message: news of the incident, one of the reminders of a clock, or the one that says it is too late.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum Stage {
    /// The incident was opened.
    Opened,
    /// It turned out to be worse than was said.
    Worsened,
    /// New evidence came to an incident that was closed or dismissed.
    Reopened,
    /// Duties came, went or fall due at another instant.
    DutiesChanged,
    /// So much of the span is left.
    RemainingShare {
        /// Of the span from start to due instant.
        percent: u32,
    },
    /// So much time is left.
    RemainingTime {
        /// Before the due instant.
        minutes: u32,
    },
    /// The due instant has passed.
    Overdue,
}

impl Stage {
    /// A stable name for keys and message attributes, as `remaining-25-percent`.
    pub fn name(self) -> String {
        match self {
            Self::Opened => "opened".to_owned(),
            Self::Worsened => "worsened".to_owned(),
            Self::Reopened => "reopened".to_owned(),
            Self::DutiesChanged => "duties-changed".to_owned(),
            Self::RemainingShare { percent } => format!("remaining-{percent}-percent"),
            Self::RemainingTime { minutes } => format!("remaining-{minutes}-minutes"),
            Self::Overdue => "overdue".to_owned(),
        }
    }

    /// Whether it speaks of one clock rather than of the incident as a whole.
    pub const fn is_of_a_clock(self) -> bool {
        matches!(self, Self::RemainingShare { .. } | Self::RemainingTime { .. } | Self::Overdue)
    }
}

/// The reminders of one clock. The overdue notice is not among them: it comes always.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReminderPlan {
    /// Shares of the span that are left, in percent: 1 to 99.
    #[serde(default)]
    pub remaining_percent: Vec<u32>,
    /// Minutes that are left. One that lies in the first three quarters of a span is left out: a day before the end
    /// is worth a word where the law gives a month, not where it gives 25 hours.
    #[serde(default)]
    pub remaining_minutes: Vec<u32>,
    /// After how many hours a message that nobody acknowledged is sent again; without it, never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat_hours: Option<u32>,
}

/// When to remind: of duties that apply, by regime and severity, and of those that only may.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReminderPolicy {
    /// Of a duty that has no plan below.
    pub general: ReminderPlan,
    /// Of a duty that depends on a fact which nobody has answered: the question is what is urgent.
    pub possible: ReminderPlan,
    /// By severity, as `critical`.
    pub by_severity: BTreeMap<String, ReminderPlan>,
    /// By regime; they go before the severity.
    pub by_regime: BTreeMap<String, ReminderPlan>,
}

impl Default for ReminderPolicy {
    fn default() -> Self {
        let plan = |repeat_hours| ReminderPlan {
            remaining_percent: vec![50, 25, 10],
            remaining_minutes: vec![24 * 60, 60],
            repeat_hours: Some(repeat_hours),
        };
        let possible = ReminderPlan {
            remaining_percent: vec![25],
            remaining_minutes: Vec::new(),
            repeat_hours: None,
        };
        let by_severity = [("critical", plan(4)), ("high", plan(12))]
            .map(|(severity, plan)| (severity.to_owned(), plan));
        Self {
            general: plan(24),
            possible,
            by_severity: by_severity.into(),
            by_regime: BTreeMap::new(),
        }
    }
}

impl ReminderPolicy {
    /// The plan of a duty: that of its regime, else of the severity, else the general one; of a duty that only may
    /// apply, that of its regime, else the one for those.
    pub fn plan(&self, regime_id: &str, severity: &str, is_possible: bool) -> &ReminderPlan {
        let by_regime = self.by_regime.get(regime_id);
        let by_severity = || self.by_severity.get(severity);
        by_regime.unwrap_or_else(|| {
            if is_possible { &self.possible } else { by_severity().unwrap_or(&self.general) }
        })
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

/// Two reminders of a clock lie at least this far apart, and the last one from the end: a limit of an hour has no use
/// for a message every few minutes.
const APART_MINUTES_MIN: i64 = 10;

/// The reminders of a clock that runs from `start` to `due_at`, the earliest first, and the overdue notice at `due_at`
/// itself. Each lies after the start and before the end; of those that lie too close together the earlier stays, because
/// it leaves more time.
pub fn reminders(
    plan: &ReminderPlan,
    start: DateTime<Utc>,
    due_at: DateTime<Utc>,
) -> Vec<Reminder> {
    let span = due_at - start;
    let share_left = |percent: u32| {
        let percent = i64::from(percent);
        // In seconds, so that no span overflows.
        TimeDelta::try_seconds(span.num_seconds().checked_mul(percent)?.checked_div(100)?)
    };
    let by_share = plan
        .remaining_percent
        .iter()
        .filter_map(|&percent| Some((share_left(percent)?, Stage::RemainingShare { percent })));
    let by_time = plan.remaining_minutes.iter().filter_map(|&minutes| {
        let left = TimeDelta::try_minutes(i64::from(minutes))?;
        (left <= share_left(25)?).then_some((left, Stage::RemainingTime { minutes }))
    });
    let mut wanted: Vec<Reminder> = by_share
        .chain(by_time)
        .filter_map(|(left, stage)| Some(Reminder { at: due_at.checked_sub_signed(left)?, stage }))
        .filter(|reminder| start < reminder.at)
        .collect();
    wanted.sort_unstable();
    let apart = TimeDelta::minutes(APART_MINUTES_MIN);
    let mut planned: Vec<Reminder> = Vec::new();
    for reminder in wanted {
        let follows = planned.last().is_none_or(|last| reminder.at - last.at >= apart);
        if follows && due_at - reminder.at >= apart {
            planned.push(reminder);
        }
    }
    planned.push(Reminder { at: due_at, stage: Stage::Overdue });
    planned
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn minutes_left(hours: i64) -> Vec<i64> {
        let start: DateTime<Utc> = "2026-11-24T10:00:00Z".parse().unwrap();
        let due_at = start + TimeDelta::hours(hours);
        let planned = reminders(&ReminderPolicy::default().general, start, due_at);
        planned.iter().map(|reminder| (due_at - reminder.at).num_minutes()).collect()
    }

    #[test]
    fn a_clock_reminds_at_a_half_a_quarter_a_tenth_and_an_hour_and_when_overdue() {
        assert_eq!(minutes_left(72), [36 * 60, 18 * 60, 432, 60, 0]);
    }

    #[test]
    fn a_limit_of_hours_has_the_reminders_that_make_sense_for_it() {
        assert_eq!(minutes_left(1), [30, 15, 0], "six minutes before the end nothing can be done");
        assert_eq!(minutes_left(4), [120, 60, 24, 0], "a quarter of it is an hour");
        assert_eq!(minutes_left(6), [180, 90, 60, 36, 0]);
    }

    #[test]
    fn so_many_hours_before_the_end_is_a_reminder_only_within_the_last_quarter() {
        let start: DateTime<Utc> = "2026-11-24T10:00:00Z".parse().unwrap();
        let count = |span_minutes: i64| {
            let plan = ReminderPlan {
                remaining_percent: Vec::new(),
                remaining_minutes: vec![60],
                repeat_hours: None,
            };
            reminders(&plan, start, start + TimeDelta::minutes(span_minutes)).len() - 1
        };
        assert_eq!((count(240), count(239)), (1, 0));
    }

    #[test]
    fn a_limit_of_weeks_reminds_a_day_before_too() {
        assert_eq!(minutes_left(720), [360 * 60, 180 * 60, 72 * 60, 24 * 60, 60, 0]);
    }

    #[test]
    fn a_reminder_never_comes_at_the_start_or_before_it() {
        let start: DateTime<Utc> = "2026-11-24T10:00:00Z".parse().unwrap();
        let due_at = start + TimeDelta::hours(72);
        let plan = ReminderPlan {
            remaining_percent: vec![100, 110],
            remaining_minutes: vec![72 * 60],
            repeat_hours: None,
        };
        assert_eq!(
            reminders(&plan, start, due_at),
            [Reminder { at: due_at, stage: Stage::Overdue }]
        );
    }

    #[test]
    fn reminders_keep_ten_minutes_apart_from_each_other_and_from_the_end() {
        let start: DateTime<Utc> = "2026-11-24T10:00:00Z".parse().unwrap();
        let due_at = start + TimeDelta::minutes(200);
        let left = |remaining_percent: &[u32]| -> Vec<i64> {
            let remaining_percent = remaining_percent.to_vec();
            let plan = ReminderPlan {
                remaining_percent,
                remaining_minutes: Vec::new(),
                repeat_hours: None,
            };
            let planned = reminders(&plan, start, due_at);
            planned.iter().map(|reminder| (due_at - reminder.at).num_minutes()).collect()
        };
        assert_eq!(left(&[50, 45]), [100, 90, 0], "ten minutes apart");
        assert_eq!(left(&[50, 46]), [100, 0], "eight minutes apart: the earlier stays");
        assert_eq!(left(&[5, 4]), [10, 0], "eight minutes before the end nothing can be done");
    }

    #[test]
    fn a_stage_has_a_stable_name_and_speaks_of_a_clock_or_not() {
        for (stage, name, is_of_a_clock) in [
            (Stage::Opened, "opened", false),
            (Stage::Worsened, "worsened", false),
            (Stage::Reopened, "reopened", false),
            (Stage::DutiesChanged, "duties-changed", false),
            (Stage::RemainingShare { percent: 25 }, "remaining-25-percent", true),
            (Stage::RemainingTime { minutes: 60 }, "remaining-60-minutes", true),
            (Stage::Overdue, "overdue", true),
        ] {
            assert_eq!((stage.name().as_str(), stage.is_of_a_clock()), (name, is_of_a_clock));
        }
    }

    #[test]
    fn the_regime_goes_before_the_severity_and_what_only_may_apply_has_a_plan_of_its_own() {
        let plan = |percent| ReminderPlan {
            remaining_percent: vec![percent],
            remaining_minutes: Vec::new(),
            repeat_hours: None,
        };
        let policy = ReminderPolicy {
            general: plan(1),
            possible: plan(2),
            by_severity: [("high".to_owned(), plan(3))].into(),
            by_regime: [("eu-gdpr-33-1".to_owned(), plan(4))].into(),
        };
        assert_eq!(policy.plan("uk-gdpr-33-1", "low", false), &plan(1));
        assert_eq!(policy.plan("uk-gdpr-33-1", "high", true), &plan(2));
        assert_eq!(policy.plan("uk-gdpr-33-1", "high", false), &plan(3));
        assert_eq!(policy.plan("eu-gdpr-33-1", "high", true), &plan(4));
    }

    proptest! {
        #[test]
        fn every_reminder_lies_inside_the_span_and_apart_from_the_others(
            start in 0_i64..4_000_000_000,
            span_minutes in 1_i64..200_000,
            remaining_percent in proptest::collection::vec(0_u32..130, 0..8),
            remaining_minutes in proptest::collection::vec(0_u32..300_000, 0..8),
        ) {
            let start = DateTime::from_timestamp(start, 0).unwrap();
            let due = start + TimeDelta::minutes(span_minutes);
            let plan = ReminderPlan { remaining_percent, remaining_minutes, repeat_hours: None };
            let planned = reminders(&plan, start, due);
            let last = planned.last().unwrap();
            prop_assert_eq!(last.at, due);
            prop_assert_eq!(last.stage, Stage::Overdue);
            for pair in planned.windows(2) {
                prop_assert!(start < pair[0].at);
                prop_assert!(pair[1].at - pair[0].at >= TimeDelta::minutes(10));
            }
        }
    }
}
