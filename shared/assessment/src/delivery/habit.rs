//! What is missing, judged by what each type is in the habit of doing.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use eventlog::{event_type::EventType, row::Hour};
use serde::{Deserialize, Serialize};

use super::{Arrival, Arrivals, BlindSpot, Scope};

/// So long a type is watched before it is known to have a habit: every hour of the week twice.
pub const LEARNING_DAYS: i64 = 14;
/// How much later than usual an hour may be.
pub const SLACK_HOURS: i64 = 6;
/// An hour is never overdue before that: twice the usual 6 hours of an hourly file.
pub const OVERDUE_HOURS_MIN: i64 = 12;
/// And always after that: three days after the end of a day, seen from its first hour, and slack.
pub const OVERDUE_HOURS_MAX: i64 = 23 + 72 + SLACK_HOURS;
/// Most missing hours that are listed one by one.
pub const MISSING_HOURS_MAX: usize = 100;

/// Arrivals of so many days are looked at: a habit of four weeks before a silence of ten. What has not been seen for
/// longer has no habit any more.
pub const HISTORY_DAYS: i64 = 100;

const HOURS_PER_WEEK: i64 = 168;
/// Weeks that a habit and the usual lateness are taken from.
const WEEKS_OF_HABIT: usize = 4;
const WEEKS_OF_HABIT_MIN: usize = 2;
/// Holes before the last hour that came are looked for this far back.
const HOLES_DAYS: i64 = 7;
/// From so many expected hours a week on, a type comes around the clock: nine tenths of them.
const AROUND_THE_CLOCK_HOURS: u64 = 151;
/// Hours of a type that comes around the clock, or days of another, until it is silent.
const SILENT_UNITS: usize = 3;
/// Days without a type that has to come.
const DUE_TYPE_SILENT_DAYS: i64 = 7;

/// How an org's logs have come, as of an instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrgDelivery {
    /// The instant.
    pub as_of: DateTime<Utc>,
    /// All types together: whether anything comes at all.
    pub any_type: Delivery,
    /// Each type that has come, or has to.
    pub types: BTreeMap<EventType, Delivery>,
}

/// How the logs of one type have come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// What is made of it.
    #[serde(flatten)]
    pub verdict: DeliveryVerdict,
    /// The first hour that came; absent where none did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_hour: Option<Hour>,
    /// The last hour that came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_hour: Option<Hour>,
    /// Hours that came.
    pub hour_count: u64,
    /// Hours of a week in which it comes by habit, of 168.
    pub habit_hours_per_week: u64,
    /// How late the hours of the last four weeks came; absent where none did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lateness: Option<Lateness>,
    /// So long after its end an hour is overdue.
    pub overdue_after_minutes: i64,
    /// Expected hours that are overdue: of the last seven days, and since the last one that came.
    pub missing_hour_count: u64,
    /// The first [`MISSING_HOURS_MAX`] of them, in order.
    pub missing_hours: Vec<Hour>,
}

/// What is made of a type's delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum DeliveryVerdict {
    /// Nothing that is expected is overdue.
    OnTime,
    /// Hours that are expected are overdue, and not so many that it is a silence.
    Late,
    /// It stays away against its habit: a blind spot.
    Silent {
        /// The first hour of the silence.
        since: Hour,
    },
    /// It has not been seen for long enough to have a habit.
    Learning {
        /// When it will have been, if it goes on coming.
        until: DateTime<Utc>,
    },
    /// It has to come, as the configuration says of a type and as anything has to of an org, and it never did: a blind
    /// spot.
    NeverCame,
}

impl DeliveryVerdict {
    /// Its name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OnTime => "on_time",
            Self::Late => "late",
            Self::Silent { .. } => "silent",
            Self::Learning { .. } => "learning",
            Self::NeverCame => "never_came",
        }
    }
}

/// How long after the end of an hour its first file landed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lateness {
    /// Half of the hours were no later.
    pub median_minutes: i64,
    /// 95 % were no later.
    pub p95_minutes: i64,
    /// None was later.
    pub longest_minutes: i64,
}

