//! When the logs of an hour came: a join, never a sum.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use eventlog::{event_type::EventType, report::HourCount, row::Hour};
use serde::{Deserialize, Serialize};

/// When the log of an hour came, from however many files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// When the first file that tells of the hour landed.
    pub first_landed_at: DateTime<Utc>,
    /// When the last one landed.
    pub last_landed_at: DateTime<Utc>,
    /// Rows of the hour in the file that has most of them. Files repeat each other's rows, so this is a lower bound.
    pub row_count: u64,
}

impl Arrival {
    /// The hour came in a file that landed then, with so many rows.
    pub fn at(landed_at: DateTime<Utc>, row_count: u64) -> Self {
        Self { first_landed_at: landed_at, last_landed_at: landed_at, row_count }
    }

    /// Both together: commutative, associative and idempotent.
    #[must_use]
    pub fn joined(self, other: Self) -> Self {
        Self {
            first_landed_at: self.first_landed_at.min(other.first_landed_at),
            last_landed_at: self.last_landed_at.max(other.last_landed_at),
            row_count: self.row_count.max(other.row_count),
        }
    }
}

fn join(hours: &mut BTreeMap<Hour, Arrival>, hour: Hour, arrival: Arrival) {
    let joined = hours.get(&hour).map_or(arrival, |known| known.joined(arrival));
    hours.insert(hour, joined);
}

/// What has come from one org: by event type, the hours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arrivals(pub BTreeMap<EventType, BTreeMap<Hour, Arrival>>);

impl Arrivals {
    /// Adds an hour of a type.
    pub fn add(&mut self, event_type: EventType, hour: Hour, arrival: Arrival) {
        join(self.0.entry(event_type).or_default(), hour, arrival);
    }

    /// The hours in which anything came at all.
    pub(super) fn of_any_type(&self) -> BTreeMap<Hour, Arrival> {
        let mut hours = BTreeMap::new();
        for (hour, arrival) in self.0.values().flatten() {
            join(&mut hours, *hour, *arrival);
        }
        hours
    }
}

impl FromIterator<DayArrivals> for Arrivals {
    fn from_iter<I: IntoIterator<Item = DayArrivals>>(days: I) -> Self {
        let mut arrivals = Self::default();
        for day in days {
            for (hour, arrival) in day.hours {
                arrivals.add(day.event_type, hour, arrival);
            }
        }
        arrivals
    }
}

/// The arrivals of one org, event type and UTC day: how they are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayArrivals {
    /// Salesforce org, 15 characters.
    pub org_id: String,
    /// The kind of log.
    pub event_type: EventType,
    /// The UTC day.
    pub day: NaiveDate,
    /// Its hours that have come.
    pub hours: BTreeMap<Hour, Arrival>,
}

impl DayArrivals {
    /// What a file that landed at `landed_at` tells, by day, in order.
    pub fn of_file(hours: &[HourCount], landed_at: DateTime<Utc>) -> Vec<Self> {
        let mut days: BTreeMap<(&str, EventType, NaiveDate), Self> = BTreeMap::new();
        for HourCount { org_id, event_type, hour, rows, .. } in hours {
            let day = hour.start().date_naive();
            let of_day = days.entry((org_id, *event_type, day)).or_insert_with(|| Self {
                org_id: org_id.clone(),
                event_type: *event_type,
                day,
                hours: BTreeMap::new(),
            });
            join(&mut of_day.hours, *hour, Arrival::at(landed_at, *rows));
        }
        days.into_values().collect()
    }

    /// Joins what is known already into this.
    pub fn join(&mut self, known: &Self) {
        for (hour, arrival) in &known.hours {
            join(&mut self.hours, *hour, *arrival);
        }
    }
}