impl OrgDelivery {
    /// What nobody can see at present. Where nothing comes at all, that is one blind spot and not one for each type.
    pub fn blind_spots(&self) -> Vec<BlindSpot> {
        let spot = |scope, delivery: &Delivery| match delivery.verdict {
            DeliveryVerdict::Silent { since } => Some(BlindSpot { scope, since: Some(since) }),
            DeliveryVerdict::NeverCame => Some(BlindSpot { scope, since: None }),
            _ => None,
        };
        match spot(Scope::Org, &self.any_type) {
            Some(org) => vec![org],
            None => self
                .types
                .iter()
                .filter_map(|(event_type, delivery)| spot(Scope::EventType(*event_type), delivery))
                .collect(),
        }
    }
}

/// Judges how an org's logs have come, as of `now`. `due_types` are those that the configuration says have to come,
/// `watched_since` is when this org was first looked at. A pure function: the order in which arrivals became known
/// does not enter it. Hours that have not begun by `now` are left out, which are mistakes in a row's time, and so are those
/// before the last [`HISTORY_DAYS`].
pub fn judge(
    arrivals: &Arrivals,
    due_types: &BTreeSet<EventType>,
    watched_since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> OrgDelivery {
    let none = BTreeMap::new();
    let known = arrivals.0.keys().chain(due_types).copied().collect::<BTreeSet<EventType>>();
    let types = known.into_iter().filter_map(|event_type| {
        let type_judge = Judge::new(arrivals.0.get(&event_type).unwrap_or(&none), now);
        let has_to_come = due_types.contains(&event_type);
        // Of a type that has only come in hours that cannot be, nothing is known.
        let is_known = has_to_come || type_judge.span().is_some();
        is_known.then(|| (event_type, type_judge.delivery(has_to_come, watched_since)))
    });
    OrgDelivery {
        as_of: now,
        types: types.collect(),
        any_type: Judge::new(&arrivals.of_any_type(), now)
            .delivery(!due_types.is_empty(), watched_since),
    }
}

/// The hours of one type up to an instant.
struct Judge {
    hours: BTreeMap<Hour, Arrival>,
    now: DateTime<Utc>,
}

/// What is missing, the hours before the last one that came apart from those after it.
#[derive(Default)]
struct Missing {
    holes: Vec<Hour>,
    tail: Vec<Hour>,
}

impl Judge {
    fn new(hours: &BTreeMap<Hour, Arrival>, now: DateTime<Utc>) -> Self {
        let from = now - TimeDelta::days(HISTORY_DAYS);
        let looked_at = hours.iter().filter(|(hour, _)| (from..=now).contains(&hour.start()));
        Self { hours: looked_at.map(|(hour, arrival)| (*hour, *arrival)).collect(), now }
    }

    fn span(&self) -> Option<(Hour, Hour)> {
        Some((*self.hours.first_key_value()?.0, *self.hours.last_key_value()?.0))
    }

    fn delivery(&self, has_to_come: bool, watched_since: DateTime<Utc>) -> Delivery {
        let lateness = self.lateness();
        let overdue_after = overdue_after(lateness);
        let missing = self.missing(overdue_after);
        let habit_hours_per_week = self.habit_hours_per_week();
        let verdict = match self.span() {
            None => never_or_not_yet(watched_since, self.now),
            Some((first, last)) => {
                self.verdict(first, last, &missing, habit_hours_per_week, has_to_come)
            }
        };
        let Missing { holes, tail } = missing;
        let mut missing_hours = holes;
        missing_hours.extend(tail);
        let missing_hour_count = count(missing_hours.len());
        missing_hours.truncate(MISSING_HOURS_MAX);
        Delivery {
            verdict,
            first_hour: self.span().map(|(first, _)| first),
            last_hour: self.span().map(|(_, last)| last),
            hour_count: count(self.hours.len()),
            habit_hours_per_week,
            lateness,
            overdue_after_minutes: overdue_after.num_minutes(),
            missing_hour_count,
            missing_hours,
        }
    }

    fn verdict(
        &self,
        first: Hour,
        last: Hour,
        missing: &Missing,
        habit_hours_per_week: u64,
        has_to_come: bool,
    ) -> DeliveryVerdict {
        let since = later(last, 1);
        let unseen = self.now - since.start();
        if has_to_come && unseen > TimeDelta::days(DUE_TYPE_SILENT_DAYS) {
            return DeliveryVerdict::Silent { since };
        }
        if last.start() - first.start() < TimeDelta::days(LEARNING_DAYS) {
            return DeliveryVerdict::Learning {
                until: first.start() + TimeDelta::days(LEARNING_DAYS),
            };
        }
        let silent_units = if habit_hours_per_week >= AROUND_THE_CLOCK_HOURS {
            missing.tail.len()
        } else {
            missing.tail.iter().map(|hour| hour.start().date_naive()).collect::<BTreeSet<_>>().len()
        };
        if silent_units >= SILENT_UNITS {
            DeliveryVerdict::Silent { since }
        } else if missing.holes.is_empty() && missing.tail.is_empty() {
            DeliveryVerdict::OnTime
        } else {
            DeliveryVerdict::Late
        }
    }

    fn lateness(&self) -> Option<Lateness> {
        let (_, last) = self.span()?;
        let from = last.start() - TimeDelta::weeks(count_of_weeks(WEEKS_OF_HABIT));
        let mut minutes: Vec<i64> = self
            .hours
            .iter()
            .filter(|(hour, _)| hour.start() > from)
            .map(|(hour, arrival)| (arrival.first_landed_at - end(*hour)).num_minutes().max(0))
            .collect();
        minutes.sort_unstable();
        let percentile = |percent: usize| {
            let rank = minutes.len().saturating_mul(percent).div_ceil(100);
            minutes.get(rank.saturating_sub(1)).copied()
        };
        Some(Lateness {
            median_minutes: percentile(50)?,
            p95_minutes: percentile(95)?,
            longest_minutes: percentile(100)?,
        })
    }

    /// Whether the type comes in that hour by habit: from the same hour of the weeks before, as far as they lie between
    /// the first and the last hour that came.
    fn is_expected(&self, hour: Hour, (first, last): (Hour, Hour)) -> bool {
        let mut week = later(hour, -HOURS_PER_WEEK);
        let (mut weeks, mut came) = (0_usize, 0_usize);
        while week >= first && weeks < WEEKS_OF_HABIT {
            if week <= last {
                weeks = weeks.saturating_add(1);
                came = came.saturating_add(usize::from(self.hours.contains_key(&week)));
            }
            week = later(week, -HOURS_PER_WEEK);
        }
        weeks >= WEEKS_OF_HABIT_MIN && came.saturating_mul(4) >= weeks.saturating_mul(3)
    }

    fn habit_hours_per_week(&self) -> u64 {
        let Some(span) = self.span() else { return 0 };
        let next_week = (1..=HOURS_PER_WEEK).map(|hours| later(span.1, hours));
        count(next_week.filter(|hour| self.is_expected(*hour, span)).count())
    }

    fn missing(&self, overdue_after: TimeDelta) -> Missing {
        let Some(span) = self.span() else { return Missing::default() };
        let (first, last) = span;
        let from = Hour::containing(self.now - TimeDelta::days(HOLES_DAYS)).min(later(last, 1));
        let mut missing = Missing::default();
        let mut hour = from.max(first);
        while end(hour) + overdue_after <= self.now {
            if !self.hours.contains_key(&hour) && self.is_expected(hour, span) {
                let list = if hour < last { &mut missing.holes } else { &mut missing.tail };
                list.push(hour);
            }
            hour = later(hour, 1);
        }
        missing
    }
}

fn never_or_not_yet(watched_since: DateTime<Utc>, now: DateTime<Utc>) -> DeliveryVerdict {
    let until = watched_since + TimeDelta::hours(OVERDUE_HOURS_MAX);
    if now < until { DeliveryVerdict::Learning { until } } else { DeliveryVerdict::NeverCame }
}

fn overdue_after(lateness: Option<Lateness>) -> TimeDelta {
    let usual = TimeDelta::minutes(lateness.map_or(0, |lateness| lateness.p95_minutes));
    (usual + TimeDelta::hours(SLACK_HOURS))
        .clamp(TimeDelta::hours(OVERDUE_HOURS_MIN), TimeDelta::hours(OVERDUE_HOURS_MAX))
}

fn end(hour: Hour) -> DateTime<Utc> {
    hour.start() + TimeDelta::hours(1)
}

fn later(hour: Hour, hours: i64) -> Hour {
    Hour::containing(hour.start() + TimeDelta::hours(hours))
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

fn count_of_weeks(weeks: usize) -> i64 {
    i64::try_from(weeks).unwrap_or(i64::MAX)
}
